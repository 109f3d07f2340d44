using Consensus.Protocol;

namespace Consensus.Simulation;

/// <summary>The steps of the proof's model of one run, <c>Step</c> in proof/ratified.dfy.</summary>
internal enum ModelStep
{
    Propose,
    CatchUp,
    VoteFor,
    VoteNone,
    Decide,
    Adopt,
    Draw,
    Learn,
}

/// <summary>What an agent remembers of a run, <c>Memory</c> in proof/ratified.dfy.</summary>
/// <param name="Member">Whether it takes part.</param>
/// <param name="Round">The last round in which it proposed; 0: none yet.</param>
/// <param name="Voted">Whether it voted in that round.</param>
internal readonly record struct ModelMemory(bool Member, int Round = 0, bool Voted = false);

/// <summary>What was ever sent in one run, counted by sender.</summary>
internal interface ISentInRun
{
    /// <summary>Agents that proposed a value in a round.</summary>
    int CountProposals(int round, int value);

    /// <summary>Agents that proposed any value in a round, and whether they proposed several values.</summary>
    (int Count, bool Several) Proposals(int round);

    /// <summary>Agents that voted for a value, or for none (<see cref="ModelGuards.None"/>), in a round.</summary>
    int CountVotes(int round, int vote);

    /// <summary>Agents that voted in a round.</summary>
    int CountVotes(int round);

    /// <summary>Whether some agent has held the decision.</summary>
    bool IsDecided(int value);
}

/// <summary>
/// The guards of the model's steps, <c>Takes</c> in proof/ratified.dfy. Quorums are counted here, and not by
/// <see cref="SafetyRules"/>, so a mutant cannot change them.
/// </summary>
internal static class ModelGuards
{
    /// <summary>A vote for none.</summary>
    public const int None = 0;

    /// <summary>The model's step for an event; null where the event is none of the rule's.</summary>
    public static ModelStep? StepOf(ProtocolEvent protocolEvent, ModelMemory memory) => protocolEvent.Kind switch
    {
        ProtocolEventKind.Drew => memory.Round == 0 ? ModelStep.Propose : ModelStep.Draw,
        ProtocolEventKind.CaughtUp => ModelStep.CatchUp,
        ProtocolEventKind.Adopted => ModelStep.Adopt,
        ProtocolEventKind.Voted => protocolEvent.Value == None ? ModelStep.VoteNone : ModelStep.VoteFor,
        ProtocolEventKind.Decided => ModelStep.Decide,
        ProtocolEventKind.Learned => ModelStep.Learn,
        _ => null,
    };

    /// <summary>Whether what the agent remembers allows the step.</summary>
    public static bool AllowsMemory(ModelStep step, ModelMemory memory, int round, int startRound) => step switch
    {
        ModelStep.Propose => memory is { Member: true, Round: 0 } && round == startRound,
        ModelStep.CatchUp => memory.Member && round > memory.Round,
        ModelStep.VoteFor or ModelStep.VoteNone => memory is { Member: true, Round: > 0, Voted: false } && round == memory.Round,
        ModelStep.Adopt or ModelStep.Draw => memory is { Member: true, Voted: true } && round == memory.Round + 1,
        _ => true,
    };

    /// <summary>Whether what was sent allows the step.</summary>
    /// <param name="step">The step.</param>
    /// <param name="round">The round that the step enters, votes or decides in.</param>
    /// <param name="value">The value proposed, voted for, decided or learned.</param>
    /// <param name="agents">Agents in the whole cluster.</param>
    /// <param name="sent">What was sent before the step.</param>
    public static bool AllowsHistory<T>(ModelStep step, int round, int value, int agents, in T sent)
        where T : ISentInRun, allows ref struct
    {
        var quorum = Quorum.Of(agents);
        switch (step)
        {
            case ModelStep.CatchUp:
                return sent.CountProposals(round, value) > 0;
            case ModelStep.VoteFor:
                return sent.CountProposals(round, value) >= quorum;
            case ModelStep.VoteNone:
                var (count, several) = sent.Proposals(round);
                return several && count >= quorum;
            case ModelStep.Decide:
                return sent.CountVotes(round, value) >= quorum;
            case ModelStep.Adopt:
                return sent.CountVotes(round - 1) >= quorum && sent.CountVotes(round - 1, value) > 0;
            case ModelStep.Draw:
                return sent.CountVotes(round - 1, None) >= quorum;
            case ModelStep.Learn:
                return sent.IsDecided(value);
            default:
                return true;
        }
    }
}
