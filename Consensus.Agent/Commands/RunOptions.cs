using System.CommandLine;
using Consensus.Protocol;

namespace Consensus.Agent.Commands;

/// <summary>Options of a command that are options of a run, made from their table.</summary>
/// <param name="options">The options.</param>
/// <param name="hasDefaults">Whether the help shows the defaults; not where the agent's settings decide.</param>
internal sealed class RunOptions(IEnumerable<RunOption> options, bool hasDefaults)
{
    private readonly List<(RunOption Run, Option<string?> Command)> _options =
        [.. options.Select(option => (option, Create(option, hasDefaults)))];

    /// <summary>Adds them to a command.</summary>
    /// <returns>The command.</returns>
    public Command AddTo(Command command)
    {
        _options.ForEach(option => command.Add(option.Command));
        return command;
    }

    /// <summary>Takes an option by its former name, too, which the help does not show.</summary>
    public RunOptions WithFormerName(RunOption option, string name)
    {
        var command = Create(option, hasDefault: false, name);
        command.Hidden = true;
        _options.Add((option, command));
        return this;
    }

    /// <summary>What the command line asks for.</summary>
    public RunRequest Read(ParseResult parsed) => _options.Aggregate(
        new RunRequest(), (request, option) => parsed.GetValue(option.Command) is { } text ? option.Run.Set(request, text) : request);

    private static Option<string?> Create(RunOption option, bool hasDefault, string? name = null)
    {
        var command = new Option<string?>(name ?? "--" + option.CommandName)
        {
            Description = option.Choices.Count > 0
                ? option.Description : $"{option.Description} {char.ToUpperInvariant(option.Allowed[0])}{option.Allowed[1..]}.",
            HelpName = option.Choices.Count > 0 ? string.Join('|', option.Choices) : "N",
        };
        if (hasDefault && option.Default is { } value)
        {
            command.DefaultValueFactory = _ => value;
        }

        command.Validators.Add(given =>
        {
            if (given.Tokens is [var token] && !option.Accepts(token.Value))
            {
                given.AddError($"--{option.CommandName} must be {option.Allowed}.");
            }
        });
        return command;
    }
}
