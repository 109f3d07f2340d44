using System.Globalization;
using System.Text;
using Consensus.Protocol;
using Consensus.Simulation;
using Timer = Consensus.Protocol.Timer;

namespace Consensus.Tests.Protocol;

/// <summary>
/// The commands of a transcript:
/// <list type="bullet">
/// <item><c>agents N [strangers] [original=ID]</c>: a new cluster; its agents know each other, unless it says <c>strangers</c>.</item>
/// <item><c>draws A 2 3</c>: A's next draws, from 1.</item>
/// <item><c>start A [rule=] [values=] [draw=] [spread=] [window=] [seed=] [round=]</c>: <c>POST /run</c>.</item>
/// <item><c>deliver A->B [kind] [round=] [run=] [answer=lost|later]</c>: the calls now in flight; * stands for any agent,
/// kind <c>answer</c> for a response that was delayed by <c>answer=later</c>.</item>
/// <item><c>drop A->B [kind] [round=] [run=]</c>: they never arrive, and the callers see them fail.</item>
/// <item><c>stabilize [A B …] [show=deeds]</c>: delivers all calls, or those among these agents, until none is left; shows
/// all of it or only what the agents do.</item>
/// <item><c>fire A timer</c>: window, retransmit, poll, dissemination or start runs out.</item>
/// <item><c>send A kind [from=] [value=] [proposal=] [round=] [run=]</c>: a message made by hand; bare without a run.</item>
/// <item><c>peers A [B …]</c>: whom A names in PEERS when it restarts; at first all others.</item>
/// <item>
/// <c>stop A</c>, <c>restart A [kept]</c> (kept: it restores what the last process persisted), <c>reset A</c>,
/// <c>state [A …]</c>, <c>timers A</c>, <c>network</c>.
/// </item>
/// </list>
/// </summary>
internal sealed class TranscriptCommands
{
    private TranscriptCluster? _cluster;

    /// <summary>Runs one command line and appends what happens.</summary>
    /// <exception cref="InvalidDataException">The command cannot be run as it stands.</exception>
    public void Run(string command, StringBuilder output)
    {
        var words = command.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var options = new Options(command, words.Skip(1));
        if (words[0] == "agents")
        {
            AssertScriptsUsed();
            _cluster = new TranscriptCluster(
                int.Parse(options.Word(0), CultureInfo.InvariantCulture),
                options.Words.Contains("strangers"), options.Text("original"), output);
        }
        else
        {
            var cluster = _cluster ?? throw new InvalidDataException($"'{command}': the first command is 'agents N'.");
            cluster.Output = output;
            Run(words[0], options, cluster);
        }

        options.AssertAllRead();
    }

    /// <summary>Fails where a scripted draw was never made.</summary>
    public void AssertScriptsUsed()
    {
        if (_cluster?.Nodes.FirstOrDefault(node => node.Draws.Left > 0) is { } node)
        {
            throw new InvalidDataException($"{node.Id} has not drawn all that its script holds.");
        }
    }

    private static void Run(string verb, Options options, TranscriptCluster cluster)
    {
        switch (verb)
        {
            case "draws":
                cluster.Find(options.Word(0)).Draws.Add(options.Words.Skip(1).Select(w => int.Parse(w, CultureInfo.InvariantCulture)));
                break;
            case "start":
                cluster.StartRun(cluster.Find(options.Word(0)), options.Request());
                break;
            case "deliver":
                var how = options.Text("answer");
                Matching(options, cluster).ForEach(call => cluster.Deliver(call, how));
                break;
            case "drop":
                Matching(options, cluster).ForEach(cluster.Drop);
                break;
            case "stabilize":
                cluster.Stabilize([.. options.Words.Select(cluster.Find)], options.Text("show") switch
                {
                    null => false,
                    "deeds" => true,
                    var show => throw new InvalidDataException($"show={show}: deeds, or nothing for everything."),
                });
                break;
            case "fire":
                cluster.FireTimer(cluster.Find(options.Word(0)), Enum.Parse<Timer>(options.Word(1), ignoreCase: true));
                break;
            case "send":
                cluster.SendMessage(cluster.Find(options.Word(0)), options.Message(cluster.Runs));
                break;
            case "peers":
                cluster.NamePeers(cluster.Find(options.Word(0)), [.. options.Words.Skip(1).Select(cluster.Find)]);
                break;
            case "stop":
                cluster.StopProcess(cluster.Find(options.Word(0)));
                break;
            case "restart":
                cluster.Restart(cluster.Find(options.Word(0)), options.Words.Contains("kept"));
                break;
            case "reset":
                cluster.SendMessage(cluster.Find(options.Word(0)), new Reset());
                break;
            case "state":
                cluster.ShowState(options.Words.Count == 0 ? cluster.Nodes : options.Words.Select(cluster.Find));
                break;
            case "timers":
                cluster.ShowTimers(cluster.Find(options.Word(0)));
                break;
            case "network":
                cluster.ShowNetwork();
                break;
            default:
                throw new InvalidDataException($"'{options.Command}': no such command.");
        }
    }

    private static List<SimulatedCall> Matching(Options options, TranscriptCluster cluster)
    {
        var link = options.Word(0).Split("->");
        var kind = options.Words.ElementAtOrDefault(1);
        var round = options.Number("round");
        var run = options.Text("run");
        var calls = cluster.Matching(call =>
            (link[0] == "*" || call.From.Id == link[0]) && (link[1] == "*" || call.To.Id == link[1])
            && (kind is null || kind == (call.Response is null ? call.Message.Kind.WireName() : "answer"))
            && (round is null || round == call.Message.Content.Round)
            && (run is null || run == call.Message.Run?.Id.ToString()));
        return calls.Count > 0 ? calls : throw new InvalidDataException($"Nothing in flight matches '{options.Command}'.");
    }
}
