using System.Text;
using Consensus.Protocol;
using Consensus.Simulation;
using Timer = Consensus.Protocol.Timer;

namespace Consensus.Tests.Protocol;

/// <summary>
/// A cluster that moves on command and writes down what happens. A command delivers a call or fires a timer. The response
/// to a delivered call arrives at once, unless the command says otherwise.
/// </summary>
internal sealed class TranscriptCluster : SimulatedCluster
{
    private bool _deedsOnly;
    private long _ticket;

    /// <param name="agents">How many: agent1, agent2 and so on.</param>
    /// <param name="strangers">The agents have never exchanged a message; else each knows the ids and boots of all.</param>
    /// <param name="original">The one that is an original agent, if any.</param>
    /// <param name="output">Where what happens is written, a line each.</param>
    public TranscriptCluster(int agents, bool strangers, string? original, StringBuilder output)
        : base(Enumerable.Range(0, agents).Select(agent => new TranscriptNode(agent, agents, original)))
    {
        // All agents ask each other for their state, and none has any: not worth showing in every transcript.
        Output = new StringBuilder();
        foreach (var node in Nodes.Where(node => node.Original is null))
        {
            Restart(node);
        }

        if (strangers)
        {
            InFlight.Clear();
        }

        Stabilize([], deedsOnly: false);

        // Two pauses follow: the agents ask once more, and forget that their peers were active, so the first run begins with
        // a handshake.
        for (var pause = 0; pause < 2 && !strangers; pause++)
        {
            foreach (var node in Nodes.Where(node => node.IsSet(Timer.Poll)))
            {
                Fire(node, Timer.Poll);
            }

            Stabilize([], deedsOnly: false);
        }

        Output = output;
        Line(agents == 1
            ? "agent1 is up" : $"{string.Join(", ", Nodes.Select(node => node.Id))} are up{(strangers ? ", and have not met" : "")}");
    }

    public StringBuilder Output { get; set; }

    public IEnumerable<TranscriptNode> Nodes => Agents.Cast<TranscriptNode>();

    /// <summary>Every run that a message ever described.</summary>
    public Dictionary<RunId, RunDescriptor> Runs { get; } = [];

    public TranscriptNode Find(string id) =>
        Nodes.FirstOrDefault(node => node.Id == id) ?? throw new InvalidDataException($"There is no {id}.");

    /// <summary>The calls in flight that fit, in the order of sending.</summary>
    public List<SimulatedCall> Matching(Predicate<SimulatedCall> fits) => InFlight.FindAll(fits);

    /// <summary>Gives an agent other peers, with which its next process starts.</summary>
    public void NamePeers(TranscriptNode node, IReadOnlyList<TranscriptNode> peers)
    {
        node.SetPeers(peers.Select(peer => peer.Index).Order(), AgentIds.IdOf);
        Line($"{node.Id} names {(peers.Count == 0 ? "no peers" : string.Join(", ", peers.Select(peer => peer.Id)))}");
    }

    public void Restart(TranscriptNode node, bool restores = false) => Start(node, node.NextBoot, node.Draws, restores);

    public void StopProcess(TranscriptNode node)
    {
        node.Stop();
        Line($"{node.Id} is down");
    }

    public void StartRun(TranscriptNode node, RunRequest request) => StartRun(Running(node), ++_ticket, request);

    public void FireTimer(TranscriptNode node, Timer timer)
    {
        if (!Fire(node, timer))
        {
            throw new InvalidDataException($"{node.Id} has no timer {timer} armed.");
        }
    }

    public void SendMessage(TranscriptNode node, Message message) => Step(Running(node), new MessageReceived(message));

    public void Stabilize(List<TranscriptNode> among, bool deedsOnly)
    {
        var budget = 10_000;
        _deedsOnly = deedsOnly;
        while (InFlight.Find(call => among.Count == 0 || (among.Contains(call.From) && among.Contains(call.To))) is { } call)
        {
            Deliver(call, null);
            if (--budget == 0)
            {
                throw new InvalidDataException("The cluster does not come to rest.");
            }
        }

        _deedsOnly = false;
    }

    public void Deliver(SimulatedCall call, string? responseFate)
    {
        InFlight.Remove(call);
        Line(Describe(call));
        if (call.Response is not null)
        {
            Respond(call, call.Response);
            return;
        }

        var to = (TranscriptNode)call.To;
        var response = to.Original is { } original ? original.Receive(call.Message) : to.Machine is not null ? Receive(call) : null;
        if (to.Original is not null)
        {
            Line($"  {to.Id} answers: {EventFormatter.Of(response!)}");
        }

        switch (responseFate)
        {
            case null:
                RespondOrFail(call, response);
                break;
            case "lost":
                Line("  the answer is lost");
                Respond(call, null);
                break;
            case "later":
                call.Response = response;
                InFlight.Add(call);
                break;
            default:
                throw new InvalidDataException($"answer={responseFate}: lost or later.");
        }
    }

    public void Drop(SimulatedCall call)
    {
        InFlight.Remove(call);
        Line(Describe(call));
        RespondOrFail(call, null);
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
        Line(string.Join(", ", node.SetTimers.Select(timer => $"{timer.Timer.ToString().ToLowerInvariant()} {timer.At / 1000} ms")));

    public void ShowNetwork() => InFlight.ForEach(call => Line(Describe(call)));

    /// <inheritdoc/>
    protected override Response? OnStep(SimulatedAgent agent, Input input, IReadOnlyList<Effect> effects)
    {
        for (var i = 0; i < effects.Count; i++)
        {
            if (effects[i] is Send { Message: { } message })
            {
                if (message.Run is { } run)
                {
                    Runs[run.Id] = run;
                }

                // A broadcast is one line.
                if (i == 0 || effects[i - 1] is not Send before || before.Message != message)
                {
                    var to = effects.Skip(i).TakeWhile(effect => effect is Send next && next.Message == message).Cast<Send>();
                    Line($"  {agent.Id} sends {string.Join(", ", to.Select(send => AgentIds.IdOf(agent.AgentAt(send.Peer))))}: "
                        + $"{EventFormatter.Of(message, Runs.Count > 1)}");
                }
            }
            else if (TranscriptText.Of(effects[i]) is { } line)
            {
                Line($"  {agent.Id} {line}", isDeed: effects[i] is ProtocolEvent or StartEnded);
            }
        }

        return base.OnStep(agent, input, effects);
    }

    private static TranscriptNode Running(TranscriptNode node) =>
        node.Machine is not null ? node : throw new InvalidDataException($"{node.Id} is down.");

    private void RespondOrFail(SimulatedCall call, Response? response)
    {
        if (response is null)
        {
            Line("  no answer");
        }

        Respond(call, response);
    }

    private string Describe(SimulatedCall call) => call.Response is null
        ? $"{call.From.Id} -> {call.To.Id}: {EventFormatter.Of(call.Message, Runs.Count > 1)}"
        : $"{call.From.Id} <- {call.To.Id}: "
            + $"the answer to {EventFormatter.Of(call.Message, Runs.Count > 1)}: {EventFormatter.Of(call.Response)}";

    private void Line(string line, bool isDeed = false)
    {
        if (isDeed || !_deedsOnly)
        {
            Output.Append(line).Append('\n');
        }
    }
}
