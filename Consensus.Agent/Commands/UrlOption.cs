using System.CommandLine;
using Consensus.ServiceDefaults;

namespace Consensus.Agent.Commands;

/// <summary>The option <c>--url</c>: which agent a command asks.</summary>
internal static class UrlOption
{
    /// <summary>Creates the option; without it, a command asks <paramref name="fallback"/>.</summary>
    public static Option<Uri> Create(Func<Uri> fallback) => new("--url")
    {
        Description = "The agent to ask.", DefaultValueFactory = _ => fallback(), HelpName = "URL",

        // Without a parser, the library looks for the constructor by reflection, which ahead-of-time compilation removes.
        CustomParser = given => new Uri(given.Tokens[0].Value, UriKind.RelativeOrAbsolute),
    };

    /// <summary>Reads the address.</summary>
    /// <exception cref="ConfigurationException">It is not an http or https address.</exception>
    public static Uri Read(ParseResult parsed, Option<Uri> option)
    {
        var url = parsed.GetValue(option)!;
        return url.IsAbsoluteUri && url.Scheme is ("http" or "https")
            ? url
            : throw new ConfigurationException($"--url is '{url}'; write it as http://host:port.");
    }
}
