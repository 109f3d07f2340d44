using System.Net;
using System.Net.Sockets;
using Consensus.Agent;
using Consensus.Agent.Configuration;
using Consensus.Agent.Hosting;
using Consensus.Conformance;
using Consensus.ServiceDefaults;
using Consensus.Tests.Api;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Consensus.Tests.Cluster;

/// <summary>Where agents listen, and what they print of it.</summary>
[Trait(Category.Name, Category.System)]
public sealed class ListenTests
{
    [Theory]
    [InlineData("", null, null, "http://localhost:5001")]
    [InlineData("PORT=7000", null, null, "http://localhost:7000")]
    [InlineData("PORT=0", null, null, "http://127.0.0.1:0")]
    [InlineData("PORT=7000", null, 7001, "http://localhost:7001")]
    [InlineData("", "any", null, "http://*:5001")]
    [InlineData("", "ANY", 7000, "http://*:7000")]
    [InlineData("", "localhost", null, "http://localhost:5001")]
    [InlineData("", "127.0.0.2", 7000, "http://127.0.0.2:7000")]
    [InlineData("", "::1", 7000, "http://[::1]:7000")]
    [InlineData("urls=http://0.0.0.0:7000", null, null, "http://0.0.0.0:7000")]
    [InlineData("urls=http://*:7000;https://agent1:7443", null, null, "http://*:7000,https://*:7443")]
    [InlineData("http_ports=8080;PORT=7000", null, null, "http://*:8080")]
    [InlineData("http_ports=8080;https_ports=8443", null, null, "http://*:8080,https://*:8443")]
    [InlineData("http_ports=8080", null, 7000, "http://localhost:7000")]
    [InlineData("urls=http://*:7000", "127.0.0.1", null, "http://127.0.0.1:5001")]
    public void An_option_wins_over_aspnet_s_settings_and_these_over_port(string settings, string? listen, int? port, string urls) =>
        Assert.Equal(urls.Split(','), Listener.From(From(settings), listen, port).Select(listener => listener.Url));

    [Theory]
    [InlineData("urls=nonsense", null, "URLS holds 'nonsense'")]
    [InlineData("urls=http://unix:/tmp/socket", null, "URLS holds 'http://unix:/tmp/socket'")]
    [InlineData("http_ports=x", null, "HTTP_PORTS holds 'x'")]
    [InlineData("https_ports=70000", null, "HTTPS_PORTS holds '70000'")]
    [InlineData("", "everywhere", "--listen is 'everywhere'")]
    public void What_cannot_be_listened_on_is_named(string settings, string? listen, string named) =>
        Assert.StartsWith(
            named, Assert.Throws<ConfigurationException>(() => Listener.From(From(settings), listen)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("http://*:7000", "http://localhost:7000/", true)]
    [InlineData("http://0.0.0.0:7000", "http://localhost:7000/", true)]
    [InlineData("http://[::]:7000", "http://localhost:7000/", true)]
    [InlineData("http://localhost:7000", "http://localhost:7000/", false)]
    [InlineData("http://127.0.0.1:7000", "http://127.0.0.1:7000/", false)]
    [InlineData("http://192.0.2.1:7000", "http://192.0.2.1:7000/", true)]
    public void Printed_is_what_people_can_open(string url, string shown, bool isOpen)
    {
        var listener = Listener.FromUrl(url);
        Assert.Equal((shown, isOpen), (listener.Shown.ToString(), listener.IsOpenToOthers));
        Assert.Equal(isOpen, !Listener.DescribeExposure([listener]).Contains("this machine only", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Every_agent_of_one_process_knows_its_peers_before_it_is_built()
    {
        var known = new List<int>();
        await using var cluster = await LocalCluster.StartAsync(3, 0, configure: (_, builder) =>
        {
            builder.Logging.ClearProviders();
            known.Add(((AgentOptions)builder.Services.Single(
                service => service.ServiceType == typeof(AgentOptions)).ImplementationInstance!).Peers.Count);
        });
        Assert.Equal([2, 2, 2], known);
        Assert.Equal(
            cluster.Addresses.Skip(1), cluster.Services[0].GetRequiredService<AgentOptions>().Peers);
    }

    [Theory]
    [InlineData("--listen any --port {0}", "")]
    [InlineData("", "ASPNETCORE_URLS=http://0.0.0.0:{0}")]
    [InlineData("", "ASPNETCORE_HTTP_PORTS={0}")]
    [InlineData("", "HTTP_PORTS={0}")]
    [InlineData("--urls=http://0.0.0.0:{0}", "")]
    public async Task A_cluster_in_one_process_can_be_opened_to_other_machines(string arguments, string setting)
    {
        var ports = ConsecutivePorts(2);
        using var cluster = await StartAsync(["--agents", "2", .. Words(arguments, ports[0])], Words(setting, ports[0]));

        // Any address but 127.0.0.1 shows that it is not bound to that alone.
        foreach (var port in ports)
        {
            using var client = new ApiClient(new Uri($"http://127.0.0.2:{port}"));
            Assert.Equal(HttpStatusCode.OK, (await client.Post("/run?wait=30")).Code);
        }

        Assert.Equal($"http://localhost:{ports[0]}/", cluster.Address.ToString());
        Assert.Contains(cluster.Lines, line => line.EndsWith($"agent2  http://localhost:{ports[1]}", StringComparison.Ordinal));
        Assert.StartsWith("Open to all networks of this machine", cluster.Lines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_agent_reports_that_it_is_open_and_prints_an_address_that_opens()
    {
        var port = LoopbackPorts.Free(1)[0];
        using var agent = await StartAsync(["--AGENT_ID=agent1", "--listen", "any", "--port", $"{port}"], []);
        Assert.Equal($"http://localhost:{port}/", agent.Address.ToString());
        Assert.StartsWith("Open to all networks of this machine", agent.Lines[^1], StringComparison.Ordinal);
        using var client = new ApiClient(new Uri($"http://127.0.0.2:{port}"));
        Assert.Equal(HttpStatusCode.OK, (await client.Get("/state")).Code);
    }

    [Theory]
    [InlineData("--AGENT_ID=agent1 --port {0}", "agent1 cannot listen on http://localhost:{0}")]
    [InlineData("--agents 3 --port {0}", "agent1 cannot listen on http://localhost:{0}")]
    [InlineData("--agents 2 --port {1}", "agent2 cannot listen on http://localhost:{0}")]
    [InlineData("--agents 2 --listen any --port {1}", "agent2 cannot listen on http://*:{0}")]
    public async Task A_port_in_use_is_named_in_one_line(string arguments, string named)
    {
        var ports = ConsecutivePorts(2);
        using var taken = new TcpListener(IPAddress.Loopback, ports[1]);
        taken.Start();
        string Filled(string text) =>
            text.Replace("{0}", $"{ports[1]}", StringComparison.Ordinal).Replace("{1}", $"{ports[0]}", StringComparison.Ordinal);
        var (code, output, errors) = await AgentProcess.RunAsync(Filled(arguments).Split(' '), []);
        Assert.Equal((1, ""), (code, output));
        Assert.Equal(
            $"{Filled(named)}: the port is in use: stop what listens there, or choose another with --port or PORT.", errors.Trim());
    }

    [Theory]
    [InlineData("--urls=http://127.0.0.1:7000;http://127.0.0.1:7001", "Ports 7000 and 7001 leave no room for 3 agents")]
    [InlineData("--Kestrel:Endpoints:Http:Url=http://127.0.0.1:7000", "Kestrel:Endpoints says where one agent listens")]
    [InlineData("--HTTP_PORTS=65534", "Port 65534 leaves no room for 3 agents")]
    public async Task Addresses_that_a_cluster_cannot_share_are_refused(string argument, string named)
    {
        var (code, _, errors) = await AgentProcess.RunAsync([argument], []);
        Assert.Equal(1, code);
        Assert.StartsWith(named, errors, StringComparison.Ordinal);
    }

    private static Task<AgentProcess> StartAsync(string[] arguments, string[] settings) => AgentProcess.StartAsync(
        arguments, [.. settings.Select(setting => setting.Split('=', 2)).Select(pair => (pair[0], pair[1]))]);

    private static string[] Words(string text, int port) =>
        [.. text.Replace("{0}", $"{port}", StringComparison.Ordinal).Split(' ', StringSplitOptions.RemoveEmptyEntries)];

    /// <summary>Free ports one after another, which no other test is given.</summary>
    private static int[] ConsecutivePorts(int count)
    {
        while (true)
        {
            var ports = LoopbackPorts.Free(count);
            if (ports[^1] - ports[0] == count - 1)
            {
                return ports;
            }
        }
    }

    private static IConfiguration From(string settings) => new ConfigurationBuilder()
        .AddInMemoryCollection(Settings(settings)).Build();

    // A value may hold the separator: what names no key belongs to the value before.
    private static Dictionary<string, string?> Settings(string text)
    {
        var settings = new Dictionary<string, string?>();
        foreach (var part in text.Split(';', StringSplitOptions.RemoveEmptyEntries))
        {
            var pair = part.Split('=', 2);
            if (pair.Length == 2)
            {
                settings[pair[0]] = pair[1];
            }
            else
            {
                settings[settings.Keys.Last()] += $";{part}";
            }
        }

        return settings;
    }
}
