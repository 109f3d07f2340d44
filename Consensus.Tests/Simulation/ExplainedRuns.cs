using Consensus.Protocol;
using Consensus.Simulation;
using Consensus.Simulation.Explanations;

namespace Consensus.Tests.Simulation;

/// <summary>
/// Checks explanations by executing runs again, with none of the code that finds them: a process with the named causes alone, and
/// without each of them.
/// </summary>
internal sealed class ExplainedRuns(SimulationTrace trace, StateMachineFactory? make)
{
    private readonly StateMachineFactory _make = make ?? SimulatedCluster.Core;

    /// <summary>How many explanations were checked.</summary>
    public int Checked { get; private set; }

    /// <summary>Those of them that something else could have caused.</summary>
    public int WithAlternatives { get; private set; }

    /// <summary>Checks every explanation of the run.</summary>
    /// <returns>What is wrong, or null.</returns>
    public string? FindWrong()
    {
        foreach (var explanation in ExplainAll())
        {
            Checked++;
            WithAlternatives += explanation.Alternatives.Count > 0 ? 1 : 0;
            if (FindWrong(explanation) is { } wrong)
            {
                return $"{explanation.Agent} {explanation.Event} (step {explanation.Step}): "
                    + $"{wrong}. {string.Join(" ", explanation.Sentences)}";
            }
        }

        return null;
    }

    /// <summary>What can be explained in the whole run: each event, each message that was not accepted, and each stall.</summary>
    public IEnumerable<Explanation> ExplainAll()
    {
        var explainer = new Explainer(trace, make);
        for (var i = 0; i < trace.Steps.Count; i++)
        {
            foreach (var what in trace.Steps[i].Input is null ? [] : trace.Steps[i].Events)
            {
                yield return explainer.Explain(i, what);
            }

            if (explainer.ExplainIgnored(i) is { } ignored)
            {
                yield return ignored;
            }
        }

        foreach (var stalled in Enumerable.Range(0, trace.Steps.Max(step => step.Agent) + 1)
            .Select(explainer.ExplainStall).OfType<Explanation>())
        {
            yield return stalled;
        }
    }

    private string? FindWrong(Explanation explanation)
    {
        var named = explanation.Causes.Select(cause => cause.Step).ToList();
        var all = StepsOf(explanation).Where(step => step >= explanation.From).ToList();
        if (explanation.Sentences.Count is 0 or > Explanation.MaxSentences)
        {
            return $"{explanation.Sentences.Count} sentences";
        }

        if (!Happens(explanation, named))
        {
            return "the named causes alone do not cause it";
        }

        foreach (var cause in explanation.Causes)
        {
            if (Happens(explanation, [.. named.Where(step => step != cause.Step)]))
            {
                return $"the other named causes alone cause it without {cause.Text}";
            }

            var without = all.Where(step => step != cause.Step).ToList();
            var alternative = explanation.Alternatives.FirstOrDefault(one => one.Missing == cause);
            if (Happens(explanation, without) != (alternative is not null))
            {
                return alternative is null
                    ? $"it happens without {cause.Text}, and no alternative is named" : "an alternative is named that does not cause it";
            }

            if (alternative is not null
                && (alternative.Instead.Contains(cause) || !Happens(explanation, [.. alternative.Instead.Select(one => one.Step)])))
            {
                return $"the alternative to {cause.Text} does not cause it";
            }
        }

        return null;
    }

    /// <summary>The steps of the process up to what is explained.</summary>
    private IEnumerable<int> StepsOf(Explanation explanation)
    {
        var agent = trace.Steps[explanation.Step].Agent;
        var boot = Enumerable.Range(0, explanation.Step + 1)
            .Last(i => trace.Steps[i] is { Process: not null } begins && begins.Agent == agent);
        return Enumerable.Range(boot, explanation.Step - boot + 1)
            .Where(i => trace.Steps[i].Agent == agent && trace.Steps[i].Input is not null);
    }

    /// <summary>Whether it happens where the process takes all steps before the first possible cause, and then only these.</summary>
    private bool Happens(Explanation explanation, IReadOnlyCollection<int> taken)
    {
        var steps = StepsOf(explanation).ToList();
        var begins = trace.Steps[steps[0]].Process!;
        var draws = new RepeatedDraws();
        var machine = _make(begins.AgentId, begins.Boot, begins.Peers, draws);
        if (!begins.State.IsEmpty)
        {
            machine.Load(new RecordReader(begins.State));
        }

        if (begins.Persisted is { } persisted)
        {
            machine.Step(persisted);
        }

        // Where a step draws more than it did, it takes what the steps that are left out drew.
        List<int> leftOut = [];
        foreach (var i in steps)
        {
            if (i >= explanation.From && !taken.Contains(i))
            {
                leftOut.AddRange(trace.Steps[i].Draws);
                continue;
            }

            draws.Begin([.. trace.Steps[i].Draws, .. leftOut]);
            var effects = machine.Step(trace.Steps[i].Input!);
            if (i >= explanation.From && IsIt(explanation, machine, trace.Steps[i], effects))
            {
                return true;
            }
        }

        return false;
    }

    private bool IsIt(Explanation explanation, AgentStateMachine machine, TraceStep step, IReadOnlyList<Effect> effects)
    {
        if (explanation.Event.StartsWith("reports run", StringComparison.Ordinal))
        {
            return machine.Stalled() is not null && explanation.Event == $"reports run {machine.CurrentRun!.Id} as stalled";
        }

        if (explanation.Event.StartsWith("ignores", StringComparison.Ordinal)
            || explanation.Event.StartsWith("refuses", StringComparison.Ordinal))
        {
            return ReferenceEquals(step, trace.Steps[explanation.Step])
                && effects.OfType<Reply>().Any(reply => explanation.Event.EndsWith(
                    EventFormatter.Outcome(reply.Response.Status, reply.Response.Reason).Split(": ")[^1], StringComparison.Ordinal));
        }

        // What a step draws, and from whom a decision came, are no part of what is explained.
        return effects.OfType<ProtocolEvent>().Any(did => trace.Steps[explanation.Step].Events.Any(what =>
            EventFormatter.Of(what) == explanation.Event && did.Kind == what.Kind && did.Run == what.Run && did.Round == what.Round
            && (did.Kind == ProtocolEventKind.Drew || did.Value == what.Value)));
    }
}
