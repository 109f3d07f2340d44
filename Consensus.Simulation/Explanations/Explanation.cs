using Consensus.Protocol;

namespace Consensus.Simulation.Explanations;

/// <summary>Why something happened in a run.</summary>
/// <param name="Step">The step in which it happened: an index of the trace.</param>
/// <param name="Agent">The agent.</param>
/// <param name="Event">What happened, in words whose subject is the agent.</param>
/// <param name="Sentences">At most five sentences. They name the causes.</param>
/// <param name="From">The first step that a cause may be: an index of the trace. What the agent knew before is taken as given.</param>
/// <param name="Causes">
/// With these inputs alone it still happens. Without any one of them it does not, or by <see cref="Alternatives"/>.
/// </param>
/// <param name="Alternatives">Causes that can be missing, each with what then causes it instead.</param>
/// <param name="Quorums">The quorums that matter.</param>
/// <param name="Shared">The agents that all quorums share; empty where there is one quorum or none.</param>
/// <param name="Guilty">Of a broken rule: the first step that the sound rule would not take.</param>
/// <param name="Past">By agent: the last step of the causal past, an index of the trace; -1: none.</param>
public sealed record Explanation(
    int Step, string Agent, string Event, IReadOnlyList<string> Sentences, int From, IReadOnlyList<Cause> Causes,
    IReadOnlyList<AlternativeCause> Alternatives, IReadOnlyList<ExplainedQuorum> Quorums, IReadOnlyList<string> Shared, GuiltyStep? Guilty,
    IReadOnlyList<int> Past)
{
    /// <summary>The most sentences of an explanation.</summary>
    public const int MaxSentences = 5;
}

/// <summary>An input that caused something.</summary>
/// <param name="Step">The step that took it: an index of the trace.</param>
/// <param name="Text">What it is, as a noun.</param>
/// <param name="Call">The number of the call that carried it; 0: none.</param>
public sealed record Cause(int Step, string Text, int Call);

/// <summary>A cause that can be missing.</summary>
/// <param name="Missing">The cause.</param>
/// <param name="Instead">With these inputs alone the same happens.</param>
public sealed record AlternativeCause(Cause Missing, IReadOnlyList<Cause> Instead);

/// <summary>The agents of a quorum.</summary>
/// <param name="Name">What they did, in words.</param>
/// <param name="Agents">Their ids.</param>
/// <param name="Round">The round.</param>
/// <param name="Votes">Whether they voted; else they proposed.</param>
public sealed record ExplainedQuorum(string Name, IReadOnlyList<string> Agents, int Round, bool Votes);

/// <summary>The first step of a run that a sound rule would not take on the same inputs.</summary>
/// <param name="Step">An index of the trace.</param>
/// <param name="Agent">The agent.</param>
/// <param name="Run">The agent's run after it.</param>
/// <param name="Sentence">What it did and what it should have done.</param>
public sealed record GuiltyStep(int Step, string Agent, RunId Run, string Sentence);
