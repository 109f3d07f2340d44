using System.Globalization;
using System.Text.Json.Serialization;

namespace Consensus.Protocol;

/// <summary>Faults of one direction of a link. They stay until a caller ends them. This is their form on the wire.</summary>
/// <param name="Lose">The probability that a request is lost, 0..1.</param>
/// <param name="DelayMs">How much later a request arrives, in ms.</param>
/// <param name="Repeat">The probability that a request arrives twice, 0..1.</param>
/// <param name="Cut">Whether no request arrives.</param>
public sealed record LinkFaults(double Lose = 0, int DelayMs = 0, double Repeat = 0, bool Cut = false)
{
    /// <summary>The longest delay, in ms.</summary>
    public const int MaxDelayMs = 60_000;

    /// <summary>Nothing goes wrong.</summary>
    public static LinkFaults None { get; } = new();

    /// <summary>Null where the values are allowed, else what is.</summary>
    [JsonIgnore]
    public string? Error => Lose is < 0 or > 1 || Repeat is < 0 or > 1 || DelayMs is < 0 or > MaxDelayMs
        ? string.Create(CultureInfo.InvariantCulture, $"lose and repeat must be from 0 to 1, delay_ms from 0 to {MaxDelayMs}.") : null;

    /// <summary>In words; empty: none.</summary>
    public override string ToString() => Cut ? "cut" : string.Join(", ", new[]
    {
        Lose > 0 ? string.Create(CultureInfo.InvariantCulture, $"loses {Lose * 100:0.#} %") : null,
        DelayMs > 0 ? string.Create(CultureInfo.InvariantCulture, $"delays by {DelayMs} ms") : null,
        Repeat > 0 ? string.Create(CultureInfo.InvariantCulture, $"repeats {Repeat * 100:0.#} %") : null,
    }.OfType<string>());
}
