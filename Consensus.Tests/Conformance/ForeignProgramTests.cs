using System.CommandLine;
using System.Text.Json;
using System.Xml.Linq;
using Consensus.Agent.Commands;
using Consensus.Conformance;
using Consensus.ServiceDefaults;

namespace Consensus.Tests.Conformance;

/// <summary>What the judge takes from its shell, and what it makes of the texts of other programs.</summary>
[Trait(Category.Name, Category.Fast)]
public sealed class ForeignProgramTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("consensus-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void A_program_gets_what_finds_programs_and_what_it_is_given_and_no_setting_of_the_shell()
    {
        var environment = new Dictionary<string, string?>
        {
            ["PATH"] = "/bin", ["HOME"] = "/root", ["CLUSTER_KEY"] = "k", ["RULE"] = "classic",
            ["ASPNETCORE_HTTP_PORTS"] = "8080", ["DOTNET_URLS"] = "http://*:1",
        };
        ProgramEnvironment.Clean(environment, ["CLUSTER_KEY", "RULE=ratified", "OPTIONS=a=b"]);
        Assert.Equal(
            ["CLUSTER_KEY=k", "HOME=/root", "OPTIONS=a=b", "PATH=/bin", "RULE=ratified"],
            environment.Select(variable => $"{variable.Key}={variable.Value}").Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("=x", "write NAME, or NAME=VALUE")]
    [InlineData("NO_SUCH_VARIABLE_OF_THE_TESTS", "is not set here")]
    public void A_variable_that_cannot_be_given_is_refused(string variable, string complaint) => Assert.Contains(
        complaint, Assert.Throws<ConfigurationException>(() => ProgramEnvironment.Check([variable])).Message, StringComparison.Ordinal);

    [SkippableFact]
    public async Task A_program_that_does_not_answer_is_quoted_with_its_last_ten_lines()
    {
        Skip.If(OperatingSystem.IsWindows(), "The program is a line of a POSIX shell.");
        var command = "echo first; printf '\\033[31mthe reason\\n'; for i in 1 2 3 4 5 6 7 8; do echo $i; done; echo a warning; exit 3";
        using var agent = new StartedAgent(AgentProgram.OfCommand(command, []), "agent1", LoopbackPorts.Free(1)[0], [], new ExchangeLog());
        var complaint = (await Assert.ThrowsAsync<ConfigurationException>(() => agent.StartAsync(default))).Message;
        Assert.Contains(" [31mthe reason", complaint, StringComparison.Ordinal);
        Assert.Contains("a warning", complaint, StringComparison.Ordinal);
        Assert.Equal(9, complaint.Count(character => character == '|'));
    }

    [Fact]
    public void A_text_is_cut_between_characters_and_holds_nothing_that_XML_cannot()
    {
        // 7 units before the first pair, so a limit of 400 falls between its halves.
        var emoji = string.Concat(Enumerable.Repeat("😀", 300));
        var exchange = new Exchange("judge", "agent1", "GET /state", null, 200, "{\"x\":\"a" + emoji + "\"}");
        var detail = "\u001b[2J\uFFFF\ud800 \u0000";
        var verdict = new Verdict("state", ConformanceLevel.Original, "S.", VerdictOutcome.Failed, "this", detail, [exchange]);
        var report = new ConformanceReport("x", ConformanceLevel.Original, 1, [verdict]);
        using var file = new MemoryStream();
        ReportText.JUnit(report).Save(file);
        file.Position = 0;
        var failure = Assert.Single(XDocument.Load(file).Descendants("failure"));
        Assert.EndsWith("😀...", failure.Value, StringComparison.Ordinal);
        Assert.EndsWith("observed:  [2J\uFFFD\uFFFD  ", failure.Attribute("message")!.Value, StringComparison.Ordinal);
        Assert.Contains("      observed:  [2J\uFFFD\uFFFD  ", ReportText.Lines(report));
        Assert.Equal("e...", ForeignText.Cut("ee\u0301e", 2, "..."));
    }

    [Theory]
    [InlineData("""{"agent_id":"\ud800"}""")]
    [InlineData("""{"\udfff":1}""")]
    [InlineData("""[{"boot":["\ud800x"]}]""")]
    public void JSON_with_half_a_character_is_none(string text) => Assert.Equal(JsonValueKind.Undefined, JsonText.Parse(text).ValueKind);

    [Fact]
    public void A_file_that_an_option_names_is_made_possible_or_refused_before_the_work()
    {
        var option = OutputFile.CreateOption("--junit", "");
        OutputFile? Prepare(params string[] args) => OutputFile.Prepare(new RootCommand { option }.Parse(args), option);
        var path = Path.Combine(_folder.FullName, "out", "none", "r.xml");
        Prepare("--junit", path)!.Write(stream => stream.WriteByte(1));
        Assert.Equal(1, new FileInfo(path).Length);
        Assert.NotNull(Prepare("--junit", path));
        Assert.Equal(1, new FileInfo(path).Length);
        Assert.Null(Prepare());

        string Refused(string name) => Assert.Throws<ConfigurationException>(() => Prepare("--junit", name)).Message;
        Assert.Contains("is a folder", Refused(_folder.FullName), StringComparison.Ordinal);
        Assert.Contains("--junit: ", Refused(Path.Combine(path, "in-a-file.xml")), StringComparison.Ordinal);
        Assert.Contains("cannot be written", Refused(""), StringComparison.Ordinal);

        // What was only tried leaves no file.
        var tried = Path.Combine(_folder.FullName, "tried.json");
        Prepare("--junit", tried);
        Assert.False(File.Exists(tried));
    }
}
