using System.Buffers;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Consensus.Agent.Configuration;
using Consensus.Agent.Telemetry;
using Consensus.Protocol;

namespace Consensus.Agent.Peers;

/// <summary>
/// Calls the other agents: one attempt, one second. The protocol repeats messages, so this client does not. A peer that could
/// not be reached gets no calls for a moment, so a stopped peer costs nothing. A peer with too many calls in flight gets no more
/// until some have ended, so fast rounds do not flood a slow peer.
/// </summary>
public sealed partial class PeerClient(
    HttpMessageInvoker http, AgentOptions options, PeerDirectory directory, MessageTracing tracing, TimeProvider time, ILogger<PeerClient> logger)
{
    // Calls in flight to one peer. All peers of an agent together may hold half of the connections that it accepts.
    private const int MaxInFlight = 32;

    private static readonly MediaTypeHeaderValue Json = new("application/json");
    private static readonly byte[] HandshakeBody = """{"handshake":true}"""u8.ToArray();
    private static readonly byte[] EmptyBody = "{}"u8.ToArray();

    private readonly Uri[][] _calls = [.. options.Peers.Select(peer => Enum.GetValues<MessageKind>().Select(kind => new Uri(peer, PathOf(kind))).ToArray())];
    private readonly PeerCircuitBreaker[] _backOffs = [.. options.Peers.Select(_ => new PeerCircuitBreaker(time))];
    private readonly int[] _inFlight = new int[options.Peers.Count];
    private readonly int _maxInFlight = Math.Min(MaxInFlight, CallLimits.MaxConnections / 2 / Math.Max(1, options.Peers.Count));

    private readonly LogRateLimiter _throttle = new(time, kinds: 2);

    // A broadcast sends one message to many peers. It is serialized once.
    private SerializedMessage? _last;

    private sealed record SerializedMessage(Message Message, byte[] Body);

    /// <summary>The outcomes of calls to the peers.</summary>
    public PeerContacts Contacts { get; } = new(options.Peers.Count, time);

    /// <summary>Whether some peer did not take this agent's <c>CLUSTER_KEY</c>, or misses one.</summary>
    public bool KeyRefused => Enumerable.Range(0, Contacts.Count).Any(Contacts.HasRefusedKey);

    /// <summary>Sends a message to a peer. Throws nothing: the core needs the result, since a start waits for it.</summary>
    /// <param name="peer">The peer's index.</param>
    /// <param name="message">The message.</param>
    /// <param name="key">The message's id (<see cref="MessageId"/>).</param>
    /// <param name="parent">The message's place in a trace.</param>
    /// <param name="cancellation">Ends the call.</param>
    /// <returns>The response; null where the send failed.</returns>
    public async Task<Response?> SendAsync(int peer, Message message, string key, MessageParent parent, CancellationToken cancellation)
    {
        var isOpen = _backOffs[peer].IsOpen && !(message is Handshake && TooManyAreOpen());
        if (isOpen || !TryEnter(peer, message))
        {
            // Not within the step that sends.
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            return null;
        }

        Activity? span = null;
        try
        {
            span = tracing.StartCall(message, directory.IdOf(peer) ?? options.Peers[peer].Authority, parent);
            return await CallAsync(peer, message, key, parent, span, cancellation);
        }
#pragma warning disable CA1031 // Any exception means that the send failed.
        catch (Exception e)
#pragma warning restore CA1031
        {
            OnException(e, peer, _calls[peer][(int)message.Kind], span, cancellation);
            return null;
        }
        finally
        {
            Interlocked.Decrement(ref _inFlight[peer]);
            span?.Dispose();
        }
    }

    /// <summary>A message of an agent came in: its sender can be reached. Closes the sender's back-off, and those of peers with unknown ids.</summary>
    /// <param name="key">The message's id (<see cref="MessageId"/>); null: it has none.</param>
    public void OnMessageFrom(string? key)
    {
        for (var i = 0; key is not null && i < _backOffs.Length; i++)
        {
            if (_backOffs[i].IsOpen && (directory.IdOf(i) is not { } id || MessageId.IsFrom(key, id)))
            {
                _backOffs[i].RecordSuccess();
            }
        }
    }

    private async Task<Response?> CallAsync(
        int peer, Message message, string key, MessageParent parent, Activity? span, CancellationToken cancellation)
    {
        var call = _calls[peer][(int)message.Kind];
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        timeout.CancelAfter(options.CallTimeout);
        using var request = new HttpRequestMessage(message is StateQuery ? HttpMethod.Get : HttpMethod.Post, call);
        request.Headers.TryAddWithoutValidation(MessageId.Header, key);
        if ((span?.Id ?? MessageTracing.Format(parent.Context)) is { } traceparent)
        {
            request.Headers.TryAddWithoutValidation(MessageTracing.Header, traceparent);
        }

        options.Key?.AddTo(request.Headers);
        request.Options.Set(FaultInjectionPipeline.Peer, peer);
        if (message is not StateQuery)
        {
            request.Content = new ByteArrayContent(BodyOf(message)) { Headers = { ContentType = Json } };
        }

        using var response = await http.SendAsync(request, timeout.Token);
        _backOffs[peer].RecordSuccess();
        if (response.StatusCode == HttpStatusCode.Unauthorized)
        {
            Contacts.KeyRefused(peer);
            MessageTracing.RecordFailure(span, "the peer refuses this agent's CLUSTER_KEY");
            if (_throttle.Passes(0, out _))
            {
                RefusedKey(options.Id, options.Peers[peer]);
            }

            return null;
        }

        if ((int)response.StatusCode is not (200 or 202 or 409))
        {
            Contacts.Failed(peer);
            Refused(options.Id, call, (int)response.StatusCode);
            MessageTracing.RecordFailure(span, $"HTTP {(int)response.StatusCode}");
            return null;
        }

        var parsed = await ReadAsync(response.Content, timeout.Token);
        Contacts.Responded(peer);
        if (parsed?.Agents is { } agents)
        {
            Contacts.Counts(peer, agents);
        }

        directory.SetId(peer, parsed?.AgentId);
        MessageTracing.RecordResponse(span, parsed);
        return parsed;
    }

    private void OnException(Exception e, int peer, Uri call, Activity? span, CancellationToken cancellation)
    {
        // A slow response does not open the back-off. A connect timeout does.
        if (e is HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError }
            or OperationCanceledException { InnerException: TimeoutException })
        {
            _backOffs[peer].RecordFailure();
        }

        if (!cancellation.IsCancellationRequested)
        {
            Contacts.Failed(peer);
        }

        if (e is HttpRequestException or OperationCanceledException or JsonException or IOException or Polly.ExecutionRejectedException)
        {
            Failed(options.Id, call, e.Message);
        }
        else if (_throttle.Passes(1, out var held))
        {
            FailedUnexpectedly(e, options.Id, call, held);
        }

        MessageTracing.RecordFailure(span, e is OperationCanceledException ? "timeout" : e.Message);
    }

    /// <summary>Counts one more call in flight, unless there are too many. A handshake always passes: it starts the run that ends a flood.</summary>
    private bool TryEnter(int peer, Message message)
    {
        if (Interlocked.Increment(ref _inFlight[peer]) <= _maxInFlight || message is Handshake or Reset)
        {
            return true;
        }

        Interlocked.Decrement(ref _inFlight[peer]);
        return false;
    }

    /// <summary>
    /// Whether a start needs a peer whose back-off is open, because too few others responded to their last call. Such a peer may be
    /// back: agents that start one after another miss each other by a moment.
    /// </summary>
    private bool TooManyAreOpen() => _backOffs.Where((peer, index) => peer.IsOpen || Contacts.HasFailed(index)).Count() > _backOffs.Length / 2;

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

    private static string PathOf(MessageKind kind) => "/" + (kind == MessageKind.Handshake ? MessageKind.Reset : kind).WireName();

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

    [LoggerMessage(13, LogLevel.Error, "[{AgentId}] {Call} failed with an unexpected exception; it counts as unanswered ({Held} more held back)")]
    private partial void FailedUnexpectedly(Exception exception, string agentId, Uri call, long held);

    [LoggerMessage(11, LogLevel.Debug, "[{AgentId}] {Call} answered {Code}")]
    private partial void Refused(string agentId, Uri call, int code);
}
