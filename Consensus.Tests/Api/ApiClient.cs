using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json;

namespace Consensus.Tests.Api;

/// <summary>Speaks HTTP to one agent and shows answers as they came.</summary>
internal sealed class ApiClient(Uri agent) : IDisposable
{
    private readonly HttpClient _http =
        new(new SocketsHttpHandler { ActivityHeadersPropagator = null }) { BaseAddress = agent, Timeout = TimeSpan.FromSeconds(60) };

    public Task<(HttpStatusCode Code, JsonElement Body)> Post(string path, string? json = null) =>
        Send(HttpMethod.Post, path, json is null ? null : Json(json));

    public Task<(HttpStatusCode Code, JsonElement Body)> Put(string path, string json) => Send(HttpMethod.Put, path, Json(json));

    public Task<(HttpStatusCode Code, JsonElement Body)> Get(string path) => Send(HttpMethod.Get, path, null);

    public Task<byte[]> GetBytes(string path) => _http.GetByteArrayAsync(new Uri(path, UriKind.Relative));

    public async Task<(HttpStatusCode Code, JsonElement Body)> Send(HttpMethod method, string path, HttpContent? content)
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        using var response = await _http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return (response.StatusCode, text.StartsWith('{') ? JsonDocument.Parse(text).RootElement : default);
    }

    /// <summary>Reads a path until the answer holds it, at most 30 s.</summary>
    public async Task UntilAsync(string path, Func<JsonElement, bool> holds)
    {
        var clock = Stopwatch.StartNew();
        while (!holds((await Get(path)).Body))
        {
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(30), $"{path} did not come to hold it in 30 s.");
            await Task.Delay(20);
        }
    }

    /// <summary>Waits until each peer of the agent has answered it once. The agent may inject faults.</summary>
    public Task UntilPeersAnsweredAsync() =>
        // An agent names a peer by its address until its first response.
        UntilAsync("/faults", faults => faults.GetProperty("peers").EnumerateArray()
            .All(peer => peer.GetString()!.StartsWith("agent", StringComparison.Ordinal)));

    public static StringContent Json(string json) => new(json, Encoding.UTF8, "application/json");

    public void Dispose() => _http.Dispose();
}
