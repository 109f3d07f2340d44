using BenchmarkDotNet.Attributes;
using Consensus.Agent.Peers;
using Consensus.Agent.Recorder;
using Consensus.Protocol;
using Consensus.Simulation;

namespace Consensus.Benchmarks.Core;

/// <summary>Steps of machines in memory, without a network.</summary>
public class StepBenchmarks
{
    private BenchmarkCluster _cluster = null!;
    private AgentStateMachine _machine = null!;
    private MessageReceived _vote = null!;

    /// <summary>Agents.</summary>
    [Params(3, 9)]
    public int Agents { get; set; }

    /// <summary>Decides one run.</summary>
    [GlobalSetup]
    public void Setup()
    {
        _cluster = new BenchmarkCluster(Agents);
        Decision();
        _machine = _cluster.Agents[0].Machine!;
        var run = _machine.CurrentRun!;
        _vote = new MessageReceived(new Vote("agent2", 1, 1, run.StartRound, run));
    }

    /// <summary>One step: a vote arrives after the decision, and gets a response.</summary>
    [Benchmark]
    public int Step() => _machine.Step(_vote).Count;

    /// <summary>All steps of all agents, from a start until no call is in flight.</summary>
    [Benchmark]
    public int Decision() => _cluster.Decide(records: false);

    /// <summary>The same, with every agent recording what the timeline shows.</summary>
    [Benchmark]
    public int RecordedDecision() => _cluster.Decide(records: true);

    /// <summary>Delivers messages in the order of sending, and responses when no message is in flight.</summary>
    private sealed class BenchmarkCluster : SimulatedCluster
    {
        private readonly EventRecorder[] _recorders;
        private readonly Queue<RecordedCall> _messages = new();
        private readonly Queue<RecordedCall> _responses = new();
        private bool _records;
        private long _nextMessageId;
        private long _ticket;

        public BenchmarkCluster(int agents)
            : base(Enumerable.Range(0, agents).Select(agent => new SimulatedAgent(agent, AgentIds.Others(agent, agents))))
        {
            var random = new SeededRandom(1);
            _recorders = new EventRecorder[agents];
            foreach (var agent in Agents)
            {
                var draws = new RecordedDraws(random);
                agent.Start($"b{agent.Index}", draws, Core, restores: false);
                _recorders[agent.Index] = new EventRecorder(new InputLog(agent.Machine!, draws), TimeProvider.System);
            }
        }

        public int Decide(bool records)
        {
            _records = records;
            StartRun(Agents[0], ++_ticket, new RunRequest(Rule: Rule.Ratified, Draw: DrawStrategy.Plurality));
            var messages = 0;
            while (true)
            {
                if (_messages.TryDequeue(out var call))
                {
                    messages++;
                    call.Response = Receive(call);
                    _responses.Enqueue(call);
                }
                else if (_responses.TryDequeue(out call))
                {
                    Respond(call, call.Response);
                }
                else
                {
                    return messages;
                }
            }
        }

        protected override SimulatedCall NewCall() => new RecordedCall();

        protected override void OnCall(SimulatedCall call)
        {
            var recorded = (RecordedCall)call;
            if (_records)
            {
                recorded.MessageId = _nextMessageId++;
                _recorders[call.From.Index].Sent(call.Peer, call.Message);
            }

            _messages.Enqueue(recorded);
        }

        protected override Response? OnStep(SimulatedAgent agent, Input input, IReadOnlyList<Effect> effects)
        {
            if (_records)
            {
                var call = CurrentCall as RecordedCall;
                var key = call is null || input is not MessageReceived ? null : MessageId.Format(call.From.Id, "boot", call.MessageId);
                _nextMessageId = _recorders[agent.Index].OnStep(input, effects, key, call?.MessageId ?? 0);
            }

            return base.OnStep(agent, input, effects);
        }

        protected override void Apply(SimulatedAgent agent, Effect effect)
        {
            base.Apply(agent, effect);
            if (_records && effect is ProtocolEvent protocolEvent)
            {
                _recorders[agent.Index].Record(protocolEvent);
            }
        }

        private sealed class RecordedCall : SimulatedCall
        {
            public long MessageId { get; set; }
        }
    }
}
