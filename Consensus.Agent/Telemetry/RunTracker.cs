using Consensus.Protocol;

namespace Consensus.Agent.Telemetry;

/// <summary>A run at this agent, from its join until its end.</summary>
/// <param name="Descriptor">The run; null: the run of bare messages.</param>
/// <param name="StartRound">The first round.</param>
internal sealed record OpenRun(RunDescriptor? Descriptor, int StartRound)
{
    /// <summary>The run's id; <see cref="RunId.None"/>: the run of bare messages.</summary>
    public RunId Id => Descriptor?.Id ?? RunId.None;

    /// <summary>The name of the run's spans.</summary>
    public string Title => Descriptor is null ? "run" : $"run {Descriptor.Id.Number}";

    /// <summary>The name of a run's rule. A bare run follows the classic rule.</summary>
    public static string RuleOf(RunDescriptor? run) => run is { Rule: Rule.Ratified } ? "ratified" : "classic";
}

/// <summary>What an event changed: the run that ended, with its outcome, and the run that began. Null: none.</summary>
internal readonly record struct RunChange(OpenRun? Ended, string? Outcome, OpenRun? Began);

/// <summary>
/// Decides when a run begins and ends at this agent. Metrics and tracing follow its changes, so they count the same runs.
/// Called in the order of events, one call at a time.
/// </summary>
internal sealed class RunTracker
{
    private OpenRun? _open;

    /// <summary>Follows one event; <paramref name="current"/> is the run after it.</summary>
    public RunChange Follow(ProtocolEvent protocolEvent, RunDescriptor? current)
    {
        var before = _open;
        switch (protocolEvent.Kind)
        {
            case ProtocolEventKind.Joined or ProtocolEventKind.JoinedAsLearner:
                return new(before, "superseded", Open(protocolEvent, current));

            // An agent joins a bare run by its first round.
            case ProtocolEventKind.Drew or ProtocolEventKind.CaughtUp or ProtocolEventKind.Adopted when before is null:
                return new(null, null, Open(protocolEvent, current));
            case ProtocolEventKind.Decided or ProtocolEventKind.Learned or ProtocolEventKind.WasReset:
                _open = null;
                return new(before, protocolEvent.Kind switch
                {
                    ProtocolEventKind.Decided => "decided",
                    ProtocolEventKind.Learned => "learned",
                    _ => "reset",
                }, null);
            default:
                return default;
        }
    }

    private OpenRun Open(ProtocolEvent protocolEvent, RunDescriptor? current) =>
        _open = new OpenRun(current, current?.StartRound ?? protocolEvent.Round);
}
