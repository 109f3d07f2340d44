using Consensus.Protocol;

namespace Consensus.Simulation;

/// <summary>Everything that the agents of one run ever proposed, voted for and decided, <c>State</c> in proof/ratified.dfy.</summary>
internal sealed class SentInRun(RunDescriptor run) : ISentInRun
{
    private const int NoVote = -1;

    private readonly string[] _members = [.. run.Members.Keys];
    private readonly List<(int[] Proposals, int[] Votes)> _rounds = [];
    private readonly HashSet<(string AgentId, int Value)> _decisions = [];

    public RunId Id { get; } = run.Id;

    public int Agents { get; } = run.N;

    public int StartRound { get; } = run.StartRound;

    /// <inheritdoc/>
    public int CountProposals(int round, int value) => In(round) is { } sent ? sent.Proposals.AsSpan().Count(value) : 0;

    /// <inheritdoc/>
    public (int Count, bool Several) Proposals(int round)
    {
        var (count, first, several) = (0, 0, false);
        foreach (var value in In(round)?.Proposals ?? [])
        {
            if (value != 0)
            {
                (count, first) = (count + 1, first == 0 ? value : first);
                several |= value != first;
            }
        }

        return (count, several);
    }

    /// <inheritdoc/>
    public int CountVotes(int round, int vote) => In(round) is { } sent ? sent.Votes.AsSpan().Count(vote) : 0;

    /// <inheritdoc/>
    public int CountVotes(int round) => In(round) is { } sent ? _members.Length - sent.Votes.AsSpan().Count(NoVote) : 0;

    /// <inheritdoc/>
    public bool IsDecided(int value)
    {
        foreach (var decision in _decisions)
        {
            if (decision.Value == value)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether an agent ever held this decision.</summary>
    public bool Announced(string agentId, int value) => _decisions.Contains((agentId, value));

    /// <summary>Whether an agent has sent this, or is no member and does not count; of a decision: whether any agent holds it.</summary>
    public bool Has(string agentId, MessageContent content)
    {
        if (content.Kind == MessageKind.Final)
        {
            return IsDecided(content.Value);
        }

        var member = Array.IndexOf(_members, agentId);
        return member < 0 || (In(content.Round) is { } sent && sent.Proposals[member] == content.Proposal
            && (content.Kind != MessageKind.Vote || sent.Votes[member] == content.Value));
    }

    /// <summary>What an agent proposed in a round; 0: nothing.</summary>
    public int ProposalOf(string agentId, int round) =>
        In(round) is { } sent && Array.IndexOf(_members, agentId) is >= 0 and var member ? sent.Proposals[member] : 0;

    /// <summary>Whether an agent has voted in a round.</summary>
    public bool HasVoteOf(string agentId, int round) =>
        In(round) is { } sent && Array.IndexOf(_members, agentId) is >= 0 and var member && sent.Votes[member] != NoVote;

    /// <summary>Takes a step whose guards hold.</summary>
    /// <returns>What the agent remembers after it.</returns>
    public ModelMemory Take(ModelStep step, string agentId, int round, int value, ModelMemory memory)
    {
        switch (step)
        {
            case ModelStep.Decide or ModelStep.Learn:
                _decisions.Add((agentId, value));
                return memory;
            case ModelStep.VoteFor or ModelStep.VoteNone:
                In(round)!.Value.Votes[Array.IndexOf(_members, agentId)] = value;
                return memory with { Voted = true };
            default:
                while (_rounds.Count <= round - StartRound)
                {
                    var votes = new int[_members.Length];
                    Array.Fill(votes, NoVote);
                    _rounds.Add((new int[_members.Length], votes));
                }

                In(round)!.Value.Proposals[Array.IndexOf(_members, agentId)] = value;
                return new(true, round);
        }
    }

    private (int[] Proposals, int[] Votes)? In(int round) =>
        round >= StartRound && round - StartRound < _rounds.Count ? _rounds[round - StartRound] : null;
}
