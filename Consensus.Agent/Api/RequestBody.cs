using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Connections.Features;

namespace Consensus.Agent.Api;

/// <summary>Reads JSON bodies so that whatever is wrong with one is a 4xx that says what to change.</summary>
internal static class RequestBody
{
    /// <summary>The largest body, in bytes: a run of 101 members fits many times.</summary>
    public const int MaxBytes = 64 * 1024;

    /// <summary>Reads a body. It may come without a content type, as the original's clients may send it.</summary>
    /// <returns>The value, or why there is none. An optional body that is missing is null without a problem.</returns>
    public static async ValueTask<(T? Value, IResult? Problem)> ReadAsync<T>(HttpContext context, JsonTypeInfo<T> type, bool optional = false)
        where T : class
    {
        var request = context.Request;
        if (request.ContentLength > MaxBytes)
        {
            return (null, TooLarge);
        }

        try
        {
            var body = request.BodyReader;
            while (true)
            {
                // A connection that ends ends the read, so the read takes no token.
                var read = await body.ReadAsync(CancellationToken.None);
                if (read.Buffer.Length > MaxBytes)
                {
                    body.AdvanceTo(read.Buffer.End);
                    return (null, TooLarge);
                }

                if (read.IsCompleted)
                {
                    var result = Read(request, read.Buffer, type, optional);
                    body.AdvanceTo(read.Buffer.End);
                    return result;
                }

                body.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            }
        }
        catch (BadHttpRequestException e)
        {
            // Where the next request would begin cannot be told. A header would not do where the client is gone: Kestrel would
            // write none, read on, and log that a read is in progress.
            context.Features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose();
            return (null, e.StatusCode switch
            {
                413 => TooLarge,
                408 => Problem(408, "The body came too slowly; send it at once."),
                _ => Problem(e.StatusCode, $"The body could not be read: {e.Message}"),
            });
        }
    }

    /// <summary>A problem whose detail says what to change.</summary>
    public static IResult Problem(int status, string detail, string? reason = null, IReadOnlyList<string>? missing = null, IReadOnlyList<string>? isolated = null)
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

    private static IResult TooLarge => Problem(413, $"The body is too long; at most {MaxBytes} bytes are taken.");

    private static (T? Value, IResult? Problem) Read<T>(HttpRequest request, in ReadOnlySequence<byte> body, JsonTypeInfo<T> type, bool optional)
        where T : class
    {
        if (body.IsEmpty)
        {
            return (null, optional ? null : Problem(400, "The body is missing; send a JSON object."));
        }

        if (request.ContentType is not null && !request.HasJsonContentType())
        {
            return (null, Problem(415, "Send the body as JSON, with the header Content-Type: application/json."));
        }

        var bytes = body.IsSingleSegment ? body.FirstSpan : body.ToArray();
        try
        {
            return JsonSerializer.Deserialize(bytes, type) is { } value ? (value, null) : (null, Problem(400, "The body is null; send a JSON object."));
        }
        catch (JsonException e)
        {
            return (null, Problem(400, BodyComplaint.About(bytes.ToArray(), type) ?? $"The body is not what this call takes: {e.Message}"));
        }
    }
}
