using Consensus.Agent.Hosting;
using Consensus.Agent.Protocol;

namespace Consensus.Agent.Api;

/// <summary>
/// What a message must be before the machine sees it, whatever the run: the ranges of its fields. Each check returns
/// what to change, or null.
/// </summary>
internal static class MessageChecks
{
    private const int MaxIdLength = 128;

    public static string? Check(NewRound message) =>
        CheckRound(message.Round) ?? CheckRun(message.Run)
        ?? (message.AgentId is null != message.Value is null ? "agent_id and value ride along together or not at all." : null)
        ?? (message.AgentId is null ? null : CheckId(message.AgentId))
        ?? (message.Value is null ? null : CheckValue(message.Value.Value));

    public static string? Check(Proposal message) =>
        CheckId(message.AgentId) ?? CheckValue(message.Value) ?? CheckRound(message.Round) ?? CheckRun(message.Run);

    public static string? Check(Vote message) =>
        CheckId(message.AgentId) ?? CheckValue(message.Proposed, "proposal") ?? CheckRound(message.Round)
        ?? (message.Value is null ? null : CheckValue(message.Value.Value)) ?? CheckRun(message.Run);

    public static string? Check(Final message) =>
        CheckValue(message.Value) ?? CheckRound(message.Round) ?? CheckRun(message.Run)
        ?? (message.AgentId is null ? null : CheckId(message.AgentId));

    public static string? Check(RunBody body) =>
        (body.Round is null ? null : CheckRound(body.Round.Value))
        ?? (body.Values is < 1 or > RunLimits.MaxValues ? $"values must be from 1 to {RunLimits.MaxValues}." : null)
        ?? (body.WindowMs is < 0 or > RunLimits.MaxWindowMs ? $"window_ms must be from 0 to {RunLimits.MaxWindowMs}." : null);

    private static string? CheckId(string id) =>
        id.Length is > 0 and <= MaxIdLength ? null : $"agent_id must be 1 to {MaxIdLength} characters long.";

    private static string? CheckRound(int round) =>
        round is >= 1 and <= Machine.MaxRound ? null : $"round must be from 1 to {Machine.MaxRound}.";

    private static string? CheckValue(int value, string field = "value") =>
        value is >= 1 and <= RunLimits.MaxValues ? null : $"{field} must be from 1 to {RunLimits.MaxValues}.";

    private static string? CheckRun(RunDescriptor? run)
    {
        if (run is null)
        {
            return null;
        }

        return run.N is < 1 or > Machine.MaxAgents ? $"run.n must be from 1 to {Machine.MaxAgents}."
            : run.StartRound is < 1 or > Machine.MaxRound ? $"run.start_round must be from 1 to {Machine.MaxRound}."
            : run.Values is < 1 or > RunLimits.MaxValues ? $"run.values must be from 1 to {RunLimits.MaxValues}."
            : run.WindowMs is < 0 or > RunLimits.MaxWindowMs ? $"run.window_ms must be from 0 to {RunLimits.MaxWindowMs}."
            : run.Id.Number > RunLimits.MaxRunNumber ? $"run.id must have a number of at most {RunLimits.MaxRunNumber}."
            : run.Members.Count < 1 || run.Members.Count > run.N ? "run.members must name 1 to n agents."
            : !run.Members.TryGetValue(run.Id.Initiator, out var boot) || boot != run.Id.Boot ? "run.members must name the initiator with its boot."
            : run.Members.Any(member => member.Key.Length is 0 or > MaxIdLength || member.Value is null or { Length: 0 or > MaxIdLength })
                ? $"run.members must map ids to boots, each 1 to {MaxIdLength} characters long."
            : null;
    }
}
