#pragma warning disable ASPIREINTERACTION001 // Custom inputs of parameters are marked experimental.
using Consensus.Protocol;
using Microsoft.Extensions.Configuration;

namespace Consensus.AppHost;

/// <summary>Parameters with the defaults of <c>POST /run</c>.</summary>
internal static class RunParameters
{
    /// <summary>Adds a parameter whose value is checked wherever it comes from: configuration, the dashboard, the command line.</summary>
    public static IResourceBuilder<ParameterResource> AddRunParameter(this IDistributedApplicationBuilder builder, RunOption option)
    {
        var configured = builder.Configuration[$"Parameters:{option.CommandName}"] ?? option.Default!;
        if (option.Check(configured) is { } wrong)
        {
            Console.Error.WriteLine($"Parameters:{wrong} Set it in the dashboard's tab Parameters, then start the agents.");
        }

        var parameter = builder.AddParameter(option.CommandName, () => Checked(option, configured), publishValueAsDefault: true)
            .WithDescription($"{option.Description} A new value takes effect when the agents restart.")
            .WithCustomInput(resource => option.ToInput());
        builder.Eventing.Subscribe<AfterResourcesCreatedEvent>((_, _) =>
        {
            CheckNewValues(parameter.Resource, option);
            return Task.CompletedTask;
        });
        return parameter;
    }

    /// <summary>The orchestrator shows the exception's message as the parameter's value, and its state as an error.</summary>
    private static string Checked(RunOption option, string value) =>
        option.Check(value) is { } error ? throw new DistributedApplicationException($"Parameters:{error}") : value;

    /// <summary>Aspire adds the command that sets a parameter, and lets any value pass. The same command with a check takes its place.</summary>
    private static void CheckNewValues(ParameterResource parameter, RunOption option)
    {
        if (parameter.Annotations.OfType<ResourceCommandAnnotation>().FirstOrDefault(command => command.Name == KnownResourceCommands.SetParameterCommand) is not { } set)
        {
            return;
        }

        parameter.Annotations.Remove(set);
        parameter.Annotations.Add(new ResourceCommandAnnotation(
            set.Name, set.DisplayName, set.UpdateState, set.ExecuteCommand, set.DisplayDescription, set.Arguments, set.ConfirmationMessage,
            set.IconName, set.IconVariant, set.IsHighlighted, set.Visibility, validateArguments: context =>
            {
                var value = context.Inputs[0];
                if (!string.IsNullOrEmpty(value.Value) && option.Check(value.Value) is { } error)
                {
                    context.AddValidationError(value, error);
                }

                return Task.CompletedTask;
            }));
    }
}
