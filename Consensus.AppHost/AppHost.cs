using Consensus.AppHost;
using Consensus.Protocol;
using Microsoft.Extensions.Hosting;

RemoteOnlyProxy.Install();
var builder = DistributedApplication.CreateBuilder(args);
var error = ClusterOptions.Read(builder.Configuration, Path.Combine(builder.AppHostDirectory, "obj", "data"), out var options)
    ?? (builder.ExecutionContext.IsRunMode ? PortConflicts.Resolve(builder.Configuration, options) : null);
if (error is not null)
{
    Console.Error.WriteLine(error);
    return 1;
}

// The defaults of POST /run. Other values: --Parameters:values=5, or Parameters__values in the environment.
RunOption[] defaults = [RunOption.Rule, RunOption.Values, RunOption.WindowMs];
var parameters = defaults.Select(option => (option.Setting, Value: builder.AddRunParameter(option))).ToList();

// Agents and the commands of the dashboard use this key. A caller with it may reset agents and break calls between them.
var key = builder.AddParameter("cluster-key", new GenerateParameterDefault { MinLength = 32, Special = false }, secret: true)
    .WithDescription("The key by which agents know each other. The page asks for it before it breaks calls.");

var cluster = builder.AddCluster("consensus", key, options.Agents);

// Without a launch profile and a proxy, so that the ports are those declared here, and closed while an agent is down.
var agents = Enumerable.Range(1, options.Agents)
    .Select(number => builder.AddProject<Projects.Consensus_Agent>(ClusterOptions.NameOf(number), launchProfileName: null)
        .WithHttpEndpoint(port: options.PortOf(number), isProxied: false)
        .WithExternalHttpEndpoints()
        .WithoutHttpsCertificate()
        .WithProbes()
        .WithIconName("Vote")
        .WithEnvironment("AGENT_ID", ClusterOptions.NameOf(number))
        .WithEnvironment("CLUSTER_KEY", key)
        .WithDataFile(options)
        .InCluster(cluster)
        .PublishAsDockerFile(container => container.WithDockerfile("..").WithDataVolume()))
    .ToList();

foreach (var agent in agents)
{
    // The names are resolved by service discovery, from what the references hand over.
    var peers = agents.Where(other => other != agent).ToList();
    peers.ForEach(peer => agent.WithReference(peer));
    parameters.ForEach(parameter => agent.WithEnvironment(parameter.Setting, parameter.Value));
    agent.WithEnvironment("PEERS", string.Join(',', peers.Select(peer => $"http://{peer.Resource.Name}")))
        .WithLink("/run", "Run").WithLink("/", "Timeline").WithLink("/consensus", "Consensus").WithLink("/state", "State").WithLink("/scalar", "API")
        .WithUrlForEndpoint("http", endpoint => endpoint.DisplayLocation = UrlDisplayLocation.DetailsOnly);
}

try
{
    builder.Build().Run();
}
finally
{
    options.DeleteTemporaryData();
}

return 0;
