namespace Consensus.Agent.Lab;

/// <summary>The services of simulated runs and of the explorer.</summary>
internal static class LabServices
{
    /// <summary>Adds them.</summary>
    public static void AddLab(this IServiceCollection services) =>
        services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolverChain.Insert(0, LabJson.Default));
}
