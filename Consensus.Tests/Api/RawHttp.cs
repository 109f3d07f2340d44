using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Consensus.Tests.Api;

/// <summary>An answer as it came over the wire.</summary>
internal sealed record RawAnswer(int Status, IReadOnlyDictionary<string, string> Headers, string Body)
{
    public string ContentType => Headers.GetValueOrDefault("content-type", "");

    public JsonElement Json => JsonDocument.Parse(Body).RootElement;

    /// <summary>The problem's sentence; empty where the answer is no problem.</summary>
    public string Detail =>
        ContentType.StartsWith("application/problem+json", StringComparison.Ordinal) && Json.TryGetProperty("detail", out var detail)
            ? detail.GetString()! : "";
}

/// <summary>A connection on which any bytes can be sent, also such as no HTTP client would send.</summary>
internal sealed class RawHttp(Uri agent) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    private TcpClient? _connection;
    private NetworkStream? _stream;
    private byte[] _read = new byte[16 * 1024];
    private int _start;
    private int _end;

    /// <summary>A request with a body, its length and its type given.</summary>
    public static byte[] Request(string method, string path, byte[]? body, params string[] headers)
    {
        var head = new StringBuilder($"{method} {path} HTTP/1.1\r\n");
        if (!headers.Any(header => header.StartsWith("Host:", StringComparison.OrdinalIgnoreCase)))
        {
            head.Append("Host: localhost\r\n");
        }

        foreach (var header in headers)
        {
            head.Append(header).Append("\r\n");
        }

        if (body is not null && !headers.Any(header => header.StartsWith("Transfer-Encoding:", StringComparison.OrdinalIgnoreCase)))
        {
            head.Append(CultureInfo.InvariantCulture, $"Content-Length: {body.Length}\r\n");
        }

        return [.. Encoding.Latin1.GetBytes(head.Append("\r\n").ToString()), .. body ?? []];
    }

    /// <summary>Sends bytes and reads one answer; null where the agent closed the connection without one.</summary>
    /// <param name="request">What to send.</param>
    /// <param name="end">Whether nothing more will be sent.</param>
    /// <param name="noBody">
    /// Whether no body is read: the answer to <c>HEAD</c> has none, and that of a stream never ends. The connection is then closed.
    /// </param>
    /// <exception cref="TimeoutException">There was neither an answer nor an end in time.</exception>
    public async Task<RawAnswer?> SendAsync(byte[] request, bool end = false, bool noBody = false)
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            if (_connection is null)
            {
                _connection = new TcpClient { NoDelay = true };
                await _connection.ConnectAsync(agent.Host, agent.Port, patience.Token);
                _stream = _connection.GetStream();
            }

            var sending = WriteAsync(request, end, patience.Token);
            var answer = await ReadAsync(noBody, patience.Token);
            await sending;
            if (end || noBody || answer is null || answer.Headers.GetValueOrDefault("connection") == "close")
            {
                Close();
            }

            return answer;
        }
        catch (OperationCanceledException)
        {
            Close();
            throw new TimeoutException($"No answer in {Patience.TotalSeconds} s.");
        }
        catch (IOException)
        {
            Close();
            return null;
        }
    }

    public void Dispose() => Close();

    private void Close()
    {
        _connection?.Dispose();
        _connection = null;
        _start = _end = 0;
    }

    private async Task WriteAsync(byte[] request, bool end, CancellationToken cancellation)
    {
        try
        {
            await _stream!.WriteAsync(request, cancellation);
            if (end)
            {
                _connection!.Client.Shutdown(SocketShutdown.Send);
            }
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            // It refused before all was sent; its answer may be there all the same.
        }
    }

    private async Task<RawAnswer?> ReadAsync(bool noBody, CancellationToken cancellation)
    {
        while (true)
        {
            if (await LineAsync(cancellation) is not { } first)
            {
                return null;
            }

            var status = int.Parse(first.AsSpan(9, 3), CultureInfo.InvariantCulture);
            var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
            while (await LineAsync(cancellation) is { Length: > 0 } line)
            {
                var colon = line.IndexOf(':', StringComparison.Ordinal);
                headers[line[..colon]] = line[(colon + 1)..].Trim();
            }

            if (status >= 200)
            {
                return new RawAnswer(status, headers, noBody || status is 204 or 304 ? "" : await BodyAsync(headers, cancellation));
            }
        }
    }

    private async Task<string> BodyAsync(Dictionary<string, string> headers, CancellationToken cancellation)
    {
        if (headers.TryGetValue("content-length", out var length))
        {
            return await TakeAsync(int.Parse(length, CultureInfo.InvariantCulture), cancellation);
        }

        var body = new StringBuilder();
        while (headers.ContainsKey("transfer-encoding") && await LineAsync(cancellation) is { } size)
        {
            var count = int.Parse(size, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            body.Append(await TakeAsync(count, cancellation));
            await LineAsync(cancellation);
            if (count == 0)
            {
                break;
            }
        }

        return body.ToString();
    }

    private async Task<string?> LineAsync(CancellationToken cancellation)
    {
        while (true)
        {
            var found = _read.AsSpan(_start, _end - _start).IndexOf("\r\n"u8);
            if (found >= 0)
            {
                var line = Encoding.Latin1.GetString(_read, _start, found);
                _start += found + 2;
                return line;
            }

            if (!await MoreAsync(cancellation))
            {
                return null;
            }
        }
    }

    private async Task<string> TakeAsync(int count, CancellationToken cancellation)
    {
        while (_end - _start < count)
        {
            if (!await MoreAsync(cancellation))
            {
                throw new IOException("The answer ended early.");
            }
        }

        var text = Encoding.UTF8.GetString(_read, _start, count);
        _start += count;
        return text;
    }

    private async Task<bool> MoreAsync(CancellationToken cancellation)
    {
        if (_start > 0)
        {
            _read.AsSpan(_start, _end - _start).CopyTo(_read);
            (_start, _end) = (0, _end - _start);
        }

        if (_end == _read.Length)
        {
            Array.Resize(ref _read, _read.Length * 2);
        }

        var count = await _stream!.ReadAsync(_read.AsMemory(_end), cancellation);
        _end += count;
        return count > 0;
    }
}
