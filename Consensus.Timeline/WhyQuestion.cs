using System.Globalization;
using Consensus.Protocol;
using Consensus.Simulation;
using Consensus.Simulation.Explanations;

namespace Consensus.Timeline;

/// <summary>Why something happened.</summary>
/// <param name="Agent">The agent.</param>
/// <param name="Event">What happened, in words whose subject is the agent.</param>
/// <param name="AtMs">When, in ms since the start of the timeline.</param>
/// <param name="Sentences">At most five sentences.</param>
/// <param name="Causes">
/// The messages, responses, timers and failures that caused it. Without any one of them it would not have happened, or by
/// another cause that a sentence names.
/// </param>
/// <param name="Quorums">The quorums that matter.</param>
/// <param name="Shared">The agents that all quorums share.</param>
/// <param name="Past">By lane: until when its steps are in the causal past, in ms; null: none is.</param>
/// <param name="Guilty">Of a broken rule: the first step that the sound rule would not take; absent: none.</param>
public sealed record EventExplanation(
    string Agent, string Event, double AtMs, IReadOnlyList<string> Sentences,
    IReadOnlyList<ExplainedCause> Causes, IReadOnlyList<ExplainedQuorum> Quorums,
    IReadOnlyList<string> Shared, IReadOnlyList<double?> Past, ExplainedCause? Guilty = null);

/// <summary>A step of an explanation.</summary>
/// <param name="AtMs">When, in ms since the start of the timeline.</param>
/// <param name="Lane">The agent's lane.</param>
/// <param name="Text">What it is.</param>
public sealed record ExplainedCause(double AtMs, int Lane, string Text);

/// <summary>Asks why something happened in a run.</summary>
/// <param name="Agent">The agent.</param>
/// <param name="Kind">The kind of event in a timeline, <see cref="Ignored"/> or <see cref="Stalled"/>.</param>
/// <param name="At">When, in ms since the start of the timeline; null: at the end.</param>
/// <param name="Round">The round, where one step has events of several; null: any.</param>
public sealed record WhyQuestion(string Agent, string Kind, double? At, int? Round)
{
    /// <summary>A received message was not accepted.</summary>
    public const string Ignored = "ignored";

    /// <summary>The agent reports its run as stalled.</summary>
    public const string Stalled = "stalled";

    /// <summary>Which values <see cref="Kind"/> has.</summary>
    public static IEnumerable<string> Kinds => [.. WireNames.All<ProtocolEventKind>(), Ignored, Stalled];

    /// <summary>Reads <c>agent,kind,ms</c>, with <c>,round</c> or without.</summary>
    /// <returns>Null where the text is none.</returns>
    public static WhyQuestion? Parse(string text) => text.Split(',') is [var agent, var kind, var at, .. var rest] && rest.Length < 2
        ? Parse(agent, kind, at, rest.FirstOrDefault()) : null;

    /// <summary>Reads the parts of a question.</summary>
    public static WhyQuestion? Parse(string agent, string kind, string? at, string? round) =>
        Kinds.Contains(kind) && ReadNumber(at, out var ms) && ReadNumber(round, out var number)
        && number is null or (>= 0 and <= ProtocolLimits.MaxRound)
            ? new(agent, kind, ms, (int?)number) : null;

    /// <summary>Adds the answer to a timeline; none where nothing is asked, or nothing such happened.</summary>
    public static ClusterTimeline AddAnswer(WhyQuestion? why, ClusterTimeline timeline, SimulationTrace trace, StateMachineFactory? make) =>
        why is null ? timeline : timeline with { Explanation = why.Answer(trace, make, timeline.StartUs) };

    /// <summary>Answers it.</summary>
    /// <param name="trace">What happened.</param>
    /// <param name="make">Makes the machines; null: those with the sound rules.</param>
    /// <param name="startUs">The start of the timeline.</param>
    /// <returns>Null where nothing such happened.</returns>
    public EventExplanation? Answer(SimulationTrace trace, StateMachineFactory? make, long startUs)
    {
        var explainer = new Explainer(trace, make);
        var agent = trace.Steps.Select(step => step.Agent).Distinct().FirstOrDefault(one => one >= 0 && trace.IdOf(one) == Agent, -1);
        double T(int step) => (trace.Steps[step].At - startUs) / 1000.0;
        var near = trace.Steps.Index().Where(step => step.Item.Agent == agent && agent >= 0)
            .OrderBy(step => At is { } at ? Math.Abs(T(step.Index) - at) : -step.Index).Select(step => step.Index);
        var kind = WireNames.Parse<ProtocolEventKind>(Kind);
        var found = agent < 0 ? null : Kind == Stalled ? explainer.ExplainStall(agent)
            : Kind == Ignored ? near.Select(explainer.ExplainIgnored).FirstOrDefault(one => one is not null)
            : near.Select(step =>
                (Step: step, Event: trace.Steps[step].Events.LastOrDefault(one => one.Kind == kind && (Round ?? one.Round) == one.Round)))
                .Where(one => one.Event is not null).Select(one => explainer.Explain(one.Step, one.Event!)).FirstOrDefault();
        return found is null ? null : new(
            found.Agent, found.Event, T(found.Step), found.Sentences,
            [.. found.Causes.Select(cause => new ExplainedCause(T(cause.Step), agent, cause.Text))], found.Quorums, found.Shared,
            [.. found.Past.Select(step => step < 0 ? (double?)null : T(step))],
            found.Guilty is { } guilty ? new(T(guilty.Step), trace.Steps[guilty.Step].Agent, guilty.Sentence) : null);
    }

    private static bool ReadNumber(string? text, out double? number)
    {
        var read = double.TryParse(
            text, NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value);
        number = read ? value : null;
        return text is null || (read && double.IsFinite(value));
    }
}
