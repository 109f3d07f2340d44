using Consensus.Protocol;

namespace Consensus.Simulation.Explanations;

/// <summary>Compares the steps of a broken rule with those of the sound one on the same inputs.</summary>
internal static class SoundRule
{
    /// <summary>The first step that the sound rule would not take; null where there is none.</summary>
    /// <param name="trace">What happened.</param>
    /// <param name="make">Makes the machines that took the steps.</param>
    /// <param name="until">The last step to compare.</param>
    public static GuiltyStep? FindGuilty(SimulationTrace trace, StateMachineFactory make, int until)
    {
        GuiltyStep? guilty = null;
        for (var i = 0; i <= until; i++)
        {
            if (trace.Steps[i].Process is not null && FindGuilty(trace, make, i, guilty?.Step - 1 ?? until) is { } found)
            {
                guilty = found;
            }
        }

        return guilty;
    }

    private static GuiltyStep? FindGuilty(SimulationTrace trace, StateMachineFactory make, int first, int until)
    {
        var broken = new ProcessReplay(trace, make, first);
        var sound = new ProcessReplay(trace, SimulatedCluster.Core, first);
        var (did, should) = (broken.Before(0), sound.Before(0));
        for (var i = 0; i < broken.Steps.Count && broken.Steps[i] <= until; i++)
        {
            List<string> done = [.. broken.Take(did, i).Select(effect => TextOf(effect, did)).OfType<string>()];
            List<string> right = [.. sound.Take(should, i).Select(effect => TextOf(effect, should)).OfType<string>()];
            if (!done.SequenceEqual(right))
            {
                var agent = trace.IdOf(broken.Agent);
                return new(
                    broken.Steps[i], agent, did.CurrentRun?.Id ?? RunId.None,
                    $"Here {agent} {FirstOf(done, right)}; by the sound rule, on the same messages, it {FirstOf(right, done)}.");
            }
        }

        return null;
    }

    private static string FirstOf(List<string> texts, List<string> others) =>
        texts.Where((text, i) => i >= others.Count || others[i] != text).FirstOrDefault() ?? "does nothing more";

    private static string? TextOf(Effect effect, AgentStateMachine machine) => effect switch
    {
        ProtocolEvent protocolEvent => EventFormatter.Of(protocolEvent),
        Send { Message.Relayed: { } relayed } send =>
            $"sends {machine.NameOf(send.Peer)} a {EventFormatter.Of(send.Message)}: "
                + string.Join("; ", relayed.All.Select(one => $"{one.Sender}'s {EventFormatter.Of(one.Content)}")),
        Send send => $"sends {machine.NameOf(send.Peer)} a {EventFormatter.Of(send.Message)}",
        Reply reply => $"answers: {EventFormatter.Of(reply.Response)}",
        StartEnded ended => $"ends its start: {EventFormatter.Of(ended.Outcome)}",
        _ => null,
    };
}
