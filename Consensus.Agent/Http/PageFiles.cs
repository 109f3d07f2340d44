using System.Collections.Concurrent;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Consensus.Agent.Configuration;
using Microsoft.AspNetCore.StaticFiles;

namespace Consensus.Agent.Http;

/// <summary>One file of the page, ready to send.</summary>
/// <param name="ContentType">Its content type.</param>
/// <param name="Body">Its bytes.</param>
/// <param name="Compressed">Its bytes, compressed by gzip: browsers take brotli only over https.</param>
/// <param name="Tag">Changes with the bytes.</param>
/// <param name="IsImmutable">Whether its address changes with its bytes.</param>
internal sealed record PageFile(string ContentType, byte[] Body, byte[] Compressed, string Tag, bool IsImmutable = false);

/// <summary>
/// The files of the page. Its modules are one script, whose address changes with it. The style sheets and the script that must
/// run before it are inside the page, so that its words need one request. Their hashes are in <see cref="AllowInline"/>.
/// </summary>
internal sealed partial class PageFiles
{
    private const string Script = "js/app.js";

    private readonly string _folder;
    private readonly string _page;
    private readonly LessonWords _lessons;
    private readonly ConcurrentDictionary<(int, int), PageFile> _lessonPages = [];
    private readonly List<string> _styles = [];
    private readonly List<string> _scripts = [];
    private readonly Dictionary<string, PageFile> _files = [];

    /// <summary>Reads the folder of the page.</summary>
    public PageFiles(string folder, AgentOptions options)
    {
        _folder = folder;
        var types = new FileExtensionContentTypeProvider();
        types.Mappings[".md"] = "text/markdown; charset=utf-8";
        foreach (var path in Directory.EnumerateFiles(folder).Where(path => Path.GetExtension(path) != ".html"))
        {
            _files[$"/{Path.GetFileName(path)}"] = Create(
                types.TryGetContentType(path, out var type) ? type : "application/octet-stream", File.ReadAllBytes(path));
        }

        var script = Create("text/javascript; charset=utf-8",
            Encoding.UTF8.GetBytes(ModuleBundle.Of(Path.Combine(folder, "js"), "app.js")), isImmutable: true);
        var address = $"js/app.{script.Tag}.js";
        _files[$"/{address}"] = script;
        var features = string.Join(
            ' ', new[] { options.Faults ? "faults" : "", options.Key is null ? "" : "key" }.Where(feature => feature.Length > 0));
        _page = Inline(File.ReadAllText(Path.Combine(folder, "index.html"))).Replace(Script, address, StringComparison.Ordinal)
            .Replace("data-features=\"\"", $"data-features=\"{features}\"", StringComparison.Ordinal);
        _lessons = new LessonWords(Path.Combine(folder, "lessons.json"));
        LivePage = CreatePage(_page);
        ExplorePage = CreatePage(Open("explore", ""));
        NotFound = Inline(File.ReadAllText(Path.Combine(folder, "not-found.html")));
    }

    /// <summary>The page with the live run open.</summary>
    public PageFile LivePage { get; }

    /// <summary>The page with the explorer open.</summary>
    public PageFile ExplorePage { get; }

    /// <summary>The page for a browser that asks for an unknown address. Its addresses are relative to the root.</summary>
    public string NotFound { get; }

    /// <summary>The page with a part of a lesson open. The words are inside, so that they are there before the script.</summary>
    public PageFile LessonPage(string? lesson, string? part) =>
        _lessonPages.GetOrAdd(_lessons.PlaceOf(lesson, part), place => CreatePage(Open("learn", _lessons.At(place))));

    /// <summary>The file at a path; null: none.</summary>
    public PageFile? Find(string? path) => path is not null && _files.TryGetValue(path, out var file) ? file : null;

    /// <summary>A content security policy that allows the style sheets and scripts inside the page too.</summary>
    public string AllowInline(string policy) => policy
        .Replace("style-src 'self'", $"style-src 'self' {string.Join(' ', _styles.Distinct())}", StringComparison.Ordinal)
        .Replace("script-src 'self'", $"script-src 'self' {string.Join(' ', _scripts.Distinct())}", StringComparison.Ordinal);

    /// <summary>The page with another section open than the live run.</summary>
    private string Open(string section, string content) => OpenSection().Replace(
        _page.Replace("<section id=\"live\"", "<section id=\"live\" hidden", StringComparison.Ordinal),
        tag => tag.Groups["id"].Value == section ? $"<section id=\"{section}\"{tag.Groups["attributes"].Value}>{content}" : tag.Value);

    private static PageFile CreatePage(string page) => Create("text/html; charset=utf-8", Encoding.UTF8.GetBytes(page));

    private string Inline(string page)
    {
        page = StyleSheet().Replace(page, link => $"<style>{Include(link.Groups["file"].Value, _styles)}</style>");
        return BlockingScript().Replace(page, script => $"<script>{Include(script.Groups["file"].Value, _scripts)}</script>");
    }

    private string Include(string file, List<string> hashes)
    {
        var text = File.ReadAllText(Path.Combine(_folder, file)).ReplaceLineEndings("\n");
        hashes.Add($"'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)))}'");
        return text;
    }

    private static PageFile Create(string contentType, byte[] body, bool isImmutable = false)
    {
        using var buffer = new MemoryStream();
        using (var gzip = new GZipStream(buffer, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            gzip.Write(body);
        }

        return new PageFile(contentType, body, buffer.ToArray(), Convert.ToHexStringLower(SHA256.HashData(body).AsSpan(0, 8)), isImmutable);
    }

    [GeneratedRegex("<section id=\"(?<id>\\w+)\"(?<attributes>[^>]*) hidden>")]
    private static partial Regex OpenSection();

    [GeneratedRegex("<link rel=\"stylesheet\" href=\"(?<file>[^\"]+)\">")]
    private static partial Regex StyleSheet();

    [GeneratedRegex("<script src=\"(?<file>[^\"]+)\"></script>")]
    private static partial Regex BlockingScript();
}
