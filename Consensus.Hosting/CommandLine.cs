using Consensus.Protocol;

namespace Consensus.Hosting;

/// <summary>The AppHost's command line. Configuration would take any option in silence.</summary>
internal static class CommandLine
{
    private static readonly string[] Parameters = [.. RunParameters.Options.Select(option => option.CommandName), ClusterKeyInput.Name];

    private static readonly string[] Own = ["agents", "port", "data"];

    /// <summary>What Aspire and its host read, such as <c>--operation</c> where the application is published.</summary>
    private static readonly string[] Aspires =
    [
        "operation", "publisher", "output-path", "step", "list-steps", "log-level", "environment",
        "deploy", "clear-cache", "include-exception-details",
        "applicationName", "contentRoot", "urls",
    ];

    private static readonly string Usage =
        $"""
        --agents N      1 to {ProtocolLimits.MaxAgents} agents, default 3
        --port P        the first agent's port, default 5001; 0 takes free ports
        --data FOLDER   where agents persist their runs
        --Parameters:NAME=VALUE, with NAME one of {string.Join(", ", Parameters)}
        """;

    /// <summary>Null where every option is known, else what to print, and the exit code.</summary>
    public static (string Text, int ExitCode)? Check(string[] args)
    {
        for (var i = 0; i < args.Length; i++)
        {
            var arg = args[i];
            if (arg is "--help" or "-h" or "-?" or "/?")
            {
                return (Usage, 0);
            }

            var key = arg.TrimStart('-', '/').Split('=')[0];
            var isOption = arg.StartsWith("--", StringComparison.Ordinal) || arg.StartsWith('/')
                || arg.Contains('=', StringComparison.Ordinal);
            if (!isOption || !IsKnown(key))
            {
                return ($"{(isOption ? arg.Split('=')[0] : $"'{arg}'")} is no option. The options are:\n{Usage}", 1);
            }

            // The value follows as an argument of its own.
            i += arg.Contains('=', StringComparison.Ordinal) ? 0 : 1;
        }

        return null;
    }

    private static bool IsKnown(string key)
    {
        var parts = key.Split(':', 2);
        var (names, name) = parts is [var section, var rest]
            ? (section.ToLowerInvariant() switch { "parameters" => Parameters, "cluster" => Own, _ => null }, rest)
            : ([.. Own, .. Aspires], key);

        // Other sections are those of Aspire and of the host.
        return names?.Contains(name, StringComparer.OrdinalIgnoreCase) != false;
    }
}
