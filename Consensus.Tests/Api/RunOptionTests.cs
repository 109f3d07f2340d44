using System.Globalization;
using System.Text;
using Consensus.Agent.Api;
using Consensus.Agent.Configuration;
using Consensus.Protocol;
using Microsoft.Extensions.Configuration;

namespace Consensus.Tests.Api;

/// <summary>Body, settings, page and reference name the options of a run that the table has, with its ranges.</summary>
[Trait(Category.Name, Category.Fast)]
public sealed class RunOptionTests
{
    public static TheoryData<string> Names => [.. RunOption.All.Select(option => option.Name)];

    [Fact]
    public void The_body_of_a_run_has_the_options_of_the_table() =>
        Assert.Equal(
            RunOption.All.Select(option => option.Name).Order(StringComparer.Ordinal),
            AgentJson.Default.RunRequest.Properties.Select(property => property.Name).Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Names))]
    public void Each_value_that_an_option_accepts_changes_its_field_alone(string name)
    {
        var option = RunOption.All.Single(option => option.Name == name);
        string[] accepted = option.Choices.Count > 0 ? [.. option.Choices] : [Text(option.Min), Text(option.Max)];
        foreach (var text in accepted)
        {
            var request = option.Set(new RunRequest(), text);
            Assert.Equal(request, option.Set(new RunRequest(), text.ToUpperInvariant()));
            Assert.Null(RunOption.Check(request));
            Assert.Equal(request, new RunRequest().Or(request));
            var body = System.Text.Json.JsonSerializer.Serialize(request, AgentJson.Default.RunRequest);
            Assert.Equal($$"""{"{{name}}":{{(option.Choices.Count > 0 ? $"\"{text}\"" : text)}}}""", body);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_value_beyond_an_option_is_refused_with_what_it_takes(string name)
    {
        var option = RunOption.All.Single(option => option.Name == name);
        foreach (var text in new[] { "many", "", "1.5", Text(option.Min - 1), Text(option.Max + 1) })
        {
            Assert.False(option.Accepts(text));
            Assert.Equal($"{name} must be {option.Allowed}.",
                Assert.Throws<FormatException>(() => option.Set(new RunRequest(), text)).Message);
        }
    }

    [Fact]
    public void Every_option_but_the_start_round_and_the_seed_has_a_setting()
    {
        var settings = RunOption.Settings.ToDictionary(
            option => option.Setting, option => (string?)(option.Choices.Count > 0 ? option.Choices[^1] : Text(option.Max)));
        settings["AGENT_ID"] = "a";
        var read = AgentOptions.From(new ConfigurationBuilder().AddInMemoryCollection(settings).Build()).Defaults;
        Assert.Equal(
            RunOption.Settings.Aggregate(new RunRequest(), (request, option) => option.Set(request, settings[option.Setting]!)), read);
        Assert.Equal(["round", "seed"], RunOption.All.Except(RunOption.Settings).Select(option => option.Name));
    }

    [Fact]
    public void The_page_has_the_options_of_the_table()
    {
        var module = new StringBuilder("""
            // The options of a run. A test writes this file from the agent's table of options (RunOption): CONSENSUS_REWRITE=1 rewrites it.

            export const RUN_OPTIONS = {

            """);
        foreach (var option in RunOption.InForms)
        {
            var range = option.Choices.Count > 0 ? $"choices: [{Quoted(option.Choices)}]"
                : string.Create(CultureInfo.InvariantCulture,
                    $"min: {option.Min}, max: {option.Max}, placeholder: '{option.Default ?? "none"}'");
            module.Append(CultureInfo.InvariantCulture,
                $"  {option.Name}: {{ label: '{option.Label}', terms: [{Quoted(option.Terms)}], {range} }},\n");
        }

        var path = Path.Combine(SourceTree.Root, "Consensus.Agent", "wwwroot", "js", "run-options.js");
        Golden.AssertEqual(path, Golden.Read(path), module.Append("};\n").ToString());
    }

    [Fact]
    public void The_reference_has_a_row_for_each_option()
    {
        var path = Path.Combine(SourceTree.Root, "docs", "reference.md");
        var text = Golden.Read(path);
        const string Head = "| option | on the command line | setting | value | default | meaning |\n"
            + "| --- | --- | --- | --- | --- | --- |\n";
        var start = text.IndexOf(Head, StringComparison.Ordinal) + Head.Length;
        var rows = string.Concat(RunOption.All.Select(option =>
            $"| `{option.Name}` | {(option == RunOption.Round ? "`trigger ROUND`" : $"`--{option.CommandName}`")} "
            + $"| {(RunOption.Settings.Contains(option) ? $"`{option.Setting}`" : "")} "
            + $"| {option.Allowed} | {option.Default} | {option.Description} |\n"));
        Golden.AssertEqual(path, text, text[..start] + rows + text[text.IndexOf("\n\n", start - 1, StringComparison.Ordinal)..][1..]);
    }

    private static string Quoted(IEnumerable<string> words) => string.Join(", ", words.Select(word => $"'{word}'"));

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
