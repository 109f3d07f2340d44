using System.Text.RegularExpressions;
using Consensus.Agent.Configuration;
using Consensus.Agent.Hosting;
using Consensus.Protocol;
using Consensus.Tests.Cluster;
using Microsoft.Extensions.Configuration;

namespace Consensus.Tests.Api;

/// <summary>Settings with the prefix <c>CONSENSUS_</c>.</summary>
[Trait(Category.Name, Category.System)]
public sealed partial class SettingsTests
{
    [Fact]
    public void A_setting_with_the_prefix_wins()
    {
        var options = AgentOptions.From(From(
            "AGENT_ID=b;CONSENSUS_AGENT_ID=a;PEERS=http://x,http://y;CONSENSUS_PEERS=http://b;PORT=1;CONSENSUS_PORT=7000;"
            + "RULE=sorted;CONSENSUS_RULE=classic;VALUES=many;CONSENSUS_VALUES=5;DRAW=best;CONSENSUS_DRAW=plurality;"
            + "WINDOW_MS=wide;CONSENSUS_WINDOW_MS=50;FAULTS=maybe;CONSENSUS_FAULTS=true;DATA=/srv/data;CONSENSUS_DATA=kept.db;"
            + "CLUSTER_KEY=short;CONSENSUS_CLUSTER_KEY=correct-horse-battery;RUN_RATE=fast;CONSENSUS_RUN_RATE=7;"
            + "METRICS=maybe;CONSENSUS_METRICS=true;WARM_UP=maybe;CONSENSUS_WARM_UP=false"));
        Assert.Equal(
            ("a", 7000, Rule.Classic, 5, DrawStrategy.Plurality, 50, true, "kept.db", 7, true, false),
            (options.Id, options.Port, options.Defaults.Rule, options.Defaults.Values, options.Defaults.Draw,
                options.Defaults.WindowMs, options.Faults, options.Data, options.RunRate, options.Metrics, options.WarmUp));
        Assert.Equal("http://b", Assert.Single(options.Peers).OriginalString);
        Assert.True(options.Key!.Is("correct-horse-battery"));
    }

    [Fact]
    public void An_empty_setting_with_the_prefix_means_the_default()
    {
        var options = AgentOptions.From(From("AGENT_ID=a;DATA=/srv/data;CONSENSUS_DATA=;RULE=sorted;CONSENSUS_RULE="));
        Assert.Equal((null, null), (options.Data, options.Defaults.Rule));
    }

    [Fact]
    public void Every_setting_that_is_read_is_in_the_list_of_settings()
    {
        var read = Directory.EnumerateFiles(Path.Combine(SourceTree.Root, "Consensus.Agent"), "*.cs", SearchOption.AllDirectories)
            .SelectMany(path => ReadSetting().Matches(File.ReadAllText(path)).Select(match => match.Groups[1].Value))
            .Concat(RunOption.Settings.Select(option => option.Setting)).ToHashSet();
        Assert.Contains("PEER_PROXY", read);
        Assert.Equal(read.Order(StringComparer.Ordinal), Settings.Names.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("CONSENSUS_VALEUS=3;DATA=x;CONSENSUS_DATA=y", "CONSENSUS_VALEUS is no setting")]
    [InlineData("CONSENSUS_A=3;CONSENSUS_B=3", "CONSENSUS_A, CONSENSUS_B are no settings")]
    [InlineData("consensus_values=3;CONSENSUS_PEERS=", null)]
    [InlineData("VALEUS=3", null)]

    // A service named consensus, as Kubernetes describes it to containers, and one named consensus-agent1.
    [InlineData(
        "CONSENSUS_PORT=tcp://10.0.0.7:80;CONSENSUS_SERVICE_HOST=10.0.0.7;CONSENSUS_SERVICE_PORT=80;CONSENSUS_SERVICE_PORT_HTTP=80",
        null)]
    [InlineData(
        "CONSENSUS_PORT_80_TCP=tcp://10.0.0.7:80;CONSENSUS_PORT_80_TCP_PROTO=tcp;"
        + "CONSENSUS_PORT_80_TCP_PORT=80;CONSENSUS_PORT_80_TCP_ADDR=10.0.0.7",
        null)]
    [InlineData("CONSENSUS_AGENT1_SERVICE_HOST=10.0.0.7;CONSENSUS_AGENT1_PORT=tcp://10.0.0.7:80", null)]
    public void Unknown_names_with_the_prefix_are_named(string settings, string? named)
    {
        var unknown = Settings.Unknown(From(settings));
        Assert.Equal(named is null, unknown is null);
        Assert.StartsWith(named ?? "", unknown ?? "", StringComparison.Ordinal);
    }

    [Fact]
    public void A_service_of_the_same_name_is_no_port() =>
        Assert.Equal(7000, AgentOptions.From(From("AGENT_ID=a;PORT=7000;CONSENSUS_PORT=tcp://10.0.0.7:80")).Port);

    [Theory]
    [InlineData("--CONSENSUS_VALUES=0", "CONSENSUS_VALUES is '0'")]
    [InlineData("--VALUES=0", "VALUES is '0'")]
    [InlineData("--CONSENSUS_AGENT_ID=a --CONSENSUS_PEERS=nonsense", "CONSENSUS_PEERS: 'nonsense'")]
    [InlineData("--AGENT_ID=a --CONSENSUS_DATA=/nowhere/at/all.db", "CONSENSUS_DATA: there is no folder")]
    [InlineData("--CONSENSUS_CLUSTER_KEY=short", "CONSENSUS_CLUSTER_KEY must be")]
    public async Task A_wrong_value_is_named_as_the_user_wrote_it(string arguments, string named)
    {
        var (code, _, errors) = await AgentProcess.RunAsync(arguments.Split(' '), []);
        Assert.Equal(1, code);
        Assert.StartsWith(named, errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_process_takes_the_prefix_from_its_environment()
    {
        using var agent = await AgentProcess.StartAsync(
            [], ("CONSENSUS_AGENT_ID", "chosen"), ("CONSENSUS_PORT", "0"),
            ("AGENT_ID", "stray"), ("DATA", "/nowhere/at/all.db"), ("CONSENSUS_DATA", ""));
        using var client = new ApiClient(agent.Address);
        Assert.Equal("chosen", (await client.Get("/state")).Body.GetProperty("agent_id").GetString());
    }

    private static IConfiguration From(string settings) => new ConfigurationBuilder()
        .AddInMemoryCollection(
            settings.Split(';').Select(setting => setting.Split('=', 2)).Select(pair => KeyValuePair.Create(pair[0], (string?)pair[1])))
        .Build();

    [GeneratedRegex("""\(configuration, "([A-Z_]+)"[,)]""")]
    private static partial Regex ReadSetting();
}
