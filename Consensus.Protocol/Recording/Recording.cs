using System.Text;

namespace Consensus.Protocol;

/// <summary>Steps of a process of an agent that follow each other, behind the machine's state before them.</summary>
/// <param name="FirstStep">The number of the first step.</param>
/// <param name="BeganAt">The time that the first step's time is relative to, in µs since 1970.</param>
/// <param name="SentBefore">How many messages the process sent before.</param>
/// <param name="Steps">How many steps.</param>
/// <param name="Bytes">The state, and the steps.</param>
public sealed record RecordedSegment(long FirstStep, long BeganAt, long SentBefore, int Steps, ReadOnlyMemory<byte> Bytes);

/// <summary>One step as it was recorded, and what the core makes of its input now.</summary>
/// <param name="Number">The step's number, from 1 in each process.</param>
/// <param name="At">When, in µs since 1970.</param>
/// <param name="Sender">Who sent the message; null: unknown, or no message.</param>
/// <param name="SenderBoot">The sender's boot.</param>
/// <param name="MessageId">The sender's number of the message; of a response or failure, this agent's; 0: none.</param>
/// <param name="FirstSentId">The number of the first message that the step sends; the others follow it.</param>
/// <param name="Input">The input.</param>
/// <param name="Draws">What the step drew.</param>
/// <param name="Effects">The effects now; valid until the next step.</param>
/// <param name="Machine">The machine after the step.</param>
/// <param name="Differs">Whether the agent made something else of the input then.</param>
public readonly record struct ReexecutedStep(
    long Number, long At, string? Sender, string? SenderBoot, long MessageId, long FirstSentId, Input Input, IReadOnlyList<int> Draws,
    IReadOnlyList<Effect> Effects, AgentStateMachine Machine, bool Differs)
{
    /// <summary>The agent's run after the step, or null.</summary>
    public RunDescriptor? CurrentRun => Machine.CurrentRun;

    /// <summary>Whether the agent has decided in that run.</summary>
    public bool IsDecided => Machine.CurrentDecision is not null;

    /// <summary>The id of a peer, or its address until it has named its id.</summary>
    public string NameOf(int peer) => Machine.NameOf(peer);

    /// <summary>What the agent knew after the step.</summary>
    public AgentSnapshot Snapshot() => Machine.Snapshot();
}

/// <summary>What one process of an agent was given, to be re-executed by the core.</summary>
/// <param name="AgentId">The agent.</param>
/// <param name="Boot">The process.</param>
/// <param name="Peers">The addresses of its peers.</param>
/// <param name="Segments">The segments in order. Some between them may be gone.</param>
public sealed record Recording(string AgentId, string Boot, IReadOnlyList<string> Peers, IReadOnlyList<RecordedSegment> Segments)
{
    private const string Magic = "consensus-recording-1\n";

    /// <summary>How many steps it holds.</summary>
    public int Steps => Segments.Sum(segment => segment.Steps);

    /// <summary>Gives the core the recorded inputs again.</summary>
    /// <param name="rules">The rules that the core follows; null: those that are proved.</param>
    /// <exception cref="FormatException">The recording is damaged.</exception>
    public IEnumerable<ReexecutedStep> Reexecute(SafetyRules? rules = null)
    {
        foreach (var segment in Segments)
        {
            var execution = new Reexecution(this, segment, rules);
            while (execution.TryStep(out var step))
            {
                yield return step;
            }
        }
    }

    /// <summary>The recording as bytes of a file.</summary>
    public byte[] ToBytes()
    {
        var header = new RecordWriter();
        header.Write(AgentId);
        header.Write(Boot);
        header.Write(Peers.Count);
        foreach (var peer in Peers)
        {
            header.Write(peer);
        }

        header.Write(Segments.Count);
        foreach (var segment in Segments)
        {
            header.Write(segment.FirstStep);
            header.Write(segment.BeganAt);
            header.Write(segment.SentBefore);
            header.Write(segment.Steps);
            header.Write(segment.Bytes.Length);
        }

        return
        [
            .. Encoding.ASCII.GetBytes(Magic), .. BitConverter.GetBytes(header.Length), .. header.Written.Span,
            .. Segments.SelectMany(segment => segment.Bytes.ToArray()),
        ];
    }

    /// <summary>Reads the bytes of a file.</summary>
    /// <exception cref="FormatException">They are not a recording of this version, or are damaged.</exception>
    public static Recording FromBytes(ReadOnlyMemory<byte> bytes)
    {
        const int LengthSize = sizeof(int);
        if (bytes.Length < Magic.Length + LengthSize || !bytes.Span[..Magic.Length].SequenceEqual(Encoding.ASCII.GetBytes(Magic)))
        {
            throw new FormatException("This is no recording of this version; GET /timeline/record makes one.");
        }

        var length = BitConverter.ToInt32(bytes.Span[Magic.Length..]);
        var at = Magic.Length + LengthSize;
        if (length < 0 || length > bytes.Length - at)
        {
            throw new FormatException("The recording ends within its header.");
        }

        var header = new RecordReader(bytes.Slice(at, length));
        at += length;
        var (id, boot) = (header.ReadText(), header.ReadText());
        var peers = new string[header.ReadCount()];
        for (var i = 0; i < peers.Length; i++)
        {
            peers[i] = header.ReadText();
        }

        var segments = new RecordedSegment[header.ReadCount()];
        for (var i = 0; i < segments.Length; i++)
        {
            var (first, began, sent) = (header.ReadLong(), header.ReadLong(), header.ReadLong());
            var (steps, size) = (header.ReadCount(), header.ReadInt());
            if (size < 0 || size > bytes.Length - at)
            {
                throw new FormatException("The recording ends within its steps.");
            }

            segments[i] = new RecordedSegment(first, began, sent, steps, bytes.Slice(at, size));
            at += size;
        }

        return new Recording(id, boot, peers, segments);
    }
}
