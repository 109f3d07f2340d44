#pragma warning disable ASPIREINTERACTION001 // Custom inputs of parameters are marked experimental.
using Consensus.Protocol;
using Microsoft.Extensions.Configuration;

namespace Consensus.Hosting;

/// <summary>Parameters whose values are checked wherever they come from: configuration, the dashboard, the command line.</summary>
internal static class RunParameters
{
    /// <summary>The options of a run that have a parameter.</summary>
    public static IReadOnlyList<RunOption> Options { get; } = [RunOption.Rule, RunOption.Values, RunOption.WindowMs];

    /// <summary>Adds a parameter with a default of <c>POST /run</c>.</summary>
    [AspireExportIgnore(Reason = "Not public.")]
    public static IResourceBuilder<ParameterResource> AddRunParameter(this IDistributedApplicationBuilder builder, RunOption option)
    {
        var configured = Configured(builder, option.CommandName, option.Check) ?? option.Default!;
        return builder.AddParameter(option.CommandName, () => Checked(option.Check, configured), publishValueAsDefault: true)
            .WithDescription(
                $"{option.Description} A new value counts from the next run of a command, and for other runs when the agents restart.")
            .WithChecks(option.Check, option.ToParameter(), option.Default);
    }

    /// <summary>Adds the parameter that holds the cluster's key: the configured one, or one made at random.</summary>
    [AspireExportIgnore(Reason = "Not public.")]
    public static IResourceBuilder<ParameterResource> AddClusterKey(this IDistributedApplicationBuilder builder)
    {
        var generated = new GenerateParameterDefault { MinLength = 32, Special = false };
        var configured = Configured(builder, ClusterKeyInput.Name, ClusterKeyInput.Check);
        var value = new Lazy<string>(() => Checked(ClusterKeyInput.Check, configured ?? generated.GetDefaultValue()));
        var key = configured is null && builder.ExecutionContext.IsPublishMode
            ? builder.AddParameter(ClusterKeyInput.Name, generated, secret: true)
            : builder.AddParameter(ClusterKeyInput.Name, () => value.Value, secret: true);
        return key.WithDescription($"{ClusterKeyInput.Description} A new value counts when the agents restart.")
            .WithChecks(ClusterKeyInput.Check, ClusterKeyInput.ToParameter(), null);
    }

    private static string? Configured(IDistributedApplicationBuilder builder, string name, Func<string?, string?> check)
    {
        var configured = builder.Configuration[$"Parameters:{name}"];
        if (configured is not null && check(configured) is { } wrong)
        {
            Console.Error.WriteLine($"Parameters:{wrong} Set it in the dashboard's tab Parameters, then start the agents.");
        }

        return configured;
    }

    /// <summary>The orchestrator shows the exception's message as the parameter's value, and its state as an error.</summary>
    private static string Checked(Func<string?, string?> check, string value) =>
        check(value) is { } error ? throw new DistributedApplicationException($"Parameters:{error}") : value;

    private static IResourceBuilder<ParameterResource> WithChecks(
        this IResourceBuilder<ParameterResource> parameter, Func<string?, string?> check, InteractionInput input, string? defaultValue)
    {
        parameter.WithCustomInput(_ => input);
        parameter.ApplicationBuilder.Eventing.Subscribe<AfterResourcesCreatedEvent>(async (_, cancellation) =>
            CheckNewValues(parameter.Resource, check, defaultValue ?? await ValueOfAsync(parameter.Resource, cancellation)));
        return parameter;
    }

    private static async Task<string?> ValueOfAsync(ParameterResource parameter, CancellationToken cancellation)
    {
        try
        {
            return await parameter.GetValueAsync(cancellation);
        }
        catch (DistributedApplicationException)
        {
            return null;
        }
    }

    /// <summary>
    /// Aspire adds the commands that set and delete a parameter. The first lets any value pass, and the second leaves none, without
    /// which no agent starts. The same commands with a check and with a default take their places.
    /// </summary>
    private static void CheckNewValues(ParameterResource parameter, Func<string?, string?> check, string? defaultValue)
    {
        if (Take(parameter, KnownResourceCommands.SetParameterCommand) is not { } set)
        {
            return;
        }

        parameter.Annotations.Add(new ResourceCommandAnnotation(
            set.Name, set.DisplayName, set.UpdateState, set.ExecuteCommand, set.DisplayDescription, set.Arguments, set.ConfirmationMessage,
            set.IconName, set.IconVariant, set.IsHighlighted, set.Visibility, validateArguments: context =>
            {
                var value = context.Inputs[0];
                if (!string.IsNullOrEmpty(value.Value) && check(value.Value) is { } error)
                {
                    context.AddValidationError(value, error);
                }

                return Task.CompletedTask;
            }));
        if (defaultValue is not null && Take(parameter, KnownResourceCommands.DeleteParameterCommand) is { } delete)
        {
            parameter.Annotations.Add(new ResourceCommandAnnotation(
                delete.Name, delete.DisplayName, delete.UpdateState, context => DeleteAsync(context, delete, set, parameter, defaultValue),
                delete.DisplayDescription, delete.Arguments, delete.ConfirmationMessage,
                delete.IconName, delete.IconVariant, delete.IsHighlighted, delete.Visibility));
        }
    }

    private static async Task<ExecuteCommandResult> DeleteAsync(
        ExecuteCommandContext context, ResourceCommandAnnotation delete, ResourceCommandAnnotation set, ParameterResource parameter,
        string defaultValue)
    {
        var deleted = await delete.ExecuteCommand(context);
        if (!deleted.Success)
        {
            return deleted;
        }

        var inputs = set.Arguments.Select((input, i) =>
            new InteractionInput { Name = input.Name, InputType = input.InputType, Value = i == 0 ? defaultValue : null });
        var reset = await set.ExecuteCommand(new ExecuteCommandContext
        {
            Services = context.Services, ResourceName = context.ResourceName, Logger = context.Logger,
            CancellationToken = context.CancellationToken,
            Arguments = new InteractionInputCollection([.. inputs]),
        });
        return reset.Success
            ? CommandResults.Success($"{parameter.Name} has its default again{(parameter.Secret ? "" : $": {defaultValue}")}")
            : reset;
    }

    private static ResourceCommandAnnotation? Take(ParameterResource parameter, string name)
    {
        var found = parameter.Annotations.OfType<ResourceCommandAnnotation>().FirstOrDefault(command => command.Name == name);
        if (found is not null)
        {
            parameter.Annotations.Remove(found);
        }

        return found;
    }
}
