using Consensus.Protocol;

namespace Consensus.Simulation;

/// <summary>What recorded agents show of the proof's model (<see cref="Refinement"/>).</summary>
/// <param name="Checked">Runs whose every event was compared with the model.</param>
/// <param name="Partial">Runs of which some steps are not recorded; they were left out.</param>
/// <param name="Violation">The first event that is no step of the model, or null.</param>
public sealed record RecordedRefinement(int Checked, int Partial, Violation? Violation);

/// <summary>Checks recorded agents against the proof's model.</summary>
public static class RecordedRuns
{
    /// <summary>
    /// Re-executes the recordings side by side. No clock orders them: a step waits until every message that it received was sent.
    /// Where all steps wait, some step is not recorded. The check then leaves out the run of the earliest of them.
    /// </summary>
    /// <param name="recordings">Recordings of the processes of one cluster.</param>
    /// <param name="rules">The rules that the agents followed; null: those that are proved.</param>
    /// <exception cref="FormatException">A recording is damaged.</exception>
    public static RecordedRefinement Check(IEnumerable<Recording> recordings, SafetyRules? rules = null)
    {
        // Of one agent, the steps of one process after those of another.
        var agents = recordings.Where(recording => recording.Steps > 0).GroupBy(recording => recording.AgentId)
            .Select(processes => processes.OrderBy(process => process.Reexecute(rules).First().At))
            .Select(processes => new Cursor(processes.SelectMany(process => process.Reexecute(rules)))).ToList();
        var refinement = new Refinement();
        while (agents.Exists(agent => !agent.IsAtEnd))
        {
            var moved = false;
            foreach (var agent in agents)
            {
                while (!agent.IsAtEnd && refinement.FindUnsent(agent.Step.Machine, agent.Step.Input, agent.Step.Effects) is null)
                {
                    if (agent.Take(refinement) is { } violation)
                    {
                        return new(refinement.CountRuns().Whole, refinement.CountRuns().Partial, violation);
                    }

                    moved = true;
                }
            }

            if (!moved)
            {
                var first = agents.Where(agent => !agent.IsAtEnd).MinBy(agent => agent.Step.At)!;
                refinement.LeaveOut(refinement.FindUnsent(first.Step.Machine, first.Step.Input, first.Step.Effects)!.Value);
            }
        }

        var (whole, partial) = refinement.CountRuns();
        return new(whole, partial, null);
    }

    /// <summary>The next step of one agent.</summary>
    private sealed class Cursor
    {
        private readonly IEnumerator<ReexecutedStep> _steps;
        private string _boot = "";
        private long _last;

        public Cursor(IEnumerable<ReexecutedStep> steps)
        {
            _steps = steps.GetEnumerator();
            IsAtEnd = !_steps.MoveNext();
        }

        public bool IsAtEnd { get; private set; }

        public ReexecutedStep Step => _steps.Current;

        /// <summary>Takes the step.</summary>
        /// <returns>The first event that is no step of the model, or null.</returns>
        public Violation? Take(Refinement refinement)
        {
            var step = Step;
            var follows = step.Machine.Boot == _boot ? step.Number == _last + 1 : step.Number == 1;
            (_boot, _last) = (step.Machine.Boot, step.Number);
            Violation? violation = null;
            if (follows)
            {
                violation = refinement.Observe(step.Machine, step.Effects);
            }
            else
            {
                refinement.Resume(step.Machine);
            }

            IsAtEnd = !_steps.MoveNext();
            return violation;
        }
    }
}
