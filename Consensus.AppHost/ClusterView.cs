using System.Collections.Immutable;
using System.Globalization;
using Consensus.Protocol;

namespace Consensus.AppHost;

/// <summary>One agent as the AppHost last saw it.</summary>
/// <param name="Name">Its resource name, which is its id.</param>
/// <param name="State">What it holds; null where it does not respond.</param>
/// <param name="Summary">Its summary of the run in <paramref name="State"/>; null where it has none.</param>
internal sealed record AgentStatus(string Name, AgentState? State, AgentRunSummary? Summary = null)
{
    /// <summary>Whether it responds.</summary>
    public bool Up => State is not null;

    /// <summary>Whether <c>/faults</c> cuts its calls.</summary>
    public bool Isolated => State?.Isolated == true;
}

/// <summary>What the resource <c>consensus</c> shows: computed from the agents' responses.</summary>
/// <param name="Agents">The agents.</param>
/// <param name="Text">The state, at most about 17 characters.</param>
/// <param name="Style">One of <see cref="KnownResourceStateStyles"/>.</param>
/// <param name="Sentence">The same as a sentence.</param>
/// <param name="Run">The newest run; null where there is none.</param>
internal sealed record ClusterView(ImmutableArray<AgentStatus> Agents, string Text, string Style, string Sentence, string? Run)
{
    /// <summary>Names of the agents that respond.</summary>
    public IEnumerable<string> Up => Agents.Where(agent => agent.Up).Select(agent => agent.Name);

    /// <summary>The view of agents that have responded.</summary>
    /// <param name="previous">The view before. Whichever changed last is shown: the outcome, or who is up.</param>
    /// <param name="agents">The agents, in the order of their numbers.</param>
    public static ClusterView Next(ClusterView? previous, ImmutableArray<AgentStatus> agents)
    {
        var outcome = OutcomeOf(agents);
        if (Availability(agents) is not { } availability)
        {
            return outcome;
        }

        var changed = previous is null || !previous.Agents.Select(Presence).SequenceEqual(agents.Select(Presence));
        var isNewOutcome = previous is not null && OutcomeOf(previous.Agents) is var before && (before.Run, before.Text) != (outcome.Run, outcome.Text);
        var showsAvailability = changed || (!isNewOutcome && previous!.Text == availability);
        return showsAvailability
            ? outcome with { Text = availability, Style = KnownResourceStateStyles.Warn, Sentence = $"{Absences(agents)}. {outcome.Sentence}" }
            : outcome with { Sentence = $"{outcome.Sentence}; {Absences(agents)}" };
    }

    /// <summary>The agents that hold the newest run, and what came of it.</summary>
    public IEnumerable<AgentStatus> InRun => Agents.Where(agent => Run is not null && agent.State?.Run == Run);

    /// <summary>The initiator's summary of the run, or another agent's where the initiator has none.</summary>
    public AgentRunSummary? Summary => InRun.OrderBy(agent => Run!.Contains($".{agent.Name}.", StringComparison.Ordinal) ? 0 : 1).FirstOrDefault(agent => agent.Summary is not null)?.Summary;

    private static (bool, bool) Presence(AgentStatus agent) => (agent.Up, agent.Isolated);

    private static string? Availability(ImmutableArray<AgentStatus> agents)
    {
        var up = agents.Count(agent => agent.Up);
        var isolated = agents.Count(agent => agent.Isolated);
        return up < agents.Length ? $"{up} of {agents.Length} up" : isolated > 0 ? $"{isolated} isolated" : null;
    }

    private static string Absences(ImmutableArray<AgentStatus> agents)
    {
        var down = agents.Where(agent => !agent.Up).Select(agent => agent.Name).ToList();
        var isolated = agents.Where(agent => agent.Isolated).Select(agent => agent.Name).ToList();
        var parts = new List<string>();
        if (down.Count > 0)
        {
            parts.Add($"{string.Join(", ", down)} {(down.Count == 1 ? "is" : "are")} down");
        }

        if (isolated.Count > 0)
        {
            parts.Add($"{string.Join(", ", isolated)} {(isolated.Count == 1 ? "is" : "are")} isolated");
        }

        return string.Join("; ", parts);
    }

    private static ClusterView OutcomeOf(ImmutableArray<AgentStatus> agents)
    {
        var run = agents.Select(agent => agent.State?.Run).MaxBy(id => RunId.TryParse(id, out var run) ? run : RunId.None);
        if (run is null)
        {
            return agents.Any(agent => agent.Up)
                ? new ClusterView(agents, "Ready", KnownResourceStateStyles.Info, "No run yet", null)
                : new ClusterView(agents, "Starting", KnownResourceStateStyles.Info, "No agent answers yet", null);
        }

        var members = agents.Where(agent => agent.State?.Run == run).Select(agent => agent.State!).ToList();
        var decided = members.Where(member => member.Decision is not null).ToList();
        var values = decided.Select(member => member.Decision!.Value).Distinct().ToList();
        if (values.Count > 1)
        {
            var each = string.Join(", ", decided.Select(member => string.Create(CultureInfo.InvariantCulture, $"{member.AgentId} decided {member.Decision!.Value}")));
            return new ClusterView(agents, "Disagreed", KnownResourceStateStyles.Error, each, run);
        }

        if (values.Count == 1)
        {
            var view = new ClusterView(agents, string.Create(CultureInfo.InvariantCulture, $"Decided {values[0]}"), KnownResourceStateStyles.Success, "", run);
            return view with { Sentence = Decision(decided, view.Summary?.DurationMs) };
        }

        if (members.FirstOrDefault(member => member.Stalled is not null) is { } stalled)
        {
            return new ClusterView(agents, "Stalled", KnownResourceStateStyles.Warn, $"The run stalled: {stalled.Stalled}", run);
        }

        var round = members.Max(member => member.Round);
        return new ClusterView(
            agents, string.Create(CultureInfo.InvariantCulture, $"Round {round}"), KnownResourceStateStyles.Info,
            string.Create(CultureInfo.InvariantCulture, $"Round {round}, undecided"), run);
    }

    private static string Decision(List<AgentState> decided, double? milliseconds)
    {
        var names = string.Join(", ", decided.Select(member => member.AgentId));
        var first = decided.Min(member => member.Decision!.Round);
        var last = decided.Max(member => member.Decision!.Round);
        var rounds = first == last ? $"round {first}" : $"rounds {first} to {last}";
        var duration = milliseconds is { } ms ? $" ({FormatDuration(ms)})" : "";
        return string.Create(CultureInfo.InvariantCulture, $"{names} decided {decided[0].Decision!.Value} in {rounds}{duration}");
    }

    /// <summary>A duration with two significant digits, such as <c>4.2 ms</c>, <c>38 ms</c> or <c>1.3 s</c>.</summary>
    public static string FormatDuration(double milliseconds) => milliseconds switch
    {
        < 10 => string.Create(CultureInfo.InvariantCulture, $"{milliseconds:0.0} ms"),
        < 1000 => string.Create(CultureInfo.InvariantCulture, $"{milliseconds:0} ms"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{milliseconds / 1000:0.0} s"),
    };
}
