using Consensus.Protocol;
using Consensus.Agent.Timeline;
using Microsoft.Extensions.Time.Testing;

namespace Consensus.Tests.Timeline;

[Trait(Category.Name, Category.Fast)]
public class EventRecorderTests
{
    private static readonly Dictionary<string, string> Members = new() { ["a"] = "boot", ["b"] = "other" };
    private readonly FakeTimeProvider _time = new();
    private readonly EventRecorder _recorder;
    private long _lastMessageId;

    public EventRecorderTests() => _recorder = new EventRecorder("a", "boot", _time);

    private TimelineReader Timeline => _recorder.Reader;

    /// <summary>Records the next message to the peer b.</summary>
    private long Send(Message message)
    {
        _recorder.Sent(++_lastMessageId, 0, "http://b", message);
        return _lastMessageId;
    }

    private static RunDescriptor Run(int number, string boot = "boot") =>
        new(new RunId(number, "a", "boot"), 2, 1, Rule.Ratified, 3, DrawStrategy.Fresh, 200, new Dictionary<string, string>(Members) { ["a"] = boot });

    private void Join(RunDescriptor run)
    {
        _recorder.OnStep(run);
        _recorder.Record(new ProtocolEvent(ProtocolEventKind.Joined, run.Id, 1));
    }

    [Fact]
    public void Each_thing_that_happens_has_an_event_kind_of_its_name() =>
        Assert.All(Enum.GetValues<ProtocolEventKind>(), kind => Assert.Equal(kind.ToString(), ((TimelineEventKind)kind).ToString()));

    [Fact]
    public void A_run_of_any_length_keeps_its_beginning_and_its_end()
    {
        Join(Run(1));
        for (var i = 1; i <= 30_000; i++)
        {
            Send(new Proposal("a", 1, i, Run(1)));
        }

        var read = Timeline.Read();
        Assert.Equal(RunEventLog.MaxEvents, read.Events!.Count);
        Assert.Equal(30_001 - RunEventLog.MaxEvents, read.Dropped);
        Assert.Equal(read.Events.Select(e => e.Id).Order(), read.Events.Select(e => e.Id));
        Assert.Equal(1, read.Events[1].Round);
        Assert.Equal(30_000, read.Events[^1].Round);
    }

    [Fact]
    public void Old_runs_drop_their_events_and_retain_their_summary()
    {
        for (var run = 1; run <= RunEventLogs.MaxRuns + 5; run++)
        {
            Join(Run(run));
            for (var i = 1; i <= 2_000; i++)
            {
                Send(new Proposal("a", 1, i, Run(run)));
            }
        }

        var runs = Timeline.Runs().Runs;
        Assert.Equal(RunEventLogs.MaxRuns, runs.Count);
        Assert.Equal("105.a.boot", runs[0].Run);
        Assert.Equal(2_000, runs[^1].Sent);
        Assert.Empty(Timeline.Read(runs[^1].Run).Events!);
        Assert.InRange(runs.Sum(run => Timeline.Read(run.Run).Events!.Count), RunEventLogs.MaxEvents - 2_001, RunEventLogs.MaxEvents);
    }

    [Fact]
    public void How_a_handshake_ended_belongs_to_the_run_it_was_for_and_not_to_the_one_before()
    {
        Handshake(null, lost: false);
        Join(Run(1));
        Handshake(Run(1), lost: true);
        Join(Run(2));
        Assert.Equal(["sent", "answered"], Told("1.a.boot"));
        Assert.Equal(["sent", "lost"], Told("2.a.boot"));

        string[] Told(string run) => [.. Timeline.Read(run).Events!.Where(e => e.Message == "handshake" || e.Kind is "answered" or "lost").Select(e => e.Kind)];
    }

    private void Handshake(RunDescriptor? current, bool lost)
    {
        _recorder.OnStep(current);
        var message = new Handshake();
        var id = Send(message);
        if (lost)
        {
            _recorder.Lost(id, 0, message);
        }
        else
        {
            _recorder.Responded(id, 0, message, new Response(ResponseStatus.Ok));
        }
    }

    [Fact]
    public void A_message_that_repeats_is_recorded_three_times()
    {
        var run = Run(1);
        Join(run);
        for (var i = 0; i < 100; i++)
        {
            var final = new Final(2, 1, run, "a");
            _recorder.Lost(Send(final), 0, final);
            _recorder.Received("b/other/" + i, new Proposal("b", 1, 1, run), new Response(ResponseStatus.Ok));
        }

        var events = Timeline.Read().Events!;
        Assert.Equal(3, events.Count(e => e.Kind == "sent"));
        Assert.Equal(3, events.Count(e => e.Kind == "lost"));
        Assert.Equal(3, events.Count(e => e.Kind == "received"));
    }

    [Fact]
    public void Every_status_and_reason_of_a_response_is_in_the_timeline()
    {
        var run = Run(1);
        Join(run);
        Response[] responses =
        [
            .. Enum.GetValues<ResponseStatus>()[1..].Select(status => new Response(status)),
            .. Enum.GetValues<ResponseReason>().Select(reason => new Response(ResponseStatus.Ok) { Reason = reason }),
        ];
        for (var i = 0; i < responses.Length; i++)
        {
            _recorder.Received("b/other/" + i, new Proposal("b", 1, i + 1, run), responses[i]);
        }

        var recorded = Timeline.Read().Events!.Where(e => e.Kind == "received").Select(e => (e.Status, e.Reason));
        Assert.Equal(responses.Select(response => ((string?)response.Status.WireName(), response.Reason?.WireName())), recorded);
    }

    [Fact]
    public void The_answer_that_brings_the_decision_is_recorded_though_its_question_was_a_repetition()
    {
        var run = Run(1);
        Join(run);
        var question = new StateQuery();
        _recorder.Responded(Send(question), 0, question, new Response(ResponseStatus.Ok) { AgentId = "b", Decision = new Decision(2, 1, run.Id) });
        Assert.Equal(["joined", "sent", "answered"], Timeline.Read().Events!.Select(e => e.Kind));
    }

    [Fact]
    public void The_handshake_belongs_to_the_run_that_follows_it()
    {
        var handshake = new Handshake();
        _recorder.OnStep(null);
        var id = Send(handshake);
        _recorder.Responded(id, 0, handshake, new Response(ResponseStatus.Reset) { AgentId = "b" });
        Join(Run(1));
        Assert.Equal(["sent", "answered", "joined"], Timeline.Read().Events!.Select(e => e.Kind));
    }

    [Fact]
    public void A_run_that_outlived_this_process_shows_the_restart()
    {
        _recorder.OnStep(null);
        _recorder.Booted();
        Join(Run(1, boot: "before"));
        Assert.Equal(["booted", "joined"], Timeline.Read().Events!.Select(e => e.Kind));
        Join(Run(2));
        Assert.Equal(["joined"], Timeline.Read().Events!.Select(e => e.Kind));
    }

    [Theory]
    [InlineData("no key")]
    [InlineData("/")]
    [InlineData("a/b/c")]
    [InlineData("a/b/-1")]
    [InlineData("a//1/99999999999999999999")]
    public void A_strange_key_is_no_key(string key)
    {
        Join(Run(1));
        _recorder.Received(key, new Proposal("b", 1, 1, Run(1)), new Response(ResponseStatus.Ok));
        Assert.Equal(("b", null), (Timeline.Read().Events![^1].Other, Timeline.Read().Events![^1].MessageId));
    }

    [Fact]
    public void Names_of_unknown_clients_do_not_fill_the_memory()
    {
        Join(Run(1));
        for (var i = 0; i < 5_000; i++)
        {
            _recorder.Received($"stranger{i}/x/1", new Proposal("b", 1, i, Run(1)), new Response(ResponseStatus.Ok));
        }

        Assert.InRange(Timeline.Read().Events!.Select(e => e.Other).Distinct().Count(), 2, 1_024);
    }

    [Fact]
    public async Task The_stream_resumes_after_the_event_that_was_seen_last()
    {
        Join(Run(1));
        Join(Run(2));
        var last = Timeline.LastEventId;
        Join(Run(3));
        using var cancellation = new CancellationTokenSource();
        var first = await Timeline.FollowAsync(last, TimeSpan.FromSeconds(1), cancellation.Token).FirstAsync();
        Assert.Contains("\"run\":\"3.a.boot\"", first.Json, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_idle_stream_sends_heartbeats_and_then_the_next_event()
    {
        using var cancellation = new CancellationTokenSource();
        await using var stream = Timeline.FollowAsync(0, TimeSpan.FromSeconds(1), cancellation.Token).GetAsyncEnumerator();
        var next = stream.MoveNextAsync().AsTask();
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(await next);
        Assert.Equal("quiet", stream.Current.Kind);
        next = stream.MoveNextAsync().AsTask();
        Join(Run(1));
        Assert.True(await next);
        Assert.Equal("joined", stream.Current.Kind);
        await cancellation.CancelAsync();
    }
}
