using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Consensus.Protocol;
using Consensus.Simulation.Mutants;
using Consensus.Simulation.Seeded;
using Consensus.Timeline;

namespace Consensus.Agent.Lab;

/// <summary>Reads parameters, and remembers the first that is wrong.</summary>
internal sealed class SimulationQuery
{
    private const int MaxChanges = 20;

    public string? Error { get; private set; }

    public int Number(string name, string? text, int defaultValue, int min, int max) =>
        text is null ? defaultValue
        : int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            && number >= min && number <= max ? number
        : RecordError<int>($"{name} must be a whole number from {min} to {max}.");

    /// <summary>The options of the run that the query names.</summary>
    public RunRequest Run(params ReadOnlySpan<(RunOption Option, string? Text)> given)
    {
        var request = new RunRequest();
        foreach (var (option, text) in given)
        {
            request = text is null ? request
                : option.Accepts(text) ? option.Set(request, text)
                : RecordError<RunRequest>($"{option.Name} must be {option.Allowed}.") ?? request;
        }

        return request;
    }

    public long? Seed(string? text) =>
        text is null ? null
        : long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            && ProtocolLimits.IsSeed(number) ? number
        : RecordError<long>($"seed must be {ProtocolLimits.SeedRange}.");

    /// <summary>A time in µs; the end of time where there is none.</summary>
    public long Time(string name, string? text) =>
        text is null ? long.MaxValue
        : long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var time) ? time
        : RecordError<long>($"{name} must be a time in µs, as start_us of the timeline.");

    public Mutant? MutantNamed(string? name) =>
        name is null ? null
        : Mutant.All.FirstOrDefault(mutant => mutant.Name == name)
            ?? RecordError<Mutant>($"mutant must be one of {Mutant.Names}.");

    public IReadOnlyDictionary<int, MessageChange> Changes(string[] texts)
    {
        var changes = new Dictionary<int, MessageChange>();
        foreach (var text in texts)
        {
            if (text.Split('-') is [var number, var name]
                && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var message)
                && WireNames.Parse<MessageChange>(name) is { } change && changes.Count < MaxChanges)
            {
                changes[message] = change;
            }
            else
            {
                var names = string.Join(" or ", WireNames.All<MessageChange>());
                RecordError<int>($"change must be the number of a message and {names}, such as 12-lose; {MaxChanges} at most.");
            }
        }

        return changes;
    }

    public Probability Chance(string name, string? text) =>
        text is null ? default
        : decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            && number is >= 0 and <= 1 ? Probability.Of(number)
        : RecordError<Probability>($"{name} must be a number from 0 to 1.");

    public T Name<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicFields)] T>(string name, string? text, T defaultValue)
        where T : struct, Enum => Name<T>(name, text) ?? defaultValue;

    public T? Name<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicFields)] T>(string name, string? text)
        where T : struct, Enum
    {
        var values = Enum.GetValues<T>();
        var index = Array.FindIndex(values, value => string.Equals(value.WireName(), text, StringComparison.OrdinalIgnoreCase));
        return text is null ? null : index >= 0 ? values[index]
            : RecordError<T>($"{name} must be {string.Join(" or ", values.Select(value => value.WireName()))}.");
    }

    /// <summary>What is to be explained; null: nothing.</summary>
    public WhyQuestion? Why(string? text) =>
        text is null ? null : WhyQuestion.Parse(text) ?? RecordError<WhyQuestion>(
            "why must be an agent, what happened and when in ms, such as agent2,voted,12.5; "
                + $"what happened is one of {string.Join(", ", WhyQuestion.Kinds)}.");

    public T? RecordError<T>(string error)
    {
        Error ??= error;
        return default;
    }
}
