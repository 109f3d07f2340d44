using System.Globalization;
using System.Net;
using System.Text.Json;
using Consensus.Agent.Api;
using Consensus.Agent.Configuration;
using Consensus.Agent.Http;
using Consensus.Agent.Peers;
using Consensus.Protocol;
using Consensus.ServiceDefaults;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.HostFiltering;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Polly;
using Polly.CircuitBreaker;

namespace Consensus.Benchmarks.Platform;

/// <summary>The parts that the table in docs/performance.md names, without sockets.</summary>
internal static class PlatformAlternatives
{
    // A decision of three agents takes 7.2 messages, a start and two long polls.
    private const double Messages = 7.2;
    private const double Queries = 3;

    private static readonly RunDescriptor Run = new(
        new RunId(17, "agent1", "0123456789ab"), 3, 1, Rule.Ratified, 3, DrawStrategy.Fresh, 200,
        new Dictionary<string, string> { ["agent1"] = "0123456789ab", ["agent2"] = "123456789abc", ["agent3"] = "23456789abcd" });

    private static readonly byte[] VoteBody = JsonSerializer.SerializeToUtf8Bytes(
        new Vote("agent2", 2, 2, 1, Run), MessageJson.Default.Vote);
    private static readonly Response Response =
        new(ResponseStatus.Ok) { AgentId = "agent3", Run = Run.Id, Vote = new Vote("agent3", 2, 2, 1) };
    private static readonly ClusterKey Key = new("0123456789abcdef0123456789abcdef");
    private static readonly string KeyText = "0123456789abcdef0123456789abcdef";

    private static readonly ServiceProvider Services = CreateServices();

    public static IReadOnlyList<Alternative> All() =>
    [
        new("reading a body", Messages + 1, Post(ReadOurs), Post(Create(static (Vote vote) => Take(vote)))),
        new("query parameters", Queries, Get(Create(OursQuery)), Get(Create(static ([AsParameters] LongPoll poll) => Results.Empty))),
        new("cluster key", Messages, Post(KeyOurs(Create(ReadNothing))), Post(Create(ReadNothing, filter: KeyFilterAsync))),
        new("host check", Messages + Queries, Post(Protection(null).ProtectAsync), Post(HostFilter(Protection("localhost").ProtectAsync))),
        new("response of a message", Messages, Post(context => PeerApi.ToResult(Response).ExecuteAsync(context)),
            Post(context => TypedResults.Json(Response, MessageJson.Default.Response).ExecuteAsync(context))),
        new("back-off of a peer", Messages, BackOff(), CircuitBreaker()),
        new("request to a peer", Messages, Send(new HttpMessageInvoker(new ConstantHandler())),
            Send(Services.GetRequiredService<IHttpClientFactory>().CreateClient("peer"))),
    ];

    private static ServiceProvider CreateServices()
    {
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().Build());
        services.AddLogging();
        services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolverChain.Insert(0, MessageJson.Default));
        services.AddServiceDiscovery();
        services.AddHttpClient("peer").AddServiceDiscovery().RemoveAllLoggers().SetHandlerLifetime(Timeout.InfiniteTimeSpan)
            .ConfigurePrimaryHttpMessageHandler(() => new ConstantHandler());
        return services.BuildServiceProvider();
    }

    // The two ways of reading a body do the same beyond it: nothing.
    private static IResult Take(Vote vote) => vote.Round == 1 ? Results.Empty : throw new InvalidOperationException("The body is another.");

    private static async Task ReadOurs(HttpContext context)
    {
        var (vote, problem) = await RequestBody.ReadAsync(context, MessageJson.Default.Vote);
        await (problem ?? Take(vote!)).ExecuteAsync(context);
    }

    private static IResult ReadNothing(HttpContext context) => Results.Empty;

    private static IResult OursQuery(HttpContext context, [FromQuery(Name = "wait")] string? wait, [FromQuery(Name = "run")] string? run) =>
        QueryParameters.ReadWait(wait, out _) ?? QueryParameters.ReadRun(run, out _) ?? Results.Empty;

    private static RequestDelegate KeyOurs(RequestDelegate next) =>
        context => Key.Is(context.Request.Headers[ClusterKey.Header]) ? next(context) : RequestBody.Problem(401, "").ExecuteAsync(context);

    private static ValueTask<object?> KeyFilterAsync(EndpointFilterInvocationContext call, EndpointFilterDelegate next) =>
        Key.Is(call.HttpContext.Request.Headers[ClusterKey.Header])
            ? next(call) : ValueTask.FromResult<object?>(RequestBody.Problem(401, ""));

    private static RequestDelegate Create(
        Delegate handler, Func<EndpointFilterInvocationContext, EndpointFilterDelegate, ValueTask<object?>>? filter = null)
    {
        var options = new RequestDelegateFactoryOptions
        {
            ServiceProvider = Services, ThrowOnBadRequest = false,
            EndpointBuilder = new RouteEndpointBuilder(null, RoutePatternFactory.Parse("/vote"), 0),
        };
        if (filter is not null)
        {
            options.EndpointBuilder.FilterFactories.Add((_, next) => call => filter(call, next));
        }

        return RequestDelegateFactory.Create(handler, options).RequestDelegate;
    }

    private static HostCheck Protection(string? allowedHosts)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("AllowedHosts", allowedHosts)]).Build();
        var log = new RejectedRequestLog(new AgentOptions { Id = "agent1" }, TimeProvider.System, NullLogger<RejectedRequestLog>.Instance);
        return new(new CrossSiteProtection(new LoopbackServer(), configuration, log));
    }

    private static RequestDelegate HostFilter(RequestDelegate next)
    {
        var options = new HostFilteringOptions { AllowedHosts = ["localhost"] };
        return new HostFilteringMiddleware(
            next, NullLogger<HostFilteringMiddleware>.Instance, new FixedOptions<HostFilteringOptions>(options)).Invoke;
    }

    private static Func<ValueTask> BackOff()
    {
        var breaker = new PeerCircuitBreaker(TimeProvider.System);
        return async () =>
        {
            if (!breaker.IsOpen)
            {
                await ValueTask.CompletedTask;
                breaker.RecordSuccess();
            }
        };
    }

    private static Func<ValueTask> CircuitBreaker()
    {
        var pipeline = new ResiliencePipelineBuilder<bool>().AddCircuitBreaker(new CircuitBreakerStrategyOptions<bool>()).Build();
        return async () => await pipeline.ExecuteAsync(static _ => ValueTask.FromResult(true));
    }

    private static Func<ValueTask> Send(HttpMessageInvoker http)
    {
        var uri = new Uri("http://127.0.0.1:5001/vote");
        return async () =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, uri);
            using var response = await http.SendAsync(request, CancellationToken.None);
        };
    }

    private static Func<ValueTask> Post(RequestDelegate handle) => Call(handle, HttpMethods.Post, "", VoteBody);

    private static Func<ValueTask> Get(RequestDelegate handle) => Call(handle, HttpMethods.Get, $"?wait=30&run={Run.Id}", []);

    private static Func<ValueTask> Call(RequestDelegate handle, string method, string query, byte[] body) => async () =>
    {
        var context = new DefaultHttpContext { RequestServices = Services };
        context.Features.Set<IHttpRequestBodyDetectionFeature>(new HasBody());
        var request = context.Request;
        (request.Method, request.Scheme, request.Host, request.Path, request.QueryString) =
            (method, "http", new HostString("localhost", 5001), "/vote", new QueryString(query));
        (request.ContentType, request.ContentLength, request.Body) =
            ("application/json", body.Length, new MemoryStream(body, writable: false));
        request.Headers[MessageId.Header] = "agent2/0123456789ab/1";
        request.Headers[ClusterKey.Header] = KeyText;
        await handle(context);
        if (context.Response.StatusCode != 200)
        {
            throw new InvalidOperationException(
                string.Create(CultureInfo.InvariantCulture, $"The response is {context.Response.StatusCode}."));
        }
    };

    /// <summary>The parameters of a long poll, as the platform binds them.</summary>
    private readonly record struct LongPoll([FromQuery(Name = "wait")] WaitSeconds? Wait, [FromQuery(Name = "run")] RunName? Run);

    private readonly record struct WaitSeconds(TimeSpan Wait) : IParsable<WaitSeconds>
    {
        public static WaitSeconds Parse(string s, IFormatProvider? provider) =>
            TryParse(s, provider, out var wait) ? wait : throw new FormatException();

        public static bool TryParse(string? s, IFormatProvider? provider, out WaitSeconds result)
        {
            var isNumber = double.TryParse(s, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds);
            result = new(TimeSpan.FromSeconds(seconds));
            return isNumber;
        }
    }

    private readonly record struct RunName(RunId Id) : IParsable<RunName>
    {
        public static RunName Parse(string s, IFormatProvider? provider) =>
            TryParse(s, provider, out var run) ? run : throw new FormatException();

        public static bool TryParse(string? s, IFormatProvider? provider, out RunName result)
        {
            var isRun = RunId.TryParse(s, out var id);
            result = new(id);
            return isRun;
        }
    }

    private sealed class HostCheck(CrossSiteProtection protection)
    {
        public Task ProtectAsync(HttpContext context) => protection.ProtectAsync(context, static _ => Task.CompletedTask);
    }

    private sealed class HasBody : IHttpRequestBodyDetectionFeature
    {
        public bool CanHaveBody => true;
    }

    private sealed class ConstantHandler : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK));
    }

    private sealed class LoopbackServer : IServer
    {
        public LoopbackServer() => Features.Set<IServerAddressesFeature>(new Addresses());

        public IFeatureCollection Features { get; } = new FeatureCollection();

        public Task StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancellationToken)
            where TContext : notnull => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public void Dispose()
        {
        }

        private sealed class Addresses : IServerAddressesFeature
        {
            ICollection<string> IServerAddressesFeature.Addresses { get; } = ["http://127.0.0.1:5001"];

            public bool PreferHostingUrls { get; set; }
        }
    }

    private sealed class FixedOptions<T>(T value) : IOptionsMonitor<T>
    {
        public T CurrentValue => value;

        public T Get(string? name) => value;

        public IDisposable? OnChange(Action<T, string?> listener) => null;
    }
}
