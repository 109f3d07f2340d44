using System.Globalization;
using Consensus.Protocol;

namespace Consensus.Simulation.Seeded;

/// <summary>How long messages are in flight. All in whole µs, so that no machine rounds differently.</summary>
public enum Latency
{
    /// <summary>1 ms each.</summary>
    Constant,

    /// <summary>Evenly from 0.2 to 2 ms.</summary>
    Uniform,

    /// <summary>
    /// 0.1 to 0.5 ms, doubled half the time, and again half of that time, up to 256 ms; one link in eight four times as slow.
    /// </summary>
    Tail,
}

/// <summary>A probability in whole millionths: 0..1,000,000.</summary>
public readonly record struct Probability(int PerMillion)
{
    /// <summary>Takes a number of 0..1. Digits beyond the sixth are cut.</summary>
    public static Probability Of(decimal probability) => new((int)(probability * 1_000_000m));

    /// <inheritdoc/>
    public override string ToString() => (PerMillion / 1_000_000m).ToString("0.######", CultureInfo.InvariantCulture);

    internal bool Happens(SeededRandom random) => PerMillion > 0 && random.Next(1_000_000) < PerMillion;
}

/// <summary>What is simulated. Faults happen in the first <paramref name="FaultsMs"/> and then no more.</summary>
/// <param name="Agents">1..101.</param>
/// <param name="Rule">The rule of the runs; null: each run's rule is drawn.</param>
/// <param name="Draw">How values are drawn.</param>
/// <param name="Values">Values are drawn from 1..Values.</param>
/// <param name="WindowMs">The runs' window: 0..60000 ms.</param>
/// <param name="Drop">Probability that a message or response is lost.</param>
/// <param name="Duplicate">Probability that a message arrives twice.</param>
/// <param name="Crash">
/// Probability that an agent crashes in a step. Only some of the step's messages are sent. The agent restarts without its memory.
/// </param>
/// <param name="Partition">Probability that links are cut after a step, both ways or one way.</param>
/// <param name="Pause">Probability that an agent pauses after a step.</param>
/// <param name="Reset">Probability that an agent is reset soon after a step.</param>
/// <param name="Starts">How often a client asks some agent to start a run; beyond one, at random moments.</param>
/// <param name="Latency">How long messages are in flight.</param>
/// <param name="FaultsMs">How long faults happen, in virtual ms.</param>
/// <param name="Durable">Whether a restarted agent restores what it persisted (<see cref="AgentStateMachine.ToPersist"/>).</param>
/// <param name="MaxRounds">A simulated run that enters a later round is cut off.</param>
/// <param name="MisconfiguredAgents">
/// How many agents, the last ones, lack one agent in their <c>PEERS</c> and so count one agent less: 0..Agents-1.
/// </param>
/// <param name="Spread">How proposals and votes travel; null: the protocol's default.</param>
public sealed record SimulationOptions(
    int Agents = 3,
    Rule? Rule = Rule.Ratified,
    DrawStrategy Draw = DrawStrategy.Fresh,
    int Values = RunRequest.DefaultValues,
    int WindowMs = ProtocolTiming.DefaultWindowMs,
    Probability Drop = default,
    Probability Duplicate = default,
    Probability Crash = default,
    Probability Partition = default,
    Probability Pause = default,
    Probability Reset = default,
    int Starts = 1,
    Latency Latency = Latency.Uniform,
    int FaultsMs = 2000,
    bool Durable = false,
    int MaxRounds = 100_000,
    int MisconfiguredAgents = 0,
    Spread? Spread = null)
{
    /// <summary>The run that clients ask for, by one rule.</summary>
    internal RunRequest RunBy(Rule rule) => new(Rule: rule, Values: Values, Draw: Draw, WindowMs: WindowMs, Spread: Spread);

    /// <summary>The same, with the options of <paramref name="run"/> that it names.</summary>
    public SimulationOptions With(RunRequest run) => this with
    {
        Rule = run.Rule ?? Rule,
        Values = run.Values ?? Values,
        Draw = run.Draw ?? Draw,
        WindowMs = run.WindowMs ?? WindowMs,
        Spread = run.Spread ?? Spread,
    };

    internal IEnumerable<SimulatedAgent> CreateAgents()
    {
        var peers = PeerLists.Of(Agents, MisconfiguredAgents);
        return Enumerable.Range(0, Agents).Select(agent => new SimulatedAgent(agent, peers.PeersOf(agent)));
    }

    /// <summary>True where nothing but delay goes wrong.</summary>
    public bool IsFaultFree =>
        Drop == default && Duplicate == default && Crash == default && Partition == default && Pause == default && Reset == default;

    /// <summary>Names an option that is out of range, and its range; null where there is none.</summary>
    /// <param name="prefix">What comes before the option's name.</param>
    public string? Error(string prefix = "--") =>
        Outside(prefix + "agents", Agents, 1, ProtocolLimits.MaxAgents)
        ?? (RunOption.Check(RunBy(default)) is { } wrong ? prefix + wrong : null)
        ?? Outside(prefix + "drop", Drop) ?? Outside(prefix + "duplicate", Duplicate)
        ?? Outside(prefix + "crash", Crash) ?? Outside(prefix + "partition", Partition) ?? Outside(prefix + "pause", Pause)
        ?? Outside(prefix + "reset", Reset) ?? Outside(prefix + "starts", Starts, 1, 100)
        ?? Outside(prefix + "fault-duration-ms", FaultsMs, 0, 600_000)
        ?? Outside(prefix + "rounds", MaxRounds, 1, ProtocolLimits.MaxRound)
        ?? Outside(prefix + "short-peers", MisconfiguredAgents, 0, Agents - 1);

    private static string? Outside(string option, Probability value) =>
        value.PerMillion is >= 0 and <= 1_000_000 ? null : $"{option} is {value}; it must be from 0 to 1.";

    private static string? Outside(string option, int value, int min, int max) =>
        value >= min && value <= max
            ? null : string.Create(CultureInfo.InvariantCulture, $"{option} is {value}; it must be from {min} to {max}.");
}
