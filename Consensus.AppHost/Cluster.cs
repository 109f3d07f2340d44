using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace Consensus.AppHost;

/// <summary>How large the cluster is, and where it lives.</summary>
/// <param name="Agents"><c>--agents</c> or <c>Cluster:Agents</c>: 1..101.</param>
/// <param name="Port"><c>--port</c> or <c>Cluster:Port</c>: the first agent's, the others follow; 0 takes free ones.</param>
/// <param name="Data"><c>--data</c> or <c>Cluster:Data</c>: the folder of what agents must remember over a restart.</param>
internal sealed record Cluster(int Agents, int Port, string Data)
{
    /// <summary>As many as an agent takes for one cluster.</summary>
    public const int MaxAgents = 101;

    /// <summary>agent1, agent2, ...</summary>
    public static string NameOf(int number) => string.Create(CultureInfo.InvariantCulture, $"agent{number}");

    /// <summary>The port of an agent, or null for a free one.</summary>
    public int? PortOf(int number) => Port == 0 ? null : Port + number - 1;

    /// <summary>Reads it from any source of configuration, or says in one line what to change.</summary>
    public static string? Read(IConfiguration configuration, string defaultData, out Cluster cluster)
    {
        cluster = new Cluster(3, 5001, configuration["data"] ?? configuration["Cluster:Data"] ?? defaultData);
        if (Number(configuration, "agents", 1, MaxAgents, cluster.Agents, out var agents) is { } noAgents)
        {
            return noAgents;
        }

        if (Number(configuration, "port", 0, 65536 - agents, cluster.Port, out var port) is { } noPort)
        {
            return noPort;
        }

        cluster = cluster with { Agents = agents, Port = port };
        return null;
    }

    private static string? Number(IConfiguration configuration, string name, int least, int most, int fallback, out int number)
    {
        number = fallback;
        var text = configuration[name] ?? configuration[$"Cluster:{name}"];
        return text is null || (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number >= least && number <= most)
            ? null
            : $"--{name} is '{text}'; it must be a number from {least} to {most}.";
    }
}
