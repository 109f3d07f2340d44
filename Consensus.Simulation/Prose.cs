using Consensus.Protocol;

namespace Consensus.Simulation;

/// <summary>What is said and done, in the words of diagrams.</summary>
internal static class Prose
{
    public static string Of(Happened happened) => happened.Kind switch
    {
        Happening.Joined => $"joins {happened.Run}",
        Happening.JoinedAsLearner => $"joins {happened.Run} as learner",
        Happening.Drew => $"round {happened.Round}: draws {happened.Value}",
        Happening.Copied => $"round {happened.Round}: copies {happened.Value}",
        Happening.Adopted => $"round {happened.Round}: adopts {happened.Value}",
        Happening.Voted => $"votes {(happened.Value == 0 ? "none" : happened.Value)}",
        Happening.Decided => $"DECIDES {happened.Value}",
        Happening.Learned => $"learns {happened.Value}",
        Happening.Restored => happened.Value == 0 ? $"restores {happened.Run}" : $"restores {happened.Run}, decided {happened.Value}",
        Happening.Disagreed => $"DISAGREES with {happened.Value}",
        Happening.Contradicted => "refuses a contradiction",
        _ => "",
    };

    public static string Of(Message message) => message switch
    {
        NewRound { Value: { } value } said => $"new_round {said.Round}, proposal {value}",
        NewRound said => $"new_round {said.Round}",
        Proposal said => $"proposal {said.Value} (round {said.Round})",
        Vote said => $"vote {(said.Value is { } value ? value : "none")}, proposal {said.Proposed} (round {said.Round})",
        Final said => $"final {said.Value}",
        StateQuery => "state?",
        _ => message.Kind,
    };

    /// <summary>What an answer tells beside its status, or its status.</summary>
    public static string Of(Answer answer) => answer switch
    {
        { Decision: { } decision } => $"decided {decision.Value}",
        { Vote: { } vote } => Of(vote),
        { Proposal: { } proposal } => Of(proposal),
        { Learner: true } => "a learner",
        { Descriptor: { } run } => $"run {run.Id}",
        { Status: Status.Reset } => "here",
        _ => answer.Reason ?? answer.Status,
    };

    /// <summary>Text in lines of at most a width, where its words allow it; all but the first begin with an indent.</summary>
    public static IEnumerable<string> Wrap(string text, int width, string indent)
    {
        var line = "";
        foreach (var word in text.Split(' '))
        {
            if (line.Length + word.Length + 1 > width && line.Length > 0)
            {
                yield return line;
                line = indent;
            }

            line += (line.Trim().Length > 0 ? " " : "") + word;
        }

        yield return line;
    }
}
