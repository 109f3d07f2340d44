using Consensus.Agent.Configuration;
using Consensus.Protocol;

namespace Consensus.Agent.Peers;

/// <summary>
/// What a message must be before the machine sees it, whatever the run: the ranges of its fields. Each check returns
/// what to change, or null.
/// </summary>
internal static class MessageValidator
{
    public static string? Check(NewRound message) =>
        CheckRun(message.Run) ?? CheckRound(message.Round, message.Run)
        ?? (message.AgentId is null != message.Value is null ? "agent_id and value ride along together or not at all." : null)
        ?? (message.AgentId is null ? null : CheckId(message.AgentId))
        ?? (message.Value is null ? null : CheckValue(message.Value.Value, message.Run));

    public static string? Check(Proposal message) =>
        CheckRun(message.Run) ?? CheckContent(message, message.Run) ?? CheckRelayed(message);

    public static string? Check(Vote message) =>
        CheckRun(message.Run) ?? CheckContent(message, message.Run) ?? CheckRelayed(message)
        ?? (message.Run is { Rule: Rule.Classic } ? "A run by the classic rule knows no votes; send a proposal." : null);

    public static string? Check(Final message) =>
        CheckRun(message.Run) ?? CheckValue(message.Value, message.Run) ?? CheckRound(message.Round, message.Run)
        ?? (message.AgentId is null ? null : CheckId(message.AgentId));

    /// <summary>A response: its run must be one that a message may carry.</summary>
    public static string? Check(Response response, TimeProvider time) =>
        CheckRun(response.Descriptor) ?? CheckNumber(response.Descriptor, time) ?? CheckNumber("floor", response.HighestSeenRun, time);

    /// <summary>
    /// The next run gets the highest number ever seen, plus one. So a message with the highest possible number would
    /// leave none to name. Numbers far beyond any count of runs must lie behind the clock's microseconds since 1970:
    /// it moves on faster than runs are started.
    /// </summary>
    public static string? CheckNumber(RunDescriptor? run, TimeProvider time) => CheckNumber("run.id", run?.Id, time);

    private static string? CheckNumber(string field, RunId? id, TimeProvider time) =>
        id is { Number: > ProtocolLimits.PlainRunNumber and var number } && number / 1000 >= time.GetUtcNow().ToUnixTimeMilliseconds()
            ? $"{field} has a number beyond any run that can have been started; take the next one after the floor that /reset answers."
            : null;

    /// <summary>Whoever proposes or votes is a member; those who decide may have learned it only.</summary>
    public static string? CheckSender(Message message) =>
        message is { Run: { } run, Sender: { } sender } and not Final && !run.Members.ContainsKey(sender)
            ? "agent_id must be among run.members: only they propose and vote."
            : null;

    private static string? CheckContent(Proposal message, RunDescriptor? run) =>
        CheckId(message.AgentId) ?? CheckValue(message.Value, run) ?? CheckRound(message.Round, run);

    private static string? CheckContent(Vote message, RunDescriptor? run) =>
        CheckId(message.AgentId) ?? CheckValue(message.Proposed, run, "proposal") ?? CheckRound(message.Round, run)
        ?? (message.Value is null ? null : CheckValue(message.Value.Value, run));

    /// <summary>The initiator passes on at most two votes of each member, or a vote and a proposal.</summary>
    private static string? CheckRelayed(Message message)
    {
        if (message.Relayed is not { } relayed)
        {
            return null;
        }

        if (message.Run is not { } run || relayed.Count > 2 * run.Members.Count)
        {
            return "heard must hold at most two messages of each member of run.";
        }

        foreach (var copy in relayed.All)
        {
            var wrong = copy is Vote vote ? CheckContent(vote, run) : CheckContent((Proposal)copy, run);
            if ((wrong ?? (run.Members.ContainsKey(copy.Sender!) ? null : "agent_id must be among run.members.")) is { } why)
            {
                return $"heard holds a {copy.Kind.WireName()} that is wrong: {why}";
            }
        }

        return null;
    }

    private static string? CheckId(string id) =>
        id.Length is 0 or > WireLimits.MaxIdLength ? $"agent_id must be 1 to {WireLimits.MaxIdLength} characters long."
            : HasControl(id) ? "agent_id must not hold control characters."
            : null;

    // They would end up in the lines of a log.
    private static bool HasControl(string text)
    {
        foreach (var character in text)
        {
            if (char.IsControl(character))
            {
                return true;
            }
        }

        return false;
    }

    private static string? CheckRound(int round, RunDescriptor? run) =>
        NumberRange.Check("round", round, 1, ProtocolLimits.MaxRound)
        ?? (round < run?.StartRound ? $"round must not be below run.start_round, {run.StartRound}." : null);

    private static string? CheckValue(int value, RunDescriptor? run, string field = "value") =>
        NumberRange.Check(field, value, 1, ProtocolLimits.MaxValues)
        ?? (value > run?.Values ? $"{field} must be from 1 to run.values, {run.Values}." : null);

    private static string? CheckRun(RunDescriptor? run)
    {
        if (run is null)
        {
            return null;
        }

        return NumberRange.Check("run.n", run.N, 1, ProtocolLimits.MaxAgents)
            ?? NumberRange.Check("run.start_round", run.StartRound, 1, ProtocolLimits.MaxStartRound)
            ?? NumberRange.Check("run.values", run.Values, 1, ProtocolLimits.MaxValues)
            ?? NumberRange.Check("run.window_ms", run.WindowMs, 0, ProtocolLimits.MaxWindowMs)
            ?? (run.Id.Initiator.Length > WireLimits.MaxIdLength || run.Id.Boot.Length > WireLimits.MaxIdLength
                ? $"run.id must name an initiator and a boot of at most {WireLimits.MaxIdLength} characters each."
            : run.Members.Count < 1 || run.Members.Count > run.N ? "run.members must name 1 to n agents."
            : !run.Members.TryGetValue(run.Id.Initiator, out var boot) || boot != run.Id.Boot
                ? "run.members must name the initiator with its boot."
            : CheckMembers(run.Members));
    }

    private static string? CheckMembers(IReadOnlyDictionary<string, string> members)
    {
        foreach (var (id, boot) in members)
        {
            if (id.Length is 0 or > WireLimits.MaxIdLength
                || boot is null or { Length: 0 or > WireLimits.MaxIdLength } || HasControl(id) || HasControl(boot))
            {
                return $"run.members must map ids to boots, each 1 to {WireLimits.MaxIdLength} characters long, none a control character.";
            }
        }

        return null;
    }
}
