using Consensus.Agent.Peers;
using Consensus.Agent.Recorder;
using Consensus.Protocol;
using Consensus.Simulation;
using Consensus.Timeline;
using Microsoft.Extensions.Time.Testing;

namespace Consensus.Tests.Timeline;

/// <summary>
/// A cluster in memory. Each agent has a recorder and a clock of its own. The clock is wrong by as much as the test asks for.
/// </summary>
internal sealed class RecordedCluster : SimulatedCluster
{
    private readonly Random _random = new(7);
    private readonly FakeTimeProvider[] _clocks;
    private readonly EventRecorder[] _recorders;
    private long _nextMessageId;

    public RecordedCluster(params TimeSpan[] skews)
        : base(skews.Select((_, agent) => new SimulatedAgent(agent, [])))
    {
        var start = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        _clocks = [.. skews.Select(skew => new FakeTimeProvider(start + skew))];
        _recorders = new EventRecorder[Agents.Count];
        foreach (var agent in Agents)
        {
            var draws = new RecordedDraws(new SeededRandom((ulong)agent.Index + 3));
            agent.SetPeers(AgentIds.Others(agent.Index, Agents.Count), AddressOf);
            agent.Start(BootOf(agent), draws, Core, restores: false);
            _recorders[agent.Index] = new EventRecorder(new InputLog(agent.Machine!, draws), _clocks[agent.Index]);
        }
    }

    /// <summary>What each agent recorded.</summary>
    public IReadOnlyList<TimelineReader> Timelines => [.. _recorders.Select(recorder => recorder.Reader)];

    /// <summary>Messages that were sent, of all kinds but questions for state.</summary>
    public int Sent { get; private set; }

    /// <summary>Whether a message from one agent to another is lost.</summary>
    public Func<int, int, bool> Loses { get; set; } = (_, _) => false;

    /// <summary>Calls in flight.</summary>
    public IReadOnlyList<SimulatedCall> Calls => InFlight;

    /// <summary>Starts a run and delivers what is in flight in random order, until nothing is, or so many calls were handled.</summary>
    public void Run(RunRequest? request = null, int calls = int.MaxValue)
    {
        StartRun(Agents[0], 1, request ?? new RunRequest());
        for (; InFlight.Count > 0 && calls > 0; calls--)
        {
            var next = _random.Next(InFlight.Count);
            var call = InFlight[next];
            InFlight.RemoveAt(next);
            AdvanceClocks();
            if (Loses(call.From.Index, call.To.Index))
            {
                Respond(call, null);
                continue;
            }

            var response = Receive(call);
            AdvanceClocks();
            Respond(call, response);
        }
    }

    public ClusterTimeline Merged(int serving = 0)
    {
        var order = Enumerable.Range(0, Agents.Count).OrderBy(i => i != serving);
        return TimelineMerger.Merge(
            Timelines[serving].Read().Run, [.. order.Select(i => new Source(i == serving ? "/" : AddressOf(i), Timelines[i].Read()))], []);
    }

    /// <inheritdoc/>
    protected override SimulatedCall NewCall() => new RecordedCall();

    /// <inheritdoc/>
    protected override void OnCall(SimulatedCall call)
    {
        base.OnCall(call);
        ((RecordedCall)call).MessageId = _nextMessageId++;
        _recorders[call.From.Index].Sent(call.Peer, call.Message);

        // Questions for state are recorded where their response holds new information.
        Sent += call.Message is StateQuery ? 0 : 1;
    }

    /// <inheritdoc/>
    protected override Response? OnStep(SimulatedAgent agent, Input input, IReadOnlyList<Effect> effects)
    {
        var call = CurrentCall as RecordedCall;
        var key = call is null || input is not MessageReceived ? null : MessageId.Format(call.From.Id, BootOf(call.From), call.MessageId);
        _nextMessageId = _recorders[agent.Index].OnStep(input, effects, key, call?.MessageId ?? 0);
        return base.OnStep(agent, input, effects);
    }

    /// <inheritdoc/>
    protected override void Apply(SimulatedAgent agent, Effect effect)
    {
        base.Apply(agent, effect);
        if (effect is ProtocolEvent protocolEvent)
        {
            _recorders[agent.Index].Record(protocolEvent);
        }
    }

    private static string AddressOf(int agent) => $"http://10.0.0.{agent}:5000";

    private static string BootOf(SimulatedAgent agent) => $"boot{agent.Index + 1}";

    private void AdvanceClocks()
    {
        var passed = TimeSpan.FromMicroseconds(_random.Next(20, 900));
        foreach (var clock in _clocks)
        {
            clock.Advance(passed);
        }
    }

    private sealed class RecordedCall : SimulatedCall
    {
        public long MessageId { get; set; }
    }
}
