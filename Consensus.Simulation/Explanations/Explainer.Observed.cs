using Consensus.Protocol;

namespace Consensus.Simulation.Explanations;

/// <summary>Inputs as words, and agents that give no record: what they were sent is known, and what they said.</summary>
public sealed partial class Explainer
{
    /// <summary>A cause as a noun, with the agent that it came from.</summary>
    internal string TextOf(int step)
    {
        var taken = trace.Steps[step];
        string Other(string? named) =>
            named ?? (taken.Call is not { } call ? "a peer" : trace.IdOf(call.To == taken.Agent ? call.From : call.To));
        Input? input = taken.Input ?? (taken.Call is not { } observed ? null
            : observed.To == taken.Agent
                ? new MessageReceived(observed.Message) : new ResponseReceived(0, observed.Message, observed.Response ?? new Response()));
        return input switch
        {
            MessageReceived { Message: Reset } => "a reset",
            MessageReceived { Message: var message } =>
                $"{Other(message.Sender)}'s {EventFormatter.Of(message.Content with { Proposed = 0 })}",
            ResponseReceived { Response: { Carried.Kind: not MessageKind.None } response } =>
                $"{Other(response.AgentId)}'s {EventFormatter.Of(response.Carried with { Proposed = 0 })}",
            ResponseReceived { Response: { Learner: true } response } => $"{Other(response.AgentId)}'s answer that it only learns",
            ResponseReceived { Response: { Reason: ResponseReason.StaleRun } response } =>
                $"{Other(response.AgentId)}'s answer that it left the run",
            ResponseReceived response => $"{Other(response.Response.AgentId)}'s answer to its {EventFormatter.NameOf(response.Sent.Kind)}",
            RequestFailed => $"no answer from {Other(null)}",
            TimerFired { Timer: Protocol.Timer.Window } => "the end of its window",
            TimerFired { Timer: Protocol.Timer.Start } => "the end of its wait for answers",
            TimerFired => "the end of a timer",
            StartRun => RunRequested,
            _ => "the start of its process",
        };
    }

    /// <summary>What an agent that gives no record must have known of a round: what was sent to it, and what it said itself.</summary>
    private Found Observe(int step, ProtocolEvent what)
    {
        var agent = trace.Steps[step].Agent;
        var isEntry = what.EntersRound && what.Kind != ProtocolEventKind.CaughtUp;
        var evidence = new Evidence(what.Run, isEntry ? what.Round - 1 : what.Round);
        List<Cause> causes = [];
        for (var i = 0; i <= step; i++)
        {
            foreach (var did in trace.Steps[i].Agent == agent ? trace.Steps[i].Events : [])
            {
                evidence.Add(trace.IdOf(agent), did);
            }

            if (trace.Steps[i] is { Call: { } call } taken && taken.Agent == agent
                && taken.Kind is TraceStepKind.Receive or TraceStepKind.Response
                && evidence.Add(call.To == agent
                    ? new MessageReceived(call.Message) : new ResponseReceived(0, call.Message, call.Response ?? new Response())))
            {
                causes.Add(new(i, TextOf(i), call.Number));
            }
        }

        return new(step, trace.IdOf(agent), agent, 0, causes, [], evidence, [], trace.Steps.Max(one => one.Agent) + 1, null);
    }
}
