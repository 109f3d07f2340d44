using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Threading.Channels;
using Consensus.Agent.Api;
using Consensus.Agent.Configuration;
using Consensus.Agent.Http;
using Consensus.Conformance;
using Consensus.Protocol;
using Consensus.ServiceDefaults;
using Consensus.Timeline;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace Consensus.Agent.Links;

/// <summary>One direction of a link, and its faults.</summary>
internal sealed record LinkStatus(string From, string To, LinkFaults Faults);

/// <summary>The response to <c>GET /links</c>.</summary>
internal sealed record LinksResponse(IReadOnlyList<LinkStatus> Links);

/// <summary>How far the judge is: an event of <c>POST /judge</c>.</summary>
internal sealed record JudgeProgress(int Done, int Total, string What);

/// <summary>The last event of <c>POST /judge</c>.</summary>
/// <param name="Result">The result in a sentence.</param>
/// <param name="Markdown">The verdicts, the failed ones first.</param>
/// <param name="Conforms">Whether all agents conform.</param>
/// <param name="Failures">Why an agent fails, by its id.</param>
internal sealed record JudgeResult(string Result, string Markdown, bool Conforms, IReadOnlyDictionary<string, string> Failures);

/// <summary>JSON of the links: snake_case, without reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(LinksResponse))]
[JsonSerializable(typeof(JudgeProgress))]
[JsonSerializable(typeof(JudgeResult))]
[JsonSerializable(typeof(LinkFaults))]
internal sealed partial class LinksJson : JsonSerializerContext;

/// <summary>The links' faults, the judge, and what the page reads: the same as of an agent, but seen from the links.</summary>
internal static class LinksApi
{
    private const int Runs = 5;
    private const int Seconds = 120;
    private static readonly TimeSpan Gap = TimeSpan.FromMilliseconds(100);

    /// <summary>Maps all.</summary>
    public static void MapLinksApi(this RouteGroupBuilder api)
    {
        var guarded = api.MapGroup("");
        ClusterKeyFilter.Guard(guarded);
        guarded.MapPut("/links/{from}/{to}", BreakAsync);
        guarded.MapDelete("/links", Heal);
        guarded.MapPost("/judge", Judge);
        api.MapGet("/links", (LinkObserver links) => TypedResults.Json(StatusOf(links), LinksJson.Default.LinksResponse));
        api.MapGet("/cluster", ClusterAsync);
        api.MapGet("/events", Events);
        api.MapGet("/timeline", Timeline);
        api.MapGet("/timeline/why", Why);
        api.MapGet("/timeline/runs", (LinkObserver links, string? cluster = null) => TypedResults.Json(
            new RunHistory("links", [.. links.Runs.All.Select(run => run.Summarize()).OfType<RunSummary>()]),
            TimelineJson.Default.RunHistory));
        foreach (var path in new[] { "/run", "/reset" })
        {
            api.MapPost(path, (LinkObserver links, HttpContext context, CancellationToken cancellation) =>
                PassOnAsync(path, links, context, cancellation));
        }
    }

    private static LinksResponse StatusOf(LinkObserver observer) => new(
    [
        .. from one in observer.Agents.Index()
           from other in observer.Agents.Index()
           where one.Index != other.Index
           select new LinkStatus(one.Item.Id, other.Item.Id, observer.Links.FaultsOf(one.Index, other.Index)),
    ]);

    private static async Task<IResult> BreakAsync(string from, string to, HttpContext context, LinkObserver observer)
    {
        var (one, other) = (IndexOf(observer, from), IndexOf(observer, to));
        var (faults, problem) = await RequestBody.ReadAsync(context, LinksJson.Default.LinkFaults);
        if (problem is not null || one < 0 || other < 0 || one == other || faults?.Error is not null)
        {
            var names = string.Join(", ", observer.Agents.Select(agent => agent.Id));
            return problem ?? RequestBody.Problem(400, faults?.Error ?? $"A link leads from one of {names} to another.");
        }

        observer.Links.Break(one, other, faults!);
        return TypedResults.Json(StatusOf(observer), LinksJson.Default.LinksResponse);
    }

    private static JsonHttpResult<LinksResponse> Heal(LinkObserver observer)
    {
        observer.Links.Heal();
        return TypedResults.Json(StatusOf(observer), LinksJson.Default.LinksResponse);
    }

    private static int IndexOf(LinkObserver observer, string id) => observer.Agents.ToList().FindIndex(agent => agent.Id == id);

    private static async Task<IResult> ClusterAsync(LinkObserver observer, CancellationToken cancellation)
    {
        var status = StatusOf(observer).Links;
        var agents = await Task.WhenAll(observer.Agents.Select(async agent =>
        {
            var (code, body) = await observer.SendAsync(HttpMethod.Get, agent, "/state", null, cancellation);
            var state = code == 200 && JsonText.Parse(body).Find("agent_id") is not null ? JsonNode.Parse(body) : null;
            return new JsonObject
            {
                ["address"] = agent.Address.ToString(),
                ["up"] = state is not null,
                ["agent_id"] = agent.Id,
                ["state"] = state,
                ["isolated"] = status.Where(link => link.From == agent.Id || link.To == agent.Id).All(link => link.Faults.Cut),
            };
        }));
        return Results.Text(new JsonObject { ["agents"] = new JsonArray([.. agents]) }.ToJsonString(), "application/json");
    }

    private static IResult Timeline(LinkObserver observer, string? run = null, string? cluster = null, [FromQuery] string[]? detail = null)
    {
        var known = run is not null ? observer.Runs.Find(run) : observer.Runs.All is [var newest, ..] ? newest : null;
        if (run is not null && known is null)
        {
            return UnknownRun();
        }

        known ??= new ObservedRun(0, 0, new ObservedHistory([.. observer.Agents.Select(agent => agent.Id)], TimeProvider.System), 0);
        return TypedResults.Json(known.Draw(RoundFolding.ParseRanges(detail ?? []) ?? []), TimelineJson.Default.ClusterTimeline);
    }

    private static IResult Why(
        LinkObserver observer, string? run = null, string? agent = null, string? kind = null, string? at = null, string? round = null)
    {
        if (TimelineApi.ReadWhy(run, agent, kind, at, round, out var why) is { } wrong)
        {
            return wrong;
        }

        return observer.Runs.Find(run!) is not { } known ? UnknownRun()
            : known.Explain(why) is { } answer ? TypedResults.Json(answer, TimelineJson.Default.EventExplanation)
            : RequestBody.Problem(404, "The messages of this run show no such event.");
    }

    private static IResult UnknownRun() => RequestBody.Problem(404, "The links did not see this run.", "unknown-run");

    private static ServerSentEventsResult<string> Events(LinkObserver observer, HttpContext context, IHostApplicationLifetime lifetime)
    {
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.ServerSentEvents(FollowAsync(observer, lifetime.ApplicationStopping, context.RequestAborted));
    }

    private static async IAsyncEnumerable<SseItem<string>> FollowAsync(
        LinkObserver observer, CancellationToken stopping, CancellationToken aborted,
        [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stopping, aborted, cancellation);
        yield return new SseItem<string>("{}", "hello");
        while (!ended.IsCancellationRequested)
        {
            await observer.Runs.Changed.WaitAsync(ended.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            yield return new SseItem<string>("{}", "sent");
            await Task.Delay(Gap, ended.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Passes a request of the page on to the first agent.</summary>
    private static async Task<IResult> PassOnAsync(string path, LinkObserver observer, HttpContext context, CancellationToken cancellation)
    {
        using var reader = new StreamReader(context.Request.Body);
        var sent = await reader.ReadToEndAsync(cancellation);
        var (status, body) = await observer.SendAsync(HttpMethod.Post, observer.Agents[0], path, sent, cancellation);
        return status is null ? RequestBody.Problem(502, $"{observer.Agents[0].Id} does not answer.")
            : Results.Text(body, "application/json", statusCode: status);
    }

    private static ServerSentEventsResult<string> Judge(LinkObserver observer, AgentOptions options, CancellationToken cancellation) =>
        TypedResults.ServerSentEvents(JudgeAsync(observer, options.Key, cancellation));

    private static async IAsyncEnumerable<SseItem<string>> JudgeAsync(
        LinkObserver observer, ClusterKey? key, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var steps = Channel.CreateUnbounded<ConformanceProgress>();
        var options = new ConformanceOptions(null, Runs, 1, Seconds, Key: key);
        var judge = new ConformanceJudge(options, step => steps.Writer.TryWrite(step), cancellation);
        var judging = judge.JudgeRunningAsync([.. observer.Agents.Select(agent => agent.Address)]);
        _ = judging.ContinueWith(_ => steps.Writer.Complete(), TaskScheduler.Default);
        await foreach (var (done, total, what) in steps.Reader.ReadAllAsync(cancellation))
        {
            yield return new SseItem<string>(JsonSerializer.Serialize(new(done, total, what), LinksJson.Default.JudgeProgress), "progress");
        }

        var result = await ResultOfAsync(judging, observer);
        yield return new SseItem<string>(JsonSerializer.Serialize(result, LinksJson.Default.JudgeResult), "result");
    }

    private static async Task<JudgeResult> ResultOfAsync(Task<ConformanceReport> judging, LinkObserver observer)
    {
        try
        {
            var report = await judging;
            string NameOf(Uri address) => observer.Agents.First(agent => agent.Address == address).Id;
            var failures = report.Verdicts.Where(verdict => verdict is { Outcome: VerdictOutcome.Failed, Agent: not null })
                .GroupBy(verdict => NameOf(verdict.Agent!))
                .ToDictionary(agent => agent.Key, agent => $"does not conform: {string.Join(", ", agent.Select(verdict => verdict.Id))}");
            return new JudgeResult(ReportText.Lines(report).Last(), ReportText.Markdown(report, NameOf), report.ExitCode == 0, failures);
        }
        catch (ConfigurationException e)
        {
            return new JudgeResult(e.Message, $"**{e.Message}**", false, new Dictionary<string, string>());
        }
    }
}
