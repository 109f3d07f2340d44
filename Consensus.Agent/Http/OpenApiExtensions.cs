using System.Globalization;
using Consensus.Protocol;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Consensus.Agent.Http;

/// <summary>The descriptions of endpoints in the API's description.</summary>
internal static class OpenApiExtensions
{
    private const string Anything = "*/*";

    /// <summary>
    /// Describes the body. A body that is not JSON reaches <see cref="RequestBody"/>: routing would refuse a
    /// body without a content type too, as the original's clients may send it.
    /// </summary>
    public static RouteHandlerBuilder AcceptsJson<T>(this RouteHandlerBuilder endpoint, bool isOptional = false)
        where T : notnull => endpoint.Accepts<T>(isOptional, "application/json", Anything);

    /// <summary>
    /// Completes a response whose client has left. Clients that ask meanwhile wait for the same response in the output cache,
    /// and would otherwise get its failure: a page that is reloaded gets 500.
    /// </summary>
    public static void IgnoreClientAbort(this IEndpointConventionBuilder endpoint) => endpoint.Add(built =>
    {
        var respond = built.RequestDelegate!;
        built.RequestDelegate = context =>
        {
            context.RequestAborted = CancellationToken.None;
            return respond(context);
        };
    });

    /// <summary>Describes the options of a run from their table.</summary>
    public static Task RunOptions(OpenApiSchema schema, OpenApiSchemaTransformerContext context, CancellationToken cancellation)
    {
        foreach (var option in context.JsonTypeInfo.Type == typeof(RunRequest) ? RunOption.All : [])
        {
            var property = schema.Properties![option.Name];
            property.Description = option.Default is { } value ? $"{option.Description} Default: {value}." : option.Description;
            if (property is OpenApiSchema number && option.Choices.Count == 0)
            {
                (number.Minimum, number.Maximum) =
                    (option.Min.ToString(CultureInfo.InvariantCulture), option.Max.ToString(CultureInfo.InvariantCulture));
            }
        }

        return Task.CompletedTask;
    }

    /// <summary>Removes a content type that endpoints accept only to refuse it with a clear sentence.</summary>
    public static Task OnlyJson(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancellation)
    {
        operation.RequestBody?.Content?.Remove(Anything);
        return Task.CompletedTask;
    }
}
