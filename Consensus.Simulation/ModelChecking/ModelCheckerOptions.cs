using Consensus.Protocol;

namespace Consensus.Simulation.ModelChecking;

/// <summary>The bounds of a <see cref="ModelChecker"/>. Within them it leaves nothing out.</summary>
/// <param name="Agents">2..<see cref="MaxAgents"/>.</param>
/// <param name="Values">Values are drawn from 1..Values; 1..<see cref="MaxValues"/>.</param>
/// <param name="Rounds">No agent enters a round after this one; 1..<see cref="MaxRounds"/>.</param>
/// <param name="Crashes">How often some agent may crash and restart with another boot, in all; 0..<see cref="MaxFaults"/>.</param>
/// <param name="Resets">How often some agent may be reset, in all; 0..<see cref="MaxFaults"/>.</param>
/// <param name="Initiators">How many agents may start a run; 1..Agents.</param>
/// <param name="Starts">How often each of these may start one; 1..<see cref="MaxStarts"/>.</param>
/// <param name="Rule">The runs' rule.</param>
/// <param name="Draw">How values are drawn.</param>
/// <param name="Durable">Whether a restarted agent restores what it persisted (<see cref="AgentStateMachine.ToPersist"/>).</param>
/// <param name="MisconfiguredAgents">
/// How many agents, the last ones, lack one agent in their <c>PEERS</c> and so count one agent less;
/// 0..(Agents-1)/2, so that a quorum counts all.
/// </param>
/// <param name="Spread">How proposals and votes travel; null: the protocol's default.</param>
public sealed record ModelCheckerOptions(
    int Agents = 3,
    int Values = 2,
    int Rounds = 2,
    int Crashes = 1,
    int Resets = 1,
    int Initiators = 1,
    int Starts = 1,
    Rule Rule = Rule.Ratified,
    DrawStrategy Draw = DrawStrategy.Fresh,
    bool Durable = false,
    int MisconfiguredAgents = 0,
    Spread? Spread = null)
{
    /// <summary>The largest cluster whose states are visited one by one.</summary>
    public const int MaxAgents = 5;

    /// <summary>The largest value.</summary>
    public const int MaxValues = 4;

    /// <summary>The last round.</summary>
    public const int MaxRounds = 5;

    /// <summary>Crashes, and as many resets.</summary>
    public const int MaxFaults = 3;

    /// <summary>Starts of one agent.</summary>
    public const int MaxStarts = 3;

    /// <summary>Who names whom.</summary>
    internal PeerLists Peers { get => field ??= PeerLists.Of(Agents, MisconfiguredAgents); init; }

    /// <summary>Names an option that is out of range, and its range; null where there is none.</summary>
    public string? Error() =>
        Outside("--agents", Agents, 2, MaxAgents) ?? Outside("--values", Values, 1, MaxValues) ?? Outside("--rounds", Rounds, 1, MaxRounds)
        ?? Outside("--crashes", Crashes, 0, MaxFaults) ?? Outside("--resets", Resets, 0, MaxFaults)
        ?? Outside("--initiators", Initiators, 1, Agents)
        ?? Outside("--starts-per-initiator", Starts, 1, MaxStarts) ?? Outside("--short-peers", MisconfiguredAgents, 0, (Agents - 1) / 2);

    private static string? Outside(string option, int value, int min, int max) =>
        value >= min && value <= max ? null : $"{option} is {value}; it must be from {min} to {max}.";
}
