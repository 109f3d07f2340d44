using Consensus.Protocol;

namespace Consensus.Simulation;

/// <summary>One call in flight from an agent to a peer. With a response it is on its way back.</summary>
public class SimulatedCall
{
    /// <summary>The caller.</summary>
    public SimulatedAgent From { get; private set; } = null!;

    /// <summary>The called agent.</summary>
    public SimulatedAgent To { get; private set; } = null!;

    /// <summary>The caller's index of the called agent.</summary>
    public int Peer { get; private set; }

    /// <summary>The number of the calling process.</summary>
    public int Process { get; private set; }

    /// <summary>The message.</summary>
    public Message Message { get; private set; } = null!;

    /// <summary>The response on its way back; null while the message is on its way there.</summary>
    public Response? Response { get; set; }

    /// <summary>The call in the trace; null where nothing is traced.</summary>
    public TraceCall? Trace { get; internal set; }

    /// <summary>True for a copy that the network made. The caller receives no response to a copy.</summary>
    public bool IsCopy { get; private init; }

    /// <summary>True while the calling process runs and takes a response. The next process takes none.</summary>
    public bool CallerRuns => !IsCopy && From.Machine is not null && From.Processes == Process;

    /// <summary>Another copy of the message.</summary>
    internal SimulatedCall Copy() => new() { From = From, To = To, Peer = Peer, Process = Process, Message = Message, IsCopy = true };

    internal void Begin(SimulatedAgent from, SimulatedAgent to, Send send) =>
        (From, To, Peer, Process, Message, Response, Trace) = (from, to, send.Peer, from.Processes, send.Message, null, null);
}
