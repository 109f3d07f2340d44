using System.Threading.RateLimiting;
using Consensus.Agent.Configuration;

namespace Consensus.Agent.Api;

/// <summary>What a call asks of the agent while it is under way.</summary>
internal enum EndpointClass
{
    /// <summary>A message of another agent: a moment of the machine, which takes one at a time.</summary>
    Messages,

    /// <summary>To wait for a decision (<c>wait=</c>).</summary>
    Waits,

    /// <summary>To be told of events for as long as the caller likes.</summary>
    Streams,

    /// <summary>To ask every agent and put their answers together.</summary>
    Surveys,

    /// <summary>To live through a simulated world, which takes a core for a moment.</summary>
    Simulations,
}

/// <summary>
/// How many calls of each kind may be under way at once. What comes on top is refused at once with 503 and costs
/// nothing more, so that a full house stays as large as it is, and one kind leaves room for the others.
/// </summary>
internal static class ConcurrencyLimits
{
    /// <summary>Marks an endpoint whose calls are of this kind.</summary>
    public static TBuilder Counts<TBuilder>(this TBuilder endpoint, EndpointClass crowd)
        where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(new Kind(crowd));

    /// <summary>Refuses what is too much.</summary>
    public static void UseConcurrencyLimits(this WebApplication app)
    {
        var limits = app.Services.GetRequiredService<AgentOptions>().Limits;
        var limiters = new[] { limits.Messages, limits.Waits, limits.Streams, limits.Surveys, limits.Simulations }
            .Select(most => new ConcurrencyLimiter(new ConcurrencyLimiterOptions { PermitLimit = most })).ToArray();
        app.Use(async (context, next) =>
        {
            if (KindOf(context) is not { } crowd)
            {
                await next(context);
                return;
            }

            using var lease = limiters[(int)crowd].AttemptAcquire();
            if (lease.IsAcquired)
            {
                await next(context);
                return;
            }

            context.Response.Headers.RetryAfter = "1";
            await RequestBody.Problem(503, $"Too many calls of this kind are under way ({crowd.ToString().ToLowerInvariant()}). Try again in a second.", "crowded").ExecuteAsync(context);
        });
    }

    private static EndpointClass? KindOf(HttpContext context) => context.GetEndpoint()?.Metadata.GetMetadata<Kind>()?.Crowd switch
    {
        // What asks without waiting is answered at once.
        EndpointClass.Waits when !context.Request.Query.ContainsKey("wait") => null,
        EndpointClass.Surveys when context.Request.Path.StartsWithSegments("/timeline") && !context.Request.Query.ContainsKey("cluster") => null,
        var crowd => crowd,
    };

    private sealed record Kind(EndpointClass Crowd);
}
