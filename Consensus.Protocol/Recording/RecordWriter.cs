using System.Text;

namespace Consensus.Protocol;

/// <summary>
/// Writes what an agent was given, and what it knew before, as bytes that a <see cref="RecordReader"/> reads. A number takes one byte
/// for each seven bits. A text and a run are written once; after that their number stands for them.
/// </summary>
public sealed partial class RecordWriter
{
    private readonly Dictionary<string, int> _texts = new(StringComparer.Ordinal);
    private readonly List<RunDescriptor> _runs = [];
    private byte[] _bytes = new byte[256];

    /// <summary>How many bytes are written.</summary>
    public int Length { get; private set; }

    /// <summary>The bytes. They stay as they are when more is written.</summary>
    public ReadOnlyMemory<byte> Written => _bytes.AsMemory(0, Length);

    /// <summary>Writes a number.</summary>
    public void Write(long value)
    {
        // Small negative numbers are short, too (zigzag).
        var left = (ulong)((value << 1) ^ (value >> 63));
        if (_bytes.Length - Length < 10)
        {
            Grow(10);
        }

        while (left >= 0x80)
        {
            _bytes[Length++] = (byte)(left | 0x80);
            left >>= 7;
        }

        _bytes[Length++] = (byte)left;
    }

    /// <summary>Writes whether something holds.</summary>
    public void Write(bool value) => Write(value ? 1L : 0);

    /// <summary>Writes a text or null.</summary>
    public void Write(string? text)
    {
        if (text is null)
        {
            Write(0L);
        }
        else
        {
            Write(text.AsSpan());
        }
    }

    /// <summary>Writes a text.</summary>
    public void Write(ReadOnlySpan<char> text)
    {
        var texts = _texts.GetAlternateLookup<ReadOnlySpan<char>>();
        if (texts.TryGetValue(text, out var number))
        {
            Write(number);
        }
        else
        {
            texts.TryAdd(text, _texts.Count + 1);
            Write(_texts.Count);
            var length = Encoding.UTF8.GetByteCount(text);
            Write(length);
            Grow(length);
            Length += Encoding.UTF8.GetBytes(text, _bytes.AsSpan(Length));
        }
    }

    /// <summary>Writes a run id.</summary>
    public void Write(RunId id)
    {
        Write(id.Number);
        if (!id.IsNone)
        {
            Write(id.Initiator);
            Write(id.Boot);
        }
    }

    /// <summary>Writes a run or null.</summary>
    public void Write(RunDescriptor? run)
    {
        var number = run is null ? -1 : IndexOf(run);
        Write(number + 1);
        if (run is null || number < _runs.Count)
        {
            return;
        }

        _runs.Add(run);
        Write(run.Id);
        Write(run.N);
        Write(run.StartRound);
        Write((long)run.Rule);
        Write(run.Values);
        Write((long)run.Draw);
        Write(run.WindowMs);
        Write((long)run.Spread);
        WriteOptional(run.Seed);
        Write(run.Members.Count);
        foreach (var (agent, boot) in run.Members)
        {
            Write(agent);
            Write(boot);
        }
    }

    /// <summary>Writes a number or null.</summary>
    public void WriteOptional(long? value)
    {
        Write(value is not null);
        if (value is { } number)
        {
            Write(number);
        }
    }

    /// <summary>Writes numbers.</summary>
    public void Write(ReadOnlySpan<int> values)
    {
        Write(values.Length);
        foreach (var value in values)
        {
            Write((long)value);
        }
    }

    /// <summary>Writes flags.</summary>
    public void Write(ReadOnlySpan<bool> values)
    {
        foreach (var value in values)
        {
            Write(value);
        }
    }

    // The next number, where the run is new. A faulty agent can describe one run in two ways, so the id alone is not enough.
    private int IndexOf(RunDescriptor run)
    {
        for (var i = _runs.Count - 1; i >= 0; i--)
        {
            if (ReferenceEquals(_runs[i], run) || HasSameContent(_runs[i], run))
            {
                return i;
            }
        }

        return _runs.Count;
    }

    private static bool HasSameContent(RunDescriptor x, RunDescriptor y)
    {
        if (x.Id != y.Id || (x.N, x.StartRound, x.Values, x.WindowMs, x.Seed) != (y.N, y.StartRound, y.Values, y.WindowMs, y.Seed)
            || (x.Rule, x.Draw, x.Spread, x.Members.Count) != (y.Rule, y.Draw, y.Spread, y.Members.Count))
        {
            return false;
        }

        foreach (var (agent, boot) in x.Members)
        {
            if (!y.Members.TryGetValue(agent, out var other) || !string.Equals(boot, other, StringComparison.Ordinal))
            {
                return false;
            }
        }

        return true;
    }

    private void Grow(int bytes)
    {
        if (_bytes.Length - Length < bytes)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, Length + bytes));
        }
    }
}
