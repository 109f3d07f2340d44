using System.Text.RegularExpressions;
using Consensus.Protocol;
using Consensus.ServiceDefaults;

namespace Consensus.Agent.Configuration;

/// <summary>
/// The agent's own settings. Each may have the prefix <c>CONSENSUS_</c> in every source of configuration, and then wins, so
/// that a variable such as <c>DATA</c> that is in the environment for something else changes nothing.
/// </summary>
internal static partial class Settings
{
    /// <summary>The prefix.</summary>
    public const string Prefix = "CONSENSUS_";

    /// <summary>Every setting that an agent reads.</summary>
    public static readonly IReadOnlyList<string> Names =
    [
        "AGENT_ID", "PORT", "PEERS", .. RunOption.Settings.Select(option => option.Setting),
        "FAULTS", "DATA", "CLUSTER_KEY", "PEER_PROXY", "RUN_RATE", "METRICS", "DASHBOARD", "WARM_UP",
    ];

    /// <summary>Reads a setting; null where it is not set.</summary>
    public static string? Get(IConfiguration configuration, string name) => Prefixed(configuration, name) ?? configuration[name];

    /// <summary>Reads <c>CLUSTER_KEY</c>; null where it is not set.</summary>
    /// <exception cref="ConfigurationException">It cannot be a key.</exception>
    public static ClusterKey? ReadClusterKey(IConfiguration configuration) =>
        Get(configuration, "CLUSTER_KEY") is { Length: > 0 } key ? new ClusterKey(key) : null;

    /// <summary>
    /// Puts the name that the user wrote in place of the setting's name at the start of <paramref name="message"/>.
    /// </summary>
    public static string SettingName(IConfiguration configuration, string message) =>
        FirstName().Match(message).Value is { Length: > 0 } name && Names.Contains(name) && Prefixed(configuration, name) is not null
            ? Prefix + message : message;

    /// <summary>Names the settings with the prefix that no agent reads; null where there are none.</summary>
    public static string? Unknown(IConfiguration configuration)
    {
        List<string> unknown = [.. configuration.GetChildren()
            .Where(entry => entry.Key.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase)
                && entry.Value is not null && !IsServiceLink(entry.Key, entry.Value))
            .Select(entry => entry.Key).Where(key => !Names.Contains(key[Prefix.Length..], StringComparer.OrdinalIgnoreCase))];
        return unknown.Count == 0 ? null
            : $"{string.Join(", ", unknown)} {(unknown.Count == 1 ? "is no setting and changes" : "are no settings and change")} nothing; "
                + $"with the prefix {Prefix} there are {string.Join(", ", Names)}.";
    }

    private static string? Prefixed(IConfiguration configuration, string name) =>
        configuration[Prefix + name] is { } value && !IsServiceLink(Prefix + name, value) ? value : null;

    /// <summary>
    /// Kubernetes and Docker describe a service named consensus to every container by variables such as
    /// <c>CONSENSUS_PORT=tcp://10.0.0.7:80</c> and <c>CONSENSUS_SERVICE_HOST</c>.
    /// </summary>
    private static bool IsServiceLink(string key, string value) => ServiceLink().IsMatch(key)
        || (key.EndsWith("_PORT", StringComparison.OrdinalIgnoreCase) && value.Contains("://", StringComparison.Ordinal));

    [GeneratedRegex("^[A-Z_]+")]
    private static partial Regex FirstName();

    [GeneratedRegex("_(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$", RegexOptions.IgnoreCase)]
    private static partial Regex ServiceLink();
}
