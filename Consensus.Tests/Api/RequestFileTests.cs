using System.Text.RegularExpressions;
using Consensus.Agent;
using Consensus.Agent.Configuration;
using Consensus.Agent.Hosting;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.DependencyInjection;

namespace Consensus.Tests.Api;

/// <summary><c>Consensus.http</c> is the list of what an agent can be asked.</summary>
[Trait(Category.Name, Category.Fast)]
public sealed partial class RequestFileTests
{
    [Fact]
    public async Task There_is_a_request_for_each_endpoint()
    {
        await using var app = AgentApplication.Build(
            new AgentOptions { Id = "agent1", Peers = [new Uri("http://localhost:1")], Faults = true }, []);
        var asked = Requests().Matches(File.ReadAllText(Path.Combine(SourceTree.Root, "Consensus.http")))
            .Select(request => (Method: request.Groups[1].Value, Segments: Split(request.Groups[2].Value))).ToList();
        var endpoints = ((IEndpointRouteBuilder)app).DataSources.SelectMany(source => source.Endpoints).OfType<RouteEndpoint>()

            // What a page loads is no request that anybody would make.
            .Where(endpoint => endpoint.RoutePattern.RawText
                is not ("/scalar/scalar.js" or "/scalar/scalar.aspnetcore.js" or "/scalar/favicon.svg")).ToList();
        Assert.True(endpoints.Count > 15, $"{endpoints.Count} endpoints");

        var missing = endpoints
            .SelectMany(endpoint => (endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["GET"])
                .Select(method => (Method: method, endpoint.RoutePattern)))
            .Where(endpoint => !asked.Any(request => request.Method == endpoint.Method && Fits(request.Segments, endpoint.RoutePattern)))
            .Select(endpoint => $"{endpoint.Method} {endpoint.RoutePattern.RawText}")
            .ToList();

        Assert.True(missing.Count == 0, string.Join(", ", missing));
    }

    private static bool Fits(string[] asked, RoutePattern pattern)
    {
        var required = pattern.PathSegments.Count(segment =>
            segment.Parts is not [RoutePatternParameterPart { IsOptional: true } or RoutePatternParameterPart { IsCatchAll: true }]);
        return asked.Length >= required && asked.Length <= pattern.PathSegments.Count
            && asked.Zip(pattern.PathSegments)
                .All(pair => pair.Second.Parts is not [RoutePatternLiteralPart literal] || literal.Content == pair.First);
    }

    private static string[] Split(string path) => path.Split('/', StringSplitOptions.RemoveEmptyEntries);

    [GeneratedRegex(@"^(GET|POST|PUT|DELETE) \{\{agent\}\}([^\s?]*)", RegexOptions.Multiline)]
    private static partial Regex Requests();
}
