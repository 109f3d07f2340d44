#pragma warning disable ASPIREINTERACTION001 // Typed arguments of commands are marked experimental.
#pragma warning disable ASPIREPROBES001 // Probes are marked experimental.
using System.Reflection;
using System.Runtime.Versioning;
using Consensus.Protocol;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Consensus.AppHost;

/// <summary>Adds the cluster and its agents to the application.</summary>
internal static class ClusterExtensions
{
    /// <summary>The folder of the image that its user owns; a new volume there belongs to that user, too.</summary>
    private const string DataInContainer = "/data";

    private const string Dashboard = "aspire-dashboard";

    private static readonly string[] Signals = ["TRACES", "METRICS", "LOGS"];
    private static readonly string[] DashboardSchemes = ["https", "http"];

    /// <summary>Adds the resource that stands for the whole cluster, with its commands.</summary>
    public static IResourceBuilder<ClusterResource> AddCluster(
        this IDistributedApplicationBuilder builder, string name, IResourceBuilder<ParameterResource> key,
        IReadOnlyDictionary<RunOption, IResourceBuilder<ParameterResource>> parameters, int agents)
    {
        var resource = new ClusterResource(name, key.Resource, parameters.ToDictionary(one => one.Key, one => one.Value.Resource));
        var check = $"{name}_health";
        builder.Services.AddSingleton(resource).AddSingleton<ClusterMonitor>().AddSingleton<RunCommands>();
        builder.Services.AddHealthChecks().Add(new HealthCheckRegistration(
            check, services => new ClusterHealthCheck(services.GetRequiredService<ClusterMonitor>()), null, null));
        if (builder.ExecutionContext.IsRunMode)
        {
            builder.Services.AddHostedService(services => services.GetRequiredService<ClusterMonitor>());
        }

        List<InteractionInput> inputs = [.. RunOption.InForms.Select(option => option.ToArgument())];
        List<string> starters = [RunCommands.AnyAgent, .. Enumerable.Range(1, agents).Select(ClusterOptions.NameOf)];
        inputs.Add(new InteractionInput
        {
            Name = RunCommands.StartingAgent,
            Label = "Starting agent",
            Description = "The agent that starts the run.",
            InputType = InputType.Choice,
            Options = [.. starters.Select(starter => KeyValuePair.Create(starter, starter))],
            Value = RunCommands.AnyAgent,
        });

        return builder.AddResource(resource)
            .ExcludeFromManifest()
            .WithIconName("PeopleTeam")
            .WithHealthCheck(check)
            .WithInitialState(new CustomResourceSnapshot { ResourceType = ClusterResource.Type, Properties = [], State = KnownResourceStates.Starting })
            .WithCommand("run", "Run consensus", context => Commands(context).RunAsync(null, context.CancellationToken), new CommandOptions
            {
                Description = "Starts a run on all agents and waits for the decision",
                IconName = "Play",
                IsHighlighted = true,
                UpdateState = WhenAnyIsUp,
            })
            .WithCommand("run-with", "Run with options…", context => Commands(context).RunWithAsync(context.Arguments, context.CancellationToken), new CommandOptions
            {
                Description = "Starts a run with a rule, a draw, values, a window and a seed of your choice",
                IconName = "Options",
                IsHighlighted = true,
                Arguments = inputs,
                ValidateArguments = context => ValidateAsync(context, starters),
                UpdateState = WhenAnyIsUp,
            })
            .WithCommand("reset", "Reset all", context => Commands(context).ResetAllAsync(context.CancellationToken), new CommandOptions
            {
                Description = "Makes all agents forget the run",
                IconName = "ArrowReset",
                UpdateState = WhenAnyIsUp,
            })
            .WithCommand("heal", "Heal all", context => Commands(context).HealAllAsync(context.CancellationToken), new CommandOptions
            {
                Description = "Ends all faults of all agents",
                IconName = "Heart",
                UpdateState = WhenAnyIsUp,
            });
    }

    /// <summary>Adds an agent's commands, its health and its place below the cluster.</summary>
    public static IResourceBuilder<ProjectResource> InCluster(this IResourceBuilder<ProjectResource> agent, IResourceBuilder<ClusterResource> cluster)
    {
        var client = cluster.Resource.Add(agent.Resource);
        var check = $"{agent.Resource.Name}_health";
        agent.ApplicationBuilder.Services.AddHealthChecks().Add(new HealthCheckRegistration(check, new AgentHealthCheck(client), null, null));
        agent.WithHealthCheck(check)
            .WithParentRelationship(cluster)
            .WithCommand("run", "Run consensus", context => Commands(context).RunAsync(client, context.CancellationToken), new CommandOptions
            {
                Description = "Starts a run by this agent and waits for the decision",
                IconName = "Play",
                IsHighlighted = true,
                UpdateState = context => EnabledIf(IsUp(context)),
            })
            .WithCommand("reset", "Reset", context => Commands(context).ResetAsync(client, context.CancellationToken), new CommandOptions
            {
                Description = "Makes this agent forget the run",
                IconName = "ArrowReset",
                UpdateState = context => EnabledIf(IsUp(context)),
            });

        // Breaking calls on purpose is for watching, not for what is published.
        if (agent.ApplicationBuilder.ExecutionContext.IsRunMode)
        {
            agent.WithEnvironment("FAULTS", "true")
                .WithCommand("isolate", "Isolate", context => Commands(context).IsolateAsync(client, context.CancellationToken), new CommandOptions
                {
                    Description = "Cuts all calls between this agent and the others",
                    IconName = "PlugDisconnected",
                    UpdateState = context => EnabledIf(IsUp(context) && !ClusterPublisher.IsIsolated(context.ResourceSnapshot)),
                })
                .WithCommand("reconnect", "Reconnect", context => Commands(context).ReconnectAsync(client, context.CancellationToken), new CommandOptions
                {
                    Description = "Ends all faults of this agent",
                    IconName = "PlugConnected",
                    UpdateState = context => EnabledIf(IsUp(context) && ClusterPublisher.IsIsolated(context.ResourceSnapshot)),
                });
        }

        return agent;
    }

    /// <summary>
    /// Starts an agent by its built program. <c>dotnet run</c> would evaluate the project for each agent, which takes more CPU than
    /// the agent's own start.
    /// </summary>
    public static IResourceBuilder<ProjectResource> WithBuiltProgram(this IResourceBuilder<ProjectResource> agent)
    {
        // The AppHost's build also builds the agent, into the folder of the same names.
        var own = typeof(ClusterExtensions).Assembly;
        var configuration = own.GetCustomAttribute<AssemblyConfigurationAttribute>()!.Configuration;
        var framework = $"net{new FrameworkName(own.GetCustomAttribute<TargetFrameworkAttribute>()!.FrameworkName).Version}";
        var project = agent.Resource.GetProjectMetadata().ProjectPath;
        var folder = Path.GetDirectoryName(project)!;
        var name = Path.GetFileNameWithoutExtension(project) + (OperatingSystem.IsWindows() ? ".exe" : "");
        var program = Path.Combine(folder, "bin", configuration, framework, name);
        return agent.ApplicationBuilder.ExecutionContext.IsRunMode && File.Exists(program)
            ? agent.WithAnnotation(new ExecutableAnnotation { Command = program, WorkingDirectory = folder })
            : agent;
    }

    /// <summary>
    /// Makes an agent send its telemetry to the dashboard alone, and gives it the dashboard's address. Variables of one signal in the
    /// AppHost's environment would reach the agent, and win over the endpoint that Aspire sets for all signals.
    /// </summary>
    public static IResourceBuilder<ProjectResource> WithDashboardTelemetry(this IResourceBuilder<ProjectResource> agent)
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
    public static IResourceBuilder<ProjectResource> WithProbes(this IResourceBuilder<ProjectResource> agent) =>
        agent.ApplicationBuilder.ExecutionContext.IsRunMode
            ? agent
            : agent.WithHttpProbe(ProbeType.Readiness, "/health").WithHttpProbe(ProbeType.Liveness, "/alive");

    /// <summary>Gives an agent a file for its runs that outlasts a restart.</summary>
    public static IResourceBuilder<ProjectResource> WithDataFile(this IResourceBuilder<ProjectResource> agent, ClusterOptions options)
    {
        if (agent.ApplicationBuilder.ExecutionContext.IsPublishMode)
        {
            return agent;
        }

        return agent.WithEnvironment("DATA", Path.Combine(options.Data, agent.Resource.Name + ".db"));
    }

    /// <summary>Gives a published agent a volume for its runs.</summary>
    public static IResourceBuilder<ContainerResource> WithDataVolume(this IResourceBuilder<ContainerResource> agent) =>
        agent.WithVolume($"{agent.Resource.Name}-data", DataInContainer).WithEnvironment("DATA", $"{DataInContainer}/agent.db");

    /// <summary>Adds a link to the dashboard; links stand in the order in which they are added.</summary>
    public static IResourceBuilder<ProjectResource> WithLink(this IResourceBuilder<ProjectResource> agent, string path, string name) =>
        agent.WithUrlForEndpoint("http", _ => new ResourceUrlAnnotation { Url = path, DisplayText = name });

    private static RunCommands Commands(ExecuteCommandContext context) => context.Services.GetRequiredService<RunCommands>();

    private static ResourceCommandState EnabledIf(bool enabled) => enabled ? ResourceCommandState.Enabled : ResourceCommandState.Disabled;

    private static ResourceCommandState WhenAnyIsUp(UpdateCommandStateContext context) =>
        EnabledIf(context.Services.GetRequiredService<ClusterMonitor>().View?.Up.Any() == true);

    private static bool IsUp(UpdateCommandStateContext context) =>
        context.ResourceSnapshot is { State.Text: "Running", HealthStatus: HealthStatus.Healthy or HealthStatus.Degraded };

    private static Task ValidateAsync(InputsDialogValidationContext context, List<string> starters)
    {
        foreach (var option in RunOption.InForms)
        {
            var value = context.Inputs[option.CommandName].Value;
            if (option.IsSet(value) && option.Check(value) is { } error)
            {
                context.AddValidationError(option.CommandName, error);
            }
        }

        var starter = context.Inputs[RunCommands.StartingAgent].Value;
        if (!string.IsNullOrEmpty(starter) && !starters.Contains(starter))
        {
            context.AddValidationError(RunCommands.StartingAgent, $"agent is '{starter}'; it must be one of {string.Join(", ", starters)}.");
        }

        return Task.CompletedTask;
    }
}
