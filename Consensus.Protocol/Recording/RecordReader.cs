using System.Text;

namespace Consensus.Protocol;

/// <summary>Reads what a <see cref="RecordWriter"/> wrote.</summary>
/// <param name="bytes">The bytes.</param>
/// <remarks>Every method throws <see cref="FormatException"/> where the bytes hold something else.</remarks>
public sealed class RecordReader(ReadOnlyMemory<byte> bytes)
{
    private const int MaxCount = 100_000;

    private readonly List<string> _texts = [];
    private readonly List<RunDescriptor> _runs = [];
    private ReadOnlyMemory<byte> _bytes = bytes;
    private int _at;

    /// <summary>Kinds of inputs. The numbers stand in recorded files.</summary>
    internal enum InputKind
    {
        Message, Response, Failure, Timer, Started, Start, Restored,
    }

    /// <summary>The parts of a response that may be absent.</summary>
    [Flags]
    internal enum Parts
    {
        Reason = 1, Round = 2, CurrentRound = 4, Agents = 8, AgentId = 16, Boot = 32, HighestSeenRun = 64, Run = 128,
        Proposal = 256, Vote = 512, Decision = 1024, Descriptor = 2048, Learner = 4096, Disseminated = 8192,
    }

    /// <summary>Goes on with more bytes.</summary>
    /// <param name="longer">The same bytes, and what was written after them.</param>
    internal void Extend(ReadOnlyMemory<byte> longer) => _bytes = longer;

    internal static Parts PartsOf(Response response) =>
        (response.Reason is null ? 0 : Parts.Reason) | (response.Round is null ? 0 : Parts.Round)
        | (response.CurrentRound is null ? 0 : Parts.CurrentRound) | (response.Agents is null ? 0 : Parts.Agents)
        | (response.AgentId is null ? 0 : Parts.AgentId) | (response.Boot is null ? 0 : Parts.Boot)
        | (response.HighestSeenRun is null ? 0 : Parts.HighestSeenRun) | (response.Run is null ? 0 : Parts.Run)
        | (response.Proposal is null ? 0 : Parts.Proposal) | (response.Vote is null ? 0 : Parts.Vote)
        | (response.Decision is null ? 0 : Parts.Decision) | (response.Descriptor is null ? 0 : Parts.Descriptor)
        | (response.Learner == true ? Parts.Learner : 0) | (response.Disseminated == true ? Parts.Disseminated : 0);

    /// <summary>Reads a number.</summary>
    public long ReadLong()
    {
        var (value, shift) = (0UL, 0);
        while (true)
        {
            if (_at >= _bytes.Length || shift > 63)
            {
                throw new FormatException("The record ends within a number.");
            }

            var next = _bytes.Span[_at++];
            value |= (ulong)(next & 0x7F) << shift;
            shift += 7;
            if (next < 0x80)
            {
                return (long)(value >> 1) ^ -(long)(value & 1);
            }
        }
    }

    /// <summary>Reads a number of 32 bits.</summary>
    public int ReadInt() => ReadLong() is >= int.MinValue and <= int.MaxValue and var value
        ? (int)value : throw new FormatException("The record holds a number that is too large.");

    /// <summary>Reads how many elements follow.</summary>
    public int ReadCount() => ReadLong() is >= 0 and <= MaxCount and var value
        ? (int)value : throw new FormatException("The record holds an impossible count.");

    /// <summary>Reads whether something holds.</summary>
    public bool ReadBool() => ReadLong() != 0;

    /// <summary>Reads a text or null.</summary>
    public string? ReadOptionalText()
    {
        var number = ReadCount();
        if (number == 0)
        {
            return null;
        }

        if (number <= _texts.Count)
        {
            return _texts[number - 1];
        }

        var length = ReadCount();
        if (number != _texts.Count + 1 || length > _bytes.Length - _at)
        {
            throw new FormatException("The record holds an impossible text.");
        }

        var text = Encoding.UTF8.GetString(_bytes.Span.Slice(_at, length));
        _at += length;
        _texts.Add(text);
        return text;
    }

    /// <summary>Reads a text.</summary>
    public string ReadText() => ReadOptionalText() ?? throw new FormatException("The record lacks a text.");

    /// <summary>Reads a number or null.</summary>
    public long? ReadOptionalLong() => ReadBool() ? ReadLong() : null;

    /// <summary>Reads a number of 32 bits or null.</summary>
    public int? ReadOptionalInt() => ReadBool() ? ReadInt() : null;

    /// <summary>Reads numbers.</summary>
    public int[] ReadInts()
    {
        var values = new int[ReadCount()];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = ReadInt();
        }

        return values;
    }

    /// <summary>Reads flags into an array of their number.</summary>
    public void ReadFlags(bool[] values)
    {
        ArgumentNullException.ThrowIfNull(values);
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = ReadBool();
        }
    }

    /// <summary>Reads a run id.</summary>
    public RunId ReadRunId() => ReadLong() is not 0 and var number ? new RunId(number, ReadText(), ReadText()) : RunId.None;

    /// <summary>Reads a run or null.</summary>
    public RunDescriptor? ReadRun()
    {
        var number = ReadCount();
        if (number <= _runs.Count)
        {
            return number == 0 ? null : _runs[number - 1];
        }

        var id = ReadRunId();
        var (n, start, rule, values, draw) = (ReadInt(), ReadInt(), (Rule)ReadInt(), ReadInt(), (DrawStrategy)ReadInt());
        var (window, spread, seed) = (ReadInt(), (Spread)ReadInt(), ReadOptionalLong());
        var members = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var left = ReadCount(); left > 0; left--)
        {
            members[ReadText()] = ReadText();
        }

        var run = new RunDescriptor(id, n, start, rule, values, draw, window, members, seed, spread);
        _runs.Add(run);
        return run;
    }

    /// <summary>Reads an input.</summary>
    public Input ReadInput() => (InputKind)ReadInt() switch
    {
        InputKind.Message => new MessageReceived(ReadMessage()),
        InputKind.Response => new ResponseReceived(ReadInt(), ReadSent(), ReadResponse()),
        InputKind.Failure => new RequestFailed(ReadInt(), ReadSent()),
        InputKind.Timer => new TimerFired((Timer)ReadInt()),
        InputKind.Started => new Started(),
        InputKind.Start => ReadStart(),
        InputKind.Restored => new Restored(ReadRunId(), ReadRun(), ReadDecision(), ReadInt()),
        var kind => throw new FormatException($"The record holds an input of kind {kind}, which this version does not know."),
    };

    /// <summary>Reads a message.</summary>
    public Message ReadMessage()
    {
        var message = ReadSent();
        var votes = new Vote[ReadCount()];
        for (var i = 0; i < votes.Length; i++)
        {
            votes[i] = (Vote)ReadMessage();
        }

        var proposals = new Proposal[ReadCount()];
        for (var i = 0; i < proposals.Length; i++)
        {
            proposals[i] = (Proposal)ReadMessage();
        }

        return votes.Length + proposals.Length == 0 ? message : message with
        {
            Relayed = new RelayedMessages(votes.Length == 0 ? null : votes, proposals.Length == 0 ? null : proposals),
        };
    }

    /// <summary>Reads a response.</summary>
    public Response ReadResponse()
    {
        var parts = (Parts)ReadInt();
        bool Has(Parts part) => (parts & part) != 0;
        return new Response((ResponseStatus)ReadInt())
        {
            Reason = Has(Parts.Reason) ? (ResponseReason)ReadInt() : null,
            Round = Has(Parts.Round) ? ReadInt() : null,
            CurrentRound = Has(Parts.CurrentRound) ? ReadInt() : null,
            Agents = Has(Parts.Agents) ? ReadInt() : null,
            AgentId = Has(Parts.AgentId) ? ReadText() : null,
            Boot = Has(Parts.Boot) ? ReadText() : null,
            HighestSeenRun = Has(Parts.HighestSeenRun) ? ReadRunId() : null,
            Run = Has(Parts.Run) ? ReadRunId() : null,
            Proposal = Has(Parts.Proposal) ? (Proposal)ReadMessage() : null,
            Vote = Has(Parts.Vote) ? (Vote)ReadMessage() : null,
            Decision = Has(Parts.Decision) ? ReadDecision() : null,
            Descriptor = Has(Parts.Descriptor) ? ReadRun() : null,
            Learner = Has(Parts.Learner) ? true : null,
            Disseminated = Has(Parts.Disseminated) ? true : null,
        };
    }

    internal StartRun ReadStart() => new(ReadLong(), new RunRequest(
        ReadOptionalInt(), (Rule?)ReadOptionalLong(), ReadOptionalInt(),
        (DrawStrategy?)ReadOptionalLong(), ReadOptionalInt(), ReadOptionalLong(), (Spread?)ReadOptionalLong()));

    internal Decision? ReadDecision() => ReadBool() ? new Decision(ReadInt(), ReadInt(), ReadBool() ? ReadRunId() : null) : null;

    private Message ReadSent()
    {
        var kind = (MessageKind)ReadInt();
        if (kind is MessageKind.Handshake or MessageKind.Reset or MessageKind.StateQuery)
        {
            return kind == MessageKind.Handshake ? new Handshake() : kind == MessageKind.Reset ? new Reset() : new StateQuery();
        }

        var (run, sender, round, value) = (ReadRun(), ReadOptionalText(), ReadInt(), ReadInt());
        return kind switch
        {
            MessageKind.NewRound => new NewRound(round, run, sender, value == 0 ? null : value),
            MessageKind.Proposal => new Proposal(sender!, value, round, run),
            MessageKind.Vote => new Vote(sender!, value == 0 ? null : value, ReadInt(), round, run),
            MessageKind.Final => new Final(value, round, run, sender),
            _ => throw new FormatException($"The record holds a message of kind {kind}, which this version does not know."),
        };
    }
}
