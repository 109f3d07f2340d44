using System.Globalization;

namespace Consensus.Agent.Conformance;

/// <summary>Faults of one direction of a link that stay until they are ended.</summary>
/// <param name="Lose">The probability that a request is lost, 0..1.</param>
/// <param name="DelayMs">How much later a request arrives, in ms.</param>
/// <param name="Repeat">The probability that a request arrives twice, 0..1.</param>
/// <param name="Cut">Whether no request arrives.</param>
internal sealed record LinkFaults(double Lose = 0, int DelayMs = 0, double Repeat = 0, bool Cut = false)
{
    /// <summary>The longest delay, in ms.</summary>
    public const int MaxDelayMs = 60_000;

    /// <summary>Nothing goes wrong.</summary>
    public static LinkFaults None { get; } = new();

    /// <summary>Null where the values are allowed, else what is.</summary>
    public string? Error => Lose is < 0 or > 1 || Repeat is < 0 or > 1 || DelayMs is < 0 or > MaxDelayMs
        ? string.Create(CultureInfo.InvariantCulture, $"lose and repeat must be from 0 to 1, delay_ms from 0 to {MaxDelayMs}.") : null;

    /// <summary>Draws what goes wrong with one request; null: nothing.</summary>
    public PlannedFault? Draw(int from, int to) =>
        Cut ? new(FaultKind.Cut, from, to)
            : Random.Shared.NextDouble() < Lose ? new(FaultKind.Drop, from, to)
            : Random.Shared.NextDouble() < Repeat ? new(FaultKind.Duplicate, from, to) : null;
}
