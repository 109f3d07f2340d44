using Consensus.Agent.Recorder;
using Consensus.Protocol;
using Consensus.Simulation;
using Consensus.Timeline;
using Microsoft.Extensions.Time.Testing;
using Timer = Consensus.Protocol.Timer;

namespace Consensus.Tests.Timeline;

/// <summary>The agent "a" of three, whose peers are played by the test.</summary>
[Trait(Category.Name, Category.Fast)]
public class EventRecorderTests
{
    private static readonly Dictionary<string, string> Members = new() { ["a"] = "boot", ["b"] = "other", ["c"] = "third" };
    private readonly FakeTimeProvider _time = new();
    private readonly AgentStateMachine _machine;
    private readonly EventRecorder _recorder;
    private readonly List<(long Id, Send Send)> _sent = [];
    private long _tickets;

    public EventRecorderTests()
    {
        var draws = new RecordedDraws(new SeededRandom(1));
        _machine = new AgentStateMachine("a", "boot", ["http://b", "http://c"], draws);
        _recorder = new EventRecorder(new InputLog(_machine, draws), _time);
        Step(new Started());
        _sent.Clear();
    }

    private TimelineReader Timeline => _recorder.Reader;

    private static RunDescriptor Run(int number, string boot = "boot") =>
        new(new RunId(number, "b", "other"), 3, 1, Rule.Ratified, 3, DrawStrategy.Fresh,
            200, new Dictionary<string, string>(Members) { ["a"] = boot });

    private void Step(Input input, string? key = null, long messageId = 0)
    {
        var effects = _machine.Step(input).ToList();
        var id = _recorder.OnStep(input, effects, key, messageId);
        foreach (var effect in effects)
        {
            if (effect is Send send)
            {
                _sent.Add((id++, send));
                _recorder.Sent(send.Peer, send.Message);
            }
            else if (effect is ProtocolEvent protocolEvent)
            {
                _recorder.Record(protocolEvent);
            }
        }
    }

    private void Receive(Message message, string? key = null) => Step(new MessageReceived(message), key);

    private void Join(RunDescriptor run) => Receive(new Proposal("b", 1, 1, run));

    /// <summary>Ends the calls in flight; null: a call fails.</summary>
    private void EndCalls(Func<Send, Response?> respond)
    {
        foreach (var (id, send) in _sent.ToList())
        {
            _sent.Remove((id, send));
            Step(respond(send) is { } response
                ? new ResponseReceived(send.Peer, send.Message, response) : new RequestFailed(send.Peer, send.Message), messageId: id);
        }
    }

    [Fact]
    public void Each_thing_that_happens_has_an_event_kind_of_its_name() =>
        Assert.All(Enum.GetValues<ProtocolEventKind>(), kind => Assert.Equal(kind.ToString(), ((TimelineEventKind)kind).ToString()));

    [Fact]
    public void A_run_of_any_length_keeps_its_beginning_and_its_end()
    {
        const int Steps = (InputLog.MaxSegments + 20) * InputLog.StepsPerSegment;
        Join(Run(1));
        for (var i = 1; i <= Steps; i++)
        {
            Receive(new Proposal("c", 1, i, Run(1)));
        }

        var read = Timeline.Read();
        var rounds = read.Events!.Where(e => e is { Kind: "received", Other: "c" }).Select(e => e.Round!.Value).ToList();
        Assert.InRange(read.Dropped, Steps - (InputLog.MaxSegments * InputLog.StepsPerSegment),
            Steps - ((InputLog.MaxSegments - 2) * InputLog.StepsPerSegment));
        Assert.Equal(Steps - read.Dropped, rounds.Count);
        Assert.Equal((1, Steps), (rounds[0], rounds[^1]));
        Assert.Equal(read.Events!.Select(e => e.Id).Order(), read.Events!.Select(e => e.Id));
    }

    [Fact]
    public void A_run_after_many_others_keeps_its_beginning_too()
    {
        const int Steps = (InputLog.MaxSegments - 1) * InputLog.StepsPerSegment;
        Join(Run(1));
        for (var i = 1; i <= Steps; i++)
        {
            Receive(new Proposal("c", 1, i, Run(1)));
        }

        Join(Run(2));
        for (var i = 1; i <= Steps; i++)
        {
            Receive(new Proposal("c", 1, i, Run(2)));
        }

        Assert.Contains(Timeline.Read().Events!, e => e.Kind == "joined");
        Assert.InRange(Timeline.Read().Dropped, 0, InputLog.StepsPerSegment);
        Assert.DoesNotContain(Timeline.Read(Run(1).Id.ToString()).Events!, e => e.Kind == "joined");
    }

    [Fact]
    public void Old_runs_drop_their_events_and_retain_their_summary()
    {
        const int StepsOfARun = InputLog.MaxSegments * InputLog.StepsPerSegment / 20;
        for (var run = 1; run <= RunIndex.MaxRuns + 5; run++)
        {
            Join(Run(run));
            for (var i = 1; i < StepsOfARun; i++)
            {
                Receive(new Proposal("c", 1, i, Run(run)));
            }
        }

        var runs = Timeline.Runs().Runs;
        Assert.Equal(RunIndex.MaxRuns, runs.Count);
        Assert.Equal("105.b.other", runs[0].Run);
        Assert.NotEqual(0, runs[^1].Sent);
        Assert.Empty(Timeline.Read(runs[^1].Run).Events!);
        Assert.Equal(StepsOfARun, Timeline.Read(runs[^1].Run).Dropped);
        Assert.InRange(runs.Count(run => Timeline.Read(run.Run).Events!.Count > 0), 19, 21);
    }

    [Fact]
    public void How_a_handshake_ended_belongs_to_the_run_it_was_for_and_not_to_the_one_before()
    {
        Start(send => send.Peer == 0 ? new Response(ResponseStatus.Reset) { AgentId = "b", Boot = "other" } : null);
        Start(send => send.Peer == 0 ? null : new Response(ResponseStatus.Reset) { AgentId = "c", Boot = "third" });
        var runs = Timeline.Runs().Runs;
        Assert.Equal(["sent b", "sent c", "answered b", "lost c"], HandshakesOf(runs[1].Run));
        Assert.Equal(["sent b", "sent c", "lost b", "answered c"], HandshakesOf(runs[0].Run));

        void Start(Func<Send, Response?> respond)
        {
            // Without a window, the run begins with the quorum, and the other response comes later.
            Step(new StartRun(++_tickets, new RunRequest(WindowMs: 0)));
            EndCalls(respond);
            Step(new TimerFired(Timer.Start));
            EndCalls(_ => null);
        }

        string[] HandshakesOf(string run)
        {
            var handshakes = Timeline.Read(run).Events!.Where(e => e.Message == "handshake").Select(e => e.MessageId).ToHashSet();
            return [.. Timeline.Read(run).Events!.Where(e => handshakes.Contains(e.MessageId))
                .Select(e => $"{e.Kind} {e.Other!.Replace("http://", "", StringComparison.Ordinal)}")];
        }
    }

    [Fact]
    public void A_message_that_repeats_is_shown_three_times()
    {
        Join(Run(1));
        _sent.Clear();
        for (var i = 0; i < 100; i++)
        {
            Step(new TimerFired(Timer.Retransmit));
            EndCalls(_ => null);
            Receive(new Proposal("b", 1, 1, Run(1)), "b/other/" + i);
        }

        var events = Timeline.Read().Events!;
        Assert.Equal(3, MostOf("sent"));
        Assert.Equal(3, MostOf("received"));

        int MostOf(string kind) =>
            events.Where(e => e.Kind == kind).GroupBy(e => (e.Other, e.Message, e.Round, e.Value)).Max(same => same.Count());
    }

    [Fact]
    public void Every_status_and_reason_of_a_response_is_in_the_timeline()
    {
        Join(Run(1));
        var (id, sent) = _sent.First(one => one.Send.Message.Run is not null);
        Response[] responses =
        [
            .. Enum.GetValues<ResponseStatus>()[1..].Select(status => new Response(status)),
            .. Enum.GetValues<ResponseReason>().Select(reason => new Response(ResponseStatus.Ok) { Reason = reason }),
        ];
        foreach (var response in responses)
        {
            Step(new ResponseReceived(sent.Peer, sent.Message, response), messageId: id);
        }

        var recorded = Timeline.Read().Events!.Where(e => e.Kind == "answered").Select(e => (e.Status, e.Reason));
        Assert.Equal(responses.Select(response => ((string?)response.Status.WireName(), response.Reason?.WireName())), recorded);
    }

    [Fact]
    public void The_answer_that_brings_the_decision_is_shown_though_its_question_was_a_repetition()
    {
        Join(Run(1));
        _sent.Clear();
        Step(new TimerFired(Timer.Poll));
        var before = Timeline.Read().Events!.Select(e => e.Kind).ToList();
        EndCalls(_ => new Response(ResponseStatus.Ok)
        {
            AgentId = "b", Boot = "other", Run = Run(1).Id, Descriptor = Run(1),
            Decision = new Decision(2, 1, Run(1).Id),
        });
        var after = Timeline.Read().Events!.Select(e => e.Kind).Skip(before.Count);
        Assert.Equal(["sent", "answered"], after.Take(2));
        Assert.Contains("learned", after);
    }

    [Fact]
    public void The_handshake_belongs_to_the_run_that_follows_it()
    {
        Step(new StartRun(1, new RunRequest()));
        EndCalls(send => new Response(ResponseStatus.Reset) { AgentId = send.Peer == 0 ? "b" : "c", Boot = "other" });
        Assert.Equal(["sent", "sent", "answered"], Timeline.Read().Events!.Take(3).Select(e => e.Kind));
        Assert.Equal("handshake", Timeline.Read().Events![0].Message);
    }

    [Fact]
    public void A_run_that_outlived_this_process_shows_the_restart()
    {
        Join(Run(1, boot: "before"));
        Assert.Equal("booted", Timeline.Read().Events![0].Kind);
        Join(Run(2));
        Assert.DoesNotContain(Timeline.Read().Events!, e => e.Kind == "booted");
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
        Receive(new Proposal("b", 2, 1, Run(1)), key);
        var received = Timeline.Read().Events!.Last(e => e.Kind == "received");
        Assert.Equal(("b", null), (received.Other, received.MessageId));
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
        Assert.Contains("\"run\":\"3.b.other\"", first.Json, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stream_shows_what_the_timeline_shows()
    {
        using var cancellation = new CancellationTokenSource();
        var streamed = new List<(long Id, string Kind)>();
        await using var stream = Timeline.FollowAsync(Timeline.LastEventId, TimeSpan.FromSeconds(1), cancellation.Token)
            .GetAsyncEnumerator();
        for (var run = 1; run <= 200; run++)
        {
            Join(Run(run));
            var expected = Timeline.Read().Events!;
            while (streamed.Count == 0 || streamed[^1].Id < expected[^1].Id)
            {
                Assert.True(await stream.MoveNextAsync());
                streamed.Add((stream.Current.Id, stream.Current.Kind));
            }

            Assert.Equal(expected.Select(e => (e.Id, e.Kind)), streamed.TakeLast(expected.Count));
        }
    }

    [Fact]
    public async Task An_idle_stream_sends_heartbeats_and_then_the_next_event()
    {
        using var cancellation = new CancellationTokenSource();
        await using var stream = Timeline.FollowAsync(Timeline.LastEventId, TimeSpan.FromSeconds(1), cancellation.Token)
            .GetAsyncEnumerator();
        var next = stream.MoveNextAsync().AsTask();

        // A question for state is no event, and delays no heartbeat.
        _time.Advance(TimeSpan.FromSeconds(0.5));
        Receive(new StateQuery());
        _time.Advance(TimeSpan.FromSeconds(0.5));
        Assert.True(await next);
        Assert.Equal("quiet", stream.Current.Kind);
        next = stream.MoveNextAsync().AsTask();
        Join(Run(1));
        Assert.True(await next);
        Assert.Equal("received", stream.Current.Kind);
        await cancellation.CancelAsync();
    }
}
