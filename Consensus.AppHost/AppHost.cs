using Consensus.AppHost;
using Microsoft.Extensions.Hosting;

RemoteOnlyProxy.Install();
var builder = DistributedApplication.CreateBuilder(args);
if (builder.ReadCluster(out var cluster) is { } complaint)
{
    Console.Error.WriteLine(complaint);
    return 1;
}

// What POST /run means where it does not say. Other values: --Parameters:values=5, or Parameters__values in the environment.
var rule = builder.AddSetting("rule", "ratified", "The rule a run follows: ratified, which cannot disagree, or classic, which can.");
var values = builder.AddSetting("values", "3", "Values are drawn from 1 to this.");
var window = builder.AddSetting("window-ms", "200", "How long a round waits for stragglers, in ms.");

// Whoever has it may reset agents and break calls between them: agents, and the commands below.
var key = builder.AddParameter("cluster-key", new GenerateParameterDefault { MinLength = 32, Special = false }, secret: true);

// Without a launch profile and a proxy, so that the ports are those declared here, and closed while an agent is down.
var agents = Enumerable.Range(1, cluster.Agents)
    .Select(number => builder.AddProject<Projects.Consensus_Agent>(Cluster.NameOf(number), launchProfileName: null)
        .WithHttpEndpoint(port: cluster.PortOf(number), isProxied: false)
        .WithExternalHttpEndpoints()
        .WithoutHttpsCertificate()
        .WithHttpHealthCheck("/health")
        .WithIconName("Vote")
        .WithEnvironment("AGENT_ID", Cluster.NameOf(number))
        .WithEnvironment("RULE", rule)
        .WithEnvironment("VALUES", values)
        .WithEnvironment("WINDOW_MS", window)
        .WithEnvironment("CLUSTER_KEY", key)
        .WithMemory(cluster))
    .ToList();

foreach (var agent in agents)
{
    // The names are resolved by service discovery, from what the references hand over.
    var peers = agents.Where(other => other != agent).ToList();
    peers.ForEach(peer => agent.WithReference(peer));
    agent.WithEnvironment("PEERS", string.Join(',', peers.Select(peer => $"http://{peer.Resource.Name}")));

    agent.WithLink("/run", "Run").WithLink("/", "Timeline").WithLink("/consensus", "Consensus").WithLink("/state", "State").WithLink("/scalar", "API")
        .WithUrlForEndpoint("http", endpoint => endpoint.DisplayLocation = UrlDisplayLocation.DetailsOnly);

    agent.WithAgentCommand(key, "run", "Run consensus", "Play", "Starts a run on all agents and waits for the decision", HttpMethod.Post, "/run?wait=30", highlighted: true)
        .WithAgentCommand(key, "run-classic", "Run (classic rule)", "History", "A run by the original's rule, which can disagree", HttpMethod.Post, "/run?wait=30", """{"rule":"classic"}""")
        .WithAgentCommand(key, "reset", "Reset", "ArrowReset", "Makes this agent forget the run", HttpMethod.Post, "/reset");

    // Breaking calls on purpose is for watching, not for what is published.
    if (builder.ExecutionContext.IsRunMode)
    {
        agent.WithEnvironment("FAULTS", "true")
            .WithAgentCommand(key, "isolate", "Isolate", "PlugDisconnected", "Cuts all calls between this agent and the others", HttpMethod.Put, "/faults", """{"isolate":true}""")
            .WithAgentCommand(key, "reconnect", "Reconnect", "PlugConnected", "Ends all faults of this agent", HttpMethod.Delete, "/faults");
    }
}

builder.Build().Run();
return 0;
