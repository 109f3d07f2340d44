using System.CommandLine;
using System.Globalization;
using Consensus.Agent.Configuration;
using Consensus.Agent.Http;
using Consensus.Agent.Links;
using Consensus.ServiceDefaults;
using Consensus.Timeline;

namespace Consensus.Agent.Commands;

/// <summary><c>links</c>: a proxy on every link between agents that run already, with the page that draws what goes through.</summary>
internal static class LinksCommand
{
    private static readonly Option<string[]> Agents = new("--agent") { Description = "An agent; once for each.", HelpName = "ID=URL" };
    private static readonly Option<string[]> Links = new("--link")
    {
        Description = "Where one agent finds another; once for each. The agent gets this address in PEERS.", HelpName = "FROM,TO=PORT",
    };

    private static readonly Option<int> Port = new("--port")
    {
        Description = "Where the page listens.", DefaultValueFactory = _ => 5000, HelpName = "P",
    };

    /// <summary>Creates the command.</summary>
    public static Command Create()
    {
        var command = new Command("links", "Put a proxy on every link between agents, break links on purpose, and draw what goes through.")
        {
            Agents, Links, Port,
        };
        command.SetAction(ServeAsync);
        return command;
    }

    private static async Task<int> ServeAsync(ParseResult parsed, CancellationToken cancellation)
    {
        List<ObservedAgent> agents =
        [
            .. (parsed.GetValue(Agents) ?? []).Select(ReadAgent)
                .OrderBy(agent => agent.Id, Comparer<string>.Create(LaneResolver.CompareNaturally)),
        ];
        if (agents.Count < 2 || agents.DistinctBy(agent => agent.Id).Count() < agents.Count)
        {
            throw new ConfigurationException("Name two agents or more with --agent, each once.");
        }

        var ports = (parsed.GetValue(Links) ?? []).Select(ReadLink).ToDictionary(link => (link.From, link.To), link => link.Port);
        var key = Settings.ReadClusterKey(new ConfigurationBuilder().AddEnvironmentVariables().Build());
        await using var links = await LinkObserver.StartAsync(
            agents, [.. agents.SelectMany(from => agents.Select(to => ports.GetValueOrDefault((from.Id, to.Id))))]);
        await using var app = LinksApplication.Build(links, key, new Uri($"http://localhost:{parsed.GetValue(Port)}"));
        await HttpServer.ListenAsync(app);
        Console.WriteLine($"The links of {string.Join(", ", agents.Select(agent => agent.Id))} are seen at {app.Urls.First()}");
        await app.WaitForShutdownAsync(cancellation);
        return 0;
    }

    private static ObservedAgent ReadAgent(string text) =>
        text.Split('=', 2) is [{ Length: > 0 } id, var address] && Uri.TryCreate(address, UriKind.Absolute, out var url)
            && url.Scheme is ("http" or "https")
            ? new(id, url) : throw new ConfigurationException($"--agent is '{text}'; write it as id=http://host:port.");

    private static (string From, string To, int Port) ReadLink(string text) =>
        text.Split('=') is [var link, var number] && link.Split(',') is [var from, var to]
            && ushort.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            ? (from, to, port) : throw new ConfigurationException($"--link is '{text}'; write it as from,to=port.");
}
