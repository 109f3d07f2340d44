using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Consensus.Protocol;

/// <summary>
/// What the caller of <c>POST /run</c> asks for. Null: the default, which is the agent's setting or else that of <see cref="RunOption"/>.
/// </summary>
/// <param name="Round">The start round.</param>
/// <param name="Rule">How the run decides. Null: ratified, or classic where an original agent is among the peers.</param>
/// <param name="Values">Values are drawn from 1..Values.</param>
/// <param name="Draw">How values are drawn.</param>
/// <param name="WindowMs">How long a quorum waits for stragglers, in ms.</param>
/// <param name="Seed">Makes the draws repeatable.</param>
/// <param name="Spread">
/// How messages travel. Null: direct up to <see cref="ProtocolLimits.MaxDirectAgents"/> agents, relay beyond. The classic rule is
/// always direct.
/// </param>
public sealed record RunRequest(
    int? Round = null, Rule? Rule = null, int? Values = null, DrawStrategy? Draw = null,
    int? WindowMs = null, long? Seed = null, Spread? Spread = null)
{
    /// <summary>The start round without another.</summary>
    public const int DefaultRound = 1;

    /// <summary>The largest value without another.</summary>
    public const int DefaultValues = 3;

    /// <summary>The same, with the options of <paramref name="defaults"/> where none was asked for.</summary>
    public RunRequest Or(RunRequest defaults)
    {
        ArgumentNullException.ThrowIfNull(defaults);
        return new(
            Round ?? defaults.Round, Rule ?? defaults.Rule, Values ?? defaults.Values, Draw ?? defaults.Draw, WindowMs ?? defaults.WindowMs,
            Seed ?? defaults.Seed, Spread ?? defaults.Spread);
    }
}

/// <summary>
/// One option of a run, and the table of all of them. Settings, commands, dashboard and forms are made from this table; tests hold
/// the body of <c>POST /run</c>, the page and the reference equal to it.
/// </summary>
public sealed class RunOption
{
    private readonly Func<RunRequest, string, RunRequest> _set;
    private readonly Func<RunRequest, long?>? _number;

    private RunOption(
        string name, string label, string description, string? defaultText,
        Func<RunRequest, string, RunRequest> set, Func<RunRequest, long?>? number = null) =>
        (Name, Label, Description, Default, _set, _number) = (name, label, description, defaultText, set, number);

    /// <summary>The start round.</summary>
    public static RunOption Round { get; } = Number(
        "round", "Start round", "The first round of the run.", 1, ProtocolLimits.MaxStartRound, RunRequest.DefaultRound,
        request => request.Round, (request, number) => request with { Round = (int)number });

    /// <summary>The rule.</summary>
    public static RunOption Rule { get; } = Choice<Rule>(
        "rule", "Rule", "ratified cannot disagree; classic is the original's rule and can.", Protocol.Rule.Ratified,
        (request, rule) => request with { Rule = rule }, "ratified rule", "classic rule");

    /// <summary>How values are drawn.</summary>
    public static RunOption Draw { get; } = Choice<DrawStrategy>(
        "draw", "Draw", "fresh draws at random in each round; plurality draws what most agents proposed.", DrawStrategy.Fresh,
        (request, draw) => request with { Draw = draw }, "draw", "fresh draw", "plurality draw");

    /// <summary>The largest value.</summary>
    public static RunOption Values { get; } = Number(
        "values", "Values 1 to", "Agents draw values from 1 to this number.", 1, ProtocolLimits.MaxValues, RunRequest.DefaultValues,
        request => request.Values, (request, number) => request with { Values = (int)number }, "value");

    /// <summary>The window.</summary>
    public static RunOption WindowMs { get; } = Number(
        "window_ms", "Window, ms", "How long a round waits for slower agents, in ms.",
        0, ProtocolLimits.MaxWindowMs, ProtocolTiming.DefaultWindowMs,
        request => request.WindowMs, (request, number) => request with { WindowMs = (int)number }, "window");

    /// <summary>How messages travel.</summary>
    public static RunOption Spread { get; } = Choice<Spread>(
        "spread", "Spread", "direct: every agent sends to every agent; relay: the initiator passes on what the others send. "
            + $"By default direct up to {ProtocolLimits.MaxDirectAgents} agents, relay beyond. The classic rule is always direct.", null,
        (request, spread) => request with { Spread = spread }, "direct spread", "relay");

    /// <summary>The seed of the draws.</summary>
    public static RunOption Seed { get; } = Number(
        "seed", "Seed", "Makes the draws repeatable. Without a seed they are random.",
        -ProtocolLimits.MaxSeed, ProtocolLimits.MaxSeed, null,
        request => request.Seed, (request, number) => request with { Seed = number }, "seed");

    /// <summary>All options, in the order of forms.</summary>
    public static IReadOnlyList<RunOption> All { get; } = [Round, Rule, Draw, Values, WindowMs, Spread, Seed];

    /// <summary>Those of which an agent has a setting for runs that do not say.</summary>
    public static IEnumerable<RunOption> Settings => All.Where(option => option != Round && option != Seed);

    /// <summary>Those that forms offer.</summary>
    public static IEnumerable<RunOption> InForms => All.Where(option => option != Round);

    /// <summary>The name in bodies and queries, such as <c>window_ms</c>.</summary>
    public string Name { get; }

    /// <summary>The name on command lines and in the dashboard, such as <c>window-ms</c>.</summary>
    public string CommandName => Name.Replace('_', '-');

    /// <summary>The name of the setting, such as <c>WINDOW_MS</c>.</summary>
    public string Setting => Name.ToUpperInvariant();

    /// <summary>The label in forms.</summary>
    public string Label { get; }

    /// <summary>What the option means.</summary>
    public string Description { get; }

    /// <summary>The default value as text; null: the description says what holds.</summary>
    public string? Default { get; }

    /// <summary>The glossary's entries about the option.</summary>
    public IReadOnlyList<string> Terms { get; private init; } = [];

    /// <summary>The allowed texts, the default first; empty for a number.</summary>
    public IReadOnlyList<string> Choices { get; private init; } = [];

    /// <summary>The least allowed number.</summary>
    public long Min { get; private init; }

    /// <summary>The greatest allowed number.</summary>
    public long Max { get; private init; }

    /// <summary>What is allowed, as it stands after "must be".</summary>
    public string Allowed => Choices.Count > 0 ? string.Join(" or ", Choices)
        : string.Create(CultureInfo.InvariantCulture, $"a whole number from {Min} to {Max}");

    /// <summary>Names the first option whose number is out of range, and its range; null where there is none.</summary>
    public static string? Check(RunRequest request)
    {
        foreach (var option in All)
        {
            if (option._number?.Invoke(request) is { } number && !(number >= option.Min && number <= option.Max))
            {
                return $"{option.Name} must be {option.Allowed}.";
            }
        }

        return null;
    }

    /// <summary>Whether the text is a value of the option.</summary>
    public bool Accepts(string? text) => Choices.Count > 0
        ? Choices.Contains(text, StringComparer.OrdinalIgnoreCase)
        : long.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var number) && number >= Min && number <= Max;

    /// <summary>The request with this option set to a text that it accepts.</summary>
    /// <exception cref="FormatException">The option does not accept the text.</exception>
    public RunRequest Set(RunRequest request, string text) =>
        Accepts(text) ? _set(request, text) : throw new FormatException($"{Name} must be {Allowed}.");

    private static RunOption Number(
        string name, string label, string description, long min, long max, long? byDefault,
        Func<RunRequest, long?> get, Func<RunRequest, long, RunRequest> set, params string[] terms) =>
        new(name, label, description, byDefault?.ToString(CultureInfo.InvariantCulture),
            (request, text) => set(request, long.Parse(text, NumberStyles.Integer, CultureInfo.InvariantCulture)), get)
        { Min = min, Max = max, Terms = terms };

    private static RunOption Choice<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicFields)] T>(
        string name, string label, string description, T? byDefault, Func<RunRequest, T, RunRequest> set, params string[] terms)
        where T : struct, Enum =>
        new(name, label, description, byDefault?.WireName(),
            (request, text) => set(request, WireNames.Parse<T>(text.ToLowerInvariant())!.Value))
        {
            Choices = [.. Enum.GetValues<T>().OrderBy(choice => !choice.Equals(byDefault)).Select(choice => choice.WireName())],
            Terms = terms,
        };
}
