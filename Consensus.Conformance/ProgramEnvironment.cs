using Consensus.ServiceDefaults;

namespace Consensus.Conformance;

/// <summary>
/// The environment of a program under judgement. It holds what finds programs and their files. A setting that the judge's shell happens to
/// hold, such as <c>ASPNETCORE_HTTP_PORTS</c>, is not the program's, and would change the verdict.
/// </summary>
public static class ProgramEnvironment
{
    private static readonly HashSet<string> Passed = new(StringComparer.OrdinalIgnoreCase)
    {
        "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "TEMP", "TMP",
        "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH",
        "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR",

        // Windows.
        "SystemRoot", "SystemDrive", "windir", "ComSpec", "PATHEXT", "USERNAME", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "ProgramData",
        "ProgramFiles", "ProgramFiles(x86)", "CommonProgramFiles", "PROCESSOR_ARCHITECTURE", "NUMBER_OF_PROCESSORS",

        // Where languages find their runtimes and packages.
        "DOTNET_ROOT", "DOTNET_ROOT_X64", "DOTNET_ROOT_ARM64", "DOTNET_CLI_HOME", "NUGET_PACKAGES", "JAVA_HOME",
        "GOROOT", "GOPATH", "GOCACHE", "GOMODCACHE", "CARGO_HOME", "RUSTUP_HOME", "PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV",
        "NODE_PATH", "NVM_DIR", "GEM_HOME", "GEM_PATH",
    };

    /// <summary>Leaves of an environment what a program gets.</summary>
    /// <param name="environment">The judge's environment, which this changes.</param>
    /// <param name="additional"><c>NAME</c> passes the judge's value on, <c>NAME=VALUE</c> sets one.</param>
    public static void Clean(IDictionary<string, string?> environment, IReadOnlyList<string> additional)
    {
        var named = additional.Select(one => one.Split('=', 2)).ToList();
        foreach (var name in environment.Keys.Where(name => !Passed.Contains(name) && !named.Exists(one => one[0] == name)).ToList())
        {
            environment.Remove(name);
        }

        foreach (var one in named.Where(one => one.Length == 2))
        {
            environment[one[0]] = one[1];
        }
    }

    /// <summary>Checks what <see cref="Clean"/> is to pass additionally.</summary>
    /// <exception cref="ConfigurationException">An entry has no name, or names a variable that is not set.</exception>
    public static void Check(IReadOnlyList<string> additional)
    {
        foreach (var one in additional)
        {
            if (one.Length == 0 || one[0] == '=')
            {
                throw new ConfigurationException($"--env is '{one}'; write NAME, or NAME=VALUE.");
            }

            if (!one.Contains('=', StringComparison.Ordinal) && Environment.GetEnvironmentVariable(one) is null)
            {
                throw new ConfigurationException($"--env names {one}, which is not set here; set it, or write {one}=VALUE.");
            }
        }
    }
}
