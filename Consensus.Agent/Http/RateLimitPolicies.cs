using System.Globalization;
using System.Threading.RateLimiting;
using Consensus.Agent.Configuration;
using Microsoft.AspNetCore.RateLimiting;

namespace Consensus.Agent.Http;

/// <summary>A limit of calls in progress, one for each resource that they use.</summary>
internal enum ConcurrencyPolicy
{
    /// <summary>A message of another agent. The core handles one at a time.</summary>
    Messages,

    /// <summary>A wait for a decision (<c>wait=</c>).</summary>
    LongPolls,

    /// <summary>A stream of events, for as long as the client reads it.</summary>
    Streams,

    /// <summary>A call that asks every agent and merges the responses.</summary>
    FanOut,

    /// <summary>A step of the explorer or a simulated run, which takes a core for a moment.</summary>
    Steps,

    /// <summary>A search, which takes a core for seconds. Searches leave a core to the steps.</summary>
    Searches,
}

/// <summary>
/// Limits of calls. Under each policy a number of calls is in progress at once. Excess calls get 503, so one kind cannot starve
/// another. Steps and searches wait for a core first, in their order. <c>POST /run</c> also takes a number a second; excess calls get 429.
/// </summary>
internal static class RateLimitPolicies
{
    /// <summary>The policy of <c>POST /run</c>.</summary>
    public const string Runs = "run";

    /// <summary>Calls of <c>POST /run</c> in progress, including those that wait for a decision.</summary>
    public const int MaxRunsAtOnce = 256;

    /// <summary>Adds the policies.</summary>
    public static void AddRateLimitPolicies(this IServiceCollection services, AgentOptions options) => services.AddRateLimiter(limiter =>
    {
        limiter.AddPolicy(Runs, _ => RateLimitPartition.Get(Runs, _ => RunLimiter(options.RunRate)));
        foreach (var policy in Enum.GetValues<ConcurrencyPolicy>())
        {
            limiter.AddPolicy(NameOf(policy), context => IsCounted(policy, context)
                ? RateLimitPartition.GetConcurrencyLimiter("counted", _ => LimitOf(policy, options.Limits))
                : RateLimitPartition.GetNoLimiter("not counted"));
        }

        limiter.OnRejected = (rejected, _) => new ValueTask(RejectAsync(rejected, options));
    });

    /// <summary>Limits the calls of an endpoint that are in progress at once.</summary>
    public static TBuilder LimitConcurrency<TBuilder>(this TBuilder endpoint, ConcurrencyPolicy policy)
        where TBuilder : IEndpointConventionBuilder => endpoint.RequireRateLimiting(NameOf(policy));

    /// <summary>The policy's name in metrics and in the text of a 503.</summary>
    private static string NameOf(ConcurrencyPolicy policy) => policy switch
    {
        ConcurrencyPolicy.LongPolls => "Waits",
        ConcurrencyPolicy.FanOut => "Surveys",
        _ => policy.ToString(),
    };

    /// <summary>A call that does not wait or ask other agents gets its response at once, and is not counted.</summary>
    private static bool IsCounted(ConcurrencyPolicy policy, HttpContext context) => policy switch
    {
        ConcurrencyPolicy.LongPolls => context.Request.Query.ContainsKey("wait"),
        ConcurrencyPolicy.FanOut => !context.Request.Path.StartsWithSegments("/timeline") || context.Request.Query.ContainsKey("cluster"),
        _ => true,
    };

    private static ConcurrencyLimiterOptions LimitOf(ConcurrencyPolicy policy, CallLimits limits) => policy switch
    {
        ConcurrencyPolicy.Messages => new() { PermitLimit = limits.Messages },
        ConcurrencyPolicy.LongPolls => new() { PermitLimit = limits.LongPolls },
        ConcurrencyPolicy.Streams => new() { PermitLimit = limits.Streams },
        ConcurrencyPolicy.FanOut => new() { PermitLimit = limits.FanOut },
        ConcurrencyPolicy.Steps => new() { PermitLimit = Environment.ProcessorCount, QueueLimit = limits.Steps },
        _ => new() { PermitLimit = Math.Max(1, Environment.ProcessorCount - 1), QueueLimit = limits.Searches },
    };

    private static Task RejectAsync(OnRejectedContext rejected, AgentOptions options)
    {
        var context = rejected.HttpContext;
        var policy = context.GetEndpoint()?.Metadata.GetMetadata<EnableRateLimitingAttribute>()?.PolicyName;
        if (policy != Runs)
        {
            context.Response.Headers.RetryAfter = "1";
            return RequestBody.Problem(
                503, $"Too many calls of this kind are under way ({policy?.ToLowerInvariant()}). Try again in a second.",
                "too-many-calls").ExecuteAsync(context);
        }

        context.RequestServices.GetRequiredService<RejectedRequestLog>().Add(RejectionReason.TooManyRuns, context);
        var seconds = rejected.Lease.TryGetMetadata(MetadataName.RetryAfter, out var after) ? (int)Math.Ceiling(after.TotalSeconds) : 1;
        context.Response.Headers.RetryAfter = Math.Max(1, seconds).ToString(CultureInfo.InvariantCulture);
        return RequestBody.Problem(
            429, $"Too many runs were asked for: at most {options.RunRate} a second and {MaxRunsAtOnce} at once. Wait, or raise RUN_RATE.",
            "run-rate").ExecuteAsync(context);
    }

    /// <param name="rate">Runs a second, twice as many in a burst; 0: no limit.</param>
    private static RateLimiter RunLimiter(int rate) => rate == 0
        ? new ConcurrencyLimiter(new ConcurrencyLimiterOptions { PermitLimit = int.MaxValue })
        : RateLimiter.CreateChained(
            new ConcurrencyLimiter(new ConcurrencyLimiterOptions { PermitLimit = MaxRunsAtOnce }),
            new TokenBucketRateLimiter(new TokenBucketRateLimiterOptions
            {
                TokenLimit = 2 * rate,
                TokensPerPeriod = Math.Max(1, rate / 10),
                ReplenishmentPeriod = TimeSpan.FromSeconds(1.0 / Math.Min(rate, 10)),
            }));
}
