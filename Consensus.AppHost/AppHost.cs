using Consensus.Hosting;
using Microsoft.Extensions.Hosting;

RemoteOnlyProxy.Install();
if (ClusterOptions.TryCreateBuilder(args, out var builder, out var options) is { } exitCode)
{
    return exitCode;
}

var cluster = builder.AddConsensusCluster("consensus").WithClusterKey().WithRunParameters();

// Without a launch profile and a proxy, so that the ports are those declared here, and closed while an agent is down.
var agents = Enumerable.Range(1, options.Agents)
    .Select(number => builder.AddProject<Projects.Consensus_Agent>(ClusterOptions.NameOf(number), launchProfileName: null)
        .WithHttpEndpoint(port: options.PortOf(number), isProxied: false)
        .AsOwnAgent(options))
    .ToList();

foreach (var agent in agents)
{
    // The names are resolved by service discovery, from what the references hand over.
    var peers = agents.Where(other => other != agent).ToList();
    peers.ForEach(peer => agent.WithReference(peer));
    agent.WithEnvironment("PEERS", string.Join(',', peers.Select(peer => $"http://{peer.Resource.Name}")));
    cluster.WithAgent(agent);
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
