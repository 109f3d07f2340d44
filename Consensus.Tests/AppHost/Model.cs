using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Consensus.Tests.AppHost;

/// <summary>The application that AppHost.cs describes, with ports and a data folder of its own.</summary>
internal sealed class Model : IAsyncDisposable
{
    private Model(IDistributedApplicationTestingBuilder builder, string data) => (Builder, Data) = (builder, data);

    public IDistributedApplicationTestingBuilder Builder { get; }

    /// <summary>Where the agents of this one keep what they said.</summary>
    public string Data { get; }

    public IReadOnlyList<ProjectResource> Agents => [.. Builder.Resources.OfType<ProjectResource>()];

    public static async Task<Model> CreateAsync(params string[] args)
    {
        var data = Directory.CreateTempSubdirectory("consensus-").FullName;
        return new Model(await DistributedApplicationTestingBuilder.CreateAsync<Projects.Consensus_AppHost>(["--data", data, .. args]), data);
    }

    /// <summary>What an agent is handed, with expressions where values are known only once it runs.</summary>
    public static async Task<Dictionary<string, string>> EnvironmentOf(ProjectResource agent)
    {
        var told = await ExecutionConfigurationBuilder.Create(agent).WithEnvironmentVariablesConfig()
            .BuildAsync(new DistributedApplicationExecutionContext(DistributedApplicationOperation.Publish), NullLogger.Instance, default);
        Assert.Null(told.Exception);
        return told.EnvironmentVariables.ToDictionary();
    }

    public async ValueTask DisposeAsync()
    {
        await Builder.DisposeAsync();
        Directory.Delete(Data, recursive: true);
    }
}
