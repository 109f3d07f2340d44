using Consensus.Protocol;

namespace Consensus.Timeline;

/// <summary>A persisted run: its decision, and its summary for the history.</summary>
/// <param name="Run">The run; null for the run of bare messages.</param>
/// <param name="StartedAtUs">µs since 1970, by this agent's clock.</param>
/// <param name="LastRound">The last round that this agent entered; 0 for none.</param>
/// <param name="Attempts">Values drawn.</param>
/// <param name="Sent">Messages sent in it.</param>
/// <param name="Learner">Whether this agent took no part in it.</param>
/// <param name="DecidedAtUs">0 while undecided.</param>
/// <param name="Value">The decision; 0 while undecided.</param>
/// <param name="Round">The round in which this agent decided or learned the decision; 0 while undecided.</param>
public sealed record RunRecord(
    RunDescriptor? Run, long StartedAtUs, int LastRound, int Attempts,
    int Sent, bool Learner, long DecidedAtUs = 0, int Value = 0, int Round = 0)
{
    /// <summary>The run of bare messages goes by this name.</summary>
    public const string AnonymousRun = "bare";

    /// <summary>What it is found by.</summary>
    public string Name => NameOf(Run);

    /// <summary>What a run is found by; null: the run of bare messages.</summary>
    public static string NameOf(RunDescriptor? run) => run?.Id.ToString() ?? AnonymousRun;

    /// <summary>Its decision, or null.</summary>
    public Decision? Decision => DecidedAtUs == 0 ? null : new Decision(Value, Round, Run?.Id);
}
