using Consensus.Protocol;
using Consensus.Simulation.Seeded;

namespace Consensus.Simulation.Mutants;

/// <summary>Where a mutant goes wrong.</summary>
public enum MutantCondition
{
    /// <summary>In any cluster.</summary>
    Always,

    /// <summary>Only where restarted agents restore what they persisted.</summary>
    PersistedState,

    /// <summary>Only where messages are relayed.</summary>
    Relay,

    /// <summary>Only where agents count different numbers of agents.</summary>
    DifferentClusterSizes,
}

/// <summary>The core with one safety rule broken. The checkers must catch every mutant, or finding nothing would mean little.</summary>
/// <param name="Name">The name by which it is chosen, in lower case with hyphens.</param>
/// <param name="Description">What it does wrong, in one sentence.</param>
/// <param name="Property">The property by which the model checker catches it: one of <see cref="PropertyNames"/>.</param>
/// <param name="Condition">Where it goes wrong.</param>
/// <param name="Factory">Makes a machine with the broken rule.</param>
public sealed record Mutant(string Name, string Description, string Property, MutantCondition Condition, StateMachineFactory Factory)
{
    /// <summary>All mutants.</summary>
    public static IReadOnlyList<Mutant> All { get; } =
    [
        Of("no-adoption", "An agent draws a new value although it received a vote for one.", PropertyNames.Agreement, new NoAdoption()),
        Of("decision-on-one-vote", "An agent decides a value with a single vote.", PropertyNames.Agreement, new DecisionOnOneVote()),
        Of("short-proposal-quorum", "An agent votes for a value with one proposal less than a quorum.",
            PropertyNames.Agreement, new ShortProposalQuorum()),
        Of("short-vote-quorum", "An agent leaves a round with one vote less than a quorum.",
            PropertyNames.Agreement, new ShortVoteQuorum()),
        Of("draw-on-catch-up", "An agent that catches up draws a value instead of copying one.",
            PropertyNames.Agreement, new DrawOnCatchUp()),
        Of("restarted-member", "A restarted agent proposes and votes in a run of its earlier process.",
            PropertyNames.OneProposal, new RestartedMember()),
        Of("forgotten-floor", "A reset agent forgets the highest run that it saw.", PropertyNames.OneProposal,
            new ForgottenHighestSeenRun()),
        Of("run-id-without-boot", "An initiator may use one run id before and after a restart.",
            PropertyNames.OneProposal, new RunIdWithoutBoot()),
        Of("own-floor-not-raised", "An initiator does not raise its floor to its own run.",
            PropertyNames.OneProposal, new HighestSeenRunNotRaised()),
        Of("old-final-accepted", "An agent accepts the decision of an older run for its current run.",
            PropertyNames.Validity, new OldFinalAccepted()),
        Of("clearing-handshake", "A handshake clears the receiver's run.", PropertyNames.Termination, new ClearingHandshake()),
        Of("cluster-sizes-not-compared", "A start does not compare how many agents each agent counts.",
            PropertyNames.ClusterSize, new ClusterSizesNotCompared(), MutantCondition.DifferentClusterSizes),
        Of("decision-not-restored", "A restarted agent restores its run without the decision.",
            PropertyNames.Durability, new DecisionNotRestored(), MutantCondition.PersistedState),
        Of("forging-relay", "A relay passes on a vote for none as a vote for its author's proposal.",
            PropertyNames.Agreement, new ForgingRelay(), MutantCondition.Relay),
        Of("silent-learners", "A learner does not introduce its run to its peers.",
            PropertyNames.Termination, new SilentLearners(), MutantCondition.PersistedState),
    ];

    /// <summary>The mutant with this name.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static Mutant Find(string name) =>
        All.FirstOrDefault(mutant => string.Equals(mutant.Name, name, StringComparison.OrdinalIgnoreCase))
        ?? throw new ArgumentException($"There is no mutant '{name}'; choose one of {Names}.", nameof(name));

    /// <summary>The names of all mutants, with commas between them.</summary>
    public static string Names { get; } = string.Join(", ", All.Select(mutant => mutant.Name));

    /// <summary>The same options where this mutant goes wrong (<see cref="Condition"/>).</summary>
    public SimulationOptions AdaptOptions(SimulationOptions options) => Condition switch
    {
        MutantCondition.PersistedState => options with { Durable = true },
        MutantCondition.Relay => options with { Spread = Spread.Relay },
        MutantCondition.DifferentClusterSizes when options.Agents > 1 => options with { MisconfiguredAgents = 1 },
        _ => options,
    };

    private static Mutant Of(
        string name, string description, string property, SafetyRules rules, MutantCondition condition = MutantCondition.Always) =>
        new(name, description, property, condition, (id, boot, peers, random) => new AgentStateMachine(id, boot, peers, random, rules));
}
