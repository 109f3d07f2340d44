using Consensus.Protocol;

namespace Consensus.Simulation.ModelChecking;

/// <summary>
/// Counts states that differ only by a permutation of names once. Values may be permuted, because the rule only compares
/// values with each other. Agents that never start a run may be permuted too. Ids are compared only in run ids, which name
/// initiators, and where members are visited in the order of their ids to find the one value with a quorum or a vote. A
/// plurality draw depends on ids, so only values are permuted there, and also where agents count different cluster sizes.
/// The permuted state results from giving the core the permuted inputs. A step without a permuted counterpart throws.
/// </summary>
internal sealed class SymmetryReduction
{
    private readonly TransitionTable _agents;
    private readonly Permutation[] _permutations;
    private readonly AgentState[][][] _images;
    private readonly Lock _gate = new();

    public SymmetryReduction(ModelCheckerOptions bounds, TransitionTable agents, bool on)
    {
        (Bounds, _agents) = (bounds, agents);
        var fixedAgents = bounds is { Draw: DrawStrategy.Fresh, MisconfiguredAgents: 0 } ? bounds.Initiators : bounds.Agents;
        _permutations = !on ? [] :
        [
            .. from order in Orders([.. Enumerable.Range(fixedAgents, bounds.Agents - fixedAgents)])
               from values in Orders([.. Enumerable.Range(1, bounds.Values)])
               select new Permutation([.. Enumerable.Range(0, fixedAgents), .. order], [0, .. values]),
        ];
        _permutations = [.. _permutations.Where(permutation => !permutation.IsIdentity)];
        _images = [.. _permutations.Select(_ => Enumerable.Range(0, bounds.Agents).Select(_ => new AgentState[64]).ToArray())];
    }

    public ModelCheckerOptions Bounds { get; }

    /// <summary>How many permutations there are, with the identity.</summary>
    public int Size => _permutations.Length + 1;

    /// <summary>The smallest key of a state's orbit.</summary>
    public ulong Canonical(PackedState key, AgentState[] state) => Canonical(key, state, out _);

    /// <summary>The smallest key of a state's orbit, and how many states are in the orbit.</summary>
    public ulong Canonical(PackedState key, AgentState[] state, out int orbitSize)
    {
        var own = key.Pack(state);
        var min = own;
        var fixing = 1;
        for (var permutation = 0; permutation < _permutations.Length; permutation++)
        {
            var permuted = 0UL;
            for (var agent = 0; agent < state.Length; agent++)
            {
                var image = Image(permutation, state[agent]);
                permuted |= key.At(image.Agent, image.Index);
            }

            fixing += permuted == own ? 1 : 0;
            min = Math.Min(min, permuted);
        }

        // Permutations are a group. The orbit's size is the group's over that of the permutations that keep this state.
        orbitSize = Size / fixing;
        return min;
    }

    private AgentState Image(int permutation, AgentState state)
    {
        var images = Volatile.Read(ref _images[permutation][state.Agent]);
        return (state.Index < images.Length ? Volatile.Read(ref images[state.Index]) : null) ?? FindImage(permutation, state);
    }

    private AgentState FindImage(int permutation, AgentState state)
    {
        lock (_gate)
        {
            var image = _agents.ImageOf(state, _permutations[permutation], origin => Image(permutation, origin));
            ref var images = ref _images[permutation][state.Agent];
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
        items.Length == 0
            ? [[]] : items.SelectMany((item, at) => Orders([.. items[..at], .. items[(at + 1)..]]).Select(rest => (int[])[item, .. rest]));
}

/// <summary>A permutation of agents and values.</summary>
/// <param name="Agents">The new index of each agent, from 0.</param>
/// <param name="Values">The new number of each value; 0 stays 0.</param>
internal sealed record Permutation(int[] Agents, int[] Values)
{
    public bool IsIdentity =>
        Agents.Index().All(agent => agent.Index == agent.Item) && Values.Index().All(value => value.Index == value.Item);

    public RunDescriptor Of(RunDescriptor run) => run with
    {
        Id = Of(run.Id),
        Members = run.Members.ToDictionary(
            member => AgentIds.IdOf(Agents[AgentIds.IndexOf(member.Key)]), member => BootOf(member.Value), StringComparer.Ordinal),
    };

    public RunId Of(RunId id) => id.IsNone
        ? id : new RunId(id.Number, AgentIds.IdOf(Agents[AgentIds.IndexOf(id.Initiator)]), id.Boot.Length > 1 ? BootOf(id.Boot) : id.Boot);

    /// <summary>The permuted boot. A boot begins with its agent's letter.</summary>
    public string BootOf(string boot) => boot.Length == 0 ? boot : (char)('a' + Agents[boot[0] - 'a']) + boot[1..];
}
