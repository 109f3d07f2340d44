using System.Net.Http.Headers;
using System.Text.Json;
using Consensus.Agent.Api;
using Consensus.Agent.Hosting;
using Consensus.Agent.Protocol;
using Consensus.Agent.Telemetry;

namespace Consensus.Agent.Peers;

/// <summary>Calls the other agents: one attempt, one second. The protocol repeats itself, so nothing here does.</summary>
public sealed partial class PeerClient(HttpClient http, AgentOptions options, Faults faults, TimeProvider time, ILogger<PeerClient> logger)
{
    /// <summary>What a call may take unless <see cref="AgentOptions.CallTimeout"/> says otherwise.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(1);

    private static readonly MediaTypeHeaderValue Json = new("application/json");
    private static readonly byte[] HandshakeBody = """{"handshake":true}"""u8.ToArray();
    private static readonly byte[] EmptyBody = "{}"u8.ToArray();

    private readonly Throttle _throttle = new(time, 1);

    // A broadcast sends one message to many: its bytes are made once.
    private Rendered? _last;

    private sealed record Rendered(Message Message, byte[] Body);

    /// <summary>The header that names a message, so that its two ends can be matched: <c>agent/boot/number</c>.</summary>
    public const string MessageHeader = "Consensus-Message";

    /// <summary>Whether some peer did not take this agent's <c>CLUSTER_KEY</c>, or misses one.</summary>
    public bool KeyRefused { get; private set; }

    /// <summary>Sends a message to a peer.</summary>
    /// <returns>The answer, or null where there was none in time or none that an agent gives.</returns>
    public async Task<Answer?> SendAsync(int peer, Message message, string key, CancellationToken cancellation)
    {
        try
        {
            using var request = new HttpRequestMessage(
                message is StateQuery ? HttpMethod.Get : HttpMethod.Post, new Uri(options.Peers[peer], PathOf(message)));
            request.Headers.TryAddWithoutValidation(MessageHeader, key);
            request.Options.Set(Chaos.Peer, peer);
            if (message is not StateQuery)
            {
                request.Content = new ByteArrayContent(BodyOf(message)) { Headers = { ContentType = Json } };
            }

            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseContentRead, cancellation);
            if (response.StatusCode == System.Net.HttpStatusCode.Unauthorized)
            {
                KeyRefused = true;
                if (_throttle.Passes(0, out _))
                {
                    RefusedKey(options.Id, options.Peers[peer]);
                }

                return null;
            }

            if ((int)response.StatusCode is not (200 or 202 or 409))
            {
                Refused(options.Id, options.Peers[peer], PathOf(message), (int)response.StatusCode);
                return null;
            }

            await using var body = await response.Content.ReadAsStreamAsync(cancellation);
            var answer = await JsonSerializer.DeserializeAsync(body, AgentJson.Default.Answer, cancellation);
            faults.Learn(peer, answer?.AgentId);
            return answer;
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException or JsonException or Polly.ExecutionRejectedException)
        {
            Failed(options.Id, options.Peers[peer], PathOf(message), e.Message);
            return null;
        }
    }

    private static string PathOf(Message message) => message switch
    {
        Handshake or Reset => "/reset",
        NewRound => "/new_round",
        Proposal => "/proposal",
        Vote => "/vote",
        Final => "/final",
        StateQuery => "/state",
        _ => throw new ArgumentException($"No call for {message.GetType().Name}.", nameof(message)),
    };

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
            NewRound newRound => JsonSerializer.SerializeToUtf8Bytes(newRound, AgentJson.Default.NewRound),
            Proposal proposal => JsonSerializer.SerializeToUtf8Bytes(proposal, AgentJson.Default.Proposal),
            Vote vote => JsonSerializer.SerializeToUtf8Bytes(vote, AgentJson.Default.Vote),
            Final final => JsonSerializer.SerializeToUtf8Bytes(final, AgentJson.Default.Final),
            _ => EmptyBody,
        };
        _last = new Rendered(message, body);
        return body;
    }

    [LoggerMessage(10, LogLevel.Debug, "[{AgentId}] {Peer}{Path} did not answer: {Why}")]
    private partial void Failed(string agentId, Uri peer, string path, string why);

    [LoggerMessage(12, LogLevel.Warning, "[{AgentId}] {Peer} refuses this agent's CLUSTER_KEY: give all agents of the cluster the same")]
    private partial void RefusedKey(string agentId, Uri peer);

    [LoggerMessage(11, LogLevel.Debug, "[{AgentId}] {Peer}{Path} answered {Code}")]
    private partial void Refused(string agentId, Uri peer, string path, int code);
}
