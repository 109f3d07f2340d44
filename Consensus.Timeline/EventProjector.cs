using Consensus.Protocol;

namespace Consensus.Timeline;

/// <summary>An event of the timeline, and the run that it belongs to.</summary>
/// <param name="Kind">Its kind.</param>
/// <param name="Event">The event.</param>
/// <param name="Run">The run; none: the run of bare messages; null: the event belongs to no run yet.</param>
public readonly record struct ProjectedEvent(TimelineEventKind Kind, TimelineEvent Event, RunId? Run);

/// <summary>Makes the events of the timeline from re-executed steps, which it takes in their order. Each reader has its own.</summary>
public sealed class EventProjector
{
    // A step sends at most one message to each of 100 peers, and reports a few events.
    private const int IdBitsOfOneStep = 10;

    private readonly List<ProjectedEvent> _events = [];
    private readonly Dictionary<long, ProjectedEvent> _hidden = [];
    private readonly Repetitions<int> _sent = new();
    private readonly Repetitions<string> _received = new();
    private readonly RunAttribution<ProjectedEvent> _runs;
    private long _firstMessageId;
    private long _firstSentId;
    private bool _wasDecided;
    private long _nextId;
    private long _at;

    /// <summary>Makes one.</summary>
    /// <param name="isRecorded">Whether the agent records a run.</param>
    public EventProjector(Func<RunId, bool> isRecorded) => _runs = new(isRecorded, OnOpen);

    /// <summary>The highest id of an event of a step.</summary>
    public static long LastIdOf(long step) => ((step + 1) << IdBitsOfOneStep) - 1;

    /// <summary>The step of the event with this id.</summary>
    public static long StepOf(long id) => id >> IdBitsOfOneStep;

    /// <summary>The event of a process' start, in its first step.</summary>
    public static TimelineEvent Booted(long at) => TimelineEvent.Of(TimelineEventKind.Booted, at, id: 1 << IdBitsOfOneStep);

    /// <summary>The events of the next step. The list is valid until the next call.</summary>
    /// <remarks>An event that belonged to no run is there again in the step in which its run begins.</remarks>
    public IReadOnlyList<ProjectedEvent> Project(in ReexecutedStep step)
    {
        _events.Clear();
        (_nextId, _at) = (step.Number << IdBitsOfOneStep, step.At);
        _firstSentId = step.FirstSentId;
        _runs.OnStep(step.At, step.CurrentRun);
        ProjectInput(step);
        var sentId = step.FirstSentId;
        for (var i = 0; i < step.Effects.Count; i++)
        {
            switch (step.Effects[i])
            {
                case Send send:
                    ProjectSent(sentId++, send, step.NameOf(send.Peer));
                    break;
                case ProtocolEvent e:
                    ProjectReported(e);
                    break;
            }
        }

        _wasDecided = step.IsDecided;
        return _events;
    }

    private void ProjectInput(in ReexecutedStep step)
    {
        switch (step.Input)
        {
            case MessageReceived { Message: not StateQuery } received:
                ProjectReceived(step, received.Message);
                break;
            case ResponseReceived { Response: var response } answered:
                var end = New(TimelineEventKind.Answered, response.Carried, step.MessageId) with
                {
                    Other = step.NameOf(answered.Peer),
                    Status = StatusOf(response),
                    Reason = response.Reason?.WireName(),
                };
                ProjectEnd(TimelineEventKind.Answered, answered.Sent, response.Carried, end);
                break;
            case RequestFailed failed:
                ProjectEnd(TimelineEventKind.Lost, failed.Sent, default, New(TimelineEventKind.Lost, default, step.MessageId) with
                {
                    Other = step.NameOf(failed.Peer),
                });
                break;
            case Started:
                Show(TimelineEventKind.Booted, New(TimelineEventKind.Booted, default), null);
                break;
        }
    }

    private void ProjectReceived(in ReexecutedStep step, Message message)
    {
        Response? response = null;
        for (var i = 0; i < step.Effects.Count && response is null; i++)
        {
            response = (step.Effects[i] as Reply)?.Response;
        }

        var received = New(TimelineEventKind.Received, message.Content, step.MessageId) with
        {
            Other = step.Sender ?? message.Sender,
            OtherBoot = step.SenderBoot,
            Status = StatusOf(response!),
            Reason = response!.Reason?.WireName(),
        };
        if (message is Handshake or Reset)
        {
            Pend(TimelineEventKind.Received, received);
        }
        else if (_runs.Of(message) is { } run && !_received.Add(received.Other ?? "", message))
        {
            Show(TimelineEventKind.Received, received, run);
        }
    }

    private void ProjectSent(long id, Send send, string peer)
    {
        var sent = New(TimelineEventKind.Sent, send.Message.Content, id) with { Other = peer };
        if (send.Message is Handshake or Reset)
        {
            Pend(TimelineEventKind.Sent, sent);
        }
        else if ((send.Message is StateQuery ? _runs.Newest : _runs.Of(send.Message)) is { } run)
        {
            // State queries and repetitions are shown only if their response carries new information.
            if (send.Message is StateQuery || _sent.Add(send.Peer, send.Message))
            {
                _hidden[id] = new ProjectedEvent(TimelineEventKind.Sent, sent, run);
            }
            else
            {
                Show(TimelineEventKind.Sent, sent, run);
            }
        }
    }

    private void ProjectReported(ProtocolEvent e)
    {
        if (_runs.Of(e) is { } run)
        {
            Show((TimelineEventKind)e.Kind, TimelineEvent.Of(e, _at, _nextId++), run);
        }
    }

    /// <summary>The response to a message of this agent arrived, or none did.</summary>
    private void ProjectEnd(TimelineEventKind kind, Message sent, MessageContent carried, TimelineEvent end)
    {
        var id = end.MessageId ?? 0;
        if (_hidden.Remove(id, out var hidden))
        {
            // Of what a repetition brings, only a decision is new information.
            if (!_wasDecided && carried.Kind == MessageKind.Final)
            {
                _events.Add(hidden);
                Show(kind, end, hidden.Run);
            }
        }
        else if (sent is Handshake or Reset)
        {
            // Its run need not have an id yet, while the newest is still the one before.
            var isPending = _runs.Held.Any(pending => pending.Kind == TimelineEventKind.Sent && pending.Event.MessageId == id);
            if (!isPending && _runs.Newest is { } newest && id >= _firstMessageId)
            {
                Show(kind, end, newest);
            }
            else
            {
                Pend(kind, end);
            }
        }
        else if (sent is not StateQuery && _runs.Of(sent) is { } run)
        {
            Show(kind, end, run);
        }
    }

    private void OnOpen(RunId run)
    {
        _firstMessageId = _firstSentId;
        _sent.Clear();
        _received.Clear();
        foreach (var pending in _runs.Release())
        {
            if (pending is { Kind: TimelineEventKind.Sent, Event.MessageId: { } sent })
            {
                _firstMessageId = Math.Min(_firstMessageId, sent);
            }

            _events.Add(pending with { Run = run });
        }
    }

    private void Pend(TimelineEventKind kind, TimelineEvent pending)
    {
        Show(kind, pending, null);
        _runs.Hold(_events[^1]);
    }

    private void Show(TimelineEventKind kind, TimelineEvent shown, RunId? run) => _events.Add(new ProjectedEvent(kind, shown, run));

    private static string? StatusOf(Response response) => response.Status == ResponseStatus.Unknown ? null : response.Status.WireName();

    private TimelineEvent New(TimelineEventKind kind, MessageContent content, long messageId = 0) =>
        TimelineEvent.Of(kind, _at, content, messageId, _nextId++);
}
