using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Consensus.Tests.AppHost;

/// <summary>A program on an agent's port that is none of the cluster's agents.</summary>
internal sealed class Intruder : IAsyncDisposable
{
    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _end = new();
    private readonly Task _serving;

    public Intruder(int port)
    {
        _listener = new TcpListener(IPAddress.Loopback, port);
        _listener.Start();
        _serving = ServeAsync();
    }

    /// <summary>Kinds of answers that no agent gives.</summary>
    public static IReadOnlyList<string> Answers { get; } =
    [
        Response("200 OK", "text/html", "<h1>It works</h1>"),
        Response("200 OK", "application/json", "null"),
        Response("200 OK", "application/json", "{}"),
        Response("200 OK", "application/json", "[]"),
        Response("200 OK", "application/json", """{"agent_id":7}"""),
        Response("200 OK", "application/json", """{"agent_id":"agent9","round":1,"attempts":1}"""),
        Response("200 OK", "application/json", """{"agent_id":"agent1","round":1,"attempts":1}"""),
        Response("200 OK", "application/json", new string(' ', 10_000_000)),
        Response("422 Unprocessable Content", "application/json", """{"detail":[1]}"""),
        "HTTP/1.1 302 Found\r\nLocation: http://localhost:1/\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"agent_id\"",
        "SSH-2.0-OpenSSH_9.2\r\n",
    ];

    /// <summary>The requests that came in. Where it hangs, the rest that the client sent follows each.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>What it answers to every call; then it closes the connection, unless it hangs.</summary>
    public string Answer { get; set; } = Answers[0];

    /// <summary>Whether it keeps the connection open until the client closes it.</summary>
    public bool Hangs { get; set; }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _serving;
        _listener.Dispose();
        _end.Dispose();
    }

    private static string Response(string status, string type, string body) =>
        $"HTTP/1.1 {status}\r\nContent-Type: {type}\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n{body}";

    private async Task ServeAsync()
    {
        var request = new byte[4096];
        while (true)
        {
            try
            {
                using var client = await _listener.AcceptTcpClientAsync(_end.Token);
                var read = await client.GetStream().ReadAtLeastAsync(request, 1, cancellationToken: _end.Token);
                Requests.Enqueue(Encoding.UTF8.GetString(request, 0, read));
                await client.GetStream().WriteAsync(Encoding.UTF8.GetBytes(Answer), _end.Token);
                if (Hangs)
                {
                    // The client's end ends the read, so that the rest is there even where this one is disposed of meanwhile.
                    Requests.Enqueue(await new StreamReader(client.GetStream()).ReadToEndAsync(CancellationToken.None));
                }
            }
            catch (IOException)
            {
                // The client has read enough.
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }
}
