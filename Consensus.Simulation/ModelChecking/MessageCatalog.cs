using Consensus.Protocol;

namespace Consensus.Simulation.ModelChecking;

/// <summary>Kinds of <see cref="CatalogMessage"/>.</summary>
internal enum CatalogMessageKind
{
    /// <summary>A draw. It reaches no agent, and shows which decisions are valid.</summary>
    Drew,
    Handshake,

    /// <summary>A handshake that is over and may still arrive.</summary>
    LateHandshake,

    /// <summary>A response to a handshake.</summary>
    Introduced,

    /// <summary>A response that names the sender's run.</summary>
    Joined,
    NewRound,
    Proposal,
    Vote,
    Final,
}

/// <summary>
/// One message that an agent sent. It may reach every agent at any time, any number of times, or never. A response counts as
/// the message with the same content.
/// </summary>
/// <param name="Kind">The kind.</param>
/// <param name="Sender">The sender, from 0.</param>
/// <param name="Run">The index of the run's descriptor; -1 for none.</param>
/// <param name="Round">The round; 0 where it does not matter.</param>
/// <param name="Value">The value drawn, proposed, voted for (0: none) or decided.</param>
/// <param name="Proposed">A vote's proposal.</param>
/// <param name="To">The only receiver; -1: every agent.</param>
/// <param name="Boot">The sender's boot, in handshakes and responses to them.</param>
/// <param name="HighestSeenRun">The sender's floor, in responses to a handshake.</param>
/// <param name="Agents">How many agents the sender counts, in responses to a handshake.</param>
internal sealed record CatalogMessage(
    CatalogMessageKind Kind, int Sender, int Run = -1, int Round = 0, int Value = 0,
    int Proposed = 0, int To = -1, string Boot = "", RunId HighestSeenRun = default, int Agents = 0);

/// <summary>Numbers all messages and runs so far. Written by one thread at a time.</summary>
internal sealed class MessageCatalog(int firstCode, ModelCheckerOptions bounds)
{
    private readonly Dictionary<CatalogMessage, int> _codes = [];
    private readonly List<CatalogMessage> _messages = [];
    private readonly Dictionary<string, int> _runCodes = [];
    private readonly List<RunDescriptor> _runs = [];
    private readonly Dictionary<RunId, int> _ids = [];

    public CatalogMessage this[int code] => _messages[code - firstCode];

    public int Code(CatalogMessage message)
    {
        if (!_codes.TryGetValue(message, out var code))
        {
            _codes.Add(message, code = firstCode + _messages.Count);
            _messages.Add(message);
        }

        return code;
    }

    public RunDescriptor Run(int code) => _runs[code];

    public int CodeOf(RunDescriptor run)
    {
        // A broken initiator may describe one id twice, and a correct one may in two branches.
        var key = run.Id + "|" + string.Join(
            ',', run.Members.OrderBy(member => member.Key, StringComparer.Ordinal).Select(member => member.Key + member.Value));
        if (!_runCodes.TryGetValue(key, out var code))
        {
            _runCodes.Add(key, code = _runs.Count);
            _runs.Add(run);
            _ids.TryAdd(run.Id, _ids.Count);
        }

        return code;
    }

    /// <summary>The number of a run's id, which descriptors may share.</summary>
    public int NumberOf(int run) => _ids[_runs[run].Id];

    public int CodeOf(int sender, Message message, int run) => message switch
    {
        NewRound newRound => Code(new(CatalogMessageKind.NewRound, sender, run, newRound.Round, newRound.Value ?? 0)),
        Proposal proposal => Code(new(CatalogMessageKind.Proposal, sender, run, proposal.Round, proposal.Value)),
        Vote vote => Code(new(CatalogMessageKind.Vote, sender, run, vote.Round, vote.Value ?? 0, vote.Proposed)),

        // No rule reads the round of a decision.
        Final final => Code(new(CatalogMessageKind.Final, sender, run, 0, final.Value)),
        _ => throw new ArgumentException($"The catalog has no {message.GetType().Name}.", nameof(message)),
    };

    /// <summary>The input by which a message reaches an agent; null where it never does.</summary>
    public Input? InputFor(int code, int receiver)
    {
        var message = this[code];
        var reaches = message.Kind switch
        {
            CatalogMessageKind.Handshake or CatalogMessageKind.LateHandshake => bounds.Peers.Names(message.Sender, receiver),
            CatalogMessageKind.Joined => bounds.Peers.Names(receiver, message.Sender),

            // By a message, or by the response to one.
            _ => bounds.Peers.Names(receiver, message.Sender) || bounds.Peers.Names(message.Sender, receiver),
        };
        return !reaches || (message.To >= 0 && message.To != receiver) ? null : message.Kind switch
        {
            CatalogMessageKind.Introduced => new ResponseReceived(bounds.Peers.PeerIndex(message.Sender, receiver), new Handshake(),
                new Response(ResponseStatus.Reset)
                {
                    AgentId = bounds.Peers.IdOf(message.Sender), Boot = message.Boot, Agents = message.Agents,
                    HighestSeenRun = message.HighestSeenRun.IsNone ? null : message.HighestSeenRun,
                }),

            // The handshake's response names boot and floor where a step needs them.
            CatalogMessageKind.Joined => new ResponseReceived(bounds.Peers.PeerIndex(message.Sender, receiver), new StateQuery(),
                new Response(ResponseStatus.Ok) { Run = Run(message.Run).Id, Descriptor = Run(message.Run) }),
            _ => MessageOf(message) is { } sent ? new MessageReceived(sent) : null,
        };
    }

    /// <summary>The code of the same input under a permutation.</summary>
    public TransitionCode Rename(TransitionCode code, Permutation names) => code.Kind switch
    {
        TransitionKind.DropDeadRun => TransitionCode.DropDeadRun(CodeOf(names.Of(Run(code.Run)))),
        TransitionKind.DropHandshakeReplies => TransitionCode.DropHandshakeReplies(names.Agents[code.Agent]),
        TransitionKind.Deliver => TransitionCode.Deliver(Rename(code.Message, names)),
        _ => code,
    };

    /// <summary>The code of the same message under a permutation.</summary>
    public int Rename(int code, Permutation names)
    {
        var message = this[code];
        return Code(message with
        {
            Sender = names.Agents[message.Sender],
            Run = message.Run < 0 ? -1 : CodeOf(names.Of(Run(message.Run))),
            Value = names.Values[message.Value],
            Proposed = names.Values[message.Proposed],
            To = message.To < 0 ? -1 : names.Agents[message.To],
            Boot = names.BootOf(message.Boot),
            HighestSeenRun = names.Of(message.HighestSeenRun),
        });
    }

    /// <summary>An input as text.</summary>
    public string Describe(TransitionCode code) => code.Kind != TransitionKind.Deliver ? "command" : this[code.Message] switch
    {
        { Kind: CatalogMessageKind.Introduced } => "response to the handshake",
        { Kind: CatalogMessageKind.Joined, Run: var run } => $"response: in run {Run(run).Id}",
        { Kind: CatalogMessageKind.Drew, Value: var value } => $"draw {EventFormatter.ValueOrNone(value)}",
        var message => EventFormatter.Of(MessageOf(message)!, namesRun: _ids.Count > 1),
    };

    private Message? MessageOf(CatalogMessage message)
    {
        var id = bounds.Peers.IdOf(message.Sender);
        var run = message.Run < 0 ? null : Run(message.Run);
        return message.Kind switch
        {
            CatalogMessageKind.Handshake or CatalogMessageKind.LateHandshake => new Handshake(),
            CatalogMessageKind.NewRound =>
                message.Value == 0 ? new NewRound(message.Round, run) : new NewRound(message.Round, run, id, message.Value),
            CatalogMessageKind.Proposal => new Proposal(id, message.Value, message.Round, run),
            CatalogMessageKind.Vote => new Vote(id, message.Value == 0 ? null : message.Value, message.Proposed, message.Round, run),

            // Without a sender, since no rule reads which agent decided first.
            CatalogMessageKind.Final => new Final(message.Value, run!.StartRound, run),
            _ => null,
        };
    }
}
