using YamlDotNet.Core;
using YamlDotNet.Serialization;
using YamlDotNet.Serialization.NamingConventions;

namespace Consensus.Tests.Deploy;

/// <summary>compose.yaml, as far as tests hold it to something. A field that is missing here is ignored.</summary>
internal sealed class ComposeFile
{
    public Dictionary<string, ComposeService> Services { get; set; } = [];

    public Dictionary<string, object?> Volumes { get; set; } = [];

    /// <summary>The services that are agents.</summary>
    public IReadOnlyDictionary<string, ComposeService> Agents =>
        Services.Where(service => service.Value.Image == "consensus-agent").ToDictionary();

    public static ComposeFile Read()
    {
        using var reader = new StreamReader(Path.Combine(SourceTree.Root, "compose.yaml"));
        return new DeserializerBuilder().WithNamingConvention(UnderscoredNamingConvention.Instance).IgnoreUnmatchedProperties().Build()
            .Deserialize<ComposeFile>(new MergingParser(new Parser(reader)));
    }
}

internal sealed class ComposeService
{
    public string Image { get; set; } = "";

    public ComposeBuild? Build { get; set; }

    public bool ReadOnly { get; set; }

    public List<string> CapDrop { get; set; } = [];

    public List<string> SecurityOpt { get; set; } = [];

    public string? StopGracePeriod { get; set; }

    public List<string> Profiles { get; set; } = [];

    public Dictionary<string, string> Environment { get; set; } = [];

    public List<string> Ports { get; set; } = [];

    public List<string> Volumes { get; set; } = [];
}

internal sealed class ComposeBuild
{
    public string Context { get; set; } = "";

    public string Target { get; set; } = "";

    public Dictionary<string, string> Args { get; set; } = [];
}
