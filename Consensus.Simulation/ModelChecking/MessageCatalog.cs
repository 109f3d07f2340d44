using Consensus.Protocol;

namespace Consensus.Simulation.ModelChecking;

internal enum CatalogMessageKind
{
    Drew,
    Handshake,
    LateHandshake,
    Introduced,
    Joined,
    NewRound,
    Proposal,
    Vote,
    Final,
}

/// <summary>
/// One thing an agent said. What was said stays said: it may reach everyone at any time, any number of times, or never.
/// What an answer tells is the same fact as the message that would have told it.
/// </summary>
/// <param name="Kind">What.</param>
/// <param name="Sender">Who, from 0.</param>
/// <param name="Run">Index of the run's descriptor; -1 for none.</param>
/// <param name="Round">The round; 0 where it does not matter.</param>
/// <param name="Value">Drawn, proposed, voted for (0: for none) or decided.</param>
/// <param name="Proposed">A vote's proposal.</param>
/// <param name="To">Who alone may read it; -1: everyone.</param>
/// <param name="Boot">The sender's boot, in handshakes and their answers.</param>
/// <param name="Floor">The sender's floor, in answers to a handshake.</param>
/// <param name="Agents">How many agents the sender counts, in answers to a handshake.</param>
internal sealed record CatalogMessage(
    CatalogMessageKind Kind, int Sender, int Run = -1, int Round = 0, int Value = 0, int Proposed = 0, int To = -1, string Boot = "", RunId Floor = default, int Agents = 0);

/// <summary>All facts and runs met so far, by number. Written by one thread at a time.</summary>
internal sealed class MessageCatalog(int firstCode, ModelCheckerOptions bounds)
{
    private readonly Dictionary<CatalogMessage, int> _codes = [];
    private readonly List<CatalogMessage> _messages = [];
    private readonly Dictionary<string, int> _runCodes = [];
    private readonly List<RunDescriptor> _runs = [];
    private readonly Dictionary<RunId, int> _ids = [];

    public CatalogMessage this[int code] => _messages[code - firstCode];

    public int Count => _messages.Count;

    public int Code(CatalogMessage fact)
    {
        if (!_codes.TryGetValue(fact, out var code))
        {
            _codes.Add(fact, code = firstCode + _messages.Count);
            _messages.Add(fact);
        }

        return code;
    }

    public RunDescriptor Run(int code) => _runs[code];

    public int CodeOf(RunDescriptor run)
    {
        // One id may be described twice by a broken initiator, and by a correct one in two branches.
        var key = run.Id + "|" + string.Join(',', run.Members.OrderBy(member => member.Key, StringComparer.Ordinal).Select(member => member.Key + member.Value));
        if (!_runCodes.TryGetValue(key, out var code))
        {
            _runCodes.Add(key, code = _runs.Count);
            _runs.Add(run);
            _ids.TryAdd(run.Id, _ids.Count);
        }

        return code;
    }

    /// <summary>Numbers a run's name, which descriptors may share.</summary>
    public int NumberOf(int run) => _ids[_runs[run].Id];

    public int CodeOf(int sender, Message message, int run) => message switch
    {
        NewRound said => Code(new(CatalogMessageKind.NewRound, sender, run, said.Round, said.Value ?? 0)),
        Proposal said => Code(new(CatalogMessageKind.Proposal, sender, run, said.Round, said.Value)),
        Vote said => Code(new(CatalogMessageKind.Vote, sender, run, said.Round, said.Value ?? 0, said.Proposed)),
        // No rule reads who decided when, and leaving the sender out keeps everyone talking to everyone.
        Final said => Code(new(CatalogMessageKind.Final, sender, run, 0, said.Value)),
        _ => throw new ArgumentException($"No fact: {message.GetType().Name}.", nameof(message)),
    };

    /// <summary>How a fact reaches an agent; null where it never does.</summary>
    public Input? InputFor(int code, int receiver)
    {
        var fact = this[code];
        var id = AgentIds.IdOf(fact.Sender);
        var reaches = fact.Kind switch
        {
            CatalogMessageKind.Handshake or CatalogMessageKind.LateHandshake => bounds.Names(fact.Sender, receiver),
            CatalogMessageKind.Joined => bounds.Names(receiver, fact.Sender),

            // By a message, or by the answer to one.
            _ => bounds.Names(receiver, fact.Sender) || bounds.Names(fact.Sender, receiver),
        };
        return !reaches || (fact.To >= 0 && fact.To != receiver) ? null : fact.Kind switch
        {
            CatalogMessageKind.Handshake or CatalogMessageKind.LateHandshake => new MessageReceived(new Handshake()),
            CatalogMessageKind.Introduced => new ResponseReceived(AgentIds.PeerIndex(fact.Sender, receiver), new Handshake(),
                new Response(ResponseStatus.Reset) { AgentId = id, Boot = fact.Boot, Agents = fact.Agents, Floor = fact.Floor.IsNone ? null : fact.Floor }),
            // What this answer tells of boot and floor, a handshake tells too when it is needed.
            CatalogMessageKind.Joined => new ResponseReceived(AgentIds.PeerIndex(fact.Sender, receiver), new StateQuery(),
                new Response(ResponseStatus.Ok) { Run = Run(fact.Run).Id, Descriptor = Run(fact.Run) }),
            CatalogMessageKind.NewRound => new MessageReceived(fact.Value == 0 ? new NewRound(fact.Round, Run(fact.Run)) : new NewRound(fact.Round, Run(fact.Run), id, fact.Value)),
            CatalogMessageKind.Proposal => new MessageReceived(new Proposal(id, fact.Value, fact.Round, Run(fact.Run))),
            CatalogMessageKind.Vote => new MessageReceived(new Vote(id, fact.Value == 0 ? null : fact.Value, fact.Proposed, fact.Round, Run(fact.Run))),
            CatalogMessageKind.Final => new MessageReceived(new Final(fact.Value, Run(fact.Run).StartRound, Run(fact.Run))),
            _ => null,
        };
    }

    /// <summary>The same input with other names.</summary>
    public int Rename(int code, Permutation names)
    {
        if (code <= TransitionTable.ForgetRun)
        {
            return TransitionTable.ForgetRun - CodeOf(names.Of(Run(TransitionTable.ForgetRun - code)));
        }

        if (code < firstCode)
        {
            return code < TransitionTable.Forget ? code : TransitionTable.Forget + names.Agents[code - TransitionTable.Forget];
        }

        var fact = this[code];
        return Code(fact with
        {
            Sender = names.Agents[fact.Sender],
            Run = fact.Run < 0 ? -1 : CodeOf(names.Of(Run(fact.Run))),
            Value = names.Values[fact.Value],
            Proposed = names.Values[fact.Proposed],
            To = fact.To < 0 ? -1 : names.Agents[fact.To],
            Boot = names.BootOf(fact.Boot),
            Floor = names.Of(fact.Floor),
        });
    }

    /// <summary>In the words of a diagram.</summary>
    public string Describe(int code)
    {
        if (code < firstCode)
        {
            return "command";
        }

        var fact = this[code];
        return fact.Kind switch
        {
            CatalogMessageKind.Handshake or CatalogMessageKind.LateHandshake => "handshake",
            CatalogMessageKind.Introduced => "answer to the handshake",
            CatalogMessageKind.Joined => $"state: run {Run(fact.Run).Id}",
            CatalogMessageKind.NewRound => $"new_round {fact.Round}{(fact.Value == 0 ? "" : $", proposal {fact.Value}")}",
            CatalogMessageKind.Proposal => $"proposal {fact.Value} (round {fact.Round})",
            CatalogMessageKind.Vote => $"vote {(fact.Value == 0 ? "none" : fact.Value)}, proposal {fact.Proposed} (round {fact.Round})",
            CatalogMessageKind.Final => $"final {fact.Value}",
            _ => $"draw {fact.Value}",
        } + (_ids.Count > 1 && fact.Run >= 0 ? $" of {Run(fact.Run).Id}" : "");
    }
}
