#pragma warning disable ASPIREINTERACTION001 // Typed arguments of commands are marked experimental.
using System.Globalization;
using Consensus.Protocol;

namespace Consensus.Hosting;

/// <summary>Commands of the cluster that break links on purpose, and its judge.</summary>
internal static class LinkCommands
{
    private const string Agent = "agent";
    private const string From = "from";
    private const string To = "to";

    /// <summary>A kind of fault as a command: its argument beside the link, and what it changes.</summary>
    private sealed record Fault(
        string Name, string Title, string Description, string Icon, string? Argument, int Max, Func<LinkFaults, int, LinkFaults> Change);

    /// <summary>Adds them.</summary>
    [AspireExportIgnore(Reason = "Not public.")]
    public static void WithLinkCommands(this IResourceBuilder<ConsensusClusterResource> builder, ClusterLinks links)
    {
        var cluster = builder.Resource;
        Add("isolate", "Isolate…", "Cuts all calls between an agent and the others", "PlugDisconnected", [Choice(cluster, Agent)], 0,
            (commands, arguments, cancellation) => commands.IsolateAsync(Find(cluster, arguments), cancellation));
        Add("reconnect", "Reconnect…", "Ends the faults of all links of an agent", "PlugConnected", [Choice(cluster, Agent)], 0,
            (commands, arguments, cancellation) => commands.ReconnectAsync(Find(cluster, arguments), cancellation));
        Fault[] faults =
        [
            new("lose", "Lose…", "Loses calls from one agent to another", "DocumentDismiss", "percent", 100,
                (now, amount) => now with { Lose = amount / 100.0 }),
            new("delay", "Delay…", "Delays calls from one agent to another", "Clock", "ms", LinkFaults.MaxDelayMs,
                (now, amount) => now with { DelayMs = amount }),
            new("repeat", "Repeat…", "Delivers calls from one agent to another twice", "ArrowRepeatAll", "percent", 100,
                (now, amount) => now with { Repeat = amount / 100.0 }),
            new("cut", "Cut one direction…", "Lets no call from one agent reach another", "Cut", null, 0,
                (now, _) => now with { Cut = true }),
        ];
        foreach (var fault in faults)
        {
            List<InteractionInput> inputs = [Choice(cluster, From), Choice(cluster, To)];
            if (fault.Argument is not null)
            {
                inputs.Add(Amount(fault));
            }

            Add(fault.Name, fault.Title, fault.Description, fault.Icon, inputs, fault.Max, (commands, arguments, cancellation) =>
            {
                var (from, to) = (arguments[From].Value, arguments[To].Value);
                var amount = fault.Argument is null ? 0 : int.Parse(arguments[fault.Argument].Value!, CultureInfo.InvariantCulture);
                return commands.OnLinksAsync(
                    link => link.From == from && link.To == to, now => fault.Change(now, amount), () => Describe(from, to), cancellation);
            });
        }

        builder.WithCommand("judge", "Judge", context => cluster.Commands(context).JudgeAsync(context.CancellationToken), new CommandOptions
        {
            Description = "Judges each agent by the contract, and some runs of all",
            IconName = "Gavel",
            IsHighlighted = true,
            Progress = new CommandProgressOptions
            {
                Title = "Judge", Message = "The agents are judged. The console log of the cluster says how far the judge is.",
            },
        });

        string Describe(string? from, string? to)
        {
            var now = links.States.First(link => link.From == from && link.To == to).Faults.ToString();
            return $"{from} → {to}: {(now.Length > 0 ? now : "no faults")}";
        }

        void Add(
            string name, string title, string description, string icon, IReadOnlyList<InteractionInput> inputs, int max,
            Func<RunCommands, InteractionInputCollection, CancellationToken, Task<ExecuteCommandResult>> run) =>
            builder.WithCommand(
                name, title, context => run(cluster.Commands(context), context.Arguments, context.CancellationToken), new CommandOptions
                {
                    Description = description,
                    IconName = icon,
                    Arguments = [.. inputs],
                    ValidateArguments = context => Validate(context, cluster, max),
                });
    }

    private static AgentClient Find(ConsensusClusterResource cluster, InteractionInputCollection arguments) =>
        cluster.Agents.First(agent => agent.Agent.Name == arguments[Agent].Value);

    private static InteractionInput Choice(ConsensusClusterResource cluster, string name) => new()
    {
        Name = name,
        Label = name switch { From => "Calls from", To => "Calls to", _ => "Agent" },
        InputType = InputType.Choice,
        Required = true,
        Options = cluster.Names,
    };

    private static InteractionInput Amount(Fault fault) => new()
    {
        Name = fault.Argument!,
        Label = fault.Argument == "ms" ? "Delay in ms" : "Percent of the calls",
        Description = string.Create(CultureInfo.InvariantCulture, $"From 0 to {fault.Max}; 0 ends it."),
        InputType = InputType.Number,
        Required = true,
    };

    private static Task Validate(InputsDialogValidationContext context, ConsensusClusterResource cluster, int max)
    {
        foreach (var input in context.Inputs)
        {
            if (input.InputType == InputType.Choice)
            {
                context.RequireChoice(input, cluster.Names);
            }
            else if (!(int.TryParse(input.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= max))
            {
                context.AddValidationError(input, string.Create(
                    CultureInfo.InvariantCulture, $"{input.Name} is '{input.Value}'; it must be a whole number from 0 to {max}."));
            }
        }

        if (context.Inputs.TryGetByName(From, out var from) && context.Inputs.TryGetByName(To, out var to) && from.Value == to.Value)
        {
            context.AddValidationError(to, "A link leads to another agent.");
        }

        return Task.CompletedTask;
    }
}
