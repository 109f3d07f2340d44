using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Consensus.Agent.Peers;

/// <summary>Reads what the other agents show to everybody.</summary>
public sealed class ClusterClient(HttpClient http)
{
    /// <summary>Reads one JSON document.</summary>
    /// <returns>It, or null where the peer did not answer in time (1 s unless <paramref name="atMost"/> says more).</returns>
    public async Task<T?> GetAsync<T>(
        Uri peer, string pathAndQuery, JsonTypeInfo<T> type, CancellationToken cancellation, TimeSpan? atMost = null)
        where T : class
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        timeout.CancelAfter(atMost ?? PeerClient.Timeout);
        try
        {
            using var response = await http.GetAsync(new Uri(peer, pathAndQuery), HttpCompletionOption.ResponseHeadersRead, timeout.Token);
            if (!response.IsSuccessStatusCode)
            {
                return null;
            }

            await using var body = await response.Content.ReadAsStreamAsync(timeout.Token);
            return await JsonSerializer.DeserializeAsync(body, type, timeout.Token);
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException or JsonException or IOException)
        {
            return null;
        }
    }
}
