using System.Text.Json;
using Consensus.Protocol;
using Consensus.Timeline;

namespace Consensus.Tests.Protocol;

[Trait(Category.Name, Category.Fast)]
public sealed class WireNameTests
{
    [Fact]
    public void Names_on_the_wire_stay_whatever_the_members_are_called()
    {
        Assert.Equal("none handshake reset new_round proposal vote final state", Names<MessageKind>());
        Assert.Equal("unknown ok ack reset started already-started ignored refused", Names<ResponseStatus>());
        Assert.Equal(
            "unknown stale-round already-decided round-mismatch stale-run "
                + "not-a-member contradiction disagreement cluster-size out-of-range",
            Names<ResponseReason>());
        Assert.Equal(
            "joined joined_as_learner drew copied adopted voted decided learned was_reset contradicted disagreed restored",
            Names<ProtocolEventKind>());
        Assert.Equal("booted sent received answered lost",
            string.Join(' ', Enum.GetValues<TimelineEventKind>()[^5..].Select(kind => kind.WireName())));
        Assert.Equal("waiting proposing voting decided", Names<Phase>());
        Assert.Equal("classic ratified fresh plurality direct relay", $"{Names<Rule>()} {Names<DrawStrategy>()} {Names<Spread>()}");
    }

    [Fact]
    public void Every_status_and_reason_is_read_as_it_was_written()
    {
        foreach (var reason in Enum.GetValues<ResponseReason>())
        {
            var response = new Response(ResponseStatus.Ignored) { Reason = reason };
            var body = JsonSerializer.Serialize(response, MessageJson.Default.Response);
            Assert.Equal($$"""{"status":"ignored","reason":"{{reason.WireName()}}"}""", body);
            Assert.Equal(response, JsonSerializer.Deserialize(body, MessageJson.Default.Response));
        }
    }

    [Fact]
    public void A_response_of_a_later_version_is_read_though_its_words_are_unknown()
    {
        var read = JsonSerializer.Deserialize(
            """{"status":"postponed","reason":"too-early","agent_id":"b"}""", MessageJson.Default.Response);
        Assert.Equal(new Response() { Reason = ResponseReason.Unknown, AgentId = "b" }, read);
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize("""{"status":1}""", MessageJson.Default.Response));
    }

    private static string Names<T>()
        where T : struct, Enum => string.Join(' ', WireNames.All<T>());
}
