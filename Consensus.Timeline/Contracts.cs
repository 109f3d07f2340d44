using System.Text.Json.Serialization;
using Consensus.Protocol;

namespace Consensus.Timeline;

/// <summary>One event as one agent recorded it.</summary>
/// <param name="Id">Counts up in each process, with gaps.</param>
/// <param name="AtUs">µs since 1970, by that agent's clock.</param>
/// <param name="Kind">
/// <c>joined</c>, <c>joined_as_learner</c>, <c>drew</c>, <c>copied</c>, <c>adopted</c>, <c>voted</c>, <c>decided</c>, <c>learned</c>,
/// <c>was_reset</c>, <c>contradicted</c>, <c>disagreed</c>, <c>restored</c>, <c>booted</c>, <c>sent</c>, <c>received</c>,
/// <c>answered</c>, <c>lost</c>.
/// </param>
/// <param name="Message">The message's kind; of <c>answered</c>: the kind of the response's new information.</param>
/// <param name="MessageId">The sender's number of the message.</param>
/// <param name="Other">The other agent: its id, or its address where the id is not known yet.</param>
/// <param name="OtherBoot">Of <c>received</c>: the sender's boot.</param>
/// <param name="Round">The round.</param>
/// <param name="Value">The value; absent in a vote for none.</param>
/// <param name="Proposal">The proposal that a vote repeats.</param>
/// <param name="Attempt">How many values this agent has drawn.</param>
/// <param name="Status">The response's status.</param>
/// <param name="Reason">The response's reason.</param>
/// <param name="Run">The run; only in the live stream, and where it is another one than its timeline's.</param>
public sealed record TimelineEvent(
    long Id, long AtUs, string Kind, string? Message = null, long? MessageId = null, string? Other = null, string? OtherBoot = null,
    int? Round = null, int? Value = null, int? Proposal = null, int? Attempt = null,
    string? Status = null, string? Reason = null, string? Run = null)
{
    /// <summary>The kind; null: one that this version does not know.</summary>
    internal TimelineEventKind? KnownKind => TimelineNames.KindOf(Kind);

    /// <summary>An event that the core reported.</summary>
    /// <param name="reported">What it reported.</param>
    /// <param name="at">Its time, in µs.</param>
    /// <param name="id">Its id.</param>
    internal static TimelineEvent Of(ProtocolEvent reported, long at, long id = 0) =>
        Of((TimelineEventKind)reported.Kind, at, new(MessageKind.None, reported.Round, reported.Value), id: id) with
        {
            Attempt = reported.EntersRound ? reported.Attempt : null,
            Other = reported.Other,
        };

    /// <summary>An event by what it says.</summary>
    /// <param name="kind">Its kind.</param>
    /// <param name="at">Its time, in µs.</param>
    /// <param name="content">The message, or what the response carries; of other events, their round and value.</param>
    /// <param name="messageId">The sender's number of the message; 0: none.</param>
    /// <param name="id">Its id.</param>
    internal static TimelineEvent Of(
        TimelineEventKind kind, long at, MessageContent content = default, long messageId = 0, long id = 0) => new(
        id, at, kind.WireName(),
        content.Kind == MessageKind.None ? null : content.Kind.WireName(), messageId == 0 ? null : messageId, null, null,
        content.Round == 0 ? null : content.Round, content.Value == 0 ? null : content.Value,
        content.Kind == MessageKind.Vote ? content.Proposed : null);
}

/// <summary>An agent's value in one round, and when it entered.</summary>
public sealed record RoundEntry(int Round, int Value, long AtUs);

/// <summary>The response to <c>GET /timeline</c>: one run as one agent recorded it.</summary>
/// <param name="AgentId">The agent.</param>
/// <param name="Boot">Its boot.</param>
/// <param name="Run">The run's id, <c>bare</c> for the run of bare messages, absent where there is none.</param>
/// <param name="Descriptor">The run as described; absent for a bare one.</param>
/// <param name="Learner">Whether the agent takes no part in it.</param>
/// <param name="LastRound">The last round it entered.</param>
/// <param name="Dropped">Steps of the agent that were recorded and are gone.</param>
/// <param name="Rounds">Its value in each round, also of rounds whose events are gone or left out.</param>
/// <param name="Events">The events, in order.</param>
/// <param name="States">How its state changed, in order; absent where its state is not known.</param>
public sealed record AgentTimeline(
    string AgentId, string Boot, string? Run = null, RunDescriptor? Descriptor = null,
    bool Learner = false, int LastRound = 0, int Dropped = 0,
    IReadOnlyList<RoundEntry>? Rounds = null, IReadOnlyList<TimelineEvent>? Events = null, IReadOnlyList<StateChange>? States = null);

/// <summary>One run of the history.</summary>
/// <param name="Run">The run's id, or <c>bare</c>.</param>
/// <param name="Rule">How it decides.</param>
/// <param name="Draw">How it draws.</param>
/// <param name="StartedAtUs">µs since 1970, by the clock of the reporting agent.</param>
/// <param name="Rounds">Rounds up to the decision, or up to now.</param>
/// <param name="Sent">Messages that this agent sent in it.</param>
/// <param name="DurationMs">
/// From the start of the run to this agent's decision; absent while there is none. The initiator starts a run when it takes
/// up the request, the others when they join. The duration of a run is its initiator's. With <c>cluster=true</c>: as the run's
/// initiator measured it.
/// </param>
/// <param name="Value">The decision.</param>
/// <param name="Learner">Whether this agent took no part in it.</param>
/// <param name="DecisionRound">The round of the decision.</param>
public sealed record RunSummary(
    string Run, Rule Rule, DrawStrategy Draw, long StartedAtUs, int Rounds,
    int Sent, double? DurationMs = null, int? Value = null, bool Learner = false, int? DecisionRound = null)
{
    /// <summary>
    /// The one summary that stands for a run of which several agents know. The initiator's, where it decided: its clock alone
    /// measured the run from the start to the decision. Else the longest of the agents that decided, members before learners.
    /// </summary>
    public static RunSummary Choose(IEnumerable<(string AgentId, RunSummary Summary)> known) => known
        .OrderBy(one => one.Summary.Value is null)
        .ThenBy(one => !(RunId.TryParse(one.Summary.Run, out var run) && run.Initiator == one.AgentId))
        .ThenBy(one => one.Summary.Learner).ThenByDescending(one => one.Summary.DurationMs)
        .First().Summary;
}

/// <summary>The response to <c>GET /timeline/runs</c>, newest first.</summary>
public sealed record RunHistory(string AgentId, IReadOnlyList<RunSummary> Runs);

/// <summary>
/// One run as all agents recorded it, on one clock: the response to <c>GET /timeline?cluster=true</c> and to <c>GET /simulate</c>.
/// </summary>
/// <param name="Run">The run's id, <c>bare</c>, or absent where there is none.</param>
/// <param name="N">Agents in the cluster.</param>
/// <param name="Quorum">How many of them decide.</param>
/// <param name="StartUs">Time 0: µs since 1970, by the serving agent's clock.</param>
/// <param name="Lanes">The agents, in natural order of their ids.</param>
/// <param name="Events">What happened within agents, in order of time.</param>
/// <param name="Messages">What went between them, in order of sending.</param>
/// <param name="Rounds">Every round's values.</param>
/// <param name="Folded">Ranges of rounds whose events and messages are left out.</param>
/// <param name="Unresponsive">When an agent that others spoke to gave no sign of life.</param>
/// <param name="Agree">Whether all decisions are equal; absent where no agent decided.</param>
/// <param name="Descriptor">The run as described; absent for a bare one.</param>
/// <param name="LastRound">The last round that anyone entered.</param>
/// <param name="Sentence">Of a simulated run: what happened, in one sentence.</param>
/// <param name="DurationMs">The run's duration, the same as in <c>GET /timeline/runs?cluster=true</c>; absent while undecided.</param>
/// <param name="Violation">Of a simulated run: the property that it violates; absent: none.</param>
/// <param name="States">How the agents' states changed, in order of time; absent in files of older versions.</param>
/// <param name="Verdict">The result of the run in words; absent in files of older versions.</param>
/// <param name="Texts">What events and messages are in words; they name these by number, from 0.</param>
/// <param name="Explanation">Of a simulated or explored run: the answer to <c>why</c>; absent where nothing is asked.</param>
public sealed record ClusterTimeline(
    string? Run, int N, int Quorum, long StartUs, IReadOnlyList<Lane> Lanes,
    IReadOnlyList<LaneEvent> Events, IReadOnlyList<MessageArrow> Messages,
    IReadOnlyList<RoundValues> Rounds, IReadOnlyList<RoundRange> Folded, IReadOnlyList<UnresponsivePeriod> Unresponsive,
    bool? Agree = null, RunDescriptor? Descriptor = null, int LastRound = 0,
    string? Sentence = null, double? DurationMs = null, ViolatedProperty? Violation = null,
    IReadOnlyList<LaneState>? States = null, RunVerdict? Verdict = null, IReadOnlyList<string>? Texts = null,
    EventExplanation? Explanation = null)
{
    /// <summary>The version of this form. 1 had other names for five fields; the page reads both.</summary>
    public int Version { get; } = 2;
}

/// <summary>A property that a simulated run violates.</summary>
/// <param name="Property">Its name.</param>
/// <param name="Explanation">One sentence that names the agents and the values.</param>
public sealed record ViolatedProperty(string Property, string Explanation);

/// <summary>A broken rule that simulated runs may follow.</summary>
/// <param name="Name">Its name in queries.</param>
/// <param name="Description">What it does wrong, in one sentence.</param>
/// <param name="Property">The property that it violates.</param>
public sealed record BrokenRule(string Name, string Description, string Property);

/// <summary>The answer to <c>GET /simulate/mutants</c>.</summary>
public sealed record BrokenRules(IReadOnlyList<BrokenRule> Mutants);

/// <summary>
/// The answer to <c>GET /simulate/mutants/{name}</c>: what goes wrong under a broken rule, and the unbroken rules in the same place.
/// </summary>
/// <param name="Mutant">The broken rule.</param>
/// <param name="Seed">The seed of the simulated run.</param>
/// <param name="Events">How many events shrinking has left of that run.</param>
/// <param name="Broken">These events.</param>
/// <param name="Ratified">The same agents, draws and events under the unbroken rules. In the end all messages arrive.</param>
public sealed record BrokenRun(BrokenRule Mutant, long Seed, int Events, ClusterTimeline Broken, ClusterTimeline Ratified);

/// <summary>
/// The response to <c>GET /simulate/counterexample</c>: the classic rule breaking agreement, and the ratified rule in the same place.
/// </summary>
/// <param name="Seed">The seed of the simulated run.</param>
/// <param name="Events">How many events shrinking has left of that run.</param>
/// <param name="Classic">These events.</param>
/// <param name="Ratified">The same agents, draws and events under the ratified rule, and what was held back, in the end.</param>
public sealed record SimulatedPair(long Seed, int Events, ClusterTimeline Classic, ClusterTimeline Ratified);

/// <summary>One agent of a merged timeline.</summary>
/// <param name="AgentId">Its id, or its address while the id is unknown.</param>
/// <param name="Up">Whether it responds; of one that does not, only what others recorded is there.</param>
/// <param name="Role">
/// <c>member</c>, <c>learner</c>, <c>absent</c>, or <c>former</c>: it took part, and the cluster does not count it any more.
/// </param>
/// <param name="Boot">Its boot.</param>
/// <param name="OffsetMs">How much its clock was found ahead of the serving agent's; corrected in all times here.</param>
/// <param name="Value">Its decision.</param>
/// <param name="Round">The round of its decision.</param>
/// <param name="Dropped">Steps that it recorded and no longer has.</param>
/// <param name="StateKnown">Whether its state is known. Agents that others wrote and agents that are down give no record of it.</param>
public sealed record Lane(
    string AgentId, bool Up, string Role, string? Boot = null, double OffsetMs = 0, int? Value = null, int? Round = null, int Dropped = 0,
    bool StateKnown = false);

/// <summary>
/// An event inside one agent; <paramref name="AtMs"/> in ms since the start, <paramref name="Lane"/> an index, <paramref name="Text"/>
/// the number of its text, a verb whose subject is the agent. <paramref name="Run"/> is absent in the timeline's run.
/// <paramref name="Support"/> says of a decision which votes or proposals support it: "2 of 3 votes: agent1, agent2".
/// </summary>
public sealed record LaneEvent(
    double AtMs, int Lane, string Kind, int Round = 0, int? Value = null, int? Proposal = null, int? Attempt = null, string? Other = null,
    string? Run = null, string? Support = null, int? Text = null)
{
    /// <inheritdoc cref="TimelineEvent.KnownKind"/>
    internal TimelineEventKind? KnownKind => TimelineNames.KindOf(Kind);
}

/// <summary>
/// New information of a response: its receiver did not have it from that agent. <paramref name="Kind"/> is that of a message, or
/// <c>state</c> for the run that the receiver joined. <paramref name="Run"/> is absent in the timeline's
/// run. <paramref name="Text"/> is the number of its text, a noun.
/// </summary>
public sealed record NewInformation(
    string Kind, int Round, int? Value = null, int? Proposal = null, string? Run = null, int? Text = null);

/// <summary>A message. Times are in ms since the start, lanes are indices.</summary>
/// <param name="Kind"><c>handshake</c>, <c>reset</c>, <c>new_round</c>, <c>proposal</c>, <c>vote</c>, <c>final</c> or <c>state</c>.</param>
/// <param name="From">The sender; -1 for someone who is no agent.</param>
/// <param name="To">The receiver.</param>
/// <param name="Sent">When it was sent.</param>
/// <param name="Received">When it was received, never before it was sent; absent where it was not, or is not known to be.</param>
/// <param name="Answered">When the sender had the response.</param>
/// <param name="LostAt">When the sender gave up waiting.</param>
/// <param name="Round">The round; 0 for none.</param>
/// <param name="Value">The value; absent in a vote for none.</param>
/// <param name="Proposal">The proposal that a vote repeats.</param>
/// <param name="Status">The response's status.</param>
/// <param name="Reason">The response's reason.</param>
/// <param name="Piggybacked">The new information of the response; absent: none.</param>
/// <param name="Estimated">True where only one end was recorded, and the other end's time is an estimate.</param>
/// <param name="Id">The sender's number of the message.</param>
/// <param name="Run">The run; absent in the timeline's run.</param>
/// <param name="Completes">True where it completed its receiver's decision.</param>
/// <param name="ResponseCompletes">True where its response completed its sender's decision.</param>
/// <param name="Text">The number of the text of what it says, a noun.</param>
/// <param name="Outcome">The number of the text of what became of it by its response; absent: unknown.</param>
public sealed record MessageArrow(
    string Kind, int From, int To, double Sent, double? Received = null,
    double? Answered = null, double? LostAt = null, int Round = 0, int? Value = null,
    int? Proposal = null, string? Status = null, string? Reason = null, NewInformation? Piggybacked = null,
    bool Estimated = false, long? Id = null, string? Run = null,
    bool? Completes = null, bool? ResponseCompletes = null, int? Text = null, int? Outcome = null);

/// <summary>A round: when the first agent entered it, and each lane's value (null where it did not enter).</summary>
public sealed record RoundValues(int Round, double AtMs, IReadOnlyList<int?> Values);

/// <summary>Rounds <paramref name="From"/> to <paramref name="To"/>, both included.</summary>
public readonly record struct RoundRange(int From, int To);

/// <summary>From <paramref name="From"/> to <paramref name="To"/> (absent: still) a lane gave no sign of life.</summary>
public sealed record UnresponsivePeriod(int Lane, double From, double? To = null);

/// <summary>JSON of the timeline: snake_case, without reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(AgentTimeline))]
[JsonSerializable(typeof(ClusterTimeline))]
[JsonSerializable(typeof(EventExplanation))]
[JsonSerializable(typeof(SimulatedPair))]
[JsonSerializable(typeof(BrokenRun))]
[JsonSerializable(typeof(BrokenRules))]
[JsonSerializable(typeof(RunHistory))]
[JsonSerializable(typeof(TimelineEvent))]
[JsonSerializable(typeof(string[]))]
public sealed partial class TimelineJson : JsonSerializerContext;
