using System.Collections.Immutable;
using System.Globalization;
using Consensus.Protocol;

namespace Consensus.Hosting;

/// <summary>One agent as the AppHost last saw it.</summary>
/// <param name="Name">Its resource name, which is its id.</param>
/// <param name="State">What it holds; null where it does not respond.</param>
/// <param name="Summary">Its summary of the run in <paramref name="State"/>; null where it has none.</param>
/// <param name="Problem">What is wrong with what answers in the agent's place; null where nothing answers or the agent does.</param>
internal sealed record AgentStatus(string Name, AgentState? State, AgentRunSummary? Summary = null, string? Problem = null)
{
    /// <summary>Whether <see cref="Summary"/> changes no more.</summary>
    public bool IsSettled { get; init; }

    /// <summary>Whether it serves the page that draws runs.</summary>
    public bool HasPage { get; init; }

    /// <summary>Whether it responds.</summary>
    public bool Up => State is not null;

    /// <summary>Whether <c>/faults</c> cuts its calls.</summary>
    public bool Isolated => State?.Isolated == true;
}

/// <summary>What the resource <c>consensus</c> shows: computed from the agents' responses.</summary>
/// <param name="Agents">The agents.</param>
/// <param name="Text">The outcome in a few words.</param>
/// <param name="Style">One of <see cref="KnownResourceStateStyles"/>.</param>
/// <param name="Sentence">The same as a sentence.</param>
/// <param name="Run">The newest run; null where there is none.</param>
internal sealed record ClusterView(ImmutableArray<AgentStatus> Agents, string Text, string Style, string Sentence, string? Run)
{
    /// <summary>Names of the agents that respond.</summary>
    public IEnumerable<string> Up => Agents.Where(agent => agent.Up).Select(agent => agent.Name);

    /// <summary>Whether agents reach each other: false where proxies are on their links and have not answered yet.</summary>
    public bool IsLinked { get; init; } = true;

    /// <summary>Whether enough agents respond to decide, and reach each other.</summary>
    public bool CanDecide => IsLinked && Up.Count() > Agents.Length / 2;

    /// <summary>How many agents respond, such as <c>2 of 3 up</c>.</summary>
    public string Counts => CountsOf(Agents);

    /// <summary>Who responds, as a sentence.</summary>
    public string Presence => Absences(Agents) is { Length: > 0 } absences ? $"{Counts}: {absences}" : Counts;

    /// <summary>The outcome of the run. It does not depend on which agents respond now.</summary>
    public string Outcome { get; private init; } = Sentence;

    /// <summary>Whether the run goes on no more: it is decided or stalled.</summary>
    public bool IsOver { get; private init; } = Style != KnownResourceStateStyles.Info;

    /// <summary>Whether agents decided different values in the run.</summary>
    public bool IsDisagreement { get; private init; }

    /// <summary>The agent that started the run; null where there is no run.</summary>
    public string? Initiator => RunId.TryParse(Run, out var run) ? run.Initiator : null;

    /// <summary>The options of the run; null where no agent knows them.</summary>
    public RunOptions? Options => InRun.Select(agent => agent.State!.Descriptor).OfType<RunOptions>().FirstOrDefault();

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

        var changed = previous is null || !previous.Agents.Select(PresenceOf).SequenceEqual(agents.Select(PresenceOf));
        var isNewOutcome = previous is not null && OutcomeOf(previous.Agents) is var before
            && (before.Run, before.Text) != (outcome.Run, outcome.Text);
        var showsAvailability = changed || (!isNewOutcome && previous!.Text == availability);
        return showsAvailability
            ? outcome with
            {
                Text = availability,
                Style = KnownResourceStateStyles.Warn,
                Sentence = $"{Absences(agents)}. {outcome.Sentence}",
            }
            : outcome with { Sentence = $"{outcome.Sentence}; {Absences(agents)}" };
    }

    /// <summary>The agents that hold the newest run, and what came of it.</summary>
    public IEnumerable<AgentStatus> InRun => Agents.Where(agent => Run is not null && agent.State?.Run == Run);

    /// <summary>The initiator's summary of the run, or another agent's where the initiator has none.</summary>
    public AgentRunSummary? Summary =>
        InRun.OrderBy(agent => agent.Name == Initiator ? 0 : 1)
        .FirstOrDefault(agent => agent.Summary is not null)?.Summary;

    /// <summary>The address of the run's trace; null where the run has none, or the dashboard is off.</summary>
    /// <remarks>An agent that did not start the run may have learned it in a trace of its own.</remarks>
    public string? TraceUrl =>
        InRun.OrderBy(agent => agent.Name == Initiator ? 0 : 1).Select(agent => agent.State!.TraceUrl).OfType<string>().FirstOrDefault();

    /// <summary>The address of the run's page at an agent, or of the page where there is no run.</summary>
    public string PageAt(Uri agent) => Run is null ? agent.ToString() : new Uri(agent, $"/?run={Uri.EscapeDataString(Run)}").ToString();

    private static (bool, bool) PresenceOf(AgentStatus agent) => (agent.Up, agent.Isolated);

    private static string? Availability(ImmutableArray<AgentStatus> agents)
    {
        var up = agents.Count(agent => agent.Up);
        var isolated = agents.Count(agent => agent.Isolated);
        return up < agents.Length ? CountsOf(agents) : isolated > 0 ? $"{isolated} isolated" : null;
    }

    private static string CountsOf(ImmutableArray<AgentStatus> agents) => $"{agents.Count(agent => agent.Up)} of {agents.Length} up";

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

        parts.AddRange(agents.Select(agent => agent.Problem?.TrimEnd('.')).OfType<string>());
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
            var each = string.Join(", ", decided.Select(
                member => string.Create(CultureInfo.InvariantCulture, $"{member.AgentId} decided {member.Decision!.Value}")));
            return new ClusterView(agents, "Disagreed", KnownResourceStateStyles.Error, each, run) { IsDisagreement = true };
        }

        if (values.Count == 1)
        {
            var view = new ClusterView(
                agents, string.Create(CultureInfo.InvariantCulture, $"Decided {values[0]}"), KnownResourceStateStyles.Success, "", run);
            var sentence = Decision(decided, view.Summary?.DurationMs) + Support(decided, agents.Length);
            return view with { Sentence = sentence, Outcome = sentence };
        }

        // Agents that restarted take no part in the run before.
        if (members.TrueForAll(member => member.Learner))
        {
            return new ClusterView(
                agents, "Ready", KnownResourceStateStyles.Info,
                $"{NameOf(run)} stayed undecided: no agent that is up takes part in it", run);
        }

        if (members.FirstOrDefault(member => member.Stalled is not null) is { } stalled)
        {
            return new ClusterView(agents, "Stalled", KnownResourceStateStyles.Warn,
                $"The run stalled: {DashboardWords.Of(stalled.Stalled!)}", run);
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

    /// <summary>The votes for the decision, from the agent that knows most of them; empty: no agent knows a majority.</summary>
    private static string Support(List<AgentState> decided, int agents)
    {
        var known = decided.Select(member => (member.Votes ?? new Dictionary<string, int?>())
            .Where(vote => vote.Value == member.Decision!.Value).Select(vote => vote.Key).ToList()).MaxBy(voters => voters.Count)!;
        return known.Count < Quorum.Of(agents) ? "" : $": {EventFormatter.Support(agents, votes: true, known)}";
    }

    /// <summary>A duration with two significant digits, such as <c>4.2 ms</c>, <c>38 ms</c> or <c>1.3 s</c>.</summary>
    public static string FormatDuration(double milliseconds) => milliseconds switch
    {
        < 10 => string.Create(CultureInfo.InvariantCulture, $"{milliseconds:0.0} ms"),
        < 1000 => string.Create(CultureInfo.InvariantCulture, $"{milliseconds:0} ms"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{milliseconds / 1000:0.0} s"),
    };

    /// <summary>A run as the subject of a sentence.</summary>
    public static string NameOf(string run) => NumberOf(run) is > 0 and var number ? $"Run {number}" : "The run";

    /// <summary>The number at the start of a run's id; 0 where it is none.</summary>
    public static long NumberOf(string run)
    {
        _ = RunId.TryParse(run, out var id);
        return id.Number;
    }
}
