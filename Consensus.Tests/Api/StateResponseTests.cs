using System.Text.Json;
using Consensus.Agent.Api;
using Consensus.Protocol;
using Consensus.Tests.Protocol;
using FsCheck.Xunit;

namespace Consensus.Tests.Api;

[Trait(Category.Name, Category.Fast)]
public sealed class StateResponseTests
{
    /// <summary>
    /// The simulator and the model checker deliver the machine's answer to a <see cref="StateQuery"/>, an agent sends the
    /// body of <c>GET /state</c>. No rule reads the status of either; <c>round</c> in the body is for people.
    /// </summary>
    [Property(MaxTest = 60, Replay = "1983,81", Arbitrary = [typeof(Schedules)])]
    public void A_peer_reads_from_the_state_endpoint_what_the_machine_answers(Schedule schedule)
    {
        var cluster = new ScheduledCluster(schedule) { Watch = (machine, _, _) => AssertSame(machine) };
        foreach (var move in schedule.Moves)
        {
            cluster.Move(move);
        }
    }

    private static void AssertSame(AgentStateMachine machine)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(StateResponse.From(machine.Snapshot()), AgentJson.Default.StateResponse);
        var read = JsonSerializer.Deserialize(body, MessageJson.Default.Response)! with { Status = ResponseStatus.Unknown, Round = null };
        var reply = machine.Clone().Step(new MessageReceived(new StateQuery())).OfType<Reply>().Single();
        var answered = reply.Response with { Status = ResponseStatus.Unknown };
        Assert.Equal(Text(answered), Text(read));
    }

    private static string Text(Response answer) => JsonSerializer.Serialize(answer, MessageJson.Default.Response);
}
