using System.CommandLine;
using Consensus.Agent.Configuration;
using Consensus.Protocol;
using Consensus.ServiceDefaults;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Consensus.Agent.Commands;

/// <summary><c>health [--url URL]</c>: prints the response of an agent to <c>GET /health</c>, for images without curl.</summary>
internal static class HealthCommand
{
    private static readonly TimeSpan ResponseTimeout = TimeSpan.FromSeconds(5);

    private static readonly Option<Uri> Url = UrlOption.Create(OwnAddress);

    /// <summary>Creates the command.</summary>
    public static Command Create()
    {
        var command = new Command("health", "Print an agent's health (exit code 0: healthy or degraded, 1: unhealthy or no answer).")
        {
            Url,
        };
        command.SetAction(AskAsync);
        return command;
    }

    /// <summary>Where the agent that is configured by the same environment listens.</summary>
    private static Uri OwnAddress()
    {
        var configuration = new ConfigurationBuilder().AddEnvironmentVariables("ASPNETCORE_").AddEnvironmentVariables().Build();
        return Listener.From(configuration)[0].Shown;
    }

    private static async Task<int> AskAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var url = UrlOption.Read(parsed, Url);

        // A proxy of the environment is for calls to elsewhere; the agent is reached without one.
        using var http = new HttpClient(DirectHttp.CreateHandler(proxy: null))
        {
            Timeout = ResponseTimeout, MaxResponseContentBufferSize = WireLimits.MaxBodyBytes,
        };
        try
        {
            using var response = await http.GetAsync(new Uri(url, Extensions.HealthPath), cancellation);
            return Print(url, (int)response.StatusCode, await response.Content.ReadAsStringAsync(cancellation));
        }
        catch (HttpRequestException e)
        {
            throw new ConfigurationException($"{url} does not answer ({TlsFailure.Describe(e)}).");
        }
        catch (TaskCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new ConfigurationException($"{url} did not answer in {ResponseTimeout.TotalSeconds:0} s.");
        }
    }

    /// <summary>Prints the status, and below it the reasons where the agent gives any.</summary>
    private static int Print(Uri url, int code, string body)
    {
        var lines = body.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (lines.Length == 0 || !Enum.TryParse<HealthStatus>(lines[0], out var status) || !Enum.IsDefined(status))
        {
            throw new ConfigurationException($"{url} answered {code} without a health status: is it an agent?");
        }

        Array.ForEach(lines, Console.WriteLine);
        return status == HealthStatus.Unhealthy ? 1 : 0;
    }
}
