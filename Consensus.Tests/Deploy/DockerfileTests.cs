using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Consensus.Tests.Deploy;

/// <summary>What the Dockerfile must name, so that an image can be built of it.</summary>
[Trait(Category.Name, Category.Fast)]
public sealed partial class DockerfileTests
{
    /// <summary>A project that is missing here would break the image, not the build.</summary>
    [Fact]
    public void It_copies_every_project_that_the_agent_is_built_from()
    {
        var projects = ProjectsOf("Consensus.Agent").Order().ToList();
        Assert.Contains("Consensus.ServiceDefaults", projects);
        var lines = SameDeploymentTests.Dockerfile().Split('\n');
        var allowed = File.ReadAllLines(Path.Combine(SourceTree.Root, ".dockerignore"));
        Assert.All(projects, project =>
        {
            Assert.Contains($"COPY {project}/{project}.csproj /{project}/", lines);
            Assert.Contains($"COPY {project} /{project}", lines);
            Assert.Contains($"!{project}", allowed);
        });
    }

    [Fact]
    public void It_copies_every_file_that_the_agent_ships_from_another_folder()
    {
        var files = XDocument.Load(Path.Combine(SourceTree.Root, "Consensus.Agent", "Consensus.Agent.csproj")).Descendants("Content")
            .Select(content => content.Attribute("Include")?.Value.Replace('\\', '/')).OfType<string>()
            .Where(path => path.StartsWith("../", StringComparison.Ordinal)).Select(path => path[3..]).ToList();
        Assert.Contains("docs/glossary.md", files);
        var lines = SameDeploymentTests.Dockerfile().Split('\n');
        var allowed = File.ReadAllLines(Path.Combine(SourceTree.Root, ".dockerignore"));
        Assert.All(files, file =>
        {
            Assert.Contains($"COPY {file} /{Path.GetDirectoryName(file)}/", lines);
            Assert.Contains($"!{file}", allowed);
        });
    }

    [Fact]
    public void Compose_builds_by_default_what_the_Dockerfile_builds_by_default()
    {
        var images = BaseImage().Matches(SameDeploymentTests.Dockerfile())
            .ToDictionary(match => match.Groups[1].Value, match => match.Groups[2].Value);
        Assert.Equal(4, images.Count);
        Assert.All(ComposeFile.Read().Agents.Values, agent =>
        {
            Assert.Equal("${AGENT_TARGET:-jit}", agent.Build!.Target);
            Assert.Equal(images.ToDictionary(image => image.Key, image => $"${{{image.Key}:-{image.Value}}}"), agent.Build.Args);
        });
        Assert.Equal("jit", Target().Matches(SameDeploymentTests.Dockerfile())[^1].Groups[1].Value);
    }

    private static HashSet<string> ProjectsOf(string project)
    {
        var file = XDocument.Load(Path.Combine(SourceTree.Root, project, project + ".csproj"));
        var references = file.Descendants("ProjectReference")
            .Select(reference => reference.Attribute("Include")!.Value.Split('\\', '/')[1]);
        return [project, .. references.SelectMany(ProjectsOf)];
    }

    [GeneratedRegex(@"^ARG (\w+)=(\S+)$", RegexOptions.Multiline)]
    private static partial Regex BaseImage();

    [GeneratedRegex(@"^FROM \S+ AS (\S+)$", RegexOptions.Multiline)]
    private static partial Regex Target();
}
