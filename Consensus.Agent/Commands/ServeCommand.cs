using System.CommandLine;
using Consensus.Agent.Configuration;
using Consensus.Agent.Http;
using Consensus.Protocol;
using Consensus.ServiceDefaults;

namespace Consensus.Agent.Commands;

/// <summary>The default command: serves one agent where <c>PEERS</c> is set, else a whole cluster in one process.</summary>
internal static class ServeCommand
{
    private static readonly Option<int> Agents = new("--agents")
    {
        Description = $"Agents in this process (1..{ProtocolLimits.MaxAgents}), where PEERS is not set.",
        DefaultValueFactory = _ => 3, HelpName = "N",
    };

    private static readonly Option<int?> Port = new("--port")
    {
        Description = "The first agent's port; 0 takes free ports. [default: PORT, or 5001]", HelpName = "P",
    };

    private static readonly Option<string?> Listen = new("--listen")
    {
        Description = "Where to listen: any, localhost or an IP address. [default: URLS, HTTP_PORTS, or localhost]",
        HelpName = "any|ADDRESS",
    };

    /// <summary>Makes <paramref name="root"/> serve.</summary>
    public static void AddTo(RootCommand root)
    {
        root.Add(Agents);
        root.Add(Port);
        root.Add(Listen);
        root.TreatUnmatchedTokensAsErrors = false;
        root.SetAction(ServeAsync);
    }

    private static async Task<int> ServeAsync(ParseResult parsed, CancellationToken cancellation)
    {
        string[] settings = [.. parsed.UnmatchedTokens];
        if (settings.FirstOrDefault(token => !token.StartsWith("--", StringComparison.Ordinal) || !token.Contains('=')) is { } stray)
        {
            throw new ConfigurationException($"'{stray}' is no command or option; see --help. Settings are written as --KEY=value.");
        }

        try
        {
            return await ServeAsync(parsed, Configuration(settings), settings, cancellation);
        }
        catch (Exception e) when (e is FormatException or InvalidDataException)
        {
            throw new ConfigurationException($"The configuration cannot be read: {e.Message}");
        }
    }

    private static async Task<int> ServeAsync(
        ParseResult parsed, IConfiguration configuration, string[] settings, CancellationToken cancellation)
    {
        try
        {
            Warn(Settings.Unknown(configuration));
            Warn(TelemetrySettings.Complaint(configuration));
            Warn(Listener.Overruled(configuration, parsed.GetValue(Listen), parsed.GetValue(Port)));
            var isAlone = string.IsNullOrWhiteSpace(Settings.Get(configuration, "PEERS"))
                && string.IsNullOrWhiteSpace(Settings.Get(configuration, "AGENT_ID"));
            return isAlone
                ? await ServeClusterAsync(parsed, configuration, settings, cancellation)
                : await ServeOneAsync(parsed, configuration, settings);
        }
        catch (ConfigurationException e)
        {
            throw new ConfigurationException(Settings.SettingName(configuration, e.Message));
        }
    }

    private static async Task<int> ServeOneAsync(ParseResult parsed, IConfiguration configuration, string[] settings)
    {
        if (parsed.GetResult(Agents) is { Implicit: false })
        {
            throw new ConfigurationException(
                "--agents is for a cluster in one process; with PEERS or AGENT_ID set, this process is one agent: leave one of them out.");
        }

        var options = AgentOptions.From(configuration, parsed.GetValue(Port), parsed.GetValue(Listen));
        HttpServer.CompleteInline(options);
        var warmUp = new WarmUp();
        await using var app = AgentApplication.Build(options, settings, warmUp: warmUp);
        if (!HasEndpoints(configuration))
        {
            foreach (var listener in Listener.From(configuration, parsed.GetValue(Listen), parsed.GetValue(Port)))
            {
                app.Urls.Add(listener.Url);
            }
        }

        await HttpServer.ListenAsync(app);
        AgentApplication.Start([app], warmUp);
        List<Listener> open = [.. app.Urls.Select(Listener.FromUrl)];
        Console.WriteLine($"{options.Id} listens on {Shown(open)}; "
            + $"peers: {(options.Peers.Count == 0 ? "none" : string.Join(", ", options.Peers.Select(peer => peer.OriginalString)))}");
        Console.WriteLine(Listener.DescribeExposure(open));
        Advise(options.Peers.Count + 1, options);
        await app.WaitForShutdownAsync();
        return 0;
    }

    private static async Task<int> ServeClusterAsync(
        ParseResult parsed, IConfiguration configuration, string[] settings, CancellationToken cancellation)
    {
        var agents = parsed.GetValue(Agents);
        NumberRange.Require("--agents", agents, 1, ProtocolLimits.MaxAgents);
        var first = Listener.From(configuration, parsed.GetValue(Listen), parsed.GetValue(Port));
        CheckRoom(agents, first, configuration);
        var shared = AgentOptions.Shared(configuration);
        HttpServer.CompleteInline(shared);
        await using var cluster = await LocalCluster.StartAsync(agents, first, shared, settings, warmUp: new WarmUp());
        Console.WriteLine($"{agents} {(agents == 1 ? "agent" : "agents")} in one process:");
        for (var i = 0; i < agents; i++)
        {
            Console.WriteLine($"  agent{i + 1}  {Shown(cluster.Listeners[i])}");
        }

        var entry = Shown(cluster.Listeners[0].Take(1));
        Console.WriteLine(Listener.DescribeExposure(cluster.Listeners[0]));
        Console.WriteLine();
        Console.WriteLine($"Start a run:  curl -X POST \"{entry}/run?wait=10\"");
        Console.WriteLine($"Or watch one: {entry}/run in a browser. Ctrl+C stops.");
        Advise(agents, shared);
        await cluster.WaitForShutdownAsync(cancellation);
        return 0;
    }

    /// <summary>Reads every source that ASP.NET reads, in its order.</summary>
    private static IConfigurationRoot Configuration(string[] settings)
    {
        var host = new ConfigurationBuilder().AddEnvironmentVariables("DOTNET_")
            .AddEnvironmentVariables("ASPNETCORE_").AddCommandLine(settings).Build();
        return new ConfigurationBuilder()
            .SetBasePath(AppContext.BaseDirectory)
            .AddJsonFile("appsettings.json", optional: true)
            .AddJsonFile($"appsettings.{host["ENVIRONMENT"] ?? "Production"}.json", optional: true)
            .AddEnvironmentVariables("DOTNET_").AddEnvironmentVariables("ASPNETCORE_")
            .AddEnvironmentVariables().AddCommandLine(settings).Build();
    }

    private static bool HasEndpoints(IConfiguration configuration) => configuration.GetSection("Kestrel:Endpoints").GetChildren().Any();

    /// <summary>The agents take the ports from the first on: there must be enough of them, and none for two agents.</summary>
    private static void CheckRoom(int agents, IReadOnlyList<Listener> first, IConfiguration configuration)
    {
        if (HasEndpoints(configuration))
        {
            throw new ConfigurationException("Kestrel:Endpoints says where one agent listens; "
                + "a cluster in one process takes --listen and --port, or URLS or HTTP_PORTS.");
        }

        if (first.FirstOrDefault(listener => listener.Port + agents - 1 > ushort.MaxValue) is { } high)
        {
            throw new ConfigurationException($"Port {high.Port} leaves no room for {agents} agents below 65536; choose a lower one.");
        }

        List<int> ports = [.. first.Select(listener => listener.Port).Where(port => port != 0).Distinct().Order()];
        if (ports.Zip(ports.Skip(1)).FirstOrDefault(pair => pair.Second - pair.First < agents) is { First: not 0 } near)
        {
            throw new ConfigurationException($"Ports {near.First} and {near.Second} leave no room for {agents} agents between them; "
                + "name one port: the agents take the next ones.");
        }
    }

    private static string Shown(IEnumerable<Listener> listeners) =>
        string.Join(", ", listeners.Select(listener => listener.Shown.GetLeftPart(UriPartial.Authority)).Distinct());

    private static void Advise(int agents, AgentOptions options)
    {
        Warn(AgentOptions.SizeWarning(agents));
        if (options.Key is null)
        {
            Console.WriteLine("CLUSTER_KEY is not set: whoever reaches an agent can speak as another (SECURITY.md).");
        }
    }

    private static void Warn(string? warning)
    {
        if (warning is not null)
        {
            Console.Error.WriteLine($"Warning: {warning}");
        }
    }
}
