using System.Globalization;
using Consensus.Protocol;
using Consensus.Simulation.ModelChecking;

namespace Consensus.Simulation.Seeded;

/// <summary>One agent of a world: its process, if it is up, and what is planned for it.</summary>
internal sealed class SimulatedAgent
{
    public const long Never = long.MaxValue;
    public const int Timers = 5;

    public readonly int Index;
    public readonly string Id;
    public readonly string[] Peers;

    /// <summary>When each timer runs out, in µs.</summary>
    public readonly long[] Deadlines = new long[Timers];
    public AgentStateMachine? Machine;

    /// <summary>Processes so far.</summary>
    public int Boots;
    public int OpenStarts;
    private Restored? _persisted;
    public long PausedUntil;

    /// <summary>Whether somebody reset this process: then it may have a floor and no run.</summary>
    public bool WasReset;

    public SimulatedAgent(int index, SimulationOptions options)
    {
        Index = index;
        Id = NameOf(index);
        Peers = [.. Enumerable.Range(0, options.Agents).Where(other => other != index).Take(options.CountedBy(index) - 1).Select(NameOf)];
    }

    public static string NameOf(int agent) => string.Create(CultureInfo.InvariantCulture, $"agent{agent + 1}");

    public void Begin()
    {
        (Machine, Boots, OpenStarts, PausedUntil, WasReset, _persisted) = (null, 0, 0, 0, false, null);
        Array.Fill(Deadlines, Never);
    }

    /// <summary>Ends the process, if one runs.</summary>
    public void Crash()
    {
        _persisted = Machine?.ToPersist() ?? _persisted;
        Machine = null;
        PausedUntil = 0;
        Array.Fill(Deadlines, Never);
    }

    /// <summary>Another process: its boot sorts anywhere among others, and its draws are a function of world, agent and number.</summary>
    /// <param name="seed">The world's.</param>
    /// <param name="make">Makes the machine.</param>
    /// <param name="durable">Whether it is given back what the last one kept.</param>
    /// <returns>A violation, where it does not hold what was kept.</returns>
    public Violation? Boot(long seed, StateMachineFactory make, bool durable)
    {
        Crash();
        Boots++;
        var random = SeededRandom.For(seed, Id, Boots);
        var boot = string.Create(CultureInfo.InvariantCulture, $"{(char)('a' + random.Next(26))}{Boots}");
        Machine = make(Id, boot, Peers, random);
        WasReset &= durable;
        if (!durable || _persisted is not { } kept)
        {
            return null;
        }

        Machine.Step(kept);
        return kept is { Run: { } run, Decision: { } decision } && Machine.CurrentDecision is null
            ? new(PropertyNames.Durability, run.Rule, run.Id, $"{Id} decided {decision.Value} in run {run.Id}, kept it, and does not hold it after a restart.")
            : null;
    }
}
