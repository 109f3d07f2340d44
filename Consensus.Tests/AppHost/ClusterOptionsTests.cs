using Consensus.Protocol;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Consensus.Hosting;
using Microsoft.Extensions.Configuration;

namespace Consensus.Tests.AppHost;

/// <summary>The AppHost's own options and ports.</summary>
[Trait(Category.Name, Category.Fast)]
public sealed class ClusterOptionsTests
{
    [Fact]
    public void Without_options_three_agents_take_ports_5001_to_5003()
    {
        var options = Read();
        Assert.Equal([5001, 5002, 5003], Enumerable.Range(1, options.Agents).Select(options.PortOf));
        Assert.Equal(Path.GetFullPath("root/agents-3"), options.Data);
    }

    [Theory]
    [InlineData("agents", "0", "--agents is '0'; it must be a number from 1 to 101.")]
    [InlineData("agents", "102", "--agents is '102'; it must be a number from 1 to 101.")]
    [InlineData("Cluster:Agents", "many", "--agents is 'many'; it must be a number from 1 to 101.")]
    [InlineData("port", "65534", "--port is '65534'; it must be a number from 0 to 65533.")]
    [InlineData("port", "-1", "--port is '-1'; it must be a number from 0 to 65533.")]
    public void A_wrong_number_is_refused_with_its_range(string key, string value, string message) =>
        Assert.Equal(message, ClusterOptions.Read(Configuration((key, value)), "root", out _));

    [Fact]
    public void An_isolated_application_takes_free_ports_and_data_of_its_own()
    {
        var options = Read(("DcpPublisher:RandomizePorts", "true"));
        Assert.Null(options.PortOf(1));
        Assert.NotEqual(options.Data, Read(("DcpPublisher:RandomizePorts", "true")).Data);
    }

    [Fact]
    public void Only_the_data_of_a_cluster_on_free_ports_is_deleted_at_its_end()
    {
        var options = Read(("port", "0"));
        Assert.Null(options.MakeDataFolder());
        var kept = Directory.CreateTempSubdirectory("consensus-");
        options.DeleteTemporaryData();
        (options with { Data = kept.FullName }).DeleteTemporaryData();
        Assert.False(Directory.Exists(options.Data));
        Assert.True(Directory.Exists(kept.FullName));
        kept.Delete();
    }

    [Fact]
    public void Clusters_on_different_ports_do_not_share_data() =>
        Assert.Equal(
            3, new[] { Read(), Read(("port", "6001")), Read(("port", "7001")) }.Select(options => options.Data).Distinct().Count());

    [Fact]
    public void Clusters_of_different_sizes_do_not_share_data() =>
        Assert.NotEqual(Read(("data", "x")).Data, Read(("data", "x"), ("agents", "5")).Data);

    [Fact]
    public void A_folder_that_cannot_be_made_is_one_line()
    {
        var file = Path.GetTempFileName();
        Assert.StartsWith($"--data: agents cannot write in '{file}/agents-3'",
            Read(("data", file)).MakeDataFolder(),
            StringComparison.Ordinal);
        File.Delete(file);
    }

    [Theory]
    [InlineData("--agents", "5", "--port=6001", "--data", "x", "--Parameters:values=5")]
    [InlineData("--DcpPublisher:RandomizePorts=true", "--operation", "publish", "--publisher", "manifest")]
    public void Known_options_are_taken(params string[] args) => Assert.Null(CommandLine.Check(args));

    [Theory]
    [InlineData("--agent is no option.", "--agent", "5")]
    [InlineData("--Parameters:vales is no option.", "--Parameters:vales=5")]
    [InlineData("'5' is no option.", "5")]
    public void An_unknown_option_is_refused_with_the_known_ones(string message, params string[] args)
    {
        var (text, exitCode) = CommandLine.Check(args)!.Value;
        Assert.Equal(1, exitCode);
        Assert.StartsWith(message, text, StringComparison.Ordinal);
        Assert.Contains("--agents N", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Help_lists_the_options() => Assert.Equal(0, CommandLine.Check(["--help"])!.Value.ExitCode);

    [Theory]
    [InlineData("0123456789abcdef", true)]
    [InlineData("short", false)]
    [InlineData("0123456789abcdef\n0123", false)]
    [InlineData("0123456789 abcdef", false)]
    public void A_key_is_what_agents_take(string key, bool isTaken) => Assert.Equal(isTaken, ClusterKeyInput.Check(key) is null);

    [Fact]
    public void Limits_are_those_of_the_agent()
    {
        Assert.Null(RunOption.Values.Check("1000000000"));
        Assert.NotNull(RunOption.Values.Check("1000000001"));
        Assert.Null(RunOption.WindowMs.Check("60000"));
        Assert.NotNull(RunOption.WindowMs.Check("60001"));
    }

    [Fact]
    public void Https_without_a_developer_certificate_is_one_line_that_says_how_to_make_one()
    {
        Assert.Null(DeveloperCertificate.Warning(Configuration(("ASPNETCORE_URLS", "http://localhost:15020"))));
        Assert.Contains("dotnet dev-certs https", DeveloperCertificate.Warning([]), StringComparison.Ordinal);
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509Extension(DeveloperCertificate.Mark, [1], critical: false));
        using var certificate = request.CreateSelfSigned(DateTimeOffset.Now.AddDays(-1), DateTimeOffset.Now.AddDays(1));
        Assert.Null(DeveloperCertificate.Warning([certificate]));
    }

    [Fact]
    public void A_port_in_use_is_named_with_the_agent_that_needs_it()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;

        // The port may be a high one, after which no two more follow.
        var configuration = Configuration(("agents", "1"), ("port", port.ToString(CultureInfo.InvariantCulture)));
        Assert.Null(ClusterOptions.Read(configuration, "root", out var options));
        Assert.Equal(
            $"Port {port}, for agent1, is in use. Stop the program that listens there, or start with --port 0 for free ports.",
            PortConflicts.Resolve(configuration, options));
    }

    [Fact]
    public void A_dashboard_port_in_use_is_named_or_replaced_where_the_cluster_was_moved()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var free = new ClusterOptions(3, 0, "");
        Assert.Equal(
            $"Port {port}, for the dashboard, is in use. "
                + "Stop the program that listens there (another AppHost?), or start with --port 0 for free ports.",
            PortConflicts.Resolve(Configuration(("ASPNETCORE_URLS", $"http://localhost:{port}")), free));

        var moved = Configuration(("ASPNETCORE_URLS", $"http://localhost:{port}"), ("port", "0"));
        Assert.Null(PortConflicts.Resolve(moved, free));
        Assert.Equal("", moved["ASPNETCORE_URLS"]);
    }

    private static ClusterOptions Read(params (string Key, string Value)[] settings)
    {
        Assert.Null(ClusterOptions.Read(Configuration(settings), "root", out var options));
        return options;
    }

    private static IConfigurationRoot Configuration(params (string Key, string Value)[] settings) =>
        new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value))).Build();
}
