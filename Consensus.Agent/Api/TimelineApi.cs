using System.Globalization;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using Consensus.Agent.Configuration;
using Consensus.Agent.Peers;
using Consensus.Agent.Timeline;
using Consensus.Protocol;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace Consensus.Agent.Api;

/// <summary>What was recorded, of this agent and, read through it, of all.</summary>
public static class TimelineApi
{
    private const string RecordingType = "application/octet-stream";

    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(15);

    /// <summary>Maps <c>GET /timeline</c>, <c>GET /timeline/runs</c> and <c>GET /events</c>.</summary>
    public static RouteGroupBuilder MapTimelineApi(this IEndpointRouteBuilder app)
    {
        var group = app.MapGroup("").WithTags("Timeline");
        group.MapGet("/timeline", TimelineAsync).Counts(EndpointClass.Surveys)
            .Produces<AgentTimeline>().Produces<ClusterTimeline>().ProducesProblem(400).ProducesProblem(404)
            .WithSummary("A run as this agent recorded it; with cluster=true, as all agents did, on one clock");
        group.MapGet("/timeline/record", Record).Counts(EndpointClass.Surveys)
            .Produces(200, contentType: RecordingType).ProducesProblem(400).ProducesProblem(404)
            .WithSummary("What this agent's core was given in a run, or in all that is recorded, for the command replay");
        group.MapGet("/timeline/runs", RunsAsync).Counts(EndpointClass.Surveys)
            .Produces<RunHistory>().ProducesProblem(400)
            .WithSummary("The last 100 runs, newest first; with cluster=true, also those that only other agents know");
        group.MapGet("/events", Events).Counts(EndpointClass.Streams)
            .WithSummary("This agent's events as they happen, as server-sent events; Last-Event-ID resumes");
        return group;
    }

    private static IResult Record(TimelineReader timeline, string? run = null) =>
        ReadRunName(run) ?? (timeline.ReadRecording(run) is { } recording
            ? TypedResults.Bytes(recording.ToBytes(), RecordingType, $"{recording.AgentId}.{recording.Boot}.recording")
            : RequestBody.Problem(404, "This agent does not remember this run."));

    private static IResult? ReadRunName(string? run) => run is null or TimelineReader.Bare || RunId.TryParse(run, out _) ? null
        : RequestBody.Problem(400, "run must be a run id as POST /run answers it, number.initiator.boot, or 'bare'.");

    private static async Task<IResult> TimelineAsync(
        TimelineReader timeline, AgentOptions options, PeerDirectory peers, AgentApiClient client, CancellationToken cancellation,
        string? run = null, [FromQuery(Name = "cluster")] string? all = null, [FromQuery] string[]? detail = null)
    {
        if (QueryParameters.ReadFlag("cluster", all, out var cluster) is { } wrong)
        {
            return wrong;
        }

        if (ReadRunName(run) is { } wrongRun)
        {
            return wrongRun;
        }

        List<RoundRange>? ranges = null;
        if (detail is { Length: > 0 } && (ranges = RoundFolding.ParseRanges(detail)) is null)
        {
            return RequestBody.Problem(400, $"detail must be ranges of rounds such as 41-50, {RoundFolding.MaxDetail} rounds in all at most.");
        }

        if (!cluster)
        {
            var own = timeline.Read(run, ranges);
            return run is not null && own.Run is null
                ? UnknownRun($"{own.AgentId} does not remember this run; cluster=true asks all agents.")
                : TypedResults.Json(own, TimelineJson.Default.AgentTimeline);
        }

        return await MergedAsync(timeline, options, peers, client, run, ranges, cancellation);
    }

    private static IResult UnknownRun(string detail) => RequestBody.Problem(404, detail, "unknown-run");

    private static async Task<IResult> MergedAsync(
        TimelineReader timeline, AgentOptions options, PeerDirectory peers, AgentApiClient client, string? run, List<RoundRange>? detail, CancellationToken cancellation)
    {
        var histories = await HistoriesAsync(options, client, cancellation);
        List<RunHistory> all = [.. histories.OfType<RunHistory>(), timeline.Runs()];
        if (run is not null && !all.Exists(history => SummaryIn(history) is not null))
        {
            var silent = options.Peers.Where((_, i) => histories[i] is null).Select(peer => peer.OriginalString).ToList();
            var without = silent.Count == 0 ? "" : $" Without a response: {string.Join(", ", silent)}.";
            return UnknownRun("No agent remembers this run." + without);
        }

        run ??= NewestOf([.. all.SelectMany(history => history.Runs.Take(1))]);
        var known = all.SelectMany(history => history.Runs).Where(summary => summary.Run == run);
        var (first, last) = timeline.RoundsOf(run);
        first = Math.Max(1, first);
        last = Math.Max(last, known.Select(summary => first + summary.Rounds - 1).DefaultIfEmpty(0).Max());
        var (shown, folded) = RoundFolding.Fold(first, last, detail ?? []);

        var query = $"/timeline?run={Uri.EscapeDataString(run ?? TimelineReader.Bare)}" + string.Concat(shown.Select(range => $"&detail={range.From}-{range.To}"));
        var timelines = run is null ? new AgentTimeline?[options.Peers.Count]
            : await client.GetAllAsync(options.Peers, query, TimelineJson.Default.AgentTimeline, cancellation);
        List<Source> sources =
        [
            new("/", timeline.Read(run, shown), SummaryIn(timeline.Runs())),
            .. timelines.Select((read, i) =>
                new Source(options.Peers[i].OriginalString, read ?? WithoutTheRun(histories[i]), SummaryIn(histories[i]), peers[i].Id)),
        ];
        return TypedResults.Json(TimelineMerger.Merge(run, sources, folded), TimelineJson.Default.ClusterTimeline);

        RunSummary? SummaryIn(RunHistory? history) => history?.Runs.FirstOrDefault(summary => summary.Run == run);

        // A peer that does not know the run is up; it answers 404.
        AgentTimeline? WithoutTheRun(RunHistory? history) =>
            history is not null && SummaryIn(history) is null ? new(history.AgentId, "") : null;
    }

    private static Task<RunHistory?[]> HistoriesAsync(AgentOptions options, AgentApiClient client, CancellationToken cancellation) =>
        client.GetAllAsync(options.Peers, "/timeline/runs", TimelineJson.Default.RunHistory, cancellation);

    private static async Task<IResult> RunsAsync(
        TimelineReader timeline, AgentOptions options, AgentApiClient client, CancellationToken cancellation,
        [FromQuery(Name = "cluster")] string? all = null)
    {
        if (QueryParameters.ReadFlag("cluster", all, out var cluster) is { } wrong)
        {
            return wrong;
        }

        var own = timeline.Runs();
        if (cluster)
        {
            // This agent may have been down or restarted. Other agents know the runs that it missed.
            var others = await HistoriesAsync(options, client, cancellation);
            var known = others.OfType<RunHistory>().Prepend(own).SelectMany(history => history.Runs.Select(summary => (history.AgentId, Summary: summary)))
                .GroupBy(one => one.Summary.Run).Select(RunSummary.Choose);
            own = own with { Runs = [.. known.OrderByDescending(run => run, Comparer<RunSummary>.Create(Compare)).Take(RunIndex.MaxRuns)] };
        }

        return TypedResults.Json(own, TimelineJson.Default.RunHistory);
    }

    private static ServerSentEventsResult<string> Events(
        HttpContext context, TimelineReader timeline, IHostApplicationLifetime lifetime,
        [FromHeader(Name = "Last-Event-ID")] string? last = null)
    {
        context.Response.Headers.CacheControl = "no-store";

        // nginx and its like collect a response before they pass it on, unless the response forbids it.
        context.Response.Headers["X-Accel-Buffering"] = "no";

        // Event numbers of an earlier process mean nothing here. A client that saw them gets all events.
        var after = last is null ? timeline.LastEventId
            : last.Split('/') is [var boot, var number] && boot == timeline.Boot
                && long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : 0;
        return TypedResults.ServerSentEvents(HeadRequests.IsHead(context)
            ? AsyncEnumerable.Empty<SseItem<string>>()
            : StreamAsync(timeline, after, lifetime.ApplicationStopping, context.RequestAborted));
    }

    private static async IAsyncEnumerable<SseItem<string>> StreamAsync(
        TimelineReader timeline, long after, CancellationToken stopping, CancellationToken aborted, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stopping, aborted, cancellation);
        yield return new SseItem<string>("{}", "hello") { EventId = $"{timeline.Boot}/{after}", ReconnectionInterval = TimeSpan.FromSeconds(1) };
        await foreach (var (id, kind, json) in timeline.FollowAsync(after, Quiet, ended.Token))
        {
            yield return new SseItem<string>(json, kind) { EventId = $"{timeline.Boot}/{id}" };
        }
    }

    private static string? NewestOf(List<RunSummary> runs) => runs.Count == 0 ? null : runs.Max(Comparer<RunSummary>.Create(Compare))!.Run;

    /// <summary>Older runs first; the bare one by its time.</summary>
    private static int Compare(RunSummary x, RunSummary y) =>
        RunId.TryParse(x.Run, out var a) && RunId.TryParse(y.Run, out var b) ? a.CompareTo(b) : x.StartedAtUs.CompareTo(y.StartedAtUs);
}
