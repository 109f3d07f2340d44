using Consensus.Protocol;
using FsCheck;
using FsCheck.Fluent;

namespace Consensus.Tests.Protocol;

/// <summary>A cluster and all that happens to it, for <see cref="ScheduledCluster"/>.</summary>
/// <param name="Agents">How many.</param>
/// <param name="Values">Values are drawn from 1..Values.</param>
/// <param name="Draw">How.</param>
/// <param name="Seed">Of the free draws; of the runs' draws as well where <paramref name="SeededDraws"/>.</param>
/// <param name="SeededDraws">The runs name the seed.</param>
/// <param name="Moves">What happens, a number each.</param>
public sealed record Schedule(int Agents, int Values, DrawStrategy Draw, int Seed, bool SeededDraws, IReadOnlyList<int> Moves)
{
    /// <inheritdoc/>
    public override string ToString() =>
        $"new Schedule({Agents}, {Values}, Draw.{Draw}, {Seed}, {(SeededDraws ? "true" : "false")}, [{string.Join(", ", Moves)}])";
}

/// <summary>Random schedules; a failing one shrinks to the moves that matter.</summary>
public static class Schedules
{
    /// <summary>Clusters of 1 to 5 agents, and up to 601 moves.</summary>
    public static Arbitrary<Schedule> Schedule()
    {
        var schedules =
            from agents in Gen.Frequency((1, Gen.Choose(1, 2)), (6, Gen.Choose(3, 3)), (2, Gen.Choose(4, 5)))
            from values in Gen.Choose(2, 4)
            from draw in Gen.Elements(DrawStrategy.Fresh, DrawStrategy.Plurality)
            from seed in Gen.Choose(0, int.MaxValue - 1)
            from seeded in Gen.Elements(true, false)
            from start in Gen.Choose(0, agents - 1)
            from calm in Gen.Elements(true, false)
            from length in Gen.Choose(0, calm ? 200 : 600)
            from moves in Gen.ArrayOf(Moves(calm), length)
            select new Schedule(agents, values, draw, seed, seeded, [ScheduledCluster.Move(ScheduledCluster.StartMove, start), .. moves]);
        return Arb.From(schedules, Shrink);
    }

    // A calm schedule has one run, and loses and delays its messages; the other kind starts, restarts and resets besides.
    private static Gen<int> Moves(bool calm) =>
        from what in Gen.Choose(0, calm ? ScheduledCluster.StartMove - 1 : ScheduledCluster.Kinds - 1)
        from pick in Gen.Choose(0, 999_999)
        select ScheduledCluster.Move(what, pick);

    // Leaves out a half, a quarter, and so on down to a single move.
    private static IEnumerable<Schedule> Shrink(Schedule schedule)
    {
        for (var part = schedule.Moves.Count; part > 0; part /= 2)
        {
            for (var from = 0; from + part <= schedule.Moves.Count; from += part)
            {
                yield return schedule with { Moves = [.. schedule.Moves.Take(from), .. schedule.Moves.Skip(from + part)] };
            }
        }
    }
}
