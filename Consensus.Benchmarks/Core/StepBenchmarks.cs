using BenchmarkDotNet.Attributes;
using Consensus.Protocol;
using Consensus.Agent.Timeline;

namespace Consensus.Benchmarks.Core;

/// <summary>Machines that hand each other their messages, without a network.</summary>
public class StepBenchmarks
{
    private AgentStateMachine[] _machines = [];
    private EventRecorder[] _recorders = [];
    private readonly Queue<(int From, int To, Message Message, long Id)> _calls = new();
    private readonly Queue<(int From, int To, Message Message, long Id, Response Answer)> _answers = new();
    private bool _records;
    private MessageReceived _vote = null!;
    private long _ticket;

    /// <summary>Agents.</summary>
    [Params(3, 9)]
    public int Agents { get; set; }

    /// <summary>Lets them decide once.</summary>
    [GlobalSetup]
    public void Setup()
    {
        var random = new SeededRandom(1);
        _machines = [.. Enumerable.Range(0, Agents).Select(i => new AgentStateMachine(
            $"agent{i + 1}", $"b{i}", [.. Enumerable.Range(0, Agents).Where(peer => peer != i).Select(peer => $"agent{peer + 1}")], random))];
        _recorders = [.. Enumerable.Range(0, Agents).Select(i => new EventRecorder($"agent{i + 1}", $"b{i}", TimeProvider.System))];
        Decision();
        var run = _machines[0].CurrentRun!;
        _vote = new MessageReceived(new Vote("agent2", 1, 1, run.StartRound, run));
    }

    /// <summary>One step: a vote comes in after the decision, and is answered.</summary>
    [Benchmark]
    public int Step() => _machines[0].Step(_vote).Count;

    /// <summary>All steps of all agents, from a start until nobody has anything to say.</summary>
    [Benchmark]
    public int Decision() => Decide(records: false);

    /// <summary>The same, with every agent recording what the timeline shows.</summary>
    [Benchmark]
    public int RecordedDecision() => Decide(records: true);

    private int Decide(bool records)
    {
        _records = records;
        Do(0, new StartRun(++_ticket, new RunRequest(Rule: Rule.Ratified, Draw: DrawStrategy.Plurality)));
        var messages = 0;
        while (true)
        {
            if (_calls.TryDequeue(out var call))
            {
                messages++;
                Do(call.To, new MessageReceived(call.Message), call);
            }
            else if (_answers.TryDequeue(out var answer))
            {
                var answered = new ResponseReceived(answer.To < answer.From ? answer.To : answer.To - 1, answer.Message, answer.Answer);
                Do(answer.From, answered, answerTo: answer.Id);
            }
            else
            {
                return messages;
            }
        }
    }

    private void Do(int agent, Input input, (int From, int To, Message Message, long Id)? call = null, long answerTo = 0)
    {
        var effects = _machines[agent].Step(input);
        var recorder = _records ? _recorders[agent] : null;
        recorder?.OnStep(_machines[agent].CurrentRun);
        if (input is ResponseReceived answered)
        {
            recorder?.Answered(answerTo, answered.Peer, answered.Sent, answered.Response);
        }

        foreach (var effect in effects)
        {
            switch (effect)
            {
                case Send send:
                    var id = recorder?.Sent(send.Peer, "http://localhost:5001", send.Message) ?? 0;
                    _calls.Enqueue((agent, send.Peer < agent ? send.Peer : send.Peer + 1, send.Message, id));
                    break;
                case Reply reply when call is { } asked:
                    recorder?.Received(_recorders[asked.From].KeyOf(asked.Id), asked.Message, reply.Response);
                    _answers.Enqueue((asked.From, asked.To, asked.Message, asked.Id, reply.Response));
                    break;
                case ProtocolEvent protocolEvent:
                    recorder?.Record(protocolEvent);
                    break;
            }
        }
    }
}
