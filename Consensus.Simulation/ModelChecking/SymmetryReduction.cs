using Consensus.Protocol;

namespace Consensus.Simulation.ModelChecking;

/// <summary>
/// States that differ in names alone count once. Values may be renamed, for the rule compares values with each other
/// and with nothing else. Agents that are never told to start may be renamed too: ids are compared in run ids alone,
/// which name initiators, and where members are gone through in the order of their ids, which is to find the one value
/// with a quorum, or the one value voted for; a plurality draw goes by ids, so there only values are renamed, and so where
/// agents count differently. A renamed
/// state is found by giving the core the renamed inputs, and that fails aloud where a step has no renamed twin.
/// </summary>
internal sealed class SymmetryReduction
{
    private readonly TransitionTable _agents;
    private readonly Permutation[] _renamings;
    private readonly AgentState[][][] _images;
    private readonly Lock _gate = new();

    public SymmetryReduction(ModelCheckerOptions bounds, TransitionTable agents, bool on)
    {
        (Bounds, _agents) = (bounds, agents);
        var fixedAgents = bounds is { Draw: DrawStrategy.Fresh, ShortPeers: 0 } ? bounds.Initiators : bounds.Agents;
        _renamings = !on ? [] :
        [
            .. from order in Orders([.. Enumerable.Range(fixedAgents, bounds.Agents - fixedAgents)])
               from values in Orders([.. Enumerable.Range(1, bounds.Values)])
               select new Permutation([.. Enumerable.Range(0, fixedAgents), .. order], [0, .. values]),
        ];
        _renamings = [.. _renamings.Where(renaming => !renaming.IsIdentity)];
        _images = [.. _renamings.Select(_ => Enumerable.Range(0, bounds.Agents).Select(_ => new AgentState[64]).ToArray())];
    }

    public ModelCheckerOptions Bounds { get; }

    /// <summary>How many renamings there are, the one that changes nothing included.</summary>
    public int Size => _renamings.Length + 1;

    /// <summary>The least key among the renamed ones.</summary>
    public ulong Canonical(PackedState key, AgentState[] state) => Canonical(key, state, out _);

    /// <summary>The least key among the renamed ones, and how many different ones there are.</summary>
    public ulong Canonical(PackedState key, AgentState[] state, out int twins)
    {
        var own = key.Pack(state);
        var least = own;
        var fixing = 1;
        for (var renaming = 0; renaming < _renamings.Length; renaming++)
        {
            var renamed = 0UL;
            for (var agent = 0; agent < state.Length; agent++)
            {
                var image = Image(renaming, state[agent]);
                renamed |= key.At(image.Agent, image.Index);
            }

            fixing += renamed == own ? 1 : 0;
            least = Math.Min(least, renamed);
        }

        // Renamings are a group: its size over that of the part that changes nothing here.
        twins = Size / fixing;
        return least;
    }

    private AgentState Image(int renaming, AgentState state)
    {
        var images = Volatile.Read(ref _images[renaming][state.Agent]);
        return (state.Index < images.Length ? Volatile.Read(ref images[state.Index]) : null) ?? FindImage(renaming, state);
    }

    private AgentState FindImage(int renaming, AgentState state)
    {
        lock (_gate)
        {
            var image = _agents.ImageOf(state, _renamings[renaming], origin => Image(renaming, origin));
            ref var images = ref _images[renaming][state.Agent];
            if (state.Index >= images.Length)
            {
                var larger = images;
                Array.Resize(ref larger, Math.Max(images.Length * 2, state.Index + 1));
                Volatile.Write(ref images, larger);
            }

            Volatile.Write(ref images[state.Index], image);
            return image;
        }
    }

    private static IEnumerable<int[]> Orders(int[] items) =>
        items.Length == 0 ? [[]] : items.SelectMany((item, at) => Orders([.. items[..at], .. items[(at + 1)..]]).Select(rest => (int[])[item, .. rest]));
}

/// <summary>Other names for agents and values.</summary>
/// <param name="Agents">The new number of each agent, from 0.</param>
/// <param name="Values">The new name of each value; 0 stays 0.</param>
internal sealed record Permutation(int[] Agents, int[] Values)
{
    public bool IsIdentity => Agents.Index().All(agent => agent.Index == agent.Item) && Values.Index().All(value => value.Index == value.Item);

    public RunDescriptor Of(RunDescriptor run) => run with
    {
        Id = Of(run.Id),
        Members = run.Members.ToDictionary(member => AgentIds.IdOf(Agents[AgentIds.IndexOf(member.Key)]), member => BootOf(member.Value), StringComparer.Ordinal),
    };

    public RunId Of(RunId id) => id.IsNone ? id : new RunId(id.Number, AgentIds.IdOf(Agents[AgentIds.IndexOf(id.Initiator)]), id.Boot.Length > 1 ? BootOf(id.Boot) : id.Boot);

    /// <summary>A boot begins with its agent's letter.</summary>
    public string BootOf(string boot) => boot.Length == 0 ? boot : (char)('a' + Agents[boot[0] - 'a']) + boot[1..];
}
