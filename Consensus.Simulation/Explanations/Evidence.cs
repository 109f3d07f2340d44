using Consensus.Protocol;

namespace Consensus.Simulation.Explanations;

/// <summary>What the members of a run proposed and voted in one round, as far as one agent knows.</summary>
/// <param name="run">The run; none: the anonymous run of bare messages.</param>
/// <param name="round">The round.</param>
internal sealed class Evidence(RunId run, int round)
{
    /// <summary>Proposals by agent.</summary>
    public SortedDictionary<string, int> Proposals { get; } = new(StringComparer.Ordinal);

    /// <summary>Votes by agent; 0: for none.</summary>
    public SortedDictionary<string, int> Votes { get; } = new(StringComparer.Ordinal);

    /// <summary>The run.</summary>
    public RunId Run => run;

    /// <summary>The round.</summary>
    public int Round => round;

    /// <summary>Those who proposed a value.</summary>
    public List<string> ProposersOf(int value) => [.. Proposals.Where(one => one.Value == value).Select(one => one.Key)];

    /// <summary>Those who voted for a value, or for none.</summary>
    public List<string> VotersFor(int value) => [.. Votes.Where(one => one.Value == value).Select(one => one.Key)];

    /// <summary>Adds what an agent knew, if it was in that round.</summary>
    public void Add(AgentSnapshot known)
    {
        if ((known.Run?.Id ?? RunId.None) != run || known.Round != round)
        {
            return;
        }

        foreach (var (agent, value) in known.Proposals)
        {
            Proposals.TryAdd(agent, value);
        }

        foreach (var (agent, value) in known.Votes)
        {
            Votes.TryAdd(agent, value ?? 0);
        }
    }

    /// <summary>Adds what an input says of the round.</summary>
    /// <returns>Whether it says anything of it.</returns>
    public bool Add(Input input)
    {
        IEnumerable<Message?> said = input switch
        {
            MessageReceived { Message: { } message } when (message.Run?.Id ?? RunId.None) == run =>
                [.. message.Relayed?.All ?? [], message],
            ResponseReceived { Response: { } response } when response.Run == run => [response.Vote, response.Proposal],
            _ => [],
        };
        var any = false;
        foreach (var message in said)
        {
            if (message is { Sender: { } sender, Content: { Proposal: not 0 } content } && content.Round == round)
            {
                any = true;
                Proposals.TryAdd(sender, content.Proposal);
                if (content.Kind == MessageKind.Vote)
                {
                    Votes.TryAdd(sender, content.Value);
                }
            }
        }

        return any;
    }

    /// <summary>Adds what the agent itself did.</summary>
    public void Add(string agent, ProtocolEvent did)
    {
        if (did.Run != run || did.Round != round)
        {
            return;
        }

        if (did.EntersRound)
        {
            Proposals[agent] = did.Value;
        }
        else if (did.Kind == ProtocolEventKind.Voted)
        {
            Votes[agent] = did.Value;
        }
    }
}
