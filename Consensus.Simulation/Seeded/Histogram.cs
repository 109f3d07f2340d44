using System.Globalization;

namespace Consensus.Simulation.Seeded;

/// <summary>How often each number was counted. The order of counting does not matter.</summary>
public sealed class Histogram
{
    private readonly Dictionary<int, long> _counts = [];

    /// <summary>How many numbers were counted.</summary>
    public long Count { get; private set; }

    /// <summary>Their sum.</summary>
    public long Sum { get; private set; }

    /// <summary>Their mean; 0 where there are none.</summary>
    public double Mean => Count == 0 ? 0 : (double)Sum / Count;

    /// <summary>
    /// Half the width of the 95 % confidence interval of the mean, by the normal approximation; 0: fewer than two were counted.
    /// </summary>
    public double HalfWidth =>
        Count < 2 ? 0 : 1.96 * Math.Sqrt(_counts.Sum(one => one.Value * Math.Pow(one.Key - Mean, 2)) / (Count - 1) / Count);

    /// <summary>The largest; 0 where there are none.</summary>
    public int Max => _counts.Count == 0 ? 0 : _counts.Keys.Max();

    /// <summary>Counts a number.</summary>
    public void Add(int number)
    {
        Count++;
        Sum += number;
        _counts[number] = _counts.GetValueOrDefault(number) + 1;
    }

    /// <summary>Adds the counts of another histogram.</summary>
    public void Add(Histogram other)
    {
        Count += other.Count;
        Sum += other.Sum;
        foreach (var (number, count) in other._counts)
        {
            _counts[number] = _counts.GetValueOrDefault(number) + count;
        }
    }

    /// <summary>
    /// The smallest number that at least <paramref name="percent"/> % of all numbers do not exceed; 0 where there are none.
    /// </summary>
    public int Percentile(int percent)
    {
        var rank = ((Count * percent) + 99) / 100;
        foreach (var (number, count) in _counts.OrderBy(pair => pair.Key))
        {
            rank -= count;
            if (rank <= 0)
            {
                return number;
            }
        }

        return 0;
    }

    /// <inheritdoc/>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"mean {Mean:N2}, p50 {Percentile(50):N0}, p99 {Percentile(99):N0}, max {Max:N0}");
}
