using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Consensus.Agent.Hosting;
using Consensus.Agent.Http;
using Consensus.Agent.Peers;
using Consensus.Protocol;
using Consensus.Agent.Telemetry;

namespace Consensus.Agent.Api;

/// <summary>The messages between agents: the original's calls, and <c>/vote</c>.</summary>
internal static class PeerApi
{
    /// <summary>Maps <c>/reset</c>, <c>/new_round</c>, <c>/proposal</c>, <c>/vote</c> and <c>/final</c>.</summary>
    public static RouteGroupBuilder MapPeerApi(this IEndpointRouteBuilder app)
    {
        var group = app.MapGroup("").WithTags("Between agents");
        ClusterKeyFilter.Guard(group);
        group.LimitConcurrency(ConcurrencyPolicy.Messages);
        group.MapPost("/reset", ResetAsync)
            .AcceptsJson<ResetBody>(isOptional: true).Produces<Response>()
            .WithSummary("Clears this agent's run; with handshake, only asks who it is");
        group.MapMessage("/new_round", MessageJson.Default.NewRound, message => MessageValidator.Check(message), "Starts a round");
        group.MapMessage("/proposal", MessageJson.Default.Proposal,
            message => MessageValidator.Check(message), "Proposes a value in a round");
        group.MapMessage("/vote", MessageJson.Default.Vote, message => MessageValidator.Check(message),
            "Votes for the value that a quorum proposed, or for none");
        group.MapMessage("/final", MessageJson.Default.Final, message => MessageValidator.Check(message), "Carries a decision");
        return group;
    }

    private static async Task<IResult> ResetAsync(HttpContext context, AgentService agent, FaultInjector faults, MessageTracing tracing)
    {
        var (body, problem) = await RequestBody.ReadAsync(context, AgentJson.Default.ResetBody, optional: true);
        return problem ?? await ReceiveAsync(context, agent, faults, tracing, body is { Handshake: true } ? new Handshake() : new Reset());
    }

    private static async ValueTask<IResult> ReceiveAsync(
        HttpContext context, AgentService agent, FaultInjector faults, MessageTracing tracing, Message message)
    {
        var (arrived, twice) = await FaultsApi.ApplyFaultsAsync(context, faults, message.Sender);
        if (!arrived)
        {
            return Results.Empty;
        }

        var headers = context.Request.Headers;
        using var span = tracing.StartReceive(
            message, message.Sender ?? FaultsApi.SenderOf(context), headers.TraceParent, headers.TraceState);
        var response = agent.Receive(message, KeyOf(context));
        response = twice ? agent.Receive(message, KeyOf(context)) : response;
        MessageTracing.RecordResponse(span, response);
        return ToResult(response, message is NewRound);
    }

    private static void MapMessage<T>(
        this RouteGroupBuilder group, string path, JsonTypeInfo<T> type, Func<T, string?> check, string summary)
        where T : Message
    {
        var inbox = new Inbox(((IEndpointRouteBuilder)group).ServiceProvider);
        group.MapPost(path, async (HttpContext context) =>
            {
                var (message, problem) = await RequestBody.ReadAsync(context, type);
                return problem is not null ? problem
                    : (check(message!) ?? MessageValidator.CheckNumber(message!.Run, inbox.Time)) is { } wrong
                        ? RequestBody.Problem(400, wrong, ResponseReason.OutOfRange.WireName())
                    : MessageValidator.CheckSender(message!) is { } wrongSender
                        ? RequestBody.Problem(400, wrongSender, ResponseReason.NotAMember.WireName())
                    : await ReceiveAsync(context, inbox.Agent, inbox.Faults, inbox.Tracing, message!);
            })
            .AcceptsJson<T>().Produces<Response>().Produces<Response>(409).ProducesProblem(400)
            .WithSummary(summary);
    }

    // Looked up once: a request that asks for services makes a scope for them.
    private sealed class Inbox(IServiceProvider services)
    {
        private readonly Lazy<AgentService> _agent = new(services.GetRequiredService<AgentService>);

        public AgentService Agent => _agent.Value;

        public FaultInjector Faults { get; } = services.GetRequiredService<FaultInjector>();

        public MessageTracing Tracing { get; } = services.GetRequiredService<MessageTracing>();

        public TimeProvider Time { get; } = services.GetRequiredService<TimeProvider>();
    }

    private static string? KeyOf(HttpContext context) => context.Request.Headers[MessageId.Header];

    internal static IResult ToResult(Response response, bool newRound = false) => response switch
    {
        { Reason: ResponseReason.OutOfRange } =>
            RequestBody.Problem(400, "The value or the round is outside the run's range.", response.Reason?.WireName()),
        { Status: ResponseStatus.Refused, Reason: ResponseReason.NotAMember } =>
            RequestBody.Problem(400, "The cluster is full: this agent_id is none of its members.", response.Reason?.WireName()),
        { Status: ResponseStatus.Refused } => new ResponseResult(response, 409),
        { Reason: ResponseReason.AlreadyDecided } when newRound => new ResponseResult(response, 409),
        _ => new ResponseResult(response, 200),
    };

    // With its length, so that the response leaves in one piece and not in chunks.
    private sealed class ResponseResult(Response response, int status) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            var body = JsonSerializer.SerializeToUtf8Bytes(response, MessageJson.Default.Response);
            var http = httpContext.Response;
            http.StatusCode = status;
            http.ContentType = "application/json";
            http.ContentLength = body.Length;
            return http.BodyWriter.WriteAsync(body).AsTask();
        }
    }
}
