namespace Consensus.Benchmarks.Cluster;

/// <summary>Latencies of one kind, in ms.</summary>
internal sealed class Samples
{
    private readonly List<double> _all = [];
    private bool _sorted = true;

    public int Count => _all.Count;

    public double Mean => _all.Count == 0 ? double.NaN : _all.Average();

    public void Add(double milliseconds)
    {
        _all.Add(milliseconds);
        _sorted = false;
    }

    /// <summary>The value under which this part (0..1) of the samples lies; NaN where there are none.</summary>
    public double Percentile(double part)
    {
        if (_all.Count == 0)
        {
            return double.NaN;
        }

        if (!_sorted)
        {
            _all.Sort();
            _sorted = true;
        }

        return _all[Math.Min(_all.Count - 1, (int)(part * _all.Count))];
    }
}
