using System.Globalization;
using Consensus.Protocol;
using Microsoft.Extensions.Configuration;

namespace Consensus.Hosting;

/// <summary>Size and place of the cluster.</summary>
/// <param name="Agents"><c>--agents</c> or <c>Cluster:Agents</c>: 1..101, default 3.</param>
/// <param name="Port"><c>--port</c> or <c>Cluster:Port</c>: the first agent's, default 5001; the others follow. 0 takes free ports.</param>
/// <param name="Data">The folder in which agents persist their runs: one for this number of agents in that of <c>--data</c>
/// or <c>Cluster:Data</c>.</param>
internal sealed record ClusterOptions(int Agents, int Port, string Data)
{
    private const int DefaultPort = 5001;
    private const string TemporaryPrefix = "consensus-apphost-";

    /// <summary>Reads the command line of an AppHost with a cluster, before anything is started.</summary>
    /// <param name="args">The command line.</param>
    /// <param name="builder">The application.</param>
    /// <param name="options">The options.</param>
    /// <returns>Null, or the exit code: the reason is printed.</returns>
    public static int? TryCreateBuilder(string[] args, out IDistributedApplicationBuilder builder, out ClusterOptions options)
    {
        (builder, options) = (null!, null!);
        if (CommandLine.Check(args) is { } usage)
        {
            Console.Error.WriteLine(usage.Text);
            return usage.ExitCode;
        }

        builder = DistributedApplication.CreateBuilder(args);
        var error = Read(builder.Configuration, Path.Combine(builder.AppHostDirectory, "obj", "data"), out options)
            ?? (builder.ExecutionContext.IsRunMode ? options.MakeDataFolder() : null)
            ?? (builder.ExecutionContext.IsRunMode ? PortConflicts.Resolve(builder.Configuration, options) : null);
        if (error is not null)
        {
            Console.Error.WriteLine(error);
            return 1;
        }

        if (DeveloperCertificate.Warning(builder.Configuration) is { } warning)
        {
            Console.Error.WriteLine(warning);
        }

        return null;
    }

    /// <summary>agent1, agent2, ...</summary>
    public static string NameOf(int number) => string.Create(CultureInfo.InvariantCulture, $"agent{number}");

    /// <summary>The port of an agent, or null for a free one.</summary>
    public int? PortOf(int number) => Port == 0 ? null : Port + number - 1;

    /// <summary>Reads the options from any source of configuration.</summary>
    /// <param name="configuration">The configuration.</param>
    /// <param name="dataRoot">The folder for data where none is configured.</param>
    /// <param name="options">The options.</param>
    /// <returns>Null, or one line that names what to change.</returns>
    public static string? Read(IConfiguration configuration, string dataRoot, out ClusterOptions options)
    {
        options = new ClusterOptions(3, DefaultPort, "");
        if (ReadNumber(configuration, "agents", 1, ProtocolLimits.MaxAgents, options.Agents, out var agents) is { } noAgents)
        {
            return noAgents;
        }

        if (ReadNumber(configuration, "port", 0, 65536 - agents, options.Port, out var port) is { } noPort)
        {
            return noPort;
        }

        // `aspire run --isolated` asks for free ports of everything in this way.
        if (configuration.GetValue("DcpPublisher:RandomizePorts", false))
        {
            port = 0;
        }

        // Each size has files of its own: an agent would show the decision of a cluster that it is no longer in.
        var data = configuration["data"] ?? configuration["Cluster:Data"] ?? DefaultData(dataRoot, port);
        options = new ClusterOptions(
            agents, port,
            Path.Combine(Path.GetFullPath(data), string.Create(CultureInfo.InvariantCulture, $"agents-{agents}")));
        return null;
    }

    /// <summary>Makes the folder for data.</summary>
    /// <returns>Null, or one line that names what to change.</returns>
    public string? MakeDataFolder()
    {
        try
        {
            Directory.CreateDirectory(Data);
            using var probe = new FileStream(
                Path.Combine(Data, Path.GetRandomFileName()),
                FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return $"--data: agents cannot write in '{Data}' ({exception.Message.TrimEnd('.')}). Name another folder.";
        }
    }

    /// <summary>Deletes the folder of a cluster on free ports, which no later one finds again.</summary>
    public void DeleteTemporaryData()
    {
        var root = Path.GetDirectoryName(Data);
        if (Path.GetFileName(root)?.StartsWith(TemporaryPrefix, StringComparison.Ordinal) == true && Directory.Exists(root))
        {
            Directory.Delete(root, recursive: true);
        }
    }

    /// <summary>Two clusters side by side must not share files, so each port has a folder of its own.</summary>
    private static string DefaultData(string root, int port) => port switch
    {
        0 => Path.Combine(Path.GetTempPath(), TemporaryPrefix + Path.GetRandomFileName()),
        DefaultPort => root,
        _ => Path.Combine(root, string.Create(CultureInfo.InvariantCulture, $"port-{port}")),
    };

    private static string? ReadNumber(IConfiguration configuration, string name, int min, int max, int fallback, out int number)
    {
        number = fallback;
        var text = configuration[name] ?? configuration[$"Cluster:{name}"];
        return text is null
            || (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number >= min && number <= max)
            ? null
            : $"--{name} is '{text}'; it must be a number from {min} to {max}.";
    }
}
