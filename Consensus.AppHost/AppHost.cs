using Consensus.AppHost;
using Microsoft.Extensions.Hosting;

RemoteOnlyProxy.Install();
if (CommandLine.Check(args) is { } usage)
{
    Console.Error.WriteLine(usage.Text);
    return usage.ExitCode;
}

var builder = DistributedApplication.CreateBuilder(args);
var error = ClusterOptions.Read(builder.Configuration, Path.Combine(builder.AppHostDirectory, "obj", "data"), out var options)
    ?? (builder.ExecutionContext.IsRunMode ? options.MakeDataFolder() : null)
    ?? (builder.ExecutionContext.IsRunMode ? PortConflicts.Resolve(builder.Configuration, options) : null);
if (error is not null)
{
    Console.Error.WriteLine(error);
    return 1;
}

if (DeveloperCertificate.Warning(builder.Configuration) is { } warning)
{
    Console.Error.WriteLine(warning);
}

// The defaults of POST /run. Other values: --Parameters:values=5, or Parameters__values in the environment.
var parameters = RunParameters.Options.ToDictionary(option => option, builder.AddRunParameter);

// Agents and the commands of the dashboard use this key. A caller with it may reset agents and break calls between them.
var key = builder.AddClusterKey();
var cluster = builder.AddCluster("consensus", key, parameters, options.Agents);

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
        .WithDashboardTelemetry()
        .WithBuiltProgram()
        .InCluster(cluster)
        .PublishAsDockerFile(container => container.WithDockerfile("..").WithDataVolume()))
    .ToList();

foreach (var agent in agents)
{
    // The names are resolved by service discovery, from what the references hand over.
    var peers = agents.Where(other => other != agent).ToList();
    peers.ForEach(peer => agent.WithReference(peer));
    foreach (var (option, parameter) in parameters)
    {
        agent.WithEnvironment(option.Setting, parameter);
    }

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
