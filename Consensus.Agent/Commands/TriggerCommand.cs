using System.CommandLine;
using System.Net.Http.Json;
using System.Text.Json;
using Consensus.Agent.Api;
using Consensus.Agent.Configuration;
using Consensus.Protocol;
using Consensus.ServiceDefaults;

namespace Consensus.Agent.Commands;

/// <summary><c>trigger [ROUND]</c>: starts a run, waits, and prints what every agent decided.</summary>
internal static class TriggerCommand
{
    private static readonly TimeSpan ResponseTimeout = TimeSpan.FromSeconds(30);

    private static readonly Argument<int> Round = new("ROUND") { Description = "The start round.", DefaultValueFactory = _ => 1 };
    private static readonly Option<Uri> Url = UrlOption.Create(() => new Uri("http://localhost:5001"));
    private static readonly Option<string?> Proxy =
        new("--proxy") { Description = "The proxy to call it through. [default: none, whatever HTTP_PROXY says]", HelpName = "URL" };
    private static readonly RunOptions Run = new(RunOption.All.Where(option => option != RunOption.Round), hasDefaults: false);

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var command = new Command("trigger",
            "Start a run, wait, and print what every agent decided (exit code 0: agreed, 1: not in time, 2: disagreed).")
        {
            Round, Url, Proxy,
        };
        command.SetAction(TriggerAsync);
        return Run.AddTo(command);
    }

    private static async Task<int> TriggerAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var url = UrlOption.Read(parsed, Url);
        var proxy = parsed.GetValue(Proxy) is { } given ? AgentOptions.ProxyFrom(given, "--proxy") : null;
        using var http = new HttpClient(DirectHttp.CreateHandler(proxy)) { Timeout = ResponseTimeout + TimeSpan.FromSeconds(5) };
        try
        {
            return await TriggerAsync(http, url, parsed, cancellation);
        }
        catch (HttpRequestException e)
        {
            throw new ConfigurationException(
                $"{url} does not answer ({TlsFailure.Describe(e)}). Start the agents with: dotnet run --project Consensus.Agent");
        }
        catch (JsonException)
        {
            throw new ConfigurationException($"{url} did not answer as an agent does: is it one?");
        }
        catch (TaskCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new ConfigurationException($"{url} did not answer in {http.Timeout.TotalSeconds:0} s.");
        }
    }

    private static async Task<int> TriggerAsync(HttpClient http, Uri url, ParseResult parsed, CancellationToken cancellation)
    {
        var body = Run.Read(parsed) with { Round = parsed.GetValue(Round) };
        using var response = await http.PostAsJsonAsync(
            new Uri(url, $"/run?wait={ResponseTimeout.TotalSeconds:0}"), body, AgentJson.Default.RunRequest, cancellation);
        if ((int)response.StatusCode is not (200 or 202))
        {
            var problem = await response.Content.ReadFromJsonAsync(AgentJson.Default.ProblemDetails, cancellation);
            throw new ConfigurationException($"{url} answered {(int)response.StatusCode}: {problem?.Detail}");
        }

        var started = (await response.Content.ReadFromJsonAsync(AgentJson.Default.RunResponse, cancellation))!;
        Console.WriteLine(started.Run is { } run
            ? $"Run {run}, {started.Rule.WireName()} rule" : "A bare run by the classic rule: an original agent takes part");

        if (started.Ignored is { } ignored)
        {
            Console.WriteLine($"The agent does not know, and ignored: {string.Join(", ", ignored)}");
        }

        var responses = await Task.WhenAll(
            (await AgentsAsync(http, url, cancellation)).Select(agent => AskAsync(http, agent, started.Run, cancellation)));
        foreach (var (agent, outcome) in responses)
        {
            Console.WriteLine($"  {agent,-12} {Describe(outcome)}");
        }

        var values = responses.Where(one => one.Outcome is { Reached: true }).Select(one => one.Outcome!.Value).Distinct().ToList();
        var (verdict, code) = values.Count > 1 ? ("The agents DISAGREE.", 2)
            : started.Outcome is { Reached: true } && responses.All(one => one.Outcome is null or { Reached: true })
                ? ($"Agreed on {values.Single()}.", 0)
            : ($"Not reached in {ResponseTimeout.TotalSeconds:0} s.", 1);
        Console.WriteLine(verdict);
        return code;
    }

    private static string Describe(ConsensusResponse? response) => response switch
    {
        null => "does not answer",
        { Reached: true } => $"decided {response.Value} in round {response.Round} "
            + $"after {response.Attempts} {(response.Attempts == 1 ? "attempt" : "attempts")}",
        { Superseded: true } => "is in another run by now",
        { Stalled: true } => $"undecided in round {response.Round}; stalled: {response.Reason}",
        _ => $"undecided in round {response.Round}",
    };

    // The asked agent knows where its peers are; it is asked about them, so their addresses need not resolve here.
    private static async Task<IReadOnlyList<(string Name, Uri Ask)>> AgentsAsync(HttpClient http, Uri url, CancellationToken cancellation)
    {
        var cluster = (await http.GetFromJsonAsync(new Uri(url, "/cluster"), AgentJson.Default.ClusterResponse, cancellation))!;
        return [.. cluster.Agents.Select(
            (agent, index) => (agent.AgentId ?? agent.Address, new Uri(url, index == 0 ? "/consensus" : $"/cluster/{index}/consensus")))];
    }

    private static async Task<(string Agent, ConsensusResponse? Outcome)> AskAsync(
        HttpClient http, (string Name, Uri Ask) agent, RunId? run, CancellationToken cancellation)
    {
        var named = run is null ? "" : $"&run={Uri.EscapeDataString(run.Value.ToString())}";
        using var response = await http.GetAsync($"{agent.Ask}?wait=5{named}", cancellation);
        return (agent.Name, (int)response.StatusCode is 200 or 202
            ? await response.Content.ReadFromJsonAsync(AgentJson.Default.ConsensusResponse, cancellation)
            : null);
    }
}
