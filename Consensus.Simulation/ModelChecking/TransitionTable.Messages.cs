using Consensus.Protocol;

namespace Consensus.Simulation.ModelChecking;

/// <summary>The messages of agents, and the violations that they show.</summary>
internal sealed partial class TransitionTable
{
    /// <summary>The messages of a step: those it sent, and those that every response of the machine repeats from now on.</summary>
    private int[] MessagesOf(int agent, AgentStateMachine machine, IReadOnlyList<Effect> effects, RelayedCopies? copies = null)
    {
        var codes = new SortedSet<int>();
        foreach (var effect in effects)
        {
            switch (effect)
            {
                case Send { Message: Handshake }:
                    codes.Add(Messages.Code(new(CatalogMessageKind.Handshake, agent, Boot: machine.Boot)));
                    break;
                case Send { Message: { Run: { } run } message }:
                    codes.Add(Messages.CodeOf(agent, message, Messages.CodeOf(run)));
                    codes.UnionWith(copies?.FindAdded(message)
                        .Select(added => Messages.CodeOf(_bounds.Peers.IndexOf(added.Sender!), added, Messages.CodeOf(run))) ?? []);
                    break;
                case ProtocolEvent { Kind: ProtocolEventKind.Drew } drew when machine.CurrentRun is { } run:
                    codes.Add(Messages.Code(new(CatalogMessageKind.Drew, agent, Messages.CodeOf(run), Value: drew.Value)));
                    break;
                case Introduction { Response: var response } introduction:
                    codes.Add(Messages.Code(new(CatalogMessageKind.Introduced, agent, To: introduction.To,
                        Boot: response.Boot ?? "", HighestSeenRun: response.HighestSeenRun ?? RunId.None, Agents: response.Agents ?? 0)));
                    break;
            }
        }

        if (machine.CurrentRun is { } current)
        {
            var run = Messages.CodeOf(current);
            codes.Add(Messages.Code(new(CatalogMessageKind.Joined, agent, run)));
            var snapshot = machine.Snapshot();
            if (snapshot.Decision is { } decision)
            {
                codes.Add(Messages.CodeOf(agent, new Final(decision.Value, decision.Round), run));
            }
            else if (snapshot.Learner)
            {
                // Which peers it sends this to depends on whom it polled. A message may reach any agent at any time.
                codes.Add(Messages.CodeOf(agent, new NewRound(current.StartRound), run));
            }
            else if (snapshot is { Phase: Phase.Proposing or Phase.Voting, MyValue: { } mine })
            {
                codes.Add(Messages.CodeOf(agent, snapshot.Phase == Phase.Proposing ? new Proposal(machine.Id, mine, snapshot.Round)
                    : new Vote(machine.Id, snapshot.Votes[machine.Id], mine, snapshot.Round), run));
            }
        }

        return [.. codes];
    }

    private SentMessages Union(SentMessages? before, int[] added)
    {
        if (before is not null && added.All(code => Array.BinarySearch(before.Codes, code) >= 0))
        {
            return before;
        }

        var all = (before?.Codes ?? []).Union(added).Order().ToArray();
        var key = KeyOf(all);
        if (!_sent.TryGetValue(key, out var sent))
        {
            var messages = all.Select(code => Messages[code]).ToList();
            var violated = ViolatedBy(messages) ?? (messages.Exists(IsOfAnotherSize) ? PropertyNames.ClusterSize : null);
            sent = new SentMessages(
                all, RunValues(messages, CatalogMessageKind.Final), RunValues(messages, CatalogMessageKind.Drew), violated);
            _sent.Add(key, sent);
        }

        return sent;
    }

    private static string KeyOf(int[] numbers) => string.Create(numbers.Length * 2, numbers, (text, codes) =>
    {
        for (var i = 0; i < codes.Length; i++)
        {
            (text[2 * i], text[(2 * i) + 1]) = ((char)(codes[i] >> 16), (char)codes[i]);
        }
    });

    private DeliverableMessages MessagesTo(int receiver, LocalState local, SentMessages sent)
    {
        int[] codes = [.. sent.Codes.Select(code => SentBy(local, code))
            .Where(code => code >= 0 && Messages.InputFor(code, receiver) is not null)];
        var key = KeyOf(codes);
        if (!_deliverable.TryGetValue(key, out var messages))
        {
            _deliverable.Add(key, messages = new DeliverableMessages(_deliverable.Count, codes));
        }

        return messages;
    }

    private int[] RunValues(List<CatalogMessage> messages, CatalogMessageKind kind) =>
        [.. messages.Where(message => message.Kind == kind)
            .Select(message => (Messages.NumberOf(message.Run) << 8) | message.Value).Distinct().Order()];

    private string? ViolatedBy(List<CatalogMessage> messages)
    {
        var proposals = messages
            .Where(message => message.Kind is CatalogMessageKind.Proposal or CatalogMessageKind.NewRound or CatalogMessageKind.Vote)
            .Select(message => (message.Sender, Run: Messages.NumberOf(message.Run), message.Round,
                Value: message.Kind == CatalogMessageKind.Vote ? message.Proposed : message.Value))
            .Where(proposal => proposal.Value != 0).Distinct();
        var votes = messages.Where(message => message.Kind == CatalogMessageKind.Vote)
            .Select(message => (message.Sender, Run: Messages.NumberOf(message.Run), message.Round, message.Value)).Distinct();
        return proposals.GroupBy(one => (one.Sender, one.Run, one.Round)).Any(same => same.Count() > 1) ? PropertyNames.OneProposal
            : votes.GroupBy(one => (one.Sender, one.Run, one.Round)).Any(same => same.Count() > 1) ? PropertyNames.OneVote : null;
    }

    /// <summary>
    /// Whether an agent that counts another number of agents than a message's run is its member, or proposes or votes in it.
    /// </summary>
    private bool IsOfAnotherSize(CatalogMessage message) => message.Run >= 0 && Messages.Run(message.Run) is var run
        && ((IsOfMember(message) && message.Value + message.Proposed > 0 && _bounds.Peers.CountedBy(message.Sender) != run.N)
            || run.Members.Keys.Any(id => _bounds.Peers.CountedBy(_bounds.Peers.IndexOf(id)) != run.N));

    // A response to a handshake that is over is not read. The handshake itself may still arrive.
    private int SentBy(LocalState local, int code) => Messages[code] switch
    {
        { Kind: CatalogMessageKind.Drew } => -1,
        { Kind: CatalogMessageKind.Handshake } message when !local.IsShakingHands || message.Boot != local.Machine.Boot =>
            Messages.Code(message with { Kind = CatalogMessageKind.LateHandshake }),
        _ => code,
    };
}
