using System.Globalization;
using System.Threading.RateLimiting;
using Consensus.Agent.Configuration;

namespace Consensus.Agent.Api;

/// <summary>How many runs may be asked for: so many a second, and so many at once.</summary>
internal static class RunRateLimit
{
    /// <summary>The policy of <c>POST /run</c>.</summary>
    public const string Policy = "run";

    /// <summary>Requests that may be under way, those included that wait for a decision.</summary>
    public const int AtOnce = 256;

    /// <summary>Sets it up: <c>RUN_RATE</c> a second, twice as many in a burst; 0: as many as come.</summary>
    public static void Add(IServiceCollection services, AgentOptions options) => services.AddRateLimiter(limiter =>
    {
        limiter.AddPolicy(Policy, _ => RateLimitPartition.Get(Policy, _ => Limiter(options.RunRate)));
        limiter.OnRejected = (rejected, _) =>
        {
            var context = rejected.HttpContext;
            context.RequestServices.GetRequiredService<RejectedRequestLog>().Add(RejectionReason.TooManyRuns, context);
            var seconds = rejected.Lease.TryGetMetadata(MetadataName.RetryAfter, out var after) ? (int)Math.Ceiling(after.TotalSeconds) : 1;
            context.Response.Headers.RetryAfter = Math.Max(1, seconds).ToString(CultureInfo.InvariantCulture);
            return new ValueTask(RequestBody.Problem(
                429, $"Too many runs were asked for: at most {options.RunRate} a second and {AtOnce} at once. Wait, or raise RUN_RATE.", "run-rate").ExecuteAsync(context));
        };
    });

    private static RateLimiter Limiter(int rate) => rate == 0
        ? new ConcurrencyLimiter(new ConcurrencyLimiterOptions { PermitLimit = int.MaxValue })
        : RateLimiter.CreateChained(
            new ConcurrencyLimiter(new ConcurrencyLimiterOptions { PermitLimit = AtOnce }),
            new TokenBucketRateLimiter(new TokenBucketRateLimiterOptions
            {
                TokenLimit = 2 * rate,
                TokensPerPeriod = Math.Max(1, rate / 10),
                ReplenishmentPeriod = TimeSpan.FromSeconds(1.0 / Math.Min(rate, 10)),
            }));
}
