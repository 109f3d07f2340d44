using System.Text.Json;
using System.Text.Json.Serialization;

namespace Consensus.Protocol;

/// <summary>How a run decides.</summary>
[JsonConverter(typeof(EnumNameConverter<Rule>))]
public enum Rule
{
    /// <summary>The original's: a majority of equal proposals in a round decides. Fast to explain, and unsafe.</summary>
    Classic,

    /// <summary>One vote more: Ben-Or's randomised consensus (PODC 1983). Never disagrees.</summary>
    Ratified,
}

/// <summary>How an agent finds its next value when nothing binds it.</summary>
[JsonConverter(typeof(EnumNameConverter<DrawStrategy>))]
public enum DrawStrategy
{
    /// <summary>Uniformly from 1..values. The expected number of rounds grows exponentially with the agents.</summary>
    Fresh,

    /// <summary>The most common proposal of the last round, and now and then one of those seen.</summary>
    Plurality,
}

/// <summary>
/// All that an agent must know to take part in a run. It travels in every message of the run, so whichever message
/// arrives first introduces it.
/// </summary>
/// <param name="Id">The run's name.</param>
/// <param name="N">Agents in the whole cluster, whoever answered: 1..101.</param>
/// <param name="StartRound">The round the run begins with, at least 1.</param>
/// <param name="Rule">How it decides.</param>
/// <param name="Values">Values are drawn from 1..Values.</param>
/// <param name="Draw">How values are drawn.</param>
/// <param name="WindowMs">How long to wait for stragglers once a quorum is in: 0..60000 ms.</param>
/// <param name="Members">Who may propose and vote: agent id to boot. An agent with another boot is a learner.</param>
/// <param name="Seed">Makes the draws a function of (seed, agent id, round); null: free draws.</param>
public sealed record RunDescriptor(
    RunId Id,
    int N,
    int StartRound,
    Rule Rule,
    int Values,
    DrawStrategy Draw,
    int WindowMs,
    IReadOnlyDictionary<string, string> Members,
    long? Seed = null);

/// <summary>An enum is a lower-case word in JSON, never a number.</summary>
public sealed class EnumNameConverter<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false)
    where T : struct, Enum;
