using System.Globalization;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using Consensus.Agent.Http;
using Consensus.Agent.Recorder;
using Consensus.Protocol;
using Consensus.Timeline;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace Consensus.Agent.Api;

/// <summary>What was recorded, of this agent and, read through it, of all.</summary>
internal static class TimelineApi
{
    private const string RecordingType = "application/octet-stream";

    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(15);

    /// <summary>Maps <c>GET /timeline</c>, <c>GET /timeline/runs</c> and <c>GET /events</c>.</summary>
    public static RouteGroupBuilder MapTimelineApi(this IEndpointRouteBuilder app)
    {
        var group = app.MapGroup("").WithTags("Timeline");

        // A long run takes longer to read than a message to handle, and must not hold up the thread that polls the sockets.
        group.AddEndpointFilter(async (context, next) =>
        {
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            return await next(context);
        });
        group.MapGet("/timeline", TimelineAsync).LimitConcurrency(ConcurrencyPolicy.FanOut)
            .Produces<AgentTimeline>().Produces<ClusterTimeline>().ProducesProblem(400).ProducesProblem(404)
            .WithSummary("A run as this agent recorded it; with cluster=true, as all agents did, on one clock");
        group.MapGet("/timeline/record", Record).LimitConcurrency(ConcurrencyPolicy.FanOut)
            .Produces(200, contentType: RecordingType).ProducesProblem(400).ProducesProblem(404)
            .WithSummary("What this agent's core was given in a run, or in all that is recorded, for the command replay");
        group.MapGet("/timeline/why", WhyAsync).LimitConcurrency(ConcurrencyPolicy.FanOut)
            .Produces<EventExplanation>().ProducesProblem(400).ProducesProblem(404)
            .WithSummary(
                "Why an agent did something in a run: kind of a timeline's event, ignored or stalled; at in ms and round say which");
        group.MapGet("/timeline/runs", RunsAsync).LimitConcurrency(ConcurrencyPolicy.FanOut)
            .Produces<RunHistory>().ProducesProblem(400)
            .WithSummary("The last 100 runs, newest first; with cluster=true, also those that only other agents know");
        group.MapGet("/events", Events).LimitConcurrency(ConcurrencyPolicy.Streams)
            .WithSummary("This agent's events as they happen, as server-sent events; Last-Event-ID resumes");
        return group;
    }

    private static IResult Record(TimelineReader timeline, string? run = null) =>
        ReadRunName(run) ?? (timeline.ReadRecording(run) is { } recording
            ? TypedResults.Bytes(recording.ToBytes(), RecordingType, $"{recording.AgentId}.{recording.Boot}.recording")
            : RequestBody.Problem(404, "This agent does not remember this run."));

    private static async Task<IResult> WhyAsync(
        RecordedMoments moments, CancellationToken cancellation,
        string? run = null, string? agent = null, string? kind = null, string? at = null, string? round = null)
    {
        if (ReadWhy(run, agent, kind, at, round, out var why) is { } wrong)
        {
            return wrong;
        }

        var (explanation, problem) = await moments.ExplainAsync(run!, why, cancellation);
        return problem ?? TypedResults.Json(explanation, TimelineJson.Default.EventExplanation);
    }

    /// <summary>Reads the query of <c>GET /timeline/why</c>.</summary>
    /// <returns>The problem; null: there is none.</returns>
    internal static IResult? ReadWhy(string? run, string? agent, string? kind, string? at, string? round, out WhyQuestion why)
    {
        var read = run is null || QueryParameters.ReadRun(run, out _) is not null || agent is null || kind is null
            ? null : WhyQuestion.Parse(agent, kind, at, round);
        why = read!;
        return read is not null ? null : RequestBody.Problem(
            400, "run must be a run id, number.initiator.boot; agent an agent's id; at, if given, a time in ms; round, if given, a round; "
            + $"and kind one of {string.Join(", ", WhyQuestion.Kinds)}.");
    }

    private static IResult? ReadRunName(string? run) => run is null or TimelineReader.AnonymousRun || RunId.TryParse(run, out _) ? null
        : RequestBody.Problem(400, "run must be a run id as POST /run answers it, number.initiator.boot, or 'bare'.");

    private static async Task<IResult> TimelineAsync(
        TimelineReader timeline, ClusterTimelines timelines, CancellationToken cancellation,
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
            return RequestBody.Problem(
                400, $"detail must be ranges of rounds such as 41-50, {RoundFolding.MaxDetail} rounds in all at most.");
        }

        if (!cluster)
        {
            var own = timeline.Read(run, ranges);
            return run is not null && own.Run is null
                ? UnknownRun($"{own.AgentId} does not remember this run; cluster=true asks all agents.")
                : TypedResults.Json(own, TimelineJson.Default.AgentTimeline);
        }

        var (merged, problem) = await timelines.ReadAsync(run, ranges, cancellation);
        return problem ?? TypedResults.Json(merged, TimelineJson.Default.ClusterTimeline);
    }

    internal static IResult UnknownRun(string detail) => RequestBody.Problem(404, detail, "unknown-run");

    private static async Task<IResult> RunsAsync(
        TimelineReader timeline, ClusterTimelines timelines,
        CancellationToken cancellation, [FromQuery(Name = "cluster")] string? all = null)
    {
        if (QueryParameters.ReadFlag("cluster", all, out var cluster) is { } wrong)
        {
            return wrong;
        }

        return TypedResults.Json(cluster ? await timelines.ReadRunsAsync(cancellation) : timeline.Runs(), TimelineJson.Default.RunHistory);
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
        TimelineReader timeline, long after, CancellationToken stopping, CancellationToken aborted,
        [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stopping, aborted, cancellation);
        yield return new SseItem<string>("{}", "hello")
        {
            EventId = $"{timeline.Boot}/{after}", ReconnectionInterval = TimeSpan.FromSeconds(1),
        };
        await foreach (var (id, kind, json) in timeline.FollowAsync(after, Quiet, ended.Token))
        {
            yield return new SseItem<string>(json, kind) { EventId = $"{timeline.Boot}/{id}" };
        }
    }
}
