using Consensus.Agent.Protocol;

namespace Consensus.Agent.Hosting;

/// <summary>Whose part a call or a happening is, whatever thread brought it about.</summary>
public sealed partial class AgentNode
{
    /// <summary>The request that asked for the start in hand: its handshake and its run are part of it.</summary>
    private ExecutionContext? StartInHand => _starts.Count == 0 ? null : _starts.First().Value.Cause;

    private ExecutionContext? CauseOf(Message message) => message is Handshake or Reset ? StartInHand : _telemetry.CauseOf(message);

    /// <summary>What the machine holds now, and where its run stands in a trace, for who hears of the run by that alone.</summary>
    public (MachineView View, string? Traceparent) TracedView()
    {
        lock (_gate)
        {
            return (View(), _telemetry.Traceparent);
        }
    }

    private void Tell(Happened happened, Input input)
    {
        var run = _machine.CurrentRun;
        if (input is Answered { Answer.Traceparent: { } heard })
        {
            _telemetry.Happened(happened, run, heard);
        }
        else if (happened.Kind is Happening.Joined or Happening.Drew && input is not Received && (run is null || run.Id.Initiator == _options.Id) && StartInHand is { } cause)
        {
            ExecutionContext.Run(cause, _ => _telemetry.Happened(happened, run), null);
        }
        else
        {
            _telemetry.Happened(happened, run);
        }
    }
}
