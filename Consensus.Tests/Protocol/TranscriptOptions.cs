using System.Globalization;
using Consensus.Protocol;

namespace Consensus.Tests.Protocol;

/// <summary>The arguments and the key=value pairs of one command. A pair that nothing reads is an error.</summary>
internal sealed class Options
{
    private readonly Dictionary<string, string> _pairs = new(StringComparer.Ordinal);

    public Options(string command, IEnumerable<string> words)
    {
        Command = command;
        foreach (var word in words)
        {
            if (word.Split('=') is [var key, var value])
            {
                _pairs.Add(key, value);
            }
            else
            {
                Words.Add(word);
            }
        }
    }

    public string Command { get; }

    public List<string> Words { get; } = [];

    public string Word(int index) =>
        index < Words.Count ? Words[index] : throw new InvalidDataException($"'{Command}' lacks a word.");

    public string? Text(string key) => _pairs.Remove(key, out var text) ? text : null;

    public int? Number(string key) => Text(key) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;

    public void AssertAllRead()
    {
        if (_pairs.Count > 0)
        {
            throw new InvalidDataException($"'{Command}': what is {_pairs.Keys.First()}?");
        }
    }

    public RunRequest Request() => new(
        Number("round") ?? 1,
        Text("rule") is { } rule ? Enum.Parse<Rule>(rule, ignoreCase: true) : null,
        Number("values") ?? 3,
        Text("draw") is { } draw ? Enum.Parse<DrawStrategy>(draw, ignoreCase: true) : DrawStrategy.Fresh,
        Number("window") ?? ProtocolTiming.DefaultWindowMs,
        Number("seed"),
        Text("spread") is { } spread ? Enum.Parse<Spread>(spread, ignoreCase: true) : null);

    public Message Message(Dictionary<RunId, RunDescriptor> runs)
    {
        var from = Text("from");
        var value = Number("value");
        var round = Number("round") ?? 0;
        var run = Text("run") is not { } text ? null
            : RunId.TryParse(text, out var id) && runs.TryGetValue(id, out var known) ? known
            : throw new InvalidDataException($"'{Command}': no run {text} was ever described.");
        return Word(1) switch
        {
            "handshake" => new Handshake(),
            "reset" => new Reset(),
            "state" => new StateQuery(),
            "new_round" => new NewRound(round, run, from, value),
            "proposal" => new Proposal(from!, value!.Value, round, run),
            "vote" => new Vote(from!, value, Number("proposal")!.Value, round, run),
            "final" => new Final(value!.Value, round, run, from),
            var kind => throw new InvalidDataException($"'{Command}': no message {kind}."),
        };
    }
}
