using Consensus.Agent.Configuration;
using Consensus.Agent.Storage;
using Consensus.ServiceDefaults;

namespace Consensus.Agent.Hosting;

/// <summary>Decisions that outlive the process, where <see cref="AgentOptions.Data"/> names a file.</summary>
internal static class Persistence
{
    /// <summary>Opens the file.</summary>
    /// <exception cref="ConfigurationException">The file cannot be had.</exception>
    public static void AddPersistence(this IServiceCollection services, AgentOptions options)
    {
        if (options.Data is null)
        {
            return;
        }

        // By a factory, so that it is disposed with the rest.
        var store = RunStoreFactory.Open(options.Data, options.Id);
        services.AddSingleton(_ => store);
    }
}
