using Consensus.Protocol;
using Consensus.Agent.Timeline;
using Microsoft.Extensions.Time.Testing;

namespace Consensus.Tests.Timeline;

/// <summary>Machines without a network, each with a recorder and a clock of its own that is wrong by as much as the test says.</summary>
internal sealed class RecordedCluster
{
    private readonly Random _random = new(7);
    private readonly FakeTimeProvider[] _clocks;
    private readonly AgentStateMachine[] _machines;
    private readonly List<(int From, int To, Message Message, string Key, long Id)> _flying = [];

    public RecordedCluster(params TimeSpan[] skews)
    {
        var start = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        _clocks = [.. skews.Select(skew => new FakeTimeProvider(start + skew))];
        Names = [.. skews.Select((_, i) => $"agent{i + 1}")];
        Recorders = [.. Names.Select((name, i) => new EventRecorder(name, $"boot{i + 1}", _clocks[i]))];
        _machines = [.. Names.Select((name, i) => new AgentStateMachine(name, $"boot{i + 1}", PeersOf(i), new SeededRandom((ulong)i + 3)))];
    }

    public string[] Names { get; }

    public EventRecorder[] Recorders { get; }

    /// <summary>Messages that were sent, of all kinds but questions for state.</summary>
    public int Sent { get; private set; }

    /// <summary>Whether a message gets lost.</summary>
    public Func<int, int, bool> Loses { get; set; } = (_, _) => false;

    public void Run(RunRequest? request = null)
    {
        Step(0, new StartRun(1, request ?? new RunRequest()), null, 0);
        while (_flying.Count > 0)
        {
            var next = _random.Next(_flying.Count);
            var (from, to, message, key, id) = _flying[next];
            _flying.RemoveAt(next);
            Pass();
            if (Loses(from, to))
            {
                Step(from, new RequestFailed(PeerOf(from, to), message), null, id);
                continue;
            }

            var answer = Step(to, new MessageReceived(message), key, 0)!;
            Pass();
            Step(from, new ResponseReceived(PeerOf(from, to), message, answer), null, id);
        }
    }

    public ClusterTimeline Merged(int serving = 0)
    {
        var order = Enumerable.Range(0, Names.Length).OrderBy(i => i != serving);
        return TimelineMerger.Merge(Recorders[serving].Read().Run, [.. order.Select(i => new Source(i == serving ? "/" : Address(i), Recorders[i].Read()))], []);
    }

    private static string Address(int agent) => $"http://10.0.0.{agent}:5000";

    private string[] PeersOf(int agent) => [.. Enumerable.Range(0, Names.Length).Where(i => i != agent).Select(Address)];

    private static int PeerOf(int from, int to) => to < from ? to : to - 1;

    private static int AgentOf(int from, int peer) => peer < from ? peer : peer + 1;

    private void Pass()
    {
        var passed = TimeSpan.FromMicroseconds(_random.Next(20, 900));
        foreach (var clock in _clocks)
        {
            clock.Advance(passed);
        }
    }

    private Response? Step(int agent, Input input, string? key, long messageId)
    {
        var (machine, recorder) = (_machines[agent], Recorders[agent]);
        Effect[] effects = [.. machine.Step(input)];
        var answer = effects.OfType<Reply>().FirstOrDefault()?.Response;
        recorder.OnStep(machine.CurrentRun);
        switch (input)
        {
            case MessageReceived received:
                recorder.Received(key, received.Message, answer!);
                break;
            case ResponseReceived answered:
                recorder.Answered(messageId, answered.Peer, answered.Sent, answered.Response);
                break;
            case RequestFailed unanswered:
                recorder.Lost(messageId, unanswered.Peer, unanswered.Sent);
                break;
        }

        foreach (var effect in effects)
        {
            if (effect is ProtocolEvent protocolEvent)
            {
                recorder.Record(protocolEvent);
            }
            else if (effect is Send send)
            {
                var to = AgentOf(agent, send.Peer);
                var id = recorder.Sent(send.Peer, Address(to), send.Message);
                _flying.Add((agent, to, send.Message, recorder.KeyOf(id), id));

                // Questions for state are shown where their answer is news.
                Sent += send.Message is StateQuery ? 0 : 1;
            }
        }

        return answer;
    }
}
