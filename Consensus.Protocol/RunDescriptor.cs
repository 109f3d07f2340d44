using System.Text.Json.Serialization;

namespace Consensus.Protocol;

/// <summary>How a run decides.</summary>
[JsonConverter(typeof(EnumNameConverter<Rule>))]
public enum Rule
{
    /// <summary>The original's: a majority of equal proposals in a round decides. Unsafe.</summary>
    Classic,

    /// <summary>A vote follows the proposals: Ben-Or's randomised consensus (PODC 1983). Safe.</summary>
    Ratified,
}

/// <summary>How an agent draws a value when it has none to adopt.</summary>
[JsonConverter(typeof(EnumNameConverter<DrawStrategy>))]
public enum DrawStrategy
{
    /// <summary>Uniformly from 1..values. The expected number of rounds grows exponentially with the agents.</summary>
    Fresh,

    /// <summary>The most common proposal of the last round; with probability 1/n any proposal of it.</summary>
    Plurality,
}

/// <summary>How the proposals and votes of a run reach the agents.</summary>
[JsonConverter(typeof(EnumNameConverter<Spread>))]
public enum Spread
{
    /// <summary>Every agent sends to every agent: n(n-1) messages an exchange.</summary>
    Direct,

    /// <summary>The initiator relays: 2(n-1) messages an exchange. Ratified rule only.</summary>
    Relay,
}

/// <summary>
/// All that an agent must know to take part in a run. Every message of the run carries it, so the first one to arrive
/// introduces the run.
/// </summary>
/// <param name="Id">The run's id.</param>
/// <param name="N">Agents in the whole cluster, reachable or not: 1..101.</param>
/// <param name="StartRound">The round the run begins with, at least 1.</param>
/// <param name="Rule">How it decides.</param>
/// <param name="Values">Values are drawn from 1..Values.</param>
/// <param name="Draw">How values are drawn.</param>
/// <param name="WindowMs">How long a quorum waits for stragglers: 0..60000 ms.</param>
/// <param name="Members">Who may propose and vote: agent id to boot. An agent with another boot is a learner.</param>
/// <param name="Seed">Makes the draws a function of (seed, agent id, round); null: free draws.</param>
/// <param name="Spread">How proposals and votes travel.</param>
public sealed record RunDescriptor(
    RunId Id,
    int N,
    int StartRound,
    Rule Rule,
    int Values,
    DrawStrategy Draw,
    int WindowMs,
    IReadOnlyDictionary<string, string> Members,
    long? Seed = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] Spread Spread = Spread.Direct);
