using System.Net;
using System.Net.Sockets;
using System.Text;
using Consensus.ServiceDefaults;
using Microsoft.Extensions.Hosting;

namespace Consensus.Tests.Cluster;

/// <summary>Environments that name a proxy: calls between agents and to them take none, unless a setting says so.</summary>
[Trait(Category.Name, Category.System)]
public sealed class ProxyTests
{
    private const string DeadProxy = "http://127.0.0.1:9";

    private static readonly (string, string)[] Environment =
        [("HTTP_PROXY", DeadProxy), ("http_proxy", DeadProxy), ("HTTPS_PROXY", DeadProxy),
            ("ALL_PROXY", DeadProxy), ("all_proxy", DeadProxy), ("NO_PROXY", ""), ("no_proxy", "")];

    [Fact]
    public async Task Agents_and_commands_reach_each_other_whatever_proxy_the_environment_names()
    {
        using var cluster = await AgentProcess.StartAsync(["--agents", "3", "--port", "0"], Environment);
        var (code, output, _) = await AgentProcess.RunAsync(["trigger", "--url", cluster.Address.ToString()], Environment);
        Assert.True(code == 0, output);
        Assert.Contains("agent3", output, StringComparison.Ordinal);
        Assert.Contains("Agreed on", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_collector_on_this_machine_is_reached_whatever_proxy_the_environment_names()
    {
        using var collector = new TcpListener(IPAddress.Loopback, 0);
        collector.Start();
        using var agent = await AgentProcess.StartAsync(
            ["--agents", "1", "--port", "0"],
            [
                .. Environment, ("OTEL_EXPORTER_OTLP_ENDPOINT", $"http://127.0.0.1:{((IPEndPoint)collector.LocalEndpoint).Port}"),
                ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"), ("OTEL_METRIC_EXPORT_INTERVAL", "200"),
            ]);
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        using var client = await collector.AcceptTcpClientAsync(patience.Token);
        var line = new byte[9];
        await client.GetStream().ReadExactlyAsync(line, patience.Token);
        Assert.Equal("POST /v1/", Encoding.ASCII.GetString(line));
    }

    [Fact]
    public async Task A_proxy_that_a_setting_names_is_used()
    {
        using var proxy = new TcpListener(IPAddress.Loopback, 0);
        proxy.Start();
        using var handler = DirectHttp.CreateHandler(new Uri($"http://127.0.0.1:{((IPEndPoint)proxy.LocalEndpoint).Port}"));
        using var http = new HttpClient(handler);
        var calling = http.GetStringAsync("http://agent2.example:8080/state");
        using var client = await proxy.AcceptTcpClientAsync();
        var buffer = new byte[1024];
        var read = await client.GetStream().ReadAsync(buffer);
        Assert.StartsWith("GET http://agent2.example:8080/state HTTP/1.1",
            Encoding.ASCII.GetString(buffer, 0, read), StringComparison.Ordinal);
        await client.GetStream().WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"u8.ToArray());
        Assert.Equal("ok", await calling);
    }

    [Theory]
    [InlineData("http://localhost:4317", false)]
    [InlineData("http://127.0.0.1:4317", false)]
    [InlineData("http://[::1]:4317", false)]
    [InlineData("http://collector.example:4317", true)]
    public void Only_calls_that_leave_this_machine_take_the_platforms_proxy(string address, bool isProxied)
    {
        var proxy = new RemoteOnlyProxy(new WebProxy(DeadProxy));
        Assert.Equal(!isProxied, proxy.IsBypassed(new Uri(address)));
        Assert.Equal(isProxied, proxy.GetProxy(new Uri(address)) is not null);
    }
}
