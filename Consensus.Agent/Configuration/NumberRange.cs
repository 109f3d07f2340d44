using Consensus.ServiceDefaults;
namespace Consensus.Agent.Configuration;

/// <summary>Checks that a number lies in a range, with one sentence for all of them.</summary>
internal static class NumberRange
{
    /// <summary>What to change in a field of a message; null: nothing.</summary>
    public static string? Check(string field, long? value, long least, long most) =>
        value < least || value > most ? $"{field} must be from {least} to {most}." : null;

    /// <summary>Checks an option of the command line.</summary>
    /// <exception cref="ConfigurationException">The number lies outside.</exception>
    public static void Require(string option, long value, long least, long most)
    {
        if (value < least || value > most)
        {
            throw new ConfigurationException($"{option} is {value}; it must be from {least} to {most}.");
        }
    }
}
