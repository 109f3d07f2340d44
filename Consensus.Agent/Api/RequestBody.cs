using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http.Features;

namespace Consensus.Agent.Api;

/// <summary>Reads JSON bodies so that whatever is wrong with one is a 4xx that says what to change.</summary>
internal static class RequestBody
{
    /// <summary>The largest body, in bytes: a run of 101 members fits many times.</summary>
    public const int MaxBytes = 64 * 1024;

    /// <summary>Reads a body.</summary>
    /// <returns>The value, or why there is none. An optional body that is missing is the default value without a problem.</returns>
    public static async ValueTask<(T? Value, IResult? Problem)> ReadAsync<T>(HttpContext context, JsonTypeInfo<T> type, bool optional = false)
        where T : class
    {
        var request = context.Request;
        if (optional && (request.ContentLength == 0 || !context.Features.GetRequiredFeature<IHttpRequestBodyDetectionFeature>().CanHaveBody))
        {
            return (null, null);
        }

        if (request.ContentLength > MaxBytes)
        {
            return (null, Problem(413, $"The body is {request.ContentLength} bytes long; at most {MaxBytes} are taken."));
        }

        if (!request.HasJsonContentType())
        {
            return (null, Problem(415, "Send the body as JSON, with the header Content-Type: application/json."));
        }

        try
        {
            var value = await JsonSerializer.DeserializeAsync(request.BodyReader, type, context.RequestAborted);
            return value is null ? (null, Problem(400, "The body is null; send a JSON object.")) : (value, null);
        }
        catch (JsonException e)
        {
            return (null, Problem(400, $"The body is not what this call takes: {e.Message}"));
        }
        catch (BadHttpRequestException e)
        {
            return (null, Problem(e.StatusCode, e.StatusCode == 413 ? $"At most {MaxBytes} bytes are taken." : $"The body could not be read: {e.Message}"));
        }
    }

    /// <summary>A problem whose detail says what to change.</summary>
    public static IResult Problem(int status, string detail, string? reason = null, IReadOnlyList<string>? missing = null)
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

        return TypedResults.Problem(detail, statusCode: status, extensions: extensions);
    }
}
