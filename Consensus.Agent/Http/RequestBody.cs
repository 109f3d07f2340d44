using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Consensus.Protocol;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Net.Http.Headers;

namespace Consensus.Agent.Http;

/// <summary>Reads JSON bodies. A wrong body gets a 4xx with what to change.</summary>
internal static class RequestBody
{
    /// <summary>Reads a body. It may come without a content type, as the original's clients may send it.</summary>
    /// <param name="context">The request.</param>
    /// <param name="type">What the body is.</param>
    /// <param name="optional">Whether the body may be missing.</param>
    /// <param name="ignored">Receives the names of fields that the type does not have; null: they are not collected.</param>
    /// <returns>The value, or why there is none. An optional body that is missing is null without a problem.</returns>
    public static async ValueTask<(T? Value, IResult? Problem)> ReadAsync<T>(
        HttpContext context, JsonTypeInfo<T> type, bool optional = false, List<string>? ignored = null)
        where T : class
    {
        var request = context.Request;
        if (request.ContentLength > WireLimits.MaxBodyBytes)
        {
            return (null, TooLarge);
        }

        try
        {
            var body = request.BodyReader;
            while (true)
            {
                // The end of the connection also ends the read, so the read takes no token.
                var read = await body.ReadAsync(CancellationToken.None);
                if (read.Buffer.Length > WireLimits.MaxBodyBytes)
                {
                    body.AdvanceTo(read.Buffer.End);
                    return (null, TooLarge);
                }

                if (read.IsCompleted)
                {
                    var result = Read(request, read.Buffer, type, optional, ignored);
                    body.AdvanceTo(read.Buffer.End);
                    return result;
                }

                body.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            }
        }
        catch (BadHttpRequestException e)
        {
            // The start of the next request is unknown, so the connection closes. The header Connection is not enough: where
            // the client is gone, Kestrel writes no header, reads on, and logs that a read is in progress.
            context.Features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose();
            return (null, e.StatusCode switch
            {
                413 => TooLarge,
                408 => Problem(408, "The body came too slowly; send it at once."),
                _ => Problem(e.StatusCode, $"The body could not be read: {e.Message}"),
            });
        }
    }

    /// <summary>A problem. Its detail is what to change.</summary>
    public static IResult Problem(
        int status, string detail, string? reason = null, IReadOnlyList<string>? missing = null, IReadOnlyList<string>? isolated = null)
    {
        var extensions = new Dictionary<string, object?>();
        if (reason is not null)
        {
            extensions["reason"] = reason;
        }

        if (missing is not null)
        {
            extensions["missing"] = missing;
        }

        if (isolated is { Count: > 0 })
        {
            extensions["isolated"] = isolated;
        }

        return TypedResults.Problem(detail, statusCode: status, extensions: extensions);
    }

    private static IResult TooLarge => Problem(413, $"The body is too long; at most {WireLimits.MaxBodyBytes} bytes are taken.");

    private static (T? Value, IResult? Problem) Read<T>(
        HttpRequest request, in ReadOnlySequence<byte> body, JsonTypeInfo<T> type, bool optional, List<string>? ignored)
        where T : class
    {
        var bytes = body.IsSingleSegment ? body.First : body.ToArray();

        // Files that tools on Windows write begin with a byte order mark.
        if (bytes.Span.StartsWith("\uFEFF"u8))
        {
            bytes = bytes[3..];
        }

        if (bytes.IsEmpty)
        {
            return (null, optional ? null : Problem(400, "The body is missing; send a JSON object."));
        }

        if (Unsupported(request, bytes.Span) is { } why)
        {
            return (null, Problem(415, why));
        }

        try
        {
            if (JsonSerializer.Deserialize(bytes.Span, type) is not { } value)
            {
                return (null, Problem(400, "The body is null; send a JSON object."));
            }

            if (ignored is not null)
            {
                UnknownFields.AddTo(ignored, bytes, type);
            }

            return (value, null);
        }
        catch (JsonException e)
        {
            return (null, Problem(400, JsonErrorDescription.About(bytes, type) ?? $"The body is not what this call takes: {e.Message}"));
        }
    }

    /// <summary>Says what to send in place of a body that is no JSON in UTF-8; null where it may be that.</summary>
    private static string? Unsupported(HttpRequest request, ReadOnlySpan<byte> body)
    {
        if (request.Headers.ContentEncoding is { Count: > 0 } encoding && !"identity".Equals(encoding, StringComparison.OrdinalIgnoreCase))
        {
            // RFC 9110, 15.5.16: how a body may be encoded.
            request.HttpContext.Response.Headers.AcceptEncoding = "identity";
            return "The body is compressed; send it uncompressed, without the header Content-Encoding.";
        }

        // ASCII in UTF-16 has a zero in every other byte, and JSON begins with ASCII.
        if (body.StartsWith<byte>([0xFF, 0xFE]) || body.StartsWith<byte>([0xFE, 0xFF]) || body[..Math.Min(2, body.Length)].Contains((byte)0)
            || (request.ContentType is { } type && MediaTypeHeaderValue.TryParse(type, out var parsed)
                && parsed.Charset.StartsWith("utf-16", StringComparison.OrdinalIgnoreCase)))
        {
            return "The body is UTF-16; send JSON in UTF-8.";
        }

        return request.ContentType is null || request.HasJsonContentType() || IsJsonInForm(request, body) ? null
            : "Send the body as JSON, with the header Content-Type: application/json.";
    }

    /// <summary>
    /// Whether this is JSON under the content type of a form, as curl -d sends it. No form of a page makes it, since a browser
    /// encodes the braces. <see cref="CrossSiteProtection"/> refuses what scripts of other sites send, by its origin.
    /// </summary>
    private static bool IsJsonInForm(HttpRequest request, ReadOnlySpan<byte> body) =>
        request.ContentType!.StartsWith("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase)
        && body.TrimStart(" \t\r\n"u8) is [(byte)'{', ..];
}
