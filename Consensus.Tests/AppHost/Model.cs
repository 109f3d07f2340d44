using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Consensus.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace Consensus.Tests.AppHost;

/// <summary>The application that AppHost.cs describes, with ports and a data folder of its own.</summary>
internal sealed class Model : IAsyncDisposable
{
    private Model(IDistributedApplicationTestingBuilder builder, string data) => (Builder, Data) = (builder, data);

    public IDistributedApplicationTestingBuilder Builder { get; }

    /// <summary>The folder in which these agents persist their runs.</summary>
    public string Data { get; }

    /// <summary>The agents: projects here, containers where published.</summary>
    public IReadOnlyList<IResource> Agents => [.. Builder.Resources.Where(resource => resource is ProjectResource or ContainerResource)];

    public ConsensusClusterResource Cluster => Builder.Resources.OfType<ConsensusClusterResource>().Single();

    public static Task<Model> CreateAsync(params string[] args) => CreateAsync(dashboard: false, args);

    public static async Task<Model> CreateAsync(bool dashboard, params string[] args)
    {
        var data = Directory.CreateTempSubdirectory("consensus-").FullName;
        var options = new DistributedApplicationTestingBuilderOptions { EnableDashboard = dashboard };

        // Ports that a developer has in use at the moment are no matter of a test that starts nothing there.
        string[] all = ["--data", data, "--port", "0", .. args];
        return new Model(await DistributedApplicationTestingBuilder.CreateAsync<Projects.Consensus_AppHost>(options, all), data);
    }

    /// <summary>The environment of an agent, with expressions where values are known only once it runs.</summary>
    public static async Task<Dictionary<string, string>> EnvironmentOf(IResource agent)
    {
        var configuration = await ExecutionConfigurationBuilder.Create(agent).WithEnvironmentVariablesConfig()
            .BuildAsync(new DistributedApplicationExecutionContext(DistributedApplicationOperation.Publish), NullLogger.Instance, default);
        Assert.Null(configuration.Exception);
        return configuration.EnvironmentVariables.ToDictionary();
    }

    public async ValueTask DisposeAsync()
    {
        await Builder.DisposeAsync();
        Directory.Delete(Data, recursive: true);
    }
}
