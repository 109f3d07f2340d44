using Consensus.Protocol;
using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Consensus.Agent.Commands;

/// <summary>
/// The option <c>--seed</c>: the same range as <c>POST /run</c> and <c>GET /simulate</c>, with the same sentence beyond it.
/// </summary>
internal static class SeedOption
{
    private const string Name = "--seed";

    /// <summary>Makes the option; without a value it is <paramref name="defaultValue"/>.</summary>
    public static Option<long?> Create(string description, long? defaultValue = null) => new(Name)
    {
        Description = description, HelpName = "S", CustomParser = Parse, DefaultValueFactory = _ => defaultValue,
    };

    private static long? Parse(ArgumentResult given)
    {
        if (long.TryParse(given.Tokens[0].Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var seed)
            && ProtocolLimits.IsSeed(seed))
        {
            return seed;
        }

        given.AddError($"{Name} must be {ProtocolLimits.SeedRange}.");
        return null;
    }
}
