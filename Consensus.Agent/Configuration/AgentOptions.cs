using Consensus.Protocol;
using Consensus.ServiceDefaults;

namespace Consensus.Agent.Configuration;

/// <summary>
/// What one agent is configured with. Each setting comes from any configuration source under the name given here;
/// <see cref="Settings"/> reads it.
/// </summary>
internal sealed record AgentOptions
{
    /// <summary>The default port.</summary>
    public const int DefaultPort = 5001;

    /// <summary><c>AGENT_ID</c>: this agent's id, unique in the cluster.</summary>
    public required string Id { get; init; }

    /// <summary><c>PORT</c>: 0..65535; 0 takes a free one. ASP.NET's own settings win.</summary>
    public int Port { get; init; } = DefaultPort;

    /// <summary><c>PEERS</c>: base addresses of the others, comma-separated; service discovery resolves them.</summary>
    public IReadOnlyList<Uri> Peers { get; init; } = [];

    /// <summary>The defaults of <c>POST /run</c>, from the settings of <see cref="RunOption.Settings"/>.</summary>
    public RunRequest Defaults { get; init; } = new();

    /// <summary><c>FAULTS</c>: whether <c>/faults</c> may break calls on purpose.</summary>
    public bool Faults { get; init; }

    /// <summary>
    /// What a call to a peer may take. Not a setting: the protocol's times build upon it; tests on slow machines wait longer.
    /// </summary>
    public TimeSpan CallTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary><c>DATA</c>: the file in which decisions outlive the process; null: they do not.</summary>
    public string? Data { get; init; }

    /// <summary><c>CLUSTER_KEY</c>: what calls between agents must carry; null: they are open to everybody.</summary>
    public ClusterKey? Key { get; init; }

    /// <summary><c>PEER_PROXY</c>: the proxy for calls to the peers; null: none, also where <c>HTTP_PROXY</c> is set.</summary>
    public Uri? PeerProxy { get; init; }

    /// <summary><c>RUN_RATE</c>: runs that may be asked for in a second, on average: 1..1000000, or 0 for as many as come.</summary>
    public int RunRate { get; init; } = 1000;

    /// <summary><c>METRICS</c>: whether <c>/metrics</c> shows the metrics as text for Prometheus.</summary>
    public bool Metrics { get; init; }

    /// <summary><c>DASHBOARD</c>: the address of the Aspire dashboard that shows this agent's traces; null: none is known.</summary>
    public Uri? Dashboard { get; init; }

    /// <summary><c>WARM_UP</c>: whether the process compiles the code of a run before it is ready.</summary>
    public bool WarmUp { get; init; } = true;

    /// <summary>How many calls may be under way at once.</summary>
    public CallLimits Limits { get; init; } = new();

    /// <summary>Reads one agent's settings.</summary>
    /// <exception cref="ConfigurationException">A setting is missing or wrong; the message names what to change.</exception>
    public static AgentOptions From(IConfiguration configuration, int? port = null, string? listen = null)
    {
        var id = Settings.Get(configuration, "AGENT_ID")?.Trim();
        if (string.IsNullOrEmpty(id))
        {
            throw new ConfigurationException("AGENT_ID is not set: give this agent an id of its own, such as AGENT_ID=agent1.");
        }

        // It travels in headers and stands in lines of the log.
        if (id.Length > WireLimits.MaxIdLength || id.Any(character => character is < ' ' or > '~' or '/'))
        {
            throw new ConfigurationException($"AGENT_ID must be at most {WireLimits.MaxIdLength} ASCII characters, none of them '/'.");
        }

        List<int> own = [.. Listener.From(configuration, listen, port).Select(listener => listener.Port)];
        return Shared(configuration) with
        {
            Id = id,
            Port = own[0],
            Peers = PeerAddresses.Parse(Settings.Get(configuration, "PEERS") ?? "", id, own),
        };
    }

    /// <summary>The advice for a cluster of this many agents; null: none.</summary>
    public static string? SizeWarning(int agents) =>
        agents == 1 ? "One agent decides alone whatever it draws: name its peers in PEERS."
            : agents % 2 == 0 ? $"{agents} agents outlive the loss of no more than {agents - 1} do: an odd number is better."
            : null;

    /// <summary>Reads the settings that every agent of a one-process cluster shares; its id is still empty.</summary>
    /// <exception cref="ConfigurationException">A setting is wrong; the message names what to change.</exception>
    public static AgentOptions Shared(IConfiguration configuration) => new()
    {
        Id = "",
        Defaults = DefaultsFrom(configuration),
        Faults = Flag(configuration, "FAULTS"),
        Data = Settings.Get(configuration, "DATA")?.Trim() is { Length: > 0 } data ? data : null,
        Key = Settings.ReadClusterKey(configuration),
        PeerProxy = Settings.Get(configuration, "PEER_PROXY")?.Trim() is { Length: > 0 } proxy ? ProxyFrom(proxy, "PEER_PROXY") : null,
        RunRate = Number(configuration, "RUN_RATE", 0, 1_000_000, 1000),
        Metrics = Flag(configuration, "METRICS"),
        Dashboard = Settings.Get(configuration, "DASHBOARD")?.Trim() is { Length: > 0 } dashboard ? DashboardFrom(dashboard) : null,
        WarmUp = Flag(configuration, "WARM_UP", unset: true),
    };

    /// <summary>Reads the address of a proxy.</summary>
    /// <param name="text">The address.</param>
    /// <param name="setting">The setting or option that it comes from.</param>
    /// <exception cref="ConfigurationException">It is no address of a proxy; the message names what to change.</exception>
    public static Uri ProxyFrom(string text, string setting) =>
        Uri.TryCreate(text, UriKind.Absolute, out var proxy)
        && proxy is { Scheme: "http" or "https" or "socks5", Host.Length: > 0, PathAndQuery: "/" or "", Fragment: "", UserInfo: "" }
            ? proxy
            : throw new ConfigurationException(
                $"{setting} is no address of a proxy; write it as http://host:port, without a user name or path.");

    /// <summary>The port that <paramref name="option"/> or else <c>PORT</c> names: 0..65535.</summary>
    public static int PortFrom(IConfiguration configuration, int? option)
    {
        NumberRange.Require("--port", option ?? 0, 0, ushort.MaxValue);
        return option ?? Number(configuration, "PORT", 0, ushort.MaxValue, DefaultPort);
    }

    private static Uri DashboardFrom(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var dashboard) && dashboard is { Scheme: "http" or "https", Host.Length: > 0 }
            ? dashboard
            : throw new ConfigurationException("DASHBOARD is no address of a dashboard; write it as http://host:port.");

    private static RunRequest DefaultsFrom(IConfiguration configuration)
    {
        var defaults = new RunRequest();
        foreach (var option in RunOption.Settings)
        {
            if (Settings.Get(configuration, option.Setting) is { } text && !string.IsNullOrWhiteSpace(text))
            {
                defaults = option.Accepts(text) ? option.Set(defaults, text)
                    : throw new ConfigurationException($"{option.Setting} is '{text}'; it must be {option.Allowed}.");
            }
        }

        return defaults;
    }

    private static int Number(IConfiguration configuration, string key, int min, int max, int fallback)
    {
        var text = Settings.Get(configuration, key);
        return string.IsNullOrWhiteSpace(text) ? fallback
            : int.TryParse(text, out var number) && number >= min && number <= max ? number
            : throw new ConfigurationException($"{key} is '{text}'; it must be a number from {min} to {max}.");
    }

    private static bool Flag(IConfiguration configuration, string key, bool unset = false)
    {
        var text = Settings.Get(configuration, key);
        return string.IsNullOrWhiteSpace(text) ? unset
            : bool.TryParse(text, out var flag) ? flag : throw new ConfigurationException($"{key} is '{text}'; it must be true or false.");
    }
}
