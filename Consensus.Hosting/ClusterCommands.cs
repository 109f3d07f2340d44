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
        return builder
            .WithCommand("run", "Run consensus", context => cluster.Commands(context).RunAsync(null, context.CancellationToken), new CommandOptions
            {
                Description = "Starts a run on all agents and waits for the decision",
                IconName = "Play",
                IsHighlighted = true,
                UpdateState = WhenAnyIsUp,
            })
            .WithCommand("run-with", "Run with options…", context => cluster.Commands(context).RunWithAsync(context.Arguments, context.CancellationToken), new CommandOptions
            {
                Description = "Starts a run with a rule, a draw, values, a window and a seed of your choice",
                IconName = "Options",
                IsHighlighted = true,
                Arguments = inputs,
                ValidateArguments = context => ValidateAsync(context, [.. cluster.Starters.Select(starter => starter.Key)]),
                UpdateState = WhenAnyIsUp,
            })
            .WithCommand("reset", "Reset all", context => cluster.Commands(context).ResetAllAsync(context.CancellationToken), new CommandOptions
            {
                Description = "Makes all agents forget the run",
                IconName = "ArrowReset",
                UpdateState = WhenAnyIsUp,
            })
            .WithCommand("heal", "Heal all", context => cluster.Commands(context).HealAllAsync(context.CancellationToken), new CommandOptions
            {
                Description = "Ends all faults of all agents",
                IconName = "Heart",
                UpdateState = WhenAnyIsUp,
            });

        ResourceCommandState WhenAnyIsUp(UpdateCommandStateContext context) =>
            EnabledIf(context.Services.GetRequiredKeyedService<ClusterMonitor>(cluster.Name).View?.Up.Any() == true);
    }

    /// <summary>Adds the commands of an agent.</summary>
    [AspireExportIgnore(Reason = "Not public.")]
    public static IResourceBuilder<IResourceWithEndpoints> WithAgentCommands(
        this IResourceBuilder<IResourceWithEndpoints> agent, ConsensusClusterResource cluster, AgentClient client)
    {
        agent
            .WithCommand("run", "Run consensus", context => cluster.Commands(context).RunAsync(client, context.CancellationToken), new CommandOptions
            {
                Description = "Starts a run by this agent and waits for the decision",
                IconName = "Play",
                IsHighlighted = true,
                UpdateState = context => EnabledIf(IsUp(context)),
            })
            .WithCommand("reset", "Reset", context => cluster.Commands(context).ResetAsync(client, context.CancellationToken), new CommandOptions
            {
                Description = "Makes this agent forget the run",
                IconName = "ArrowReset",
                UpdateState = context => EnabledIf(IsUp(context)),
            });

        // Breaking calls on purpose is for watching, not for what is published.
        if (agent.ApplicationBuilder.ExecutionContext.IsRunMode)
        {
            agent
                .WithCommand("isolate", "Isolate", context => cluster.Commands(context).IsolateAsync(client, context.CancellationToken), new CommandOptions
                {
                    Description = "Cuts all calls between this agent and the others",
                    IconName = "PlugDisconnected",
                    UpdateState = context => EnabledIf(IsUp(context) && !ClusterPublisher.IsIsolated(context.ResourceSnapshot)),
                })
                .WithCommand("reconnect", "Reconnect", context => cluster.Commands(context).ReconnectAsync(client, context.CancellationToken), new CommandOptions
                {
                    Description = "Ends all faults of this agent",
                    IconName = "PlugConnected",
                    UpdateState = context => EnabledIf(IsUp(context) && ClusterPublisher.IsIsolated(context.ResourceSnapshot)),
                });
        }

        return agent;
    }

    private static RunCommands Commands(this ConsensusClusterResource cluster, ExecuteCommandContext context) =>
        context.Services.GetRequiredKeyedService<RunCommands>(cluster.Name);

    private static ResourceCommandState EnabledIf(bool enabled) => enabled ? ResourceCommandState.Enabled : ResourceCommandState.Disabled;

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
