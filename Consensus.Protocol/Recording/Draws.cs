namespace Consensus.Protocol;

/// <summary>A source of draws that remembers what it drew.</summary>
/// <param name="source">Where the draws come from.</param>
public sealed class RecordedDraws(IRandomSource source) : IRandomSource
{
    private readonly List<int> _drawn = [];

    /// <summary>What was drawn since the last <see cref="Clear"/>.</summary>
    public IReadOnlyList<int> Drawn => _drawn;

    /// <summary>Forgets what was drawn.</summary>
    public void Clear() => _drawn.Clear();

    /// <inheritdoc/>
    public int Next(int bound)
    {
        var drawn = source.Next(bound);
        _drawn.Add(drawn);
        return drawn;
    }
}

/// <summary>A source that repeats recorded draws. Where the core asks for more than were recorded, it draws 0.</summary>
public sealed class RepeatedDraws : IRandomSource
{
    private readonly Queue<int> _left = new();

    /// <summary>The draws of the next step.</summary>
    public void Begin(IEnumerable<int> draws)
    {
        _left.Clear();
        foreach (var draw in draws)
        {
            _left.Enqueue(draw);
        }
    }

    /// <inheritdoc/>
    public int Next(int bound) => _left.TryDequeue(out var draw) && draw < bound ? draw : 0;
}
