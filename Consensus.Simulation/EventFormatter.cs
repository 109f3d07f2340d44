using Consensus.Protocol;

namespace Consensus.Simulation;

/// <summary>What is said and done, in the words of diagrams.</summary>
internal static class EventFormatter
{
    public static string Of(ProtocolEvent protocolEvent) => protocolEvent.Kind switch
    {
        ProtocolEventKind.Joined => $"joins {protocolEvent.Run}",
        ProtocolEventKind.JoinedAsLearner => $"joins {protocolEvent.Run} as learner",
        ProtocolEventKind.Drew => $"round {protocolEvent.Round}: draws {protocolEvent.Value}",
        ProtocolEventKind.CaughtUp => $"round {protocolEvent.Round}: copies {protocolEvent.Value}",
        ProtocolEventKind.Adopted => $"round {protocolEvent.Round}: adopts {protocolEvent.Value}",
        ProtocolEventKind.Voted => $"votes {(protocolEvent.Value == 0 ? "none" : protocolEvent.Value)}",
        ProtocolEventKind.Decided => $"DECIDES {protocolEvent.Value}",
        ProtocolEventKind.Learned => $"learns {protocolEvent.Value}",
        ProtocolEventKind.Restored => protocolEvent.Value == 0 ? $"restores {protocolEvent.Run}" : $"restores {protocolEvent.Run}, decided {protocolEvent.Value}",
        ProtocolEventKind.AgreementViolated => $"DISAGREES with {protocolEvent.Value}",
        ProtocolEventKind.Equivocated => "refuses a contradiction",
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
    public static string Of(Response answer) => answer switch
    {
        { Decision: { } decision } => $"decided {decision.Value}",
        { Vote: { } vote } => Of(vote),
        { Proposal: { } proposal } => Of(proposal),
        { Learner: true } => "a learner",
        { Descriptor: { } run } => $"run {run.Id}",
        { Status: ResponseStatus.Reset } => "here",
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
