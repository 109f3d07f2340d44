using Consensus.Agent.Peers;
using Consensus.Agent.Storage;
using Consensus.Agent.Telemetry;
using Consensus.Protocol;
using Consensus.Timeline;
using Microsoft.Data.Sqlite;

namespace Consensus.Agent.Hosting;

/// <summary>
/// The four parts of a step: record, persist, publish, send. The first two run within the lock, so no response and no reader
/// sees a state that is not persisted. A write that failed is not repeated: a file system may report a failed
/// write once and then drop the pages (PostgreSQL found this of fsync in 2018).
/// </summary>
/// <remarks>
/// An agent fails for good when a step throws. Its state may then be half changed, and a wrong message could break agreement.
/// It sends nothing more and refuses all calls, so to its peers it has crashed, and the protocol tolerates that. The process
/// goes on, so that <c>/alive</c> can report the failure to whatever restarts the process.
/// </remarks>
internal sealed partial class AgentService
{
    private readonly record struct Outgoing(Send Send, long Id, MessageParent Parent);

    /// <summary>What a step leaves to do outside the lock.</summary>
    private struct StepResult
    {
        public Response? Response;
        public List<Outgoing>? Outbox;
        public List<(TaskCompletionSource<StartOutcome> Waiting, StartOutcome Outcome)>? EndedStarts;
        public bool HasChanged;
        public TaskCompletionSource? Waiters;
    }

    /// <returns>The response, where the input is a message; null where the agent has failed.</returns>
    private Response? Step(Input input, string? key = null, long messageId = 0)
    {
        var result = default(StepResult);
        lock (_gate)
        {
            if (_failure is not null)
            {
                return null;
            }

            using var unread = _store is null ? default : _recorder.Hold();
            try
            {
                Record(input, _machine.Step(input), key, messageId, ref result);
                Persist();
            }
#pragma warning disable CA1031 // Whatever was thrown, this agent must not go on.
            catch (Exception e)
#pragma warning restore CA1031
            {
                Fail(e, input, ref result);
            }

            if (result.HasChanged)
            {
                (result.Waiters, _change) = (_change, null);
            }
        }

        Publish(result);
        if (result.Outbox is { } outbox)
        {
            Send(outbox, later: result.Response is not null || input is StartRun);
        }

        return result.Response;
    }

    private void Record(Input input, IReadOnlyList<Effect> effects, string? key, long messageId, ref StepResult result)
    {
        if (input is StartRun && _starts.Count == 1)
        {
            TakeUpStart();
        }

        var nextMessageId = _recorder.OnStep(input, effects, key, messageId);
        RecordInput(input, effects);
        foreach (var effect in effects)
        {
            switch (effect)
            {
                case Send send:
                    var isShown = _recorder.Sent(send.Peer, send.Message);
                    var parent = _telemetry.ParentOf(send.Peer, send.Message, repeated: !isShown);
                    (result.Outbox ??= []).Add(new Outgoing(send, nextMessageId++, parent));
                    break;
                case Reply reply:
                    result.Response = reply.Response;
                    break;
                case SetTimer timer:
                    _timers.Set(timer);
                    break;
                case CancelTimer timer:
                    _timers.Cancel(timer.Timer);
                    break;
                case ProtocolEvent protocolEvent:
                    _telemetry.Record(protocolEvent, _machine.CurrentRun, input, _recorder.Record(protocolEvent), _machine);
                    result.HasChanged |= protocolEvent.Kind is ProtocolEventKind.Joined or ProtocolEventKind.JoinedAsLearner
                        or ProtocolEventKind.Decided or ProtocolEventKind.Learned or ProtocolEventKind.WasReset;
                    _resets += protocolEvent.Kind == ProtocolEventKind.WasReset ? 1 : 0;
                    break;
                case StartEnded start when _starts.TryGetValue(start.Ticket, out var waiting):
                    (result.EndedStarts ??= []).Add((waiting.Ended, start.Outcome));
                    EndStart(start);
                    break;
            }
        }

        if (input is TimerFired)
        {
            _telemetry.Stalled(_machine.CurrentRun, _machine.Stalled());
        }
    }

    private void RecordInput(Input input, IReadOnlyList<Effect> effects)
    {
        switch (input)
        {
            case MessageReceived received:
                for (var i = 0; i < effects.Count; i++)
                {
                    if (effects[i] is Reply reply)
                    {
                        _telemetry.Received(received.Message, reply.Response);
                    }
                }

                break;
            case ResponseReceived response:
                _telemetry.Sent(response.Peer, response.Sent, response.Response);
                break;
            case RequestFailed failed:
                _telemetry.Sent(failed.Peer, failed.Sent, null);
                break;
        }
    }

    /// <summary>The oldest start becomes the current one.</summary>
    private void TakeUpStart()
    {
        _recorder.StartTakenUp();
        _telemetry.StartTakenUp(_starts.First().Value.Caller);
    }

    /// <summary>Removes a start. One that finds the queue full ends at once, while the current one goes on.</summary>
    private void EndStart(StartEnded start)
    {
        var wasCurrent = _starts.First().Key == start.Ticket;
        _starts.Remove(start.Ticket);
        if (wasCurrent)
        {
            _telemetry.StartEnded(start.Outcome);
            if (_starts.Count > 0)
            {
                TakeUpStart();
            }
        }
    }

    /// <exception cref="PersistenceException">The data file cannot be written.</exception>
    private void Persist()
    {
        if (_store is null || IsPersisted)
        {
            return;
        }

        try
        {
            Write(_store);
        }
#pragma warning disable CA1031 // Whatever was thrown, nothing of this step may be seen.
        catch (Exception e)
#pragma warning restore CA1031
        {
            throw new PersistenceException(
                $"DATA: '{_options.Data}' cannot be written ({e.Message}). "
                    + "Nothing that is not persisted is announced: make room there, and start this agent again.",
                e);
        }
    }

    private bool IsPersisted => ReferenceEquals(_machine.CurrentDecision, _persisted.Decision)
        && ReferenceEquals(_machine.CurrentRun, _persisted.Run) && _machine.HighestSeenRun == _persisted.HighestSeenRun;

    private void Write(RunStore store)
    {
        var now = _machine.ToPersist();
        store.Save(now, _recorder.ToPersist(now));
        _persisted = now;
    }

    /// <summary>Writes the message counts of the current run, which grow after its decision.</summary>
    private void PersistHistory()
    {
        lock (_gate)
        {
            if (_store is not null && _failure is null && (_machine.CurrentRun is not null || _machine.CurrentDecision is not null))
            {
                try
                {
                    Write(_store);
                }
                catch (SqliteException)
                {
                    // The decision is written. Its count of messages is a few short.
                }
            }
        }
    }

    private static void Publish(in StepResult result)
    {
        result.EndedStarts?.ForEach(start => start.Waiting.SetResult(start.Outcome));
        result.Waiters?.SetResult();
    }

    /// <param name="outbox">The messages.</param>
    /// <param name="later">
    /// Whether the caller returns first: a received message gets its response first, and a start holds the lock.
    /// </param>
    private void Send(List<Outgoing> outbox, bool later)
    {
        foreach (var outgoing in outbox)
        {
            _ = SendAsync(outgoing, later);
        }
    }

    private async Task SendAsync(Outgoing outgoing, bool later)
    {
        Interlocked.Increment(ref _sendsInFlight);
        try
        {
            if (later)
            {
                await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            }

            var (peer, message) = (outgoing.Send.Peer, outgoing.Send.Message);
            var response = await _peers.SendAsync(
                peer, message, MessageId.Format(_machine.Id, _machine.Boot, outgoing.Id), outgoing.Parent, _stopping.Token);
            if (!_stopping.IsCancellationRequested)
            {
                Step(response is null ? new RequestFailed(peer, message) : new ResponseReceived(peer, message, response),
                    messageId: outgoing.Id);
            }
        }
        finally
        {
            Interlocked.Decrement(ref _sendsInFlight);
        }
    }

    /// <summary>Fails this agent for good, and every start that waits with it.</summary>
    private void Fail(Exception exception, Input input, ref StepResult result)
    {
        var failure = exception is PersistenceException
            ? new AgentFailure(exception.Message, IsOfData: true)
            : new AgentFailure(
                "This agent has failed and takes no more part. Restart it, and report the critical line of its log.", IsOfData: false);
        _failure = failure;
        if (_store is not null)
        {
            _recorder.Forget();
        }

        // Before any caller gets the failure: its text points at this line of the log.
        if (failure.IsOfData)
        {
            _telemetry.NotPersisted(failure.Reason);
        }
        else
        {
            _telemetry.StepFailed(exception, input, _machine.CurrentRun?.Id);
        }

        result.EndedStarts?.ForEach(start => start.Waiting.SetException(failure.ToException()));
        result = new StepResult { HasChanged = true };
        AbandonStarts(failure.ToException());
    }

    private void AbandonStarts(Exception why)
    {
        foreach (var (ended, _) in _starts.Values)
        {
            ended.TrySetException(why);
        }

        _starts.Clear();
    }
}
