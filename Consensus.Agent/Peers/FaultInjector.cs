using System.Text.Json.Serialization;
using Consensus.Agent.Configuration;
using Consensus.Protocol;

namespace Consensus.Agent.Peers;

/// <summary>The direction of calls, as the agent that breaks them sees it.</summary>
[JsonConverter(typeof(EnumNameConverter<Direction>))]
internal enum Direction
{
    /// <summary>Calls from this agent to the peer, and from the peer to this agent.</summary>
    Both,

    /// <summary>Calls from the peer.</summary>
    In,

    /// <summary>Calls to the peer.</summary>
    Out,
}

/// <summary>The faults of the calls on one link in one direction.</summary>
/// <param name="Drop">How many of a hundred calls are lost; their senders see a failure.</param>
/// <param name="DelayMs">By how much a call is held up, in ms. A call that takes a second in all has failed for its sender.</param>
/// <param name="Duplicate">How many of a hundred calls arrive twice.</param>
internal readonly record struct Fault(int Drop, int DelayMs, int Duplicate)
{
    /// <summary>True where calls pass unchanged.</summary>
    public bool IsNone => this == default;

    /// <summary>The stronger fault of each kind.</summary>
    public Fault With(Fault other) =>
        new(Math.Max(Drop, other.Drop), Math.Max(DelayMs, other.DelayMs), Math.Max(Duplicate, other.Duplicate));
}

/// <summary>Faults of one link.</summary>
/// <param name="Peer">The peer's agent id, or its address as in <c>PEERS</c>; absent: every peer.</param>
/// <param name="Direction">Which calls.</param>
/// <param name="Drop">How many of a hundred calls are lost.</param>
/// <param name="DelayMs">By how much a call is held up: 0..60000 ms.</param>
/// <param name="Duplicate">How many of a hundred calls arrive twice.</param>
/// <param name="Isolate">All calls are lost.</param>
internal sealed record LinkFaultRule(
    string? Peer = null, Direction Direction = Direction.Both, int Drop = 0, int DelayMs = 0, int Duplicate = 0, bool Isolate = false);

/// <summary>The body of <c>PUT /faults</c>: all faults of this agent, in place of those before.</summary>
/// <param name="Isolate">No call of another agent comes in and none goes out.</param>
/// <param name="Links">Faults of single links; where several name one link, the strongest of each kind.</param>
internal sealed record FaultsBody(bool Isolate = false, IReadOnlyList<LinkFaultRule>? Links = null);

/// <summary>
/// The response to <c>/faults</c>: what a <c>PUT</c> would take, who the peers are, and which fields of the body no agent knows.
/// </summary>
internal sealed record FaultsResponse(
    string AgentId, bool Isolate, IReadOnlyList<LinkFaultRule> Links, IReadOnlyList<string> Peers, IReadOnlyList<string>? Ignored = null);

/// <summary>The faults that this agent makes on purpose. Thread safe.</summary>
internal sealed class FaultInjector(AgentOptions options, PeerDirectory peers)
{
    private volatile Plan _plan = new(new FaultsBody(), [], [], default);

    private sealed record Plan(FaultsBody Body, Fault[] In, Fault[] Out, Fault InFromAnyone);

    private static Fault All => new(100, 0, 0);

    /// <summary>Whether faults may be made: <c>FAULTS=true</c>.</summary>
    public bool Allowed => options.Faults;

    /// <summary>The faults now.</summary>
    public FaultsBody Current => _plan.Body;

    /// <summary>True where no call goes out or comes in; null elsewhere, so that responses omit it.</summary>
    public bool? IsIsolated => Current.Isolate ? true : null;

    /// <summary>Replaces all faults of this agent.</summary>
    /// <returns>What to change in <paramref name="body"/>, where it names an unknown peer; null: the faults were replaced.</returns>
    public string? Replace(FaultsBody body)
    {
        var into = new Fault[peers.Count];
        var from = new Fault[peers.Count];
        var anyone = body.Isolate ? All : default;
        foreach (var link in body.Links ?? [])
        {
            var fault = new Fault(link.Isolate ? 100 : link.Drop, link.DelayMs, link.Duplicate);
            var named = link.Peer is null ? -1 : peers.IndexOf(link.Peer);
            if (link.Peer is not null && named < 0)
            {
                return $"links.peer '{link.Peer}' is no peer; the peers are {string.Join(", ", peers.Names)}.";
            }

            if (named < 0 && link.Direction != Direction.Out)
            {
                anyone = anyone.With(fault);
            }

            for (var i = 0; i < into.Length; i++)
            {
                if (named < 0 || named == i)
                {
                    into[i] = link.Direction == Direction.Out ? into[i] : into[i].With(fault);
                    from[i] = link.Direction == Direction.In ? from[i] : from[i].With(fault);
                }
            }
        }

        for (var i = 0; body.Isolate && i < into.Length; i++)
        {
            into[i] = from[i] = All;
        }

        _plan = new Plan(body, into, from, anyone);
        return null;
    }

    /// <summary>The fault of a call to a peer.</summary>
    public Fault Outgoing(int peer) => _plan.Out is var faults && peer < faults.Length ? faults[peer] : default;

    /// <summary>The fault of a call from a sender; null: the call does not name its sender.</summary>
    public Fault Incoming(string? agentId)
    {
        var plan = _plan;
        return peers.IndexOfId(agentId) is >= 0 and var peer && peer < plan.In.Length ? plan.In[peer] : plan.InFromAnyone;
    }
}
