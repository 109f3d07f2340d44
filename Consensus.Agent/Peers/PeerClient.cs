using System.Buffers;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Consensus.Agent.Configuration;
using Consensus.Agent.Telemetry;
using Consensus.Protocol;
using Consensus.ServiceDefaults;

namespace Consensus.Agent.Peers;

/// <summary>
/// Calls the other agents: one attempt, one second. The protocol repeats messages, so this client does not. A peer that could
/// not be reached gets no calls for a moment, so a stopped peer costs nothing. A peer with too many calls in flight gets no more
/// until some have ended, so fast rounds do not flood a slow peer.
/// </summary>
internal sealed partial class PeerClient(
    HttpMessageInvoker http, AgentOptions options, PeerDirectory peers,
    MessageTracing tracing, TimeProvider time, ILogger<PeerClient> logger)
{
    // Calls in flight to one peer. All peers of an agent together may hold half of the connections that it accepts.
    private const int MaxInFlight = 32;

    private static readonly MediaTypeHeaderValue Json = new("application/json");
    private static readonly byte[] HandshakeBody = """{"handshake":true}"""u8.ToArray();
    private static readonly byte[] EmptyBody = "{}"u8.ToArray();

    private readonly int _maxInFlight = Math.Min(MaxInFlight, CallLimits.MaxConnections / 2 / Math.Max(1, peers.Count));

    private readonly LogRateLimiter _rateLimiter = new(time, kinds: 2);

    // A broadcast sends one message to many peers. It is serialized once.
    private SerializedMessage? _last;

    private sealed record SerializedMessage(Message Message, byte[] Body);

    /// <summary>Whether some peer did not take this agent's <c>CLUSTER_KEY</c>, or misses one.</summary>
    public bool KeyRefused => peers.All.Any(peer => peer.HasRefusedKey);

    /// <summary>The peers that are up and cannot be called, by id or address, and why.</summary>
    public IReadOnlyList<(string Peer, string Reason)> Unreachable =>
        [.. peers.All.Where(peer => peer.Reason is not null).Select(peer => (peer.Name, peer.Reason!))];

    /// <summary>Sends a message to a peer. Throws nothing: the core needs the result, since a start waits for it.</summary>
    /// <param name="peer">The peer's index.</param>
    /// <param name="message">The message.</param>
    /// <param name="key">The message's id (<see cref="MessageId"/>).</param>
    /// <param name="parent">The message's place in a trace.</param>
    /// <param name="cancellation">Ends the call.</param>
    /// <returns>The response; null where the send failed.</returns>
    public async Task<Response?> SendAsync(int peer, Message message, string key, MessageParent parent, CancellationToken cancellation)
    {
        var called = peers[peer];
        var isOpen = called.Breaker.IsOpen && !(message is Handshake && TooManyAreOpen());

        // A peer that never responded may be starting on a busy machine. One query waits for it; more would slow its start down.
        var isFirstContact = message is StateQuery && called.SinceResponse is null;

        // A handshake always passes: it starts the run that ends a flood.
        if (isOpen || !called.TryEnter(message is Handshake or Reset ? int.MaxValue : isFirstContact ? 1 : _maxInFlight))
        {
            // Not within the step that sends.
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            return null;
        }

        Activity? span = null;
        try
        {
            span = tracing.StartCall(message, called.Id ?? called.Address.Authority, parent);
            using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            timeout.CancelAfter(isFirstContact && options.CallTimeout < Peer.StartPeriod ? Peer.StartPeriod : options.CallTimeout);
            return await CallAsync(peer, message, key, parent, span, timeout.Token);
        }
#pragma warning disable CA1031 // Any exception means that the send failed.
        catch (Exception e)
#pragma warning restore CA1031
        {
            OnException(e, called, message, span, cancellation);
            return null;
        }
        finally
        {
            called.Leave();
            span?.Dispose();
        }
    }

    /// <summary>
    /// A message of an agent came in: its sender can be reached. Closes the sender's back-off. Where no peer is known by the sender's
    /// id, the sender is one of those with unknown ids, and closes the back-off of all of these.
    /// </summary>
    /// <param name="key">The message's id (<see cref="MessageId"/>); null: it has none.</param>
    public void OnMessageFrom(string? key)
    {
        if (key is null)
        {
            return;
        }

        var sender = peers.All.FirstOrDefault(peer => peer.Id is { } id && MessageId.IsFrom(key, id));
        foreach (var peer in peers.All)
        {
            if (peer.Breaker.IsOpen && (sender is null ? peer.Id is null : peer == sender))
            {
                peer.Breaker.RecordSuccess();
            }
        }
    }

    private async Task<Response?> CallAsync(
        int peer, Message message, string key, MessageParent parent, Activity? span, CancellationToken cancellation)
    {
        var called = peers[peer];
        var call = called.CallOf(message.Kind);
        using var request = new HttpRequestMessage(message is StateQuery ? HttpMethod.Get : HttpMethod.Post, call);
        request.Headers.TryAddWithoutValidation(MessageId.Header, key);
        if ((span?.Id ?? MessageTracing.Format(parent.Context)) is { } traceparent)
        {
            request.Headers.TryAddWithoutValidation(MessageTracing.Header, traceparent);
            if (parent.IsLate)
            {
                request.Headers.TryAddWithoutValidation(MessageTracing.StateHeader, MessageTracing.Late);
            }
        }

        options.Key?.AddTo(request.Headers);
        request.Options.Set(FaultInjectionPipeline.Peer, peer);
        if (message is not StateQuery)
        {
            request.Content = new ByteArrayContent(BodyOf(message)) { Headers = { ContentType = Json } };
        }

        using var response = await http.SendAsync(request, cancellation);
        called.Breaker.RecordSuccess();
        if (response.StatusCode == HttpStatusCode.Unauthorized)
        {
            called.KeyRefused();
            MessageTracing.RecordFailure(span, "the peer refuses this agent's CLUSTER_KEY");
            if (_rateLimiter.Passes(0, out _))
            {
                RefusedKey(options.Id, called.Address);
            }

            return null;
        }

        if ((int)response.StatusCode is not (200 or 202 or 409))
        {
            called.Failed();
            Refused(options.Id, call, (int)response.StatusCode);
            MessageTracing.RecordFailure(span, $"HTTP {(int)response.StatusCode}");
            return null;
        }

        var parsed = await ReadAsync(response.Content, cancellation);
        if (parsed is not null && MessageValidator.Check(parsed, time) is { } wrong)
        {
            wrong = $"Its response is none of this protocol: {wrong}";
            if (called.Failed(wrong))
            {
                CannotCall(options.Id, called.Address, wrong);
            }

            MessageTracing.RecordFailure(span, wrong);
            return null;
        }

        called.Responded(parsed);
        MessageTracing.RecordResponse(span, parsed);
        return parsed;
    }

    private void OnException(Exception e, Peer peer, Message message, Activity? span, CancellationToken cancellation)
    {
        var call = peer.CallOf(message.Kind);

        // A slow response does not open the back-off. A connect timeout does.
        if (e is HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError }
            or OperationCanceledException { InnerException: TimeoutException })
        {
            peer.Breaker.RecordFailure();
        }

        // A timeout gives no reason, so the reason of the failures before it stays.
        var reason = TlsFailure.Of(e) ?? (e is OperationCanceledException ? peer.Reason : null);
        if (!cancellation.IsCancellationRequested && peer.Failed(reason) && reason is not null)
        {
            CannotCall(options.Id, peer.Address, reason);
        }

        if (e is HttpRequestException or OperationCanceledException or JsonException or IOException or Polly.ExecutionRejectedException)
        {
            Failed(options.Id, call, e.Message);
        }
        else if (_rateLimiter.Passes(1, out var held))
        {
            FailedUnexpectedly(e, options.Id, call, held);
        }

        MessageTracing.RecordFailure(span, e is OperationCanceledException ? "timeout" : reason ?? e.Message);
    }

    /// <summary>
    /// Whether a start needs a peer whose back-off is open, because too few others responded to their last call. Such a peer may be
    /// back: agents that start one after another miss each other by a moment.
    /// </summary>
    private bool TooManyAreOpen() => peers.All.Count(peer => peer.Breaker.IsOpen || peer.HasFailed) > peers.Count / 2;

    private static async ValueTask<Response?> ReadAsync(HttpContent content, CancellationToken cancellation)
    {
        await using var body = await content.ReadAsStreamAsync(cancellation);
        var length = content.Headers.ContentLength is { } stated and <= WireLimits.MaxBodyBytes ? (int)stated : WireLimits.MaxBodyBytes;
        var buffer = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            var read = await body.ReadAtLeastAsync(buffer.AsMemory(0, length), length, throwOnEndOfStream: false, cancellation);
            return JsonSerializer.Deserialize(buffer.AsSpan(0, read), MessageJson.Default.Response);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private byte[] BodyOf(Message message)
    {
        var last = _last;
        if (ReferenceEquals(last?.Message, message))
        {
            return last.Body;
        }

        var body = message switch
        {
            Handshake => HandshakeBody,
            NewRound newRound => JsonSerializer.SerializeToUtf8Bytes(newRound, MessageJson.Default.NewRound),
            Proposal proposal => JsonSerializer.SerializeToUtf8Bytes(proposal, MessageJson.Default.Proposal),
            Vote vote => JsonSerializer.SerializeToUtf8Bytes(vote, MessageJson.Default.Vote),
            Final final => JsonSerializer.SerializeToUtf8Bytes(final, MessageJson.Default.Final),
            _ => EmptyBody,
        };
        _last = new SerializedMessage(message, body);
        return body;
    }

    [LoggerMessage(10, LogLevel.Debug, "[{AgentId}] {Call} did not answer: {Why}")]
    private partial void Failed(string agentId, Uri call, string why);

    [LoggerMessage(12, LogLevel.Warning, "[{AgentId}] {Peer} refuses this agent's CLUSTER_KEY: give all agents of the cluster the same")]
    private partial void RefusedKey(string agentId, Uri peer);

    [LoggerMessage(14, LogLevel.Warning, "[{AgentId}] {Peer} cannot be called. {Reason}")]
    private partial void CannotCall(string agentId, Uri peer, string reason);

    [LoggerMessage(13, LogLevel.Error,
        "[{AgentId}] {Call} failed with an unexpected exception; it counts as unanswered ({Held} more held back)")]
    private partial void FailedUnexpectedly(Exception exception, string agentId, Uri call, long held);

    [LoggerMessage(11, LogLevel.Debug, "[{AgentId}] {Call} answered {Code}")]
    private partial void Refused(string agentId, Uri call, int code);
}
