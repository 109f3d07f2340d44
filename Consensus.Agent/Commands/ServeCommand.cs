using System.CommandLine;
using Consensus.Agent.Hosting;
using Consensus.Agent.Protocol;

namespace Consensus.Agent.Commands;

/// <summary>The default command: serves one agent where <c>PEERS</c> is set, else a whole cluster in one process.</summary>
internal static class ServeCommand
{
    private static readonly Option<int> Agents = new("--agents")
    {
        Description = $"Agents in this process (1..{Machine.MaxAgents}), where PEERS is not set.", DefaultValueFactory = _ => 3, HelpName = "N",
    };

    private static readonly Option<int?> Port = new("--port")
    {
        Description = "The first agent's port; 0 takes free ports. [default: PORT, or 5001]", HelpName = "P",
    };

    /// <summary>Makes <paramref name="root"/> serve.</summary>
    public static void AddTo(RootCommand root)
    {
        root.Add(Agents);
        root.Add(Port);
        root.TreatUnmatchedTokensAsErrors = false;
        root.SetAction(ServeAsync);
    }

    private static async Task<int> ServeAsync(ParseResult parsed, CancellationToken cancellation)
    {
        string[] settings = [.. parsed.UnmatchedTokens];
        if (settings.FirstOrDefault(token => !token.StartsWith("--", StringComparison.Ordinal) || !token.Contains('=')) is { } unknown)
        {
            throw new ConfigurationException($"'{unknown}' is no command or option; see --help. Settings are written as --KEY=value.");
        }

        try
        {
            var configuration = new ConfigurationBuilder()
                .SetBasePath(AppContext.BaseDirectory).AddJsonFile("appsettings.json", optional: true)
                .AddEnvironmentVariables("ASPNETCORE_").AddEnvironmentVariables().AddCommandLine(settings).Build();
            var alone = string.IsNullOrWhiteSpace(configuration["PEERS"]) && string.IsNullOrWhiteSpace(configuration["AGENT_ID"]);
            return alone
                ? await ServeClusterAsync(parsed, configuration, settings, cancellation)
                : await ServeOneAsync(parsed, configuration, settings);
        }
        catch (Exception e) when (e is FormatException or InvalidDataException)
        {
            throw new ConfigurationException($"The configuration cannot be read: {e.Message}");
        }
        catch (System.Net.Sockets.SocketException e)
        {
            throw new ConfigurationException($"The agent cannot listen there ({e.Message}): choose another port or address.");
        }
        catch (IOException e) when (e.InnerException is Microsoft.AspNetCore.Connections.AddressInUseException)
        {
            throw new ConfigurationException($"{e.Message.TrimEnd('.')}: stop what listens there, or choose another port with --port or PORT.");
        }
    }

    private static async Task<int> ServeOneAsync(ParseResult parsed, IConfiguration configuration, string[] settings)
    {
        if (parsed.GetResult(Agents) is { Implicit: false })
        {
            throw new ConfigurationException("--agents is for a cluster in one process; with PEERS or AGENT_ID set, this process is one agent: leave one of them out.");
        }

        var options = AgentOptions.From(configuration, parsed.GetValue(Port));
        var warmUp = new WarmUp();
        await using var app = AgentServer.Build(options, settings, warmUp.AddTo);
        if (string.IsNullOrEmpty(configuration["urls"]) && string.IsNullOrEmpty(configuration["http_ports"]) && string.IsNullOrEmpty(configuration["https_ports"]))
        {
            app.Urls.Add(options.Port == 0 ? "http://127.0.0.1:0" : $"http://localhost:{options.Port}");
        }

        await app.StartAsync();
        app.Services.GetRequiredService<AgentNode>().Start();
        warmUp.Begin(options, configuration);
        Console.WriteLine($"{options.Id} listens on {string.Join(", ", app.Urls)}; peers: {(options.Peers.Count == 0 ? "none" : string.Join(", ", options.Peers.Select(peer => peer.OriginalString)))}");
        Advise(options.Peers.Count + 1, options);
        await app.WaitForShutdownAsync();
        return 0;
    }

    private static async Task<int> ServeClusterAsync(
        ParseResult parsed, IConfiguration configuration, string[] settings, CancellationToken cancellation)
    {
        var agents = parsed.GetValue(Agents);
        if (agents is < 1 or > Machine.MaxAgents)
        {
            throw new ConfigurationException($"--agents is {agents}; it must be from 1 to {Machine.MaxAgents}.");
        }

        var port = AgentOptions.PortFrom(configuration, parsed.GetValue(Port));
        if (port + agents - 1 > 65535)
        {
            throw new ConfigurationException($"--port {port} leaves no room for {agents} agents below 65536; choose a lower one.");
        }

        var shared = AgentOptions.Shared(configuration);
        var warmUp = new WarmUp();
        await using var cluster = await LocalCluster.StartAsync(agents, port, shared, settings, (_, builder) => warmUp.AddTo(builder));
        warmUp.Begin(shared, configuration);
        Console.WriteLine($"{agents} {(agents == 1 ? "agent" : "agents")} in one process:");
        for (var i = 0; i < agents; i++)
        {
            Console.WriteLine($"  agent{i + 1}  {cluster.Addresses[i].GetLeftPart(UriPartial.Authority)}");
        }

        var first = cluster.Addresses[0].GetLeftPart(UriPartial.Authority);
        Console.WriteLine();
        Console.WriteLine($"Start a run:  curl -X POST \"{first}/run?wait=10\"");
        Console.WriteLine($"Or watch one: {first}/run in a browser. Ctrl+C stops.");
        Advise(agents, shared);
        await cluster.WaitForShutdownAsync(cancellation);
        return 0;
    }

    private static void Advise(int agents, AgentOptions options)
    {
        if (AgentOptions.AdviceOn(agents) is { } advice)
        {
            Console.Error.WriteLine($"Warning: {advice}");
        }

        if (options.Key is null)
        {
            Console.WriteLine("CLUSTER_KEY is not set: whoever reaches an agent can speak as another (SECURITY.md).");
        }
    }
}
