using Consensus.Protocol;

namespace Consensus.Timeline;

/// <summary>
/// Resolves names to lanes: an agent knows a peer by address until its first response, and each agent has addresses of its own
/// configuration.
/// </summary>
public sealed class LaneResolver
{
    private readonly Dictionary<string, int> _index = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Agent, string Name), int> _resolved = [];
    private readonly HashSet<string> _former = new(StringComparer.Ordinal);

    public LaneResolver(IReadOnlyList<Source> sources, RunDescriptor? descriptor)
    {
        var names = sources.Select(source => source.Timeline).OfType<AgentTimeline>()
            .SelectMany(timeline => (timeline.Events ?? []).Where(e => e.KnownKind == TimelineEventKind.Sent && e.Other is not null)
                .Select(e => (timeline.AgentId, Name: e.Other!)))
            .Distinct().ToList();
        var ids = new SortedSet<string>(
            names.Select(name => name.Name).Where(name => !IsAddress(name)), Comparer<string>.Create(CompareNaturally));
        var members = descriptor?.Members.Keys ?? [];
        var current = sources.Select(source => source.Timeline?.AgentId ?? source.AgentId
            ?? (HostOf(source.Address) is var host && (ids.Contains(host) || members.Contains(host)) ? host : null)).ToList();

        // An agent that is down and whose id is unknown may be any agent of the run. Where all ids are known, the others have left.
        if (!current.Contains(null))
        {
            _former.UnionWith(members.Concat(ids).Except(current.OfType<string>()));
        }

        // A former agent has a lane only where some of its events are left.
        ids.UnionWith(members.Except(_former));
        ids.UnionWith(current.OfType<string>());

        // An agent with an unknown id has a lane too, named by its address.
        foreach (var (source, _) in sources.Zip(current).Where(one => one.Second is null && ids.Count < sources.Count))
        {
            ids.Add(HostOf(source.Address));
        }

        Ids = [.. ids];
        for (var i = 0; i < Ids.Count; i++)
        {
            _index[Ids[i]] = i;
        }

        var byAddress = sources.Where(source => source.Timeline is not null)
            .ToDictionary(source => source.Address, source => source.Timeline!.AgentId);
        foreach (var (agent, name) in names.Where(name => IsAddress(name.Name)))
        {
            var id = byAddress.TryGetValue(name, out var known) && known != agent ? known
                : _index.ContainsKey(HostOf(name)) ? HostOf(name) : null;
            if (id is not null)
            {
                _resolved[(agent, name)] = _index[id];
            }
        }

        // What is left over on both sides belongs together where it is one.
        foreach (var agent in names.GroupBy(name => name.AgentId))
        {
            var open = agent.Where(name => IsAddress(name.Name) && !_resolved.ContainsKey(name)).ToList();
            var taken = agent.Select(name => Resolve(agent.Key, name.Name)).ToHashSet();
            var free = Enumerable.Range(0, Ids.Count).Where(lane => lane != _index[agent.Key] && !taken.Contains(lane)).ToList();
            if (open.Count == 1 && free.Count == 1)
            {
                _resolved[open[0]] = free[0];
            }
        }
    }

    /// <summary>The lanes' agents, in natural order.</summary>
    public IReadOnlyList<string> Ids { get; }

    public int this[string agentId] => _index[agentId];

    /// <summary>True for an agent of an older run that the cluster does not count now.</summary>
    public bool IsFormer(string agentId) => _former.Contains(agentId);

    /// <summary>The lane that <paramref name="agent"/> calls <paramref name="name"/>; -1 where it is unknown.</summary>
    public int Resolve(string agent, string? name) =>
        name is null ? -1 : _index.TryGetValue(name, out var lane) || _resolved.TryGetValue((agent, name), out lane) ? lane : -1;

    /// <summary>agent2 before agent10.</summary>
    public static int CompareNaturally(string x, string y)
    {
        var (i, j) = (0, 0);
        while (i < x.Length && j < y.Length)
        {
            if (char.IsAsciiDigit(x[i]) && char.IsAsciiDigit(y[j]))
            {
                var a = Digits(x, ref i);
                var b = Digits(y, ref j);
                var order = a.Length != b.Length ? a.Length.CompareTo(b.Length) : a.CompareTo(b, StringComparison.Ordinal);
                if (order != 0)
                {
                    return order;
                }
            }
            else if (x[i++] - y[j++] is not 0 and var difference)
            {
                return difference;
            }
        }

        var rest = (x.Length - i).CompareTo(y.Length - j);
        return rest != 0 ? rest : string.CompareOrdinal(x, y);
    }

    private static ReadOnlySpan<char> Digits(string text, ref int i)
    {
        var first = i;
        while (i < text.Length && char.IsAsciiDigit(text[i]))
        {
            i++;
        }

        return text.AsSpan(first, i - first).TrimStart('0');
    }

    private static bool IsAddress(string name) => name.Contains("://", StringComparison.Ordinal);

    private static string HostOf(string address) =>
        Uri.TryCreate(address, UriKind.Absolute, out var uri)
            ? uri.IsDefaultPort || uri.Port < 0 ? uri.Host : $"{uri.Host}:{uri.Port}" : address;
}
