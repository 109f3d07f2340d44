using System.Text;

namespace Consensus.Tests.Protocol;

/// <summary>
/// The protocol as golden transcripts (<see cref="Golden"/>): commands, then what every agent did and sent. Each file under
/// Transcripts is one scenario and reads as documentation. The commands are those of <see cref="TranscriptCommands"/>.
/// </summary>
[Trait(Category.Name, Category.Fast)]
public sealed class TranscriptTests
{
    private const string Separator = "----";

    private static string Folder => Path.Combine(SourceTree.Root, "Consensus.Tests", "Protocol", "Transcripts");

    public static TheoryData<string> Names =>
        new(Directory.EnumerateFiles(Folder, "*.txt").Select(Path.GetFileNameWithoutExtension).Order(StringComparer.Ordinal)!);

    [Theory]
    [MemberData(nameof(Names))]
    public void The_agents_do_what_the_transcript_holds(string name)
    {
        var path = Path.Combine(Folder, name + ".txt");
        var expected = Golden.Read(path);
        Golden.AssertEqual(path, expected, Replay(expected));
    }

    [Theory]
    [InlineData("  agent1 decides 2 in round 1\n", "  agent1 decides 3 in round 1\n")]
    [InlineData("  agent1 votes for 2 in round 1\n", "")]
    [InlineData("  agent1 votes for 2 in round 1\n", "  agent1 votes for 2 in round 1\n  agent1 votes for 2 in round 1\n")]
    public void A_line_changed_lost_or_added_is_noticed(string line, string changed)
    {
        var right = Replay("agents 1\n----\n\ndraws agent1 2\nstart agent1\n----\n");
        Assert.Contains(line, right, StringComparison.Ordinal);

        var wrong = right.Replace(line, changed, StringComparison.Ordinal);
        Assert.Equal(right, Replay(wrong));
        var failure = Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => Golden.AssertEqual("sample.txt", wrong, right));
        Assert.Matches("(?m)^@@ .* @@$", failure.Message);
    }

    [Theory]
    [InlineData("agents 1\n----\n\nstart agent1\n----\n", "line 4: agent1 draws, and its script is empty")]
    [InlineData("agents 1\n----\n\ndraws agent1 2\n----\n", "agent1 has not drawn all")]
    [InlineData("agents 1\n----\n\nfire agent1 window\n----\n", "line 4: agent1 has no timer Window armed")]
    [InlineData("agents 2\n----\n\ndeliver agent1->agent2\n----\n", "line 4: Nothing in flight")]
    [InlineData("agents 1\n----\n\ndraws agent1 1\nstart agent1 colour=red\n----\n", "what is colour?")]
    [InlineData("agents 1\n", "lacks its line")]
    public void A_transcript_that_cannot_be_played_says_why(string transcript, string reason) =>
        Assert.Contains(reason, Assert.Throws<InvalidDataException>(() => Replay(transcript)).Message, StringComparison.Ordinal);

    /// <summary>Runs a transcript's commands and writes it again with what the agents say now.</summary>
    private static string Replay(string transcript)
    {
        var script = new TranscriptCommands();
        var written = new StringBuilder();
        var commands = new List<(int Line, string Text)>();
        var skipping = false;
        var number = 0;
        foreach (var line in transcript.TrimEnd('\n').Split('\n'))
        {
            number++;
            if (skipping && line.Length > 0)
            {
                continue;
            }

            skipping = line == Separator;
            written.Append(line).Append('\n');
            if (line == Separator)
            {
                commands.ForEach(command => Run(script, command.Line, command.Text, written));
                commands.Clear();
            }
            else if (line.Length > 0 && line[0] != '#')
            {
                commands.Add((number, line));
            }
        }

        if (commands.Count > 0)
        {
            throw new InvalidDataException($"'{commands[0].Text}' lacks its line '{Separator}'.");
        }

        script.AssertScriptsUsed();
        return written.ToString();
    }

    private static void Run(TranscriptCommands script, int line, string command, StringBuilder written)
    {
        try
        {
            script.Run(command, written);
        }
        catch (Exception exception)
            when (exception is InvalidDataException or InvalidOperationException or ArgumentException or FormatException)
        {
            throw new InvalidDataException($"line {line}: {exception.Message} Until then:\n{written}", exception);
        }
    }
}
