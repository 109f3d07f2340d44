using Consensus.Protocol;
using Consensus.Simulation;
using Timer = Consensus.Protocol.Timer;

namespace Consensus.Tests.Protocol;

/// <summary>Lines of a transcript beyond those of <see cref="EventFormatter"/>.</summary>
internal static class TranscriptText
{
    /// <summary>An effect; null for what a reader need not see: sends, and timers other than the two that wait for stragglers.</summary>
    public static string? Of(Effect effect) => effect switch
    {
        ProtocolEvent protocolEvent => EventFormatter.Of(protocolEvent),
        Reply reply => $"answers: {EventFormatter.Of(reply.Response)}",
        StartEnded ended => $"tells the caller: {EventFormatter.Of(ended.Outcome)}",
        SetTimer { Timer: Timer.Window } set => $"waits {set.DelayMs} ms for stragglers",
        SetTimer { Timer: Timer.Start } set => $"waits {set.DelayMs} ms for the silent",
        _ => null,
    };

    /// <summary>One agent's state, for the command <c>state</c>.</summary>
    public static IEnumerable<string> Of(AgentSnapshot snapshot)
    {
        var run = snapshot.Run is { } described ? $"run {described.Id}" : snapshot.Round > 0 ? "bare run" : "no run";
        var place = snapshot switch
        {
            { Decision: { } decision } => $", decided {decision.Value} in round {decision.Round}",
            { Learner: true } => ", a learner",
            { Phase: Phase.Waiting, Run: null } => "",
            { Phase: Phase.Waiting } => ", not begun",
            _ => $", {snapshot.Phase.ToString().ToLowerInvariant()} in round {snapshot.Round}",
        };
        var highestSeenRun = snapshot.Run is null && !snapshot.HighestSeenRun.IsNone ? $", floor {snapshot.HighestSeenRun}" : "";
        yield return $"{snapshot.AgentId} (boot {snapshot.Boot}): "
            + $"{run}{place}{highestSeenRun}{(snapshot.Attempts > 0 ? $", attempts {snapshot.Attempts}" : "")}";
        if (snapshot.Proposals.Count > 0 && snapshot.Decision is null)
        {
            yield return $"  proposals {string.Join(" ", snapshot.Proposals.Select(proposal => $"{proposal.Key}={proposal.Value}"))}";
        }

        if (snapshot.Votes.Count > 0 && snapshot.Decision is null)
        {
            yield return "  votes "
                + $"{string.Join(" ", snapshot.Votes.Select(vote => $"{vote.Key}={EventFormatter.ValueOrNone(vote.Value ?? 0)}"))}";
        }

        if (snapshot.Stalled is { } why)
        {
            yield return $"  stalled: {why}";
        }
    }
}
