using BenchmarkDotNet.Attributes;
using Consensus.Agent.Protocol;

namespace Consensus.Benchmarks.Core;

/// <summary>Machines that hand each other their messages, without a network.</summary>
public class StepBenchmarks
{
    private Machine[] _machines = [];
    private readonly Queue<(int From, int To, Message Message)> _calls = new();
    private readonly Queue<(int From, int To, Message Message, Answer Answer)> _answers = new();
    private Received _vote = null!;
    private long _ticket;

    /// <summary>Agents.</summary>
    [Params(3, 9)]
    public int Agents { get; set; }

    /// <summary>Lets them decide once.</summary>
    [GlobalSetup]
    public void Setup()
    {
        var random = new SeededRandom(1);
        _machines = [.. Enumerable.Range(0, Agents).Select(i => new Machine(
            $"agent{i + 1}", $"b{i}", [.. Enumerable.Range(0, Agents).Where(peer => peer != i).Select(peer => $"agent{peer + 1}")], random))];
        Decision();
        var run = _machines[0].CurrentRun!;
        _vote = new Received(new Vote("agent2", 1, 1, run.StartRound, run));
    }

    /// <summary>One step: a vote comes in after the decision, and is answered.</summary>
    [Benchmark]
    public int Step() => _machines[0].Step(_vote).Count;

    /// <summary>All steps of all agents, from a start until nobody has anything to say.</summary>
    [Benchmark]
    public int Decision()
    {
        Do(0, new Start(++_ticket, new RunRequest(Rule: Rule.Ratified, Draw: Draw.Plurality)));
        var messages = 0;
        while (true)
        {
            if (_calls.TryDequeue(out var call))
            {
                messages++;
                Do(call.To, new Received(call.Message), call);
            }
            else if (_answers.TryDequeue(out var answer))
            {
                Do(answer.From, new Answered(answer.To < answer.From ? answer.To : answer.To - 1, answer.Message, answer.Answer));
            }
            else
            {
                return messages;
            }
        }
    }

    private void Do(int agent, Input input, (int From, int To, Message Message)? call = null)
    {
        foreach (var effect in _machines[agent].Step(input))
        {
            switch (effect)
            {
                case Send send:
                    _calls.Enqueue((agent, send.Peer < agent ? send.Peer : send.Peer + 1, send.Message));
                    break;
                case Reply reply when call is { } asked:
                    _answers.Enqueue((asked.From, asked.To, asked.Message, reply.Answer));
                    break;
            }
        }
    }
}
