using System.IO.Compression;
using System.Text;
using System.Text.Json;

namespace Consensus.Tests.Api;

/// <summary>How a body may be written: what is taken, what is refused with what to send, and which fields change nothing.</summary>
[Trait(Category.Name, Category.System)]
public sealed class BodyFormTests() : ThreeAgents(Breakable)
{
    private const string Form = "Content-Type: application/x-www-form-urlencoded";

    [Theory]
    [InlineData("POST", "/run", """{"round":5}""")]
    [InlineData("POST", "/new_round", """{"round":1}""")]
    [InlineData("POST", "/reset", "")]
    public async Task A_byte_order_mark_before_the_body_is_taken(string method, string path, string body)
    {
        var answer = await SendAsync(method, path, [0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes(body)]);
        Assert.Equal(200, answer.Status);
    }

    [Theory]
    [InlineData("utf-16", true, "Content-Type: application/json")]
    [InlineData("utf-16", false, "Content-Type: application/json")]
    [InlineData("utf-16BE", true, "Content-Type: application/json")]
    [InlineData("utf-16BE", false, "Content-Type: application/json; charset=utf-16")]
    [InlineData("utf-16", false, "X: no content type")]
    public async Task Utf16_is_refused_with_what_to_send(string name, bool mark, string header)
    {
        var encoding = Encoding.GetEncoding(name);
        var answer = await SendAsync(
            "POST", "/run", [.. mark ? encoding.GetPreamble() : [], .. encoding.GetBytes("""{"round":1}""")], header);
        Assert.Equal((415, "The body is UTF-16; send JSON in UTF-8."), (answer.Status, answer.Detail));
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    public async Task A_compressed_body_is_refused_with_what_to_send(string encoding)
    {
        using var compressed = new MemoryStream();
        await using (Stream stream = encoding == "gzip"
            ? new GZipStream(compressed, CompressionMode.Compress) : new BrotliStream(compressed, CompressionMode.Compress))
        {
            await stream.WriteAsync("""{"round":1}"""u8.ToArray());
        }

        var answer = await SendAsync("POST", "/run", compressed.ToArray(),
            "Content-Type: application/json", $"Content-Encoding: {encoding}");
        Assert.Equal((415, "identity"), (answer.Status, answer.Headers["accept-encoding"]));
        Assert.Contains("without the header Content-Encoding", answer.Detail, StringComparison.Ordinal);
        Assert.Equal(200, (await SendAsync("POST", "/run", """{"round":1}"""u8.ToArray(), "Content-Encoding: identity")).Status);
    }

    [Theory]
    [InlineData("""{"round":5}""", 200, "")]
    [InlineData("  {\"round\":5}", 200, "")]
    [InlineData("""{"round":"x"}""", 400, "round must be a whole number")]
    [InlineData("round=5", 415, "Content-Type: application/json")]
    [InlineData("%7B%22round%22%3A5%7D=", 415, "Content-Type: application/json")]
    public async Task Json_under_the_content_type_that_curl_sends_is_taken(string body, int status, string detail)
    {
        var answer = await SendAsync("POST", "/run", Encoding.UTF8.GetBytes(body), Form);
        Assert.Equal(status, answer.Status);
        Assert.Contains(detail, answer.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Sec-Fetch-Site: cross-site")]
    [InlineData("Sec-Fetch-Site: same-site")]
    [InlineData("Origin: http://elsewhere.example")]
    [InlineData("Origin: null")]
    public async Task A_browser_of_another_site_is_refused_whatever_it_sends(string header) =>
        Assert.Equal(403, (await SendAsync("POST", "/run", """{"round":5}"""u8.ToArray(), Form, header)).Status);

    [Theory]
    [InlineData("""{"windowMs":50,"vaules":9}""", "windowMs,vaules")]
    [InlineData("""{"Round":2}""", "Round")]
    [InlineData("""{"round":1,"rule":"ratified","values":3,"draw":"fresh","window_ms":200,"seed":1}""", "")]
    [InlineData("""{"note":{"of":["the client's"]}}""", "note")]
    [InlineData("{}", "")]
    public async Task Fields_of_a_run_that_change_nothing_are_named(string body, string names)
    {
        var answer = await SendAsync("POST", "/run", Encoding.UTF8.GetBytes(body));
        Assert.Equal(200, answer.Status);
        Assert.Equal(names, Ignored(answer));
    }

    [Fact]
    public async Task Names_that_a_client_made_up_are_repeated_in_part_and_not_all()
    {
        var body = JsonSerializer.Serialize(Enumerable.Range(0, 100).ToDictionary(i => $"{i:000}{new string('x', 100)}", i => i));
        var names = Ignored(await SendAsync("POST", "/run", Encoding.UTF8.GetBytes(body))).Split(',');
        Assert.Equal(20, names.Length);
        Assert.All(names, name => Assert.Equal(41, name.Length));
    }

    [Theory]
    [InlineData("/faults")]
    [InlineData("/cluster/1/faults")]
    public async Task Fields_of_faults_that_change_nothing_are_named(string path)
    {
        Assert.Equal("islate,links.dalay_ms",
            Ignored(await SendAsync("PUT", path, """{"islate":true,"links":[{"drop":1,"dalay_ms":5}]}"""u8.ToArray())));
        Assert.Equal("", Ignored(await SendAsync("PUT", path, """{"isolate":false,"links":[{"drop":1}]}"""u8.ToArray())));
        Assert.Equal("", Ignored(await SendAsync("DELETE", path, null)));
    }

    private static string Ignored(RawAnswer answer) =>
        answer.Json.TryGetProperty("ignored", out var names) ? string.Join(',', names.EnumerateArray()) : "";

    private async Task<RawAnswer> SendAsync(string method, string path, byte[]? body, params string[] headers)
    {
        using var http = new RawHttp(Cluster.Addresses[0]);
        return (await http.SendAsync(RawHttp.Request(method, path, body, headers)))!;
    }
}
