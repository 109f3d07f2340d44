using Consensus.Protocol;
using Consensus.Agent.Telemetry;

namespace Consensus.Agent.Hosting;

/// <summary>Records and traces what goes in and out.</summary>
public sealed partial class AgentService
{
    /// <summary>What the machine holds now, and where its run stands in a trace, for an agent that learns of the run by that alone.</summary>
    public (AgentSnapshot View, string? Traceparent) TracedView()
    {
        lock (_gate)
        {
            return (Snapshot(), _telemetry.Traceparent);
        }
    }

    /// <summary>The machine takes starts one after another. The oldest is the one it works on.</summary>
    private void TakeUpStart(bool taken)
    {
        if (taken)
        {
            _recorder.StartTakenUp();
            _telemetry.StartTakenUp(_starts.First().Value.Caller);
        }
    }

    /// <summary>A start that finds the queue full ends at once, while the oldest goes on.</summary>
    private void EndStart(StartEnded start)
    {
        var wasInHand = _starts.First().Key == start.Ticket;
        _starts.Remove(start.Ticket);
        if (wasInHand)
        {
            _telemetry.StartEnded(start.Outcome);
            TakeUpStart(taken: _starts.Count > 0);
        }
    }

    private void RecordInput(Input input, IReadOnlyList<Effect> effects, string? key, long messageId)
    {
        switch (input)
        {
            case MessageReceived received:
                for (var i = 0; i < effects.Count; i++)
                {
                    if (effects[i] is Reply reply)
                    {
                        _recorder.Received(key, received.Message, reply.Response);
                        _telemetry.Received(received.Message, reply.Response);
                    }
                }

                break;
            case ResponseReceived answered:
                _recorder.Answered(messageId, answered.Peer, answered.Sent, answered.Response);
                _telemetry.Sent(answered.Peer, answered.Sent, answered.Response);
                break;
            case RequestFailed unanswered:
                _recorder.Lost(messageId, unanswered.Peer, unanswered.Sent);
                _telemetry.Sent(unanswered.Peer, unanswered.Sent, null);
                break;
            case Started:
                _recorder.Booted();
                break;
        }
    }

    /// <param name="outbox">What goes out.</param>
    /// <param name="later">Sends after the caller has returned: a received message is answered first, and a start holds the lock.</param>
    private void SendAll(List<(Send Send, long Id, MessageParent Parent)> outbox, bool later)
    {
        foreach (var (send, id, parent) in outbox)
        {
            _ = SendAsync(send, id, parent, later);
        }
    }

    private async Task SendAsync(Send send, long id, MessageParent parent, bool later)
    {
        Interlocked.Increment(ref _sendsInFlight);
        try
        {
            if (later)
            {
                await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            }

            var answer = await _peers.SendAsync(send.Peer, send.Message, _recorder.KeyOf(id), parent, _stopping.Token);
            if (!_stopping.IsCancellationRequested)
            {
                Step(answer is null ? new RequestFailed(send.Peer, send.Message) : new ResponseReceived(send.Peer, send.Message, answer), messageId: id);
            }
        }
        finally
        {
            Interlocked.Decrement(ref _sendsInFlight);
        }
    }
}
