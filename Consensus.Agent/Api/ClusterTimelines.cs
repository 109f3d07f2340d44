using Consensus.Agent.Configuration;
using Consensus.Agent.Peers;
using Consensus.Agent.Recorder;
using Consensus.Protocol;
using Consensus.Timeline;

namespace Consensus.Agent.Api;

/// <summary>Reads what all agents recorded, through this one.</summary>
internal sealed class ClusterTimelines(TimelineReader timeline, AgentOptions options, PeerDirectory peers, AgentApiClient client)
{
    /// <summary>Reads a run.</summary>
    /// <param name="run">Its id, <c>bare</c>, or null for the newest.</param>
    /// <param name="detail">Rounds to show though they would be folded.</param>
    /// <param name="cancellation">Ends the calls to the peers.</param>
    /// <returns>The run, or the problem.</returns>
    public async Task<(ClusterTimeline? Timeline, IResult? Problem)> ReadAsync(
        string? run, List<RoundRange>? detail, CancellationToken cancellation)
    {
        var histories = await HistoriesAsync(cancellation);
        List<RunHistory> all = [.. histories.OfType<RunHistory>(), timeline.Runs()];
        if (run is not null && !all.Exists(history => SummaryIn(history) is not null))
        {
            var silent = options.Peers.Where((_, i) => histories[i] is null).Select(peer => peer.OriginalString).ToList();
            var without = silent.Count == 0 ? "" : $" Without a response: {string.Join(", ", silent)}.";
            return (null, TimelineApi.UnknownRun("No agent remembers this run." + without));
        }

        run ??= NewestOf([.. all.SelectMany(history => history.Runs.Take(1))]);
        var known = all.SelectMany(history => history.Runs).Where(summary => summary.Run == run);
        var (first, last) = timeline.RoundsOf(run);
        first = Math.Max(1, first);
        last = Math.Max(last, known.Select(summary => first + summary.Rounds - 1).DefaultIfEmpty(0).Max());
        var (shown, folded) = RoundFolding.Fold(first, last, detail ?? []);

        var query = $"/timeline?run={Uri.EscapeDataString(run ?? TimelineReader.AnonymousRun)}"
            + string.Concat(shown.Select(range => $"&detail={range.From}-{range.To}"));
        var timelines = run is null ? new AgentTimeline?[options.Peers.Count]
            : await client.GetAllAsync(options.Peers, query, TimelineJson.Default.AgentTimeline, cancellation);
        List<Source> sources =
        [
            new("/", timeline.Read(run, shown), SummaryIn(timeline.Runs())),
            .. timelines.Select((read, i) =>
                new Source(options.Peers[i].OriginalString, read ?? WithoutTheRun(histories[i]), SummaryIn(histories[i]), peers[i].Id)),
        ];
        return (TimelineMerger.Merge(run, sources, folded), null);

        RunSummary? SummaryIn(RunHistory? history) => history?.Runs.FirstOrDefault(summary => summary.Run == run);

        // A peer that does not know the run is up; it answers 404.
        AgentTimeline? WithoutTheRun(RunHistory? history) =>
            history is not null && SummaryIn(history) is null ? new(history.AgentId, "") : null;
    }

    /// <summary>The last runs that this agent and all others know, newest first.</summary>
    public async Task<RunHistory> ReadRunsAsync(CancellationToken cancellation)
    {
        // This agent may have been down or restarted. Other agents know the runs that it missed.
        var own = timeline.Runs();
        var others = await HistoriesAsync(cancellation);
        var known = others.OfType<RunHistory>().Prepend(own)
            .SelectMany(history => history.Runs.Select(summary => (history.AgentId, Summary: summary)))
            .GroupBy(one => one.Summary.Run).Select(RunSummary.Choose);
        return own with { Runs = [.. known.OrderByDescending(run => run, Comparer<RunSummary>.Create(Compare)).Take(RunIndex.MaxRuns)] };
    }

    private Task<RunHistory?[]> HistoriesAsync(CancellationToken cancellation) =>
        client.GetAllAsync(options.Peers, "/timeline/runs", TimelineJson.Default.RunHistory, cancellation);

    private static string? NewestOf(List<RunSummary> runs) => runs.Count == 0 ? null : runs.Max(Comparer<RunSummary>.Create(Compare))!.Run;

    /// <summary>Older runs first; the bare one by its time.</summary>
    private static int Compare(RunSummary x, RunSummary y) =>
        RunId.TryParse(x.Run, out var a) && RunId.TryParse(y.Run, out var b) ? a.CompareTo(b) : x.StartedAtUs.CompareTo(y.StartedAtUs);
}
