using System.Text.Json;
using Consensus.Agent.Configuration;
using Consensus.Agent.Http;
using Consensus.Agent.Peers;
using Microsoft.AspNetCore.Http.HttpResults;
using Polly;

namespace Consensus.Agent.Api;

/// <summary>Faults on purpose, to watch what the protocol makes of them. Only with <c>FAULTS=true</c>.</summary>
internal static class FaultsApi
{
    private const int MaxDelayMs = 60_000;
    private const int MaxLinks = 1000;

    private static readonly ResiliencePipeline IncomingCalls = FaultInjectionPipeline.Incoming();

    /// <summary>
    /// Maps <c>GET</c>, <c>PUT</c> and <c>DELETE /faults</c>, and the same of a peer under <c>/cluster/{index}/faults</c>.
    /// </summary>
    /// <returns>The group, or null where faults are not allowed.</returns>
    public static RouteGroupBuilder? MapFaultsApi(this IEndpointRouteBuilder app)
    {
        if (!app.ServiceProvider.GetRequiredService<AgentOptions>().Faults)
        {
            return null;
        }

        var group = app.MapGroup("").WithTags("Faults");
        ClusterKeyFilter.Guard(group);
        group.MapGet("/faults", Show).Produces<FaultsResponse>()
            .WithSummary("The faults that this agent makes on purpose");
        group.MapPut("/faults", ReplaceAsync).AcceptsJson<FaultsBody>().Produces<FaultsResponse>().ProducesProblem(400)
            .WithSummary("Loses, delays or duplicates calls between this agent and its peers, or isolates it");
        group.MapDelete("/faults", Heal).Produces<FaultsResponse>()
            .WithSummary("Ends all faults");
        group.MapMethods("/cluster/{index:int:min(1)}/faults", ["GET", "PUT", "DELETE"], OfPeerAsync)
            .AcceptsJson<FaultsBody>().Produces<FaultsResponse>().ProducesProblem(400).ProducesProblem(502)
            .WithSummary("A peer's faults, through this agent");
        return group;
    }

    /// <summary>
    /// Applies the faults to a call from a peer. False: the call is lost and its connection broken, so that its
    /// sender sees a failure.
    /// </summary>
    /// <param name="context">The call.</param>
    /// <param name="faults">The faults.</param>
    /// <param name="agentId">The sender where the message names it; else the header that agents send is read.</param>
    /// <returns>Whether to go on, and whether to take the message twice.</returns>
    internal static async ValueTask<(bool Arrived, bool Twice)> ApplyFaultsAsync(
        HttpContext context, FaultInjector faults, string? agentId = null)
    {
        var fault = faults.Allowed ? faults.Incoming(SenderOf(context) ?? agentId) : default;
        if (fault.IsNone)
        {
            return (true, false);
        }

        try
        {
            await IncomingCalls.LoseOrDelayAsync(fault);
            return (true, Random.Shared.Next(100) < fault.Duplicate);
        }
        catch (FaultInjectionPipeline.LostOnPurposeException)
        {
            context.Abort();
            return (false, false);
        }
    }

    /// <summary>The agent that made this call, by the header that names the message; null for people and original agents.</summary>
    internal static string? SenderOf(HttpContext context) => MessageId.SenderOf(context.Request.Headers[MessageId.Header]);

    private static JsonHttpResult<FaultsResponse> Show(FaultInjector faults, PeerDirectory peers, AgentOptions options) =>
        ToResponse(faults, peers, options, []);

    private static JsonHttpResult<FaultsResponse> ToResponse(
        FaultInjector faults, PeerDirectory peers, AgentOptions options, List<string> ignored)
    {
        var now = faults.Current;
        return TypedResults.Json(
            new FaultsResponse(options.Id, now.Isolate, now.Links ?? [], peers.Names, ignored.Count > 0 ? ignored : null),
            AgentJson.Default.FaultsResponse);
    }

    private static async Task<IResult> ReplaceAsync(
        HttpContext context, FaultInjector faults, PeerDirectory peers, AgentOptions options, FaultInjectionLogger logger)
    {
        List<string> ignored = [];
        var (body, problem) = await RequestBody.ReadAsync(context, AgentJson.Default.FaultsBody, ignored: ignored);
        if (problem is not null)
        {
            return problem;
        }

        if ((Check(body!) ?? faults.Replace(body!)) is { } wrong)
        {
            return RequestBody.Problem(400, wrong);
        }

        logger.FaultsChanged(body!);
        return ToResponse(faults, peers, options, ignored);
    }

    private static JsonHttpResult<FaultsResponse> Heal(
        FaultInjector faults, PeerDirectory peers, AgentOptions options, FaultInjectionLogger logger)
    {
        var none = new FaultsBody();
        faults.Replace(none);
        logger.FaultsChanged(none);
        return Show(faults, peers, options);
    }

    private static string? Check(FaultsBody body)
    {
        if (body.Links is { Count: > MaxLinks })
        {
            return $"links has {body.Links.Count} entries; at most {MaxLinks} are taken.";
        }

        foreach (var link in body.Links ?? [])
        {
            if ((link is null ? "links must not hold null."
                : NumberRange.Check("links.drop", link.Drop, 0, 100) ?? NumberRange.Check("links.duplicate", link.Duplicate, 0, 100)
                ?? NumberRange.Check("links.delay_ms", link.DelayMs, 0, MaxDelayMs)) is { } wrong)
            {
                return wrong;
            }
        }

        return null;
    }

    private static async Task<IResult> OfPeerAsync(int index, HttpContext context, AgentOptions options, AgentApiClient cluster)
    {
        if (index > options.Peers.Count)
        {
            return ClusterApi.NoSuchPeer(options);
        }

        FaultsBody? body = null;
        List<string> ignored = [];
        if (HttpMethods.IsPut(context.Request.Method))
        {
            (body, var problem) = await RequestBody.ReadAsync(context, AgentJson.Default.FaultsBody, ignored: ignored);
            if (problem is not null)
            {
                return problem;
            }
        }

        var (code, text) = await cluster.SendAsync(
            new HttpMethod(context.Request.Method), options.Peers[index - 1],
            "/faults", body, AgentJson.Default.FaultsBody, context.RequestAborted);
        return code switch
        {
            null => ClusterApi.DoesNotRespond(options.Peers[index - 1]),
            404 => RequestBody.Problem(404, $"{options.Peers[index - 1].OriginalString} makes no faults; start it with FAULTS=true."),
            200 when ignored.Count > 0 && JsonSerializer.Deserialize(text, AgentJson.Default.FaultsResponse) is { } taken =>
                TypedResults.Json(taken with { Ignored = ignored }, AgentJson.Default.FaultsResponse),
            _ => TypedResults.Content(text, code is 200 ? "application/json" : "application/problem+json", statusCode: code),
        };
    }
}
