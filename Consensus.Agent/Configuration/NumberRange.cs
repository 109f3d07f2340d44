using Consensus.ServiceDefaults;
namespace Consensus.Agent.Configuration;

/// <summary>Checks that a number lies in a range, with one sentence for all of them.</summary>
internal static class NumberRange
{
    /// <summary>What to change in a field of a message; null: nothing.</summary>
    public static string? Check(string field, long? value, long min, long max) =>
        value < min || value > max ? $"{field} must be from {min} to {max}." : null;

    /// <summary>Checks an option of the command line.</summary>
    /// <exception cref="ConfigurationException">The number lies outside.</exception>
    public static void Require(string option, long value, long min, long max)
    {
        if (value < min || value > max)
        {
            throw new ConfigurationException($"{option} is {value}; it must be from {min} to {max}.");
        }
    }
}
