using System.Text;
using Consensus.Protocol;
using Timer = Consensus.Protocol.Timer;

namespace Consensus.Tests.Protocol;

/// <summary>
/// Agents and the calls in flight between them. Nothing moves by itself: a call arrives when it is delivered, a timer
/// runs out when it is fired. A delivered call is answered, and the answer heard, at once.
/// </summary>
internal sealed class TranscriptCluster
{
    private bool _deedsOnly;
    private long _ticket;

    /// <param name="agents">How many: agent1, agent2 and so on.</param>
    /// <param name="strangers">They have never spoken to each other; else each knows the ids and boots of all.</param>
    /// <param name="original">The one that is an original agent, if any.</param>
    /// <param name="output">Where what happens is written, a line each.</param>
    public TranscriptCluster(int agents, bool strangers, string? original, StringBuilder output)
    {
        for (var i = 1; i <= agents; i++)
        {
            var id = $"agent{i}";
            Nodes.Add(new TranscriptNode(id) { Original = id == original ? new OriginalAgent(id) : null });
        }

        // Everybody asks everybody for its state, and nobody has any: not worth showing in every transcript.
        Output = new StringBuilder();
        Nodes.FindAll(node => node.Original is null).ForEach(node => Boot(node));
        if (strangers)
        {
            Calls.Clear();
        }

        Stabilize([], deedsOnly: false);

        // Then two pauses: they ask once more, and what they know of each other is not recent any more, so the first run
        // shakes hands.
        for (var pause = 0; pause < 2 && !strangers; pause++)
        {
            foreach (var node in Nodes.Where(node => node.Timers.ContainsKey(Timer.Poll)))
            {
                Fire(node, Timer.Poll);
            }

            Stabilize([], deedsOnly: false);
        }

        Output = output;
        Line(agents == 1 ? "agent1 is up" : $"{string.Join(", ", Nodes.Select(node => node.Id))} are up{(strangers ? ", and have not met" : "")}");
    }

    public StringBuilder Output { get; set; }

    public List<TranscriptNode> Nodes { get; } = [];

    public List<TranscriptCall> Calls { get; } = [];

    /// <summary>Every run that a message ever described.</summary>
    public Dictionary<RunId, RunDescriptor> Runs { get; } = [];

    public TranscriptNode Find(string id) =>
        Nodes.Find(node => node.Id == id) ?? throw new InvalidDataException($"There is no {id}.");

    /// <summary>Gives an agent other peers, with which its next process starts.</summary>
    public void Name(TranscriptNode node, IReadOnlyList<string> peers)
    {
        node.PeerIds = peers;
        Line($"{node.Id} names {(peers.Count == 0 ? "no peers" : string.Join(", ", peers))}");
    }

    public void Boot(TranscriptNode node, bool keeps = false)
    {
        node.Boot([.. PeersOf(node).Select(peer => peer.Id)], keeps);
        Step(node, new Started());
    }

    public void Stop(TranscriptNode node)
    {
        node.Stop();
        Line($"{node.Id} is down");
    }

    public void Start(TranscriptNode node, RunRequest request) => Step(node, new StartRun(++_ticket, request));

    public void Fire(TranscriptNode node, Timer timer)
    {
        if (!node.Timers.Remove(timer))
        {
            throw new InvalidDataException($"{node.Id} has no timer {timer} armed.");
        }

        Step(node, new TimerFired(timer));
    }

    public void Stabilize(List<TranscriptNode> among, bool deedsOnly)
    {
        var budget = 10_000;
        _deedsOnly = deedsOnly;
        while (Calls.Find(call => among.Count == 0 || (among.Contains(call.From) && among.Contains(call.To))) is { } call)
        {
            Deliver(call, null);
            if (--budget == 0)
            {
                throw new InvalidDataException("The cluster does not come to rest.");
            }
        }

        _deedsOnly = false;
    }

    public void Deliver(TranscriptCall call, string? answerFate)
    {
        Calls.Remove(call);
        Line(Describe(call));
        if (call.Answer is not null)
        {
            Hear(call, call.Answer);
            return;
        }

        var answer = call.To.Original is { } original ? original.Receive(call.Message)
            : call.To.Machine is not null ? Step(call.To, new MessageReceived(call.Message))
            : null;
        if (call.To.Original is not null)
        {
            Line($"  {call.To.Id} answers: {TranscriptText.Of(answer!)}");
        }

        switch (answerFate)
        {
            case null:
                Hear(call, answer);
                break;
            case "lost":
                Line("  the answer is lost");
                Hear(call, null, says: false);
                break;
            case "later":
                Calls.Add(call with { Answer = answer });
                break;
            default:
                throw new InvalidDataException($"answer={answerFate}: lost or later.");
        }
    }

    public void Drop(TranscriptCall call)
    {
        Calls.Remove(call);
        Line(Describe(call));
        Hear(call, null);
    }

    public Response? Step(TranscriptNode node, Input input)
    {
        var machine = node.Machine ?? throw new InvalidDataException($"{node.Id} is down.");
        var peers = PeersOf(node);
        Response? answer = null;
        (Message Message, List<string> To)? sending = null;
        foreach (var effect in machine.Step(input))
        {
            if (sending is { } group && (effect is not Send next || next.Message != group.Message))
            {
                Say(group);
                sending = null;
            }

            switch (effect)
            {
                case Send send:
                    sending ??= (send.Message, []);
                    sending.Value.To.Add(peers[send.Peer].Id);
                    Calls.Add(new TranscriptCall(node, machine, peers[send.Peer], send.Message));
                    if (send.Message.Run is { } run)
                    {
                        Runs[run.Id] = run;
                    }

                    break;
                case Reply reply:
                    answer = reply.Response;
                    break;
                case SetTimer arm:
                    node.Timers[arm.Timer] = arm.DelayMs;
                    break;
                case CancelTimer disarm:
                    node.Timers.Remove(disarm.Timer);
                    break;
            }

            if (TranscriptText.Of(effect) is { } line)
            {
                Line($"  {node.Id} {line}", isDeed: effect is ProtocolEvent or StartEnded);
            }
        }

        if (sending is { } last)
        {
            Say(last);
        }

        return answer;

        void Say((Message Message, List<string> To) it) =>
            Line($"  {node.Id} sends {string.Join(", ", it.To)}: {TranscriptText.Of(it.Message, Runs.Count > 1)}");
    }

    public void ShowState(IEnumerable<TranscriptNode> nodes)
    {
        foreach (var node in nodes)
        {
            foreach (var line in node.Machine is { } machine ? TranscriptText.Of(machine.Snapshot())
                : [$"{node.Id}: {node.Original?.Describe() ?? "down"}"])
            {
                Line(line);
            }
        }
    }

    public void ShowTimers(TranscriptNode node) =>
        Line(string.Join(", ", node.Timers.Select(timer => $"{timer.Key.ToString().ToLowerInvariant()} {timer.Value} ms")));

    public void ShowNetwork() => Calls.ForEach(call => Line(Describe(call)));

    private void Hear(TranscriptCall call, Response? answer, bool says = true)
    {
        if (answer is null && says)
        {
            Line("  no answer");
        }

        // A process that restarted does not hear the answers to its predecessor's calls.
        if (call.Caller is not null && call.Caller == call.From.Machine)
        {
            var peer = PeersOf(call.From).IndexOf(call.To);
            Step(call.From, answer is null ? new RequestFailed(peer, call.Message) : new ResponseReceived(peer, call.Message, answer));
        }
    }

    private List<TranscriptNode> PeersOf(TranscriptNode node) =>
        Nodes.FindAll(other => other != node && (node.PeerIds is null || node.PeerIds.Contains(other.Id)));

    private string Describe(TranscriptCall call) => call.Answer is null
        ? $"{call.From.Id} -> {call.To.Id}: {TranscriptText.Of(call.Message, Runs.Count > 1)}"
        : $"{call.From.Id} <- {call.To.Id}: the answer to {TranscriptText.Of(call.Message, Runs.Count > 1)}: {TranscriptText.Of(call.Answer)}";

    private void Line(string line, bool isDeed = false)
    {
        if (isDeed || !_deedsOnly)
        {
            Output.Append(line).Append('\n');
        }
    }
}
