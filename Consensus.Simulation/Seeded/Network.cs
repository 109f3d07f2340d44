using System.Numerics;
using Consensus.Protocol;

namespace Consensus.Simulation.Seeded;

/// <summary>The links between the agents, each direction on its own: how slow they are and which are cut.</summary>
internal sealed class Network(SimulationOptions options)
{
    private const int MaxDoublings = 9;
    private const int SlowDoublings = 2;

    private readonly int _n = options.Agents;
    private readonly bool[] _cut = new bool[options.Agents * options.Agents];
    private readonly byte[] _slow = new byte[options.Agents * options.Agents];
    private SeededRandom _random = new(0);

    /// <summary>True while some link is cut.</summary>
    public bool Partitioned { get; private set; }

    public void Begin(SeededRandom random)
    {
        _random = random;
        Heal();
        Array.Clear(_slow);
        for (var i = 0; options.Latency == Latency.Tail && i < _slow.Length; i++)
        {
            _slow[i] = random.Next(8) == 0 ? (byte)SlowDoublings : (byte)0;
        }
    }

    public bool IsCut(int from, int to) => Partitioned && _cut[(from * _n) + to];

    /// <summary>µs that the next message on a link takes.</summary>
    public long Delay(int from, int to) => options.Latency switch
    {
        Latency.Constant => 1000,
        Latency.Uniform => 200 + _random.Next(1801),
        _ => (long)(100 + _random.Next(401))
            << (Math.Min(BitOperations.TrailingZeroCount(_random.NextUInt64()), MaxDoublings) + _slow[(from * _n) + to]),
    };

    public void Heal()
    {
        Array.Clear(_cut);
        Partitioned = false;
    }

    /// <summary>Cuts some links.</summary>
    /// <returns>A description of them.</returns>
    public string Cut()
    {
        Partitioned = true;
        var one = _random.Next(_n);
        var name = AgentIds.IdOf(one);
        switch (_random.Next(5))
        {
            case 0:
                CutBetween(from => from == one, to => to != one, bothWays: true);
                return $"{name} is cut off";
            case 1:
                CutBetween(from => from == one, to => to != one, bothWays: false);
                return $"no agent receives from {name}";
            case 2:
                CutBetween(from => from != one, to => to == one, bothWays: false);
                return $"{name} receives from no agent";
            case 3:
                var other = (one + 1 + _random.Next(Math.Max(1, _n - 1))) % _n;
                CutBetween(from => from == one, to => to == other, bothWays: false);
                return $"{AgentIds.IdOf(other)} does not receive from {name}";
            default:
                var left = _random.NextUInt64();
                bool IsLeft(int agent) => ((left >> (agent % 64)) & 1) == 1;
                CutBetween(IsLeft, to => !IsLeft(to), bothWays: true);
                var names = Enumerable.Range(0, _n).ToLookup(IsLeft, AgentIds.IdOf);
                return $"{string.Join(", ", names[true])} | {string.Join(", ", names[false])}";
        }
    }

    private void CutBetween(Func<int, bool> isFrom, Func<int, bool> isTo, bool bothWays)
    {
        for (var from = 0; from < _n; from++)
        {
            for (var to = 0; to < _n; to++)
            {
                if (from != to && isFrom(from) && isTo(to))
                {
                    _cut[(from * _n) + to] = true;
                    _cut[(to * _n) + from] |= bothWays;
                }
            }
        }
    }
}
