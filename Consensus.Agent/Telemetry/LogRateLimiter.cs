namespace Consensus.Agent.Telemetry;

/// <summary>Lets one line a second of each kind pass, so that no caller fills the log. Thread safe.</summary>
/// <param name="time">The clock.</param>
/// <param name="kinds">How many kinds there are.</param>
internal sealed class LogRateLimiter(TimeProvider time, int kinds)
{
    private readonly Lock _gate = new();
    private readonly long[] _next = new long[kinds];
    private readonly long[] _held = new long[kinds];

    /// <summary>Whether a line of this kind may be written now.</summary>
    /// <param name="kind">The kind, from 0.</param>
    /// <param name="held">How many were held back since the last one.</param>
    public bool Passes(int kind, out long held)
    {
        var now = time.GetTimestamp();
        lock (_gate)
        {
            held = _held[kind];
            if (_next[kind] != 0 && now < _next[kind])
            {
                _held[kind]++;
                return false;
            }

            _next[kind] = now + time.TimestampFrequency;
            _held[kind] = 0;
            return true;
        }
    }
}
