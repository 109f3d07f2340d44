using System.Text.Json.Serialization;
using Consensus.Protocol;

namespace Consensus.Timeline;

/// <summary>What changed in an agent's state by one step of its core. Absent parts are as before.</summary>
/// <param name="AtUs">µs since 1970, by that agent's clock.</param>
/// <param name="Fresh">True where nothing of the state before remains. The parts that are absent then are as in a new process.</param>
/// <param name="Down">True where the process has ended: it has no state.</param>
/// <param name="Run">The run's id; absent also for the run of bare messages.</param>
/// <param name="Round">The round; 0 before the first.</param>
/// <param name="Phase">What it does in the round; in a new process it waits.</param>
/// <param name="Value">Its proposal of the round.</param>
/// <param name="Attempts">Values drawn in the run so far.</param>
/// <param name="Learner">Whether it takes no part in the run.</param>
/// <param name="Decision">Its decision.</param>
/// <param name="Stalled">Why the run cannot go on.</param>
/// <param name="Proposals">Proposals of the round that are new to it, by agent.</param>
/// <param name="Votes">Votes of the round that are new to it, by agent; 0: for none.</param>
public sealed record StateChange(
    long AtUs, bool? Fresh = null, bool? Down = null, string? Run = null, int? Round = null,
    [property: JsonConverter(typeof(EnumNameConverter<Phase>))] Phase? Phase = null,
    int? Value = null, int? Attempts = null, bool? Learner = null, StateDecision? Decision = null, string? Stalled = null,
    IReadOnlyDictionary<string, int>? Proposals = null, IReadOnlyDictionary<string, int>? Votes = null)
{
    /// <summary>What changed from this change on, up to and including <paramref name="next"/>, as one change.</summary>
    public StateChange Then(StateChange next)
    {
        ArgumentNullException.ThrowIfNull(next);
        return next.Fresh == true ? next : new(
            next.AtUs, Fresh, next.Down ?? Down, next.Run ?? Run, next.Round ?? Round, next.Phase ?? Phase,
            next.Value ?? Value, next.Attempts ?? Attempts, next.Learner ?? Learner, next.Decision ?? Decision, next.Stalled ?? Stalled,
            Union(Proposals, next.Proposals), Union(Votes, next.Votes));
    }

    private static IReadOnlyDictionary<string, int>? Union(
        IReadOnlyDictionary<string, int>? known, IReadOnlyDictionary<string, int>? added) =>
        known is null || added is null ? added ?? known : new Dictionary<string, int>([.. known, .. added]);
}

/// <summary>A decision as the agent holds it.</summary>
/// <param name="Value">The value.</param>
/// <param name="Round">The round in which some agent decided it.</param>
public sealed record StateDecision(int Value, int Round);

/// <summary>A <see cref="StateChange"/> in a merged timeline.</summary>
/// <remarks><paramref name="AtMs"/> is in ms since the start. Agents are named by the indices of their lanes.</remarks>
public sealed record LaneState(
    double AtMs, int Lane, bool? Fresh = null, bool? Down = null, string? Run = null, int? Round = null,
    [property: JsonConverter(typeof(EnumNameConverter<Phase>))] Phase? Phase = null,
    int? Value = null, int? Attempts = null, bool? Learner = null, StateDecision? Decision = null, string? Stalled = null,
    IReadOnlyDictionary<int, int>? Proposals = null, IReadOnlyDictionary<int, int>? Votes = null);
