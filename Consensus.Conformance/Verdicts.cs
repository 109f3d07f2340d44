using System.Text.Json.Serialization;
using Consensus.Protocol;
using Consensus.ServiceDefaults;
using Consensus.Timeline;

namespace Consensus.Conformance;

/// <summary>How much of the contract an agent is judged by. Each level includes those before it.</summary>
[JsonConverter(typeof(EnumNameConverter<ConformanceLevel>))]
public enum ConformanceLevel
{
    /// <summary>The original contract.</summary>
    Original,

    /// <summary>Runs that describe themselves.</summary>
    Described,

    /// <summary>The rule that cannot disagree.</summary>
    Ratified,
}

/// <summary>What came of one check.</summary>
[JsonConverter(typeof(EnumNameConverter<VerdictOutcome>))]
public enum VerdictOutcome
{
    /// <summary>The agent did what the sentence says.</summary>
    Passed,

    /// <summary>The agent did something else.</summary>
    Failed,

    /// <summary>The check did not come to an end; the detail says why.</summary>
    NotJudged,
}

/// <summary>One HTTP request between the judge and an agent, and its response.</summary>
/// <param name="From">The caller: <c>judge</c> or an agent.</param>
/// <param name="To">The called agent.</param>
/// <param name="Call">Method and path.</param>
/// <param name="Body">The request's body; null for none.</param>
/// <param name="Status">The response's status code; null where there was no response.</param>
/// <param name="Response">The response's body.</param>
public sealed record Exchange(string From, string To, string Call, string? Body, int? Status, string? Response)
{
    private const int MostCharacters = 400;

    /// <inheritdoc/>
    public override string ToString()
    {
        var body = string.IsNullOrEmpty(Body) ? "" : " " + Short(Body);
        var response = Status is null ? "no response" : $"{Status} {Short(Response ?? "")}";
        return $"{From} -> {To}: {Call}{body} => {response}".TrimEnd();
    }

    private static string Short(string text) => ForeignText.Cut(text, MostCharacters, "...");
}

/// <summary>The outcome of one check of one agent.</summary>
/// <param name="Id">The check's name, in kebab case.</param>
/// <param name="Level">The level that it belongs to.</param>
/// <param name="Sentence">What a conforming agent does.</param>
/// <param name="Outcome">The outcome.</param>
/// <param name="Expected">What was expected; absent where the check passed.</param>
/// <param name="Detail">What was observed instead, or why the check could not be judged.</param>
/// <param name="Exchanges">The requests and responses that show it, in order.</param>
public sealed record Verdict(
    string Id, ConformanceLevel Level, string Sentence, VerdictOutcome Outcome, string? Expected, string? Detail,
    IReadOnlyList<Exchange> Exchanges)
{
    /// <summary>The address of the judged agent, where several that run already are judged.</summary>
    [JsonIgnore]
    public Uri? Agent { get; init; }
}

/// <summary>All that was judged.</summary>
/// <param name="Subject">The program or the addresses.</param>
/// <param name="Level">The level that it was judged by.</param>
/// <param name="Seed">The seed of the faults.</param>
/// <param name="Verdicts">The outcomes, in order.</param>
/// <param name="Runs">Runs that were asked for.</param>
/// <param name="Decided">Runs that some agent decided.</param>
/// <param name="Faults">Faults that took effect.</param>
/// <param name="Kills">Agents killed and started again.</param>
/// <param name="Messages">Requests between agents that were observed.</param>
/// <param name="Counterexample">The shortest run found that violates a property.</param>
/// <param name="RequestedRuns">
/// Runs that the judge was to ask for; more than <paramref name="Runs"/> after a violation or the end of the time.
/// </param>
public sealed record ConformanceReport(
    string Subject, ConformanceLevel Level, long Seed, IReadOnlyList<Verdict> Verdicts,
    int Runs = 0, int Decided = 0, int Faults = 0, int Kills = 0, int Messages = 0,
    ObservedCounterexample? Counterexample = null, int RequestedRuns = 0)
{
    /// <summary>0: conforms, 2: does not, 1: could not be judged.</summary>
    public int ExitCode =>
        Verdicts.Any(verdict => verdict.Outcome == VerdictOutcome.Failed) ? 2
            : Verdicts.Count == 0 || Verdicts.Any(verdict => verdict.Outcome == VerdictOutcome.NotJudged) ? 1 : 0;
}

/// <summary>A run that violates a property, with as few faults as still show it.</summary>
/// <param name="Property">The property.</param>
/// <param name="Explanation">One sentence: who did what.</param>
/// <param name="Seed">The seed of the run's faults.</param>
/// <param name="Faults">The faults, in words.</param>
/// <param name="Diagram">A Lamport diagram of the run.</param>
/// <param name="File">Where <see cref="Timeline"/> is written as JSON; absent: nowhere.</param>
public sealed record ObservedCounterexample(
    string Property, string Explanation, long Seed, IReadOnlyList<string> Faults, IReadOnlyList<string> Diagram, string? File = null)
{
    /// <summary>The run, in the form of <c>GET /timeline?cluster=true</c>.</summary>
    [JsonIgnore]
    public ClusterTimeline? Timeline { get; init; }
}

/// <summary>A check found something else than it expected.</summary>
/// <param name="expected">What was expected.</param>
/// <param name="detail">What was observed.</param>
internal sealed class CheckFailedException(string expected, string? detail = null) : Exception(expected)
{
    /// <summary>What was expected.</summary>
    public string Expected { get; } = expected;

    /// <summary>What was observed, where no exchange shows it.</summary>
    public string? Detail { get; } = detail;

    /// <summary>Whether the agent, or the machine, was too slow to be judged.</summary>
    public bool TooSlow { get; init; }
}

/// <summary>JSON of the report: snake_case, without reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, WriteIndented = true)]
[JsonSerializable(typeof(ConformanceReport))]
public sealed partial class ConformanceJson : JsonSerializerContext;
