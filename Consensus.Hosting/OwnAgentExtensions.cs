#pragma warning disable ASPIREPROBES001 // Probes are marked experimental.
#pragma warning disable ASPIRECERTIFICATES001 // Agents speak plain http, and saying so is called experimental.
using System.Reflection;
using System.Runtime.Versioning;

namespace Consensus.Hosting;

/// <summary>What agents of this project have beside the contract that all agents keep.</summary>
internal static class OwnAgentExtensions
{
    /// <summary>The folder of the image that its user owns; a new volume there belongs to that user, too.</summary>
    private const string DataInContainer = "/data";

    private const string Dashboard = "aspire-dashboard";

    private static readonly string[] Signals = ["TRACES", "METRICS", "LOGS"];
    private static readonly string[] DashboardSchemes = ["https", "http"];

    /// <summary>Makes a project an agent of this project: data, telemetry, links, probes and an image.</summary>
    [AspireExportIgnore(Reason = "Not public.")]
    public static IResourceBuilder<ProjectResource> AsOwnAgent(
        this IResourceBuilder<ProjectResource> agent, ClusterOptions options) => agent
        .WithExternalHttpEndpoints()
        .WithoutHttpsCertificate()
        .WithProbes()
        .WithIconName("Vote")
        .WithDataFile(options)
        .WithDashboardTelemetry()
        .WithBuiltProgram()
        .WithLink("/run", "Run").WithLink("/", "Timeline").WithLink("/consensus", "Consensus")
        .WithLink("/state", "State").WithLink("/scalar", "API")
        .WithUrlForEndpoint(AgentClient.EndpointName, endpoint => endpoint.DisplayLocation = UrlDisplayLocation.DetailsOnly)
        .PublishAsDockerFile(container => container.WithDockerfile("..").WithDataVolume());

    /// <summary>
    /// Starts an agent by its built program. <c>dotnet run</c> would evaluate the project for each agent, which takes more CPU than
    /// the agent's own start. Code that the runtime may write and execute at once spares a seventh of that start's CPU.
    /// </summary>
    private static IResourceBuilder<ProjectResource> WithBuiltProgram(this IResourceBuilder<ProjectResource> agent)
    {
        // The AppHost's build also builds the agent and this library, into the folder of the same names.
        var own = typeof(OwnAgentExtensions).Assembly;
        var configuration = own.GetCustomAttribute<AssemblyConfigurationAttribute>()!.Configuration;
        var framework = $"net{new FrameworkName(own.GetCustomAttribute<TargetFrameworkAttribute>()!.FrameworkName).Version}";
        var project = agent.Resource.GetProjectMetadata().ProjectPath;
        var folder = Path.GetDirectoryName(project)!;
        var name = Path.GetFileNameWithoutExtension(project) + (OperatingSystem.IsWindows() ? ".exe" : "");
        var program = Path.Combine(folder, "bin", configuration, framework, name);
        return agent.ApplicationBuilder.ExecutionContext.IsRunMode && File.Exists(program)
            ? agent.WithEnvironment("DOTNET_EnableWriteXorExecute", "0")
                .WithAnnotation(new ExecutableAnnotation { Command = program, WorkingDirectory = folder })
            : agent;
    }

    /// <summary>
    /// Makes an agent send its telemetry to the dashboard alone, and gives it the dashboard's address. Variables of one signal in the
    /// AppHost's environment would reach the agent, and win over the endpoint that Aspire sets for all signals.
    /// </summary>
    private static IResourceBuilder<ProjectResource> WithDashboardTelemetry(this IResourceBuilder<ProjectResource> agent)
    {
        foreach (var name in Environment.GetEnvironmentVariables().Keys.OfType<string>().Where(IsOfOneSignal))
        {
            agent.WithEnvironment(name, "");
        }

        return agent.ApplicationBuilder.ExecutionContext.IsRunMode ? agent.WithEnvironment(SetDashboard) : agent;

        // Aspire adds the dashboard when the application starts, and none where it is off.
        void SetDashboard(EnvironmentCallbackContext context)
        {
            var dashboard = agent.ApplicationBuilder.Resources.OfType<IResourceWithEndpoints>()
                .FirstOrDefault(resource => resource.Name == Dashboard);
            if (dashboard is not null && DashboardSchemes.Select(dashboard.GetEndpoint).FirstOrDefault(one => one.Exists) is { } endpoint)
            {
                context.EnvironmentVariables["DASHBOARD"] = endpoint;
            }
        }
    }

    private static bool IsOfOneSignal(string variable) => variable.EndsWith("OTEL_SDK_DISABLED", StringComparison.Ordinal)
        || Signals.Any(signal => variable.Contains($"OTEL_EXPORTER_OTLP_{signal}_", StringComparison.Ordinal));

    /// <summary>Declares the probes that a published environment uses: readiness, and liveness without any peer.</summary>
    private static IResourceBuilder<ProjectResource> WithProbes(this IResourceBuilder<ProjectResource> agent) =>
        agent.ApplicationBuilder.ExecutionContext.IsRunMode
            ? agent
            : agent.WithHttpProbe(ProbeType.Readiness, "/health").WithHttpProbe(ProbeType.Liveness, "/alive");

    /// <summary>Gives an agent a file for its runs that outlasts a restart.</summary>
    private static IResourceBuilder<ProjectResource> WithDataFile(this IResourceBuilder<ProjectResource> agent, ClusterOptions options)
    {
        if (agent.ApplicationBuilder.ExecutionContext.IsPublishMode)
        {
            return agent;
        }

        return agent.WithEnvironment("DATA", Path.Combine(options.Data, agent.Resource.Name + ".db"));
    }

    /// <summary>Gives a published agent a volume for its runs.</summary>
    private static IResourceBuilder<ContainerResource> WithDataVolume(this IResourceBuilder<ContainerResource> agent) =>
        agent.WithVolume($"{agent.Resource.Name}-data", DataInContainer).WithEnvironment("DATA", $"{DataInContainer}/agent.db");

    /// <summary>Adds a link to the dashboard; links stand in the order in which they are added.</summary>
    private static IResourceBuilder<ProjectResource> WithLink(this IResourceBuilder<ProjectResource> agent, string path, string name) =>
        agent.WithUrlForEndpoint("http", _ => new ResourceUrlAnnotation { Url = path, DisplayText = name });
}
