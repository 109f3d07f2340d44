#pragma warning disable ASPIREINTERACTION001 // Typed arguments of commands are marked experimental.
using Consensus.Protocol;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Consensus.Hosting;

/// <summary>The commands of the cluster and of its agents, in the dashboard and on the command line.</summary>
internal static class ClusterCommands
{
    /// <summary>Adds the commands of the whole cluster.</summary>
    [AspireExportIgnore(Reason = "Not public.")]
    public static IResourceBuilder<ConsensusClusterResource> WithClusterCommands(this IResourceBuilder<ConsensusClusterResource> builder)
    {
        var cluster = builder.Resource;
        List<InteractionInput> inputs = [.. RunOption.InForms.Select(option => option.ToArgument())];
        inputs.Add(new InteractionInput
        {
            Name = RunCommands.StartingAgent,
            Label = "Starting agent",
            Description = "The agent that starts the run.",
            InputType = InputType.Choice,
            Options = cluster.Starters,
            Value = RunCommands.AnyAgent,
        });
        Add(builder, cluster, "run", "Run consensus", "Starts a run on all agents and waits for the decision", "Play", IsAnyUp,
            (commands, cancellation) => commands.RunAsync(null, cancellation), isHighlighted: true);
        builder.WithCommand(
            "run-with", "Run with options…",
            context => cluster.Commands(context).RunWithAsync(context.Arguments, context.CancellationToken),
            new CommandOptions
            {
                Description = "Starts a run with a rule, a draw, values, a window and a seed of your choice",
                IconName = "Options",
                IsHighlighted = true,
                Arguments = inputs,
                ValidateArguments = context => ValidateAsync(context, cluster),
                UpdateState = context => EnabledIf(IsAnyUp(context)),
            });
        Add(builder, cluster, "reset", "Reset all", "Makes all agents forget the run", "ArrowReset", IsAnyUp,
            (commands, cancellation) => commands.ResetAllAsync(cancellation));
        Add(builder, cluster, "heal", "Heal all", "Ends all faults of all agents", "Heart", IsAnyUp,
            (commands, cancellation) => commands.HealAllAsync(cancellation));
        return builder;

        bool IsAnyUp(UpdateCommandStateContext context) =>
            context.Services.GetRequiredKeyedService<ClusterMonitor>(cluster.Name).View?.Up.Any() == true;
    }

    /// <summary>Adds the commands of an agent.</summary>
    [AspireExportIgnore(Reason = "Not public.")]
    public static IResourceBuilder<IResourceWithEndpoints> WithAgentCommands(
        this IResourceBuilder<IResourceWithEndpoints> agent, ConsensusClusterResource cluster, AgentClient client)
    {
        Add(agent, cluster, "run", "Run consensus", "Starts a run by this agent and waits for the decision", "Play", IsUp,
            (commands, cancellation) => commands.RunAsync(client, cancellation), isHighlighted: true);
        Add(agent, cluster, "reset", "Reset", "Makes this agent forget the run", "ArrowReset", IsUp,
            (commands, cancellation) => commands.ResetAsync(client, cancellation));

        // Breaking calls on purpose is for watching, not for what is published.
        if (agent.ApplicationBuilder.ExecutionContext.IsRunMode)
        {
            Add(agent, cluster, "isolate", "Isolate", "Cuts all calls between this agent and the others", "PlugDisconnected",
                context => IsUp(context) && !ClusterPublisher.IsIsolated(context.ResourceSnapshot),
                (commands, cancellation) => commands.IsolateAsync(client, cancellation));
            Add(agent, cluster, "reconnect", "Reconnect", "Ends all faults of this agent", "PlugConnected",
                context => IsUp(context) && ClusterPublisher.IsIsolated(context.ResourceSnapshot),
                (commands, cancellation) => commands.ReconnectAsync(client, cancellation));
        }

        return agent;
    }

    private static void Add<T>(
        IResourceBuilder<T> resource, ConsensusClusterResource cluster, string name, string title, string description, string icon,
        Func<UpdateCommandStateContext, bool> isEnabled, Func<RunCommands, CancellationToken, Task<ExecuteCommandResult>> run,
        bool isHighlighted = false)
        where T : IResource =>
        resource.WithCommand(name, title, context => run(cluster.Commands(context), context.CancellationToken), new CommandOptions
        {
            Description = description,
            IconName = icon,
            IsHighlighted = isHighlighted,
            UpdateState = context => EnabledIf(isEnabled(context)),
        });

    /// <summary>What the commands of a cluster do.</summary>
    [AspireExportIgnore(Reason = "Not public.")]
    public static RunCommands Commands(this ConsensusClusterResource cluster, ExecuteCommandContext context) =>
        context.Services.GetRequiredKeyedService<RunCommands>(cluster.Name);

    private static ResourceCommandState EnabledIf(bool enabled) => enabled ? ResourceCommandState.Enabled : ResourceCommandState.Disabled;

    private static bool IsUp(UpdateCommandStateContext context) =>
        context.ResourceSnapshot is { State.Text: "Running", HealthStatus: HealthStatus.Healthy or HealthStatus.Degraded };

    private static Task ValidateAsync(InputsDialogValidationContext context, ConsensusClusterResource cluster)
    {
        foreach (var option in RunOption.InForms)
        {
            var value = context.Inputs[option.CommandName].Value;
            if (option.IsSet(value) && option.Check(value) is { } error)
            {
                context.AddValidationError(option.CommandName, error);
            }
        }

        var starter = context.Inputs[RunCommands.StartingAgent];
        if (!string.IsNullOrEmpty(starter.Value))
        {
            context.RequireChoice(starter, cluster.Starters);
        }

        return Task.CompletedTask;
    }

    /// <summary>Refuses a value that is none of the choices.</summary>
    [AspireExportIgnore(Reason = "Not public.")]
    public static void RequireChoice(
        this InputsDialogValidationContext context, InteractionInput input, IReadOnlyList<KeyValuePair<string, string>> choices)
    {
        if (!choices.Any(choice => choice.Key == input.Value))
        {
            var names = string.Join(", ", choices.Select(choice => choice.Key));
            context.AddValidationError(input, $"{input.Name} is '{input.Value}'; it must be one of {names}.");
        }
    }
}
