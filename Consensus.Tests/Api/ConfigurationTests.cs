using System.Diagnostics;
using Consensus.Agent.Configuration;
using Consensus.Agent.Hosting;
using Consensus.ServiceDefaults;
using Microsoft.Extensions.Configuration;

namespace Consensus.Tests.Api;

/// <summary>Settings that cannot work: one line that says what to change, and exit code 1.</summary>
[Trait(Category.Name, Category.System)]
public sealed class ConfigurationTests
{
    [Theory]
    [InlineData("PEERS=http://localhost:1", "AGENT_ID is not set")]
    [InlineData("AGENT_ID= ;PEERS=http://localhost:1", "AGENT_ID is not set")]
    [InlineData("AGENT_ID=a/b;PEERS=http://localhost:1", "AGENT_ID must be")]
    [InlineData("AGENT_ID=ägent;PEERS=http://localhost:1", "AGENT_ID must be")]
    [InlineData("AGENT_ID=a;PEERS=localhost:1", "'localhost:1' is no address")]
    [InlineData("AGENT_ID=a;PEERS=nonsense", "'nonsense' is no address")]
    [InlineData("AGENT_ID=a;PEERS=http://", "is no address")]
    [InlineData("AGENT_ID=a;PEERS=ftp://b", "is no address")]
    [InlineData("AGENT_ID=a;PEERS=http://b:99999", "is no address")]
    [InlineData("AGENT_ID=a;PEERS=http://b/path", "has a path")]
    [InlineData("AGENT_ID=a;PEERS=http://b?query", "has a path")]
    [InlineData("AGENT_ID=a;PEERS=http://b,http://c,http://B/", "is there twice")]
    [InlineData("AGENT_ID=a;PEERS=http://localhost:1,http://127.0.0.1:1", "is there twice")]
    [InlineData("AGENT_ID=a;PEERS=http://user:word@b", "leave it out")]
    [InlineData("AGENT_ID=a;PEERS=http://b;PORT=65536", "PORT is '65536'")]
    [InlineData("AGENT_ID=a;PEERS=http://b;PORT=x", "PORT is 'x'")]
    [InlineData("AGENT_ID=a;PEERS=http://b;VALUES=0", "VALUES is '0'")]
    [InlineData("AGENT_ID=a;PEERS=http://b;WINDOW_MS=-1", "WINDOW_MS is '-1'")]
    [InlineData("AGENT_ID=a;PEERS=http://b;RULE=1", "RULE is '1'")]
    [InlineData("AGENT_ID=a;PEERS=http://b;DRAW=best", "DRAW is 'best'")]
    [InlineData("AGENT_ID=a;PEERS=http://b;FAULTS=maybe", "FAULTS is 'maybe'")]
    [InlineData("AGENT_ID=a;PEERS=http://b;RUN_RATE=-1", "RUN_RATE is '-1'")]
    [InlineData("AGENT_ID=a;PEERS=http://b;WARM_UP=maybe", "WARM_UP is 'maybe'")]
    [InlineData("AGENT_ID=a;PEERS=http://b;CLUSTER_KEY=short", "CLUSTER_KEY must be")]
    [InlineData("AGENT_ID=a;PEERS=http://b;PEER_PROXY=proxy:3128", "PEER_PROXY is no address")]
    [InlineData("AGENT_ID=a;PEERS=http://b;PEER_PROXY=ftp://proxy", "PEER_PROXY is no address")]
    [InlineData("AGENT_ID=a;PEERS=http://b;PEER_PROXY=http://user:word@proxy:3128", "PEER_PROXY is no address")]
    public void A_setting_that_cannot_work_is_reported_in_one_line(string settings, string named)
    {
        var said = Assert.Throws<ConfigurationException>(() => AgentOptions.From(From(settings))).Message;
        Assert.Contains(named, said, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', said);
        Assert.DoesNotContain("word", said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("AGENT_ID=agent1;PEERS=http://agent2,https+http://agent3", 2)]
    [InlineData("AGENT_ID=a;PORT=5001;PEERS= http://localhost:5002/ , http://localhost:5003 ,", 2)]
    [InlineData("AGENT_ID=a;urls=http://localhost:7000;PEERS=http://localhost:5001", 1)]
    [InlineData("AGENT_ID=a;PORT=0;PEERS=http://localhost:5001", 1)]
    [InlineData("AGENT_ID=a;PEER_PROXY= http://proxy:3128 ", 0)]
    [InlineData("AGENT_ID=a", 0)]
    [InlineData("AGENT_ID=a;PORT=5009;PEERS=http://b,http://localhost:5009", 1)]
    [InlineData("AGENT_ID=a;PORT=5009;PEERS=http://[::1]:5009,http://localhost:5008", 1)]
    [InlineData("AGENT_ID=a;PEERS=http://127.0.0.1:5001,http://b", 1)]
    [InlineData("AGENT_ID=a;PEERS=http://b,http://a", 1)]
    [InlineData("AGENT_ID=a;PEERS=http://b:5001,http://A:5001,http://a:5002", 2)]
    [InlineData("AGENT_ID=a;PEERS=http://b,http://a.elsewhere", 2)]
    [InlineData("AGENT_ID=a;urls=http://*:7000;PEERS=http://localhost:7000,http://b", 1)]
    [InlineData("AGENT_ID=a;http_ports=7000;PEERS=http://localhost:7000,http://b", 1)]
    public void What_can_work_is_taken(string settings, int peers) => Assert.Equal(peers, AgentOptions.From(From(settings)).Peers.Count);

    /// <summary>In Kubernetes, the pods of a StatefulSet share one list.</summary>
    [Theory]
    [InlineData("", 8080, 2)]
    [InlineData(".agents", 8080, 2)]
    [InlineData(".agents.default.svc.cluster.local", 8080, 2)]
    [InlineData("2.agents", 8080, 3)]
    [InlineData(".agents", 8081, 3)]
    public void An_agent_leaves_its_own_machine_out_of_a_list_that_all_agents_share(string rest, int port, int peers)
    {
        var list = $"http://{Environment.MachineName}{rest}:{port},http://b.agents:8080,http://c.agents:8080";
        Assert.Equal(peers, AgentOptions.From(From($"AGENT_ID=a;http_ports=8080;PEERS={list}")).Peers.Count);
    }

    [Fact]
    public void More_peers_than_a_cluster_has_are_refused()
    {
        var list = string.Join(',', Enumerable.Range(0, 101).Select(i => $"http://b{i}"));
        var refused = Assert.Throws<ConfigurationException>(() => AgentOptions.From(From($"AGENT_ID=a;PEERS={list}")));
        Assert.Contains("at most 101", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, "decides alone")]
    [InlineData(2, "no more than 1 do")]
    [InlineData(3, null)]
    [InlineData(4, "no more than 3 do")]
    [InlineData(5, null)]
    public void An_even_cluster_and_a_single_agent_are_advised_against(int agents, string? named)
    {
        var advice = AgentOptions.SizeWarning(agents);
        Assert.Equal(named is null, advice is null);
        Assert.Contains(named ?? "", advice ?? "", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--agents=0", "--agents is 0")]
    [InlineData("--agents=102", "--agents is 102")]
    [InlineData("--agents=x", "--agents")]
    [InlineData("--port=65536", "--port is 65536")]
    [InlineData("--port=65535", "leaves no room")]
    [InlineData("nonsense", "'nonsense' is no command")]
    [InlineData("--PEERS=http://localhost:1", "AGENT_ID is not set")]
    [InlineData("--PEERS=http://b --AGENT_ID=a --agents=3", "--agents is for a cluster in one process")]
    [InlineData("--AGENT_ID=a --PEERS=http://b --urls=nonsense", "nonsense")]
    [InlineData("--AGENT_ID=a --PEERS=http://b --urls=http://192.0.2.1:7000", "cannot listen")]
    [InlineData("--CLUSTER_KEY=short", "CLUSTER_KEY must be")]
    public async Task The_command_reports_it_in_one_line_and_exits_with_1(string arguments, string named)
    {
        string[] words = [typeof(Agent.AgentApplication).Assembly.Location, .. arguments.Split(' ')];
        using var process = Process.Start(new ProcessStartInfo("dotnet", words)
        {
            RedirectStandardError = true, RedirectStandardOutput = true,
        })!;
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(patience.Token);
            var said = await process.StandardError.ReadToEndAsync(patience.Token);
            await process.WaitForExitAsync(patience.Token);
            Assert.Equal(1, process.ExitCode);
            Assert.Contains(named, said, StringComparison.Ordinal);
            Assert.Single(said.TrimEnd().Split('\n'));
            Assert.Equal("", await output);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
        }
    }

    private static IConfiguration From(string settings) => new ConfigurationBuilder()
        .AddInMemoryCollection(
            settings.Split(';').Select(setting => setting.Split('=', 2)).Select(pair => KeyValuePair.Create(pair[0], (string?)pair[1])))
        .Build();
}
