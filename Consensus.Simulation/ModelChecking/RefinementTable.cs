using System.Numerics;
using Consensus.Protocol;

namespace Consensus.Simulation.ModelChecking;

/// <summary>
/// A step of the proof's model (<see cref="ModelGuards"/>) with what it needs of the messages that were sent. The agent's own
/// part is known when the transition is computed; each global state adds what the others sent.
/// </summary>
/// <param name="Step">The step; null: what the agent remembers allows none.</param>
/// <param name="Run">The number of the run's id.</param>
/// <param name="Round">The round that it enters, votes or decides in.</param>
/// <param name="Value">Its value.</param>
/// <param name="Agents">Agents in the run's cluster.</param>
/// <param name="Own">What the agent itself sent in the run before (<see cref="SentMask"/>).</param>
/// <param name="Event">The event, for people.</param>
internal sealed record GuardedStep(ModelStep? Step, int Run, int Round, int Value, int Agents, ulong Own, ProtocolEvent Event)
{
    /// <summary>Whether the guard holds where the other agents are in these states.</summary>
    public bool Holds(AgentState[] now, int agent) =>
        Step is { } step && ModelGuards.AllowsHistory(step, Round, Value, Agents, new SentMask(now, agent, Run, Own));
}

/// <summary>
/// What was sent in one run, one 64-bit mask an agent: proposals by round and value, votes by round and value, decisions by
/// value. The bounds of <see cref="ModelCheckerOptions"/> let it fit.
/// </summary>
internal readonly ref struct SentMask(AgentState[] now, int agent, int run, ulong own) : ISentInRun
{
    private const int MaxRounds = ModelCheckerOptions.MaxRounds;
    private const int MaxValues = ModelCheckerOptions.MaxValues;
    private const int FirstVote = MaxRounds * MaxValues;
    private const int FirstDecision = FirstVote + (MaxRounds * (MaxValues + 1));

    public static ulong Proposal(int round, int value) => 1UL << (((round - 1) * MaxValues) + value - 1);

    public static ulong Vote(int round, int value) => 1UL << (FirstVote + ((round - 1) * (MaxValues + 1)) + value);

    public static ulong Decision(int value) => 1UL << (FirstDecision + value - 1);

    /// <summary>All proposals of a round.</summary>
    public static ulong Proposals(int round) => ((1UL << MaxValues) - 1) << ((round - 1) * MaxValues);

    /// <summary>All votes of a round.</summary>
    public static ulong Votes(int round) => ((1UL << (MaxValues + 1)) - 1) << (FirstVote + ((round - 1) * (MaxValues + 1)));

    /// <summary>What a message says of its sender.</summary>
    public static ulong Of(CatalogMessage message) => message.Kind switch
    {
        CatalogMessageKind.NewRound or CatalogMessageKind.Proposal => message.Value == 0 ? 0 : Proposal(message.Round, message.Value),
        CatalogMessageKind.Vote => Proposal(message.Round, message.Proposed) | Vote(message.Round, message.Value),
        CatalogMessageKind.Final => Decision(message.Value),
        _ => 0,
    };

    int ISentInRun.CountProposals(int round, int value) => Count(Proposal(round, value));

    int ISentInRun.CountVotes(int round, int vote) => Count(Vote(round, vote));

    int ISentInRun.CountVotes(int round) => Count(Votes(round));

    bool ISentInRun.IsDecided(int value) => Count(Decision(value)) > 0;

    (int Count, bool Several) ISentInRun.Proposals(int round)
    {
        var all = 0UL;
        for (var i = 0; i < now.Length; i++)
        {
            all |= By(i);
        }

        return (Count(Proposals(round)), BitOperations.PopCount(all & Proposals(round)) > 1);
    }

    private int Count(ulong wanted)
    {
        var count = 0;
        for (var i = 0; i < now.Length; i++)
        {
            count += (By(i) & wanted) != 0 ? 1 : 0;
        }

        return count;
    }

    private ulong By(int sender) => sender == agent ? own : now[sender].SentIn(run);
}
