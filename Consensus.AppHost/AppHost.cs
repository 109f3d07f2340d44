var builder = DistributedApplication.CreateBuilder(args);

// Without a launch profile, so that the endpoints are those declared here and nothing else.
var agents = Enumerable.Range(1, 3)
    .Select(i => builder.AddProject<Projects.Consensus_Agent>($"agent{i}", launchProfileName: null)
        .WithHttpEndpoint(port: 5000 + i)
        .WithHttpHealthCheck("/health")
        .WithEnvironment("AGENT_ID", $"agent{i}"))
    .ToList();

foreach (var agent in agents)
{
    var peers = agents.Where(other => other != agent).ToList();
    peers.ForEach(peer => agent.WithReference(peer));

    // The names are resolved by service discovery, from what the references hand over.
    agent.WithEnvironment("PEERS", string.Join(',', peers.Select(peer => $"http://{peer.Resource.Name}")));
}

builder.Build().Run();
