using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Consensus.Agent.Configuration;
using Consensus.Protocol;

namespace Consensus.Agent.Peers;

/// <summary>
/// Reads what the other agents show to everybody. A call throws <see cref="OperationCanceledException"/> where its caller ends it.
/// </summary>
internal sealed class AgentApiClient(HttpClient http, AgentOptions options)
{
    /// <summary>Reads one JSON document.</summary>
    /// <returns>
    /// It, or null where the peer did not respond in time (<see cref="AgentOptions.CallTimeout"/> unless
    /// <paramref name="atMost"/> is longer).
    /// </returns>
    public Task<T?> GetAsync<T>(
        Uri peer, string pathAndQuery, JsonTypeInfo<T> type, CancellationToken cancellation, TimeSpan? atMost = null)
        where T : class =>
        ReadAsync(peer, pathAndQuery,
            (body, timeout) => JsonSerializer.DeserializeAsync(body, type, timeout).AsTask(), cancellation, atMost);

    /// <summary>Reads a recording.</summary>
    /// <returns>It, or null where the peer did not respond in time, or has none.</returns>
    public Task<Recording?> GetRecordingAsync(Uri peer, string pathAndQuery, CancellationToken cancellation) =>
        ReadAsync(peer, pathAndQuery, async (body, timeout) =>
        {
            var bytes = new MemoryStream();
            await body.CopyToAsync(bytes, timeout);
            return Recording.FromBytes(bytes.ToArray());
        }, cancellation);

    private async Task<T?> ReadAsync<T>(
        Uri peer, string pathAndQuery, Func<Stream, CancellationToken, Task<T?>> read,
        CancellationToken cancellation, TimeSpan? atMost = null)
        where T : class
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        timeout.CancelAfter(atMost ?? options.CallTimeout);
        try
        {
            using var response = await http.GetAsync(new Uri(peer, pathAndQuery), HttpCompletionOption.ResponseHeadersRead, timeout.Token);
            if (!response.IsSuccessStatusCode)
            {
                return null;
            }

            await using var body = await response.Content.ReadAsStreamAsync(timeout.Token);
            return await read(body, timeout.Token);
        }
        catch (Exception e)
            when (e is HttpRequestException or OperationCanceledException or JsonException or FormatException or IOException)
        {
            // A caller that leaves says nothing about the peer.
            cancellation.ThrowIfCancellationRequested();
            return null;
        }
    }

    /// <summary>Reads the same JSON document of every peer, at once.</summary>
    /// <returns>One for each peer, in their order; null where it did not respond in time.</returns>
    public Task<T?[]> GetAllAsync<T>(IReadOnlyList<Uri> peers, string pathAndQuery, JsonTypeInfo<T> type, CancellationToken cancellation)
        where T : class => AllAsync(peers, peer => GetAsync(peer, pathAndQuery, type, cancellation));

    /// <summary>Reads from every peer, at once.</summary>
    /// <returns>What <paramref name="read"/> returned for each peer, in their order.</returns>
    public static async Task<T[]> AllAsync<T>(IReadOnlyList<Uri> peers, Func<Uri, Task<T>> read)
    {
        var all = await Task.WhenAll(peers.Select(read));

        // The last answer may have come by the thread that polls the sockets. What follows, a merge of timelines, would hold it up.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        return all;
    }

    /// <summary>Passes a call on: one attempt.</summary>
    /// <returns>The status and the body as they came; no status where the peer did not respond in time.</returns>
    public async Task<(int? Status, string Body)> SendAsync<T>(
        HttpMethod method, Uri peer, string path, T? body, JsonTypeInfo<T> type, CancellationToken cancellation)
        where T : class
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        timeout.CancelAfter(options.CallTimeout);
        try
        {
            using var request = new HttpRequestMessage(method, new Uri(peer, path));
            request.Content = body is null ? null : JsonContent.Create(body, type);
            using var response = await http.SendAsync(request, timeout.Token);
            return ((int)response.StatusCode, await response.Content.ReadAsStringAsync(timeout.Token));
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
        {
            cancellation.ThrowIfCancellationRequested();
            return (null, "");
        }
    }
}
