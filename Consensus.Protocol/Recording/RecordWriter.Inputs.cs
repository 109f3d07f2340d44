namespace Consensus.Protocol;

/// <summary>Inputs and what they hold.</summary>
public sealed partial class RecordWriter
{
    /// <summary>Writes an input.</summary>
    public void Write(Input input)
    {
        ArgumentNullException.ThrowIfNull(input);
        switch (input)
        {
            case MessageReceived received:
                Write((long)RecordReader.InputKind.Message);
                Write(received.Message);
                break;
            case ResponseReceived response:
                Write((long)RecordReader.InputKind.Response);
                Write(response.Peer);
                WriteSent(response.Sent);
                Write(response.Response);
                break;
            case RequestFailed failed:
                Write((long)RecordReader.InputKind.Failure);
                Write(failed.Peer);
                WriteSent(failed.Sent);
                break;
            case TimerFired fired:
                Write((long)RecordReader.InputKind.Timer);
                Write((long)fired.Timer);
                break;
            case Started:
                Write((long)RecordReader.InputKind.Started);
                break;
            case StartRun start:
                Write((long)RecordReader.InputKind.Start);
                Write(start);
                break;
            case Restored restored:
                Write((long)RecordReader.InputKind.Restored);
                Write(restored.HighestSeenRun);
                Write(restored.Run);
                Write(restored.Decision);
                Write(restored.Attempts);
                break;
            default:
                throw new ArgumentException($"Unknown input {input.GetType().Name}.", nameof(input));
        }
    }

    /// <summary>Writes a message.</summary>
    public void Write(Message message)
    {
        ArgumentNullException.ThrowIfNull(message);
        WriteSent(message);
        Write(message.Relayed?.Votes?.Count ?? 0);
        foreach (var vote in message.Relayed?.Votes ?? [])
        {
            Write(vote);
        }

        Write(message.Relayed?.Proposals?.Count ?? 0);
        foreach (var proposal in message.Relayed?.Proposals ?? [])
        {
            Write(proposal);
        }
    }

    /// <summary>Writes a response.</summary>
    public void Write(Response response)
    {
        ArgumentNullException.ThrowIfNull(response);
        Write((long)RecordReader.PartsOf(response));
        Write((long)response.Status);
        WriteIfAny((long?)response.Reason);
        WriteIfAny(response.Round);
        WriteIfAny(response.CurrentRound);
        WriteIfAny(response.Agents);
        WriteIfAny(response.AgentId);
        WriteIfAny(response.Boot);
        WriteIfAny(response.HighestSeenRun);
        WriteIfAny(response.Run);
        WriteIfAny(response.Proposal);
        WriteIfAny(response.Vote);
        if (response.Decision is not null)
        {
            Write(response.Decision);
        }

        if (response.Descriptor is not null)
        {
            Write(response.Descriptor);
        }
    }

    /// <summary>Writes a request to start a run.</summary>
    internal void Write(StartRun start)
    {
        var request = start.Request;
        Write(start.Ticket);
        WriteOptional(request.Round);
        WriteOptional((long?)request.Rule);
        WriteOptional(request.Values);
        WriteOptional((long?)request.Draw);
        WriteOptional(request.WindowMs);
        WriteOptional(request.Seed);
        WriteOptional((long?)request.Spread);
    }

    /// <summary>Writes a decision or null.</summary>
    internal void Write(Decision? decision)
    {
        Write(decision is not null);
        if (decision is not null)
        {
            Write(decision.Value);
            Write(decision.Round);
            Write(decision.Run is not null);
            if (decision.Run is { } run)
            {
                Write(run);
            }
        }
    }

    // Without what a relay passed on: no rule reads that in a message that this agent sent.
    private void WriteSent(Message message)
    {
        var content = message.Content;
        Write((long)content.Kind);
        if (content.Kind is MessageKind.Handshake or MessageKind.Reset or MessageKind.StateQuery)
        {
            return;
        }

        Write(message.Run);
        Write(message.Sender);
        Write(content.Round);
        Write(content.Value);
        if (content.Kind == MessageKind.Vote)
        {
            Write(content.Proposed);
        }
    }

    private void WriteIfAny(long? value)
    {
        if (value is { } number)
        {
            Write(number);
        }
    }

    private void WriteIfAny(string? text)
    {
        if (text is not null)
        {
            Write(text);
        }
    }

    private void WriteIfAny(RunId? id)
    {
        if (id is { } run)
        {
            Write(run);
        }
    }

    private void WriteIfAny(Message? message)
    {
        if (message is not null)
        {
            Write(message);
        }
    }
}
