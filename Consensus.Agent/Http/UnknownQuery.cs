using System.Reflection;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Mvc;

namespace Consensus.Agent.Http;

/// <summary>
/// Refuses query parameters that an endpoint does not take: a mistyped name would otherwise change nothing, in silence. Endpoints without
/// any query parameter ignore what comes, as the original's do.
/// </summary>
internal static class UnknownQuery
{
    /// <summary>Adds the check to all endpoints of a group.</summary>
    public static void RefuseUnknownQuery(this IEndpointConventionBuilder group) => group.Finally(endpoint =>
    {
        List<string> taken =
            [.. endpoint.Metadata.OfType<IParameterBindingMetadata>().Where(one => IsQuery(one.ParameterInfo, endpoint)).Select(NameOf)];
        if (taken.Count > 0)
        {
            endpoint.Metadata.Add(new Taken(taken));
        }
    });

    /// <summary>Checks each request. After routing.</summary>
    public static void UseUnknownQuery(this WebApplication app) => app.Use((context, next) =>
    {
        if (!context.Request.QueryString.HasValue || context.GetEndpoint()?.Metadata.GetMetadata<Taken>() is not { } taken)
        {
            return next(context);
        }

        var unknown = context.Request.Query.Keys.FirstOrDefault(name => !taken.Names.Contains(name, StringComparer.OrdinalIgnoreCase));
        return unknown is null ? next(context) : RequestBody.Problem(
            400, $"{JsonErrorDescription.Short(unknown)} is no query parameter here; this path takes {string.Join(", ", taken.Names)}.")
            .ExecuteAsync(context);
    });

    private static bool IsQuery(ParameterInfo parameter, EndpointBuilder endpoint) =>
        (parameter.ParameterType == typeof(string) || parameter.ParameterType == typeof(string[]))
        && parameter.GetCustomAttribute<FromHeaderAttribute>() is null
        && (endpoint as RouteEndpointBuilder)?.RoutePattern.GetParameter(parameter.Name!) is null;

    private static string NameOf(IParameterBindingMetadata one) =>
        one.ParameterInfo.GetCustomAttribute<FromQueryAttribute>()?.Name ?? one.Name;

    private sealed record Taken(IReadOnlyList<string> Names);
}
