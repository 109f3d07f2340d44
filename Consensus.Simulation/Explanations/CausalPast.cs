using Consensus.Protocol;

namespace Consensus.Simulation.Explanations;

/// <summary>What happened before a step (L. Lamport, CACM 1978): of each agent, its steps up to one of them.</summary>
internal static class CausalPast
{
    /// <summary>The last step of each agent's part, an index of the trace; -1: it has none.</summary>
    public static int[] Of(SimulationTrace trace, int step)
    {
        var sentIn = new Dictionary<TraceCall, int>();
        var receivedIn = new Dictionary<(TraceCall Call, int Copy), int>();
        for (var i = 0; i <= step; i++)
        {
            foreach (var sent in trace.Steps[i].Sent)
            {
                sentIn.TryAdd(sent, i);
            }

            if (trace.Steps[i] is { Kind: TraceStepKind.Receive, Call: { } received } receipt)
            {
                receivedIn[(received, receipt.Copy)] = i;
            }
        }

        var past = new int[trace.Steps.Max(one => one.Agent) + 1];
        Array.Fill(past, -1);
        past[trace.Steps[step].Agent] = step;

        // A step comes after all that led to it.
        for (var i = step; i >= 0; i--)
        {
            var taken = trace.Steps[i];
            if (taken.Agent < 0 || i > past[taken.Agent] || taken.Call is not { } call)
            {
                continue;
            }

            var cause = taken.Kind == TraceStepKind.Receive ? sentIn.GetValueOrDefault(call, -1)
                : taken is { Kind: TraceStepKind.Response, Input: ResponseReceived }
                    ? receivedIn.GetValueOrDefault((call, taken.Copy), -1) : -1;
            if (cause >= 0)
            {
                ref var known = ref past[trace.Steps[cause].Agent];
                known = Math.Max(known, cause);
            }
        }

        return past;
    }
}
