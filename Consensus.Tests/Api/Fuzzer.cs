using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Consensus.Tests.Api;

/// <summary>A request made up by the fuzzer, and what may come of it.</summary>
/// <param name="What">What it is, to be told where it goes wrong.</param>
/// <param name="Bytes">What is sent.</param>
/// <param name="IsHttp">Whether it is a request at all, so that the agent and not the server below it must answer.</param>
/// <param name="MayBeLost">Whether it may be a message that faults on purpose lose.</param>
/// <param name="End">Whether the connection is ended after it.</param>
/// <param name="NoBody">Whether its answer has no body, or none that ends.</param>
internal sealed record FuzzedRequest(
    string What, byte[] Bytes, bool IsHttp = true, bool MayBeLost = false, bool End = false, bool NoBody = false);

/// <summary>
/// Makes up requests: such as agents and people send, those with something wrong in them, and bytes that are none; and
/// in orders that no agent would follow. The same seed and states make the same requests.
/// </summary>
internal sealed class Fuzzer(int seed, bool faults)
{
    private static readonly string[] Ids = ["agent1", "agent2", "agent3", "agent4", "a", ""];
    private static readonly string[] Methods = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "NONSENSE"];
    private static readonly string[] Messages = ["/new_round", "/proposal", "/vote", "/final", "/reset"];

    private static readonly string[] Paths =
    [
        "/", "/run", "/state", "/consensus", "/cluster", "/cluster/1/consensus",
        "/cluster/2/faults", "/cluster/9/consensus", "/faults", "/timeline",
        "/timeline/runs", "/health", "/alive", "/openapi/v1.json", "/scalar/", "/nowhere",
        "/lessons.json", "/page.css", "/../etc/passwd", "/%2e%2e/%2e%2e/x", "//", "/run/",
        "/cluster/-1/faults", "/cluster/2147483648/consensus", "/index.html", "/js/", "/%F0%9F%92%A5", "/a%2Fb", "/reset", "/proposal",
    ];

    private static readonly string[] Hostile =
    [
        "null", "true", "false", "-1", "0", "1.5", "2147483647", "2147483648", "-2147483649",
        "9223372036854775807", "9223372036854775808", "1e308", "1e400", "-0", "\"\"",
        "\"x\"", "\"\\u0000\"", "\"\\ud800\"", "\"\\n[agent1] Round 1\"", "\"agent1\"",
        "\"9223372036854775807.agent1.b\"", "[]", "{}", "[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]", "{\"a\":{\"a\":{}}}",
        "\"../../etc/passwd\"", "\"<script>alert(1)</script>\"", "\"💥\"", "NaN", "'x'", "01", "",
    ];

    private static readonly string[] Queries =
    [
        "?wait=0", "?wait=0.05", "?wait=-1", "?wait=x", "?wait=1e9", "?wait=", "?run=1.agent1.b",
        "?run=x", "?run=", "?cluster=true", "?cluster=x", "?detail=1-5", "?detail=1-2147483647",
        "?detail=9-1", "?detail=x&detail=y", "?wait=0&wait=0", "?%00", "?a=%", "?;", "?run=bare&cluster=true&detail=1-3",
    ];

    private readonly Random _random = new(seed);
    private readonly Dictionary<string, string> _boots = [];
    private readonly Queue<FuzzedRequest> _ordered = new();
    private JsonNode? _run;
    private long _number = 1;
    private long _named = long.MaxValue;

    /// <summary>Takes note of what an agent holds, so that requests come near the truth.</summary>
    public void Learn(JsonElement state)
    {
        _boots[state.GetProperty("agent_id").GetString()!] = state.GetProperty("boot").GetString()!;
        _run = state.TryGetProperty("descriptor", out var run) ? JsonNode.Parse(run.GetRawText()) : _run;
        var seen = state.TryGetProperty("floor", out var id) ? long.Parse(id.GetString()!.Split('.')[0], CultureInfo.InvariantCulture) : 0;
        (_number, _named) = (Math.Max(_number, seen), Math.Min(_named, seen));
    }

    public FuzzedRequest Next()
    {
        if (_ordered.TryDequeue(out var next))
        {
            return next;
        }

        return _random.Next(10) switch
        {
            < 3 => Message(Pick(Messages), mutate: false),
            < 6 => Message(Pick(Messages), mutate: true),
            6 => OfPeople(),
            7 => Path(),
            8 => Bytes(),
            _ => Order(),
        };
    }

    private FuzzedRequest Order()
    {
        // Decisions before rounds, votes before proposals, two words in one breath, resets in between.
        var run = Run();
        var id = Pick(Ids);
        for (var i = _random.Next(2, 12); i > 0; i--)
        {
            var path = Pick(Messages);
            var body = Body(path, run, id);
            _ordered.Enqueue(Post(path, Encoding.UTF8.GetBytes(_random.Next(8) == 0 ? Mutated(body) : body.ToJsonString())));
        }

        return _ordered.Dequeue();
    }

    private FuzzedRequest Message(string path, bool mutate)
    {
        var body = Body(path, _random.Next(3) == 0 ? null : Run(), Pick(Ids));
        if (!mutate)
        {
            return Post(path, Encoding.UTF8.GetBytes(body.ToJsonString()));
        }

        var bytes = Encoding.UTF8.GetBytes(Mutated(body));
        for (var i = _random.Next(4) == 0 ? _random.Next(1, 5) : 0; i > 0 && bytes.Length > 1; i--)
        {
            bytes[_random.Next(bytes.Length)] = (byte)_random.Next(256);
        }

        return Post(path, _random.Next(8) == 0 ? bytes[.._random.Next(bytes.Length)] : bytes);
    }

    private FuzzedRequest OfPeople()
    {
        if (faults && _random.Next(3) == 0)
        {
            var links = new JsonObject
            {
                ["drop"] = _random.Next(60), ["delay_ms"] = _random.Next(30), ["duplicate"] = _random.Next(100),
                ["direction"] = Pick("in", "out", "both"),
            };
            var body = new JsonObject { ["isolate"] = _random.Next(4) == 0, ["links"] = new JsonArray(links) };
            var path = Pick("/faults", "/cluster/1/faults", "/cluster/2/faults");
            return Sent(Pick("PUT", "PUT", "DELETE", "GET"), path,
                Encoding.UTF8.GetBytes(_random.Next(2) == 0 ? Mutated(body) : body.ToJsonString()));
        }

        var run = new JsonObject
        {
            ["round"] = _random.Next(1, 5), ["values"] = _random.Next(1, 9), ["rule"] = Pick("ratified", "classic"),
            ["draw"] = Pick("fresh", "plurality"), ["window_ms"] = _random.Next(300), ["seed"] = _random.Next(),
        };
        return Sent("POST", Pick("/run", "/run?wait=0.05", "/run?wait=0"),
            Encoding.UTF8.GetBytes(_random.Next(2) == 0 ? Mutated(run) : run.ToJsonString()));
    }

    private FuzzedRequest Path()
    {
        if (_random.Next(12) == 0)
        {
            return new FuzzedRequest("GET /events", RawHttp.Request(
                "GET", "/events", null, $"Last-Event-ID: {Pick("1/1", "x", "", "///", "a/99999999999999999999")}"), NoBody: true);
        }

        var method = _random.Next(3) == 0 ? Pick(Methods) : "GET";
        var path = Pick(Paths) + (_random.Next(2) == 0 ? Pick(Queries) : "");
        string[] headers = [.. Enumerable.Range(0, _random.Next(4)).Select(_ => Header()).DistinctBy(header => header.Split(':')[0])];
        return new FuzzedRequest($"{method} {path} {string.Join(' ', headers)}",
            RawHttp.Request(method, path, _random.Next(4) == 0 ? "{}"u8.ToArray() : null, headers),
            IsHttp: !path.Contains("%00", StringComparison.Ordinal) && method != "TRACE", MayBeLost: faults);
    }

    private string Header() => _random.Next(10) switch
    {
        0 => $"Accept: {Pick("text/html", "*/*", "nonsense", "application/xml;q=x")}",
        1 => "Content-Type: " + Pick(
            "text/plain", "application/json", "application/json; charset=utf-16", "nonsense", "multipart/form-data; boundary=x"),
        2 => $"Consensus-Message: {Pick("agent2/b/1", "x", "///", "agent1/b/99999999999999999999", new string('a', 400) + "/b/1")}",
        3 => $"Consensus-Key: {Pick("x", new string('k', 300))}",
        4 => $"Sec-Fetch-Site: {Pick("same-origin", "cross-site", "nonsense")}",
        5 => $"Origin: {Pick("null", "http://evil.example", "nonsense", "http://localhost")}",
        6 => $"Host: {Pick("evil.example", "localhost:9", "[::1]", "agent1")}",
        7 => $"traceparent: {Pick("00-00000000000000000000000000000000-0000000000000000-00", "x", new string('0', 500))}",
        8 => $"X-{_random.Next()}: {new string('v', _random.Next(2000))}",
        _ => $"If-None-Match: {Pick("*", "\"x\"", "nonsense")}",
    };

    /// <summary>What is no request, or none that is whole.</summary>
    private FuzzedRequest Bytes()
    {
        var good = Post(Pick(Messages), Encoding.UTF8.GetBytes(Body("/proposal", null, "agent2").ToJsonString())).Bytes;
        switch (_random.Next(9))
        {
            case 0:
                var noise = new byte[_random.Next(1, 400)];
                _random.NextBytes(noise);
                return new FuzzedRequest("noise", noise, IsHttp: false, End: true);
            case 1:
                return new FuzzedRequest("a request cut off", good[.._random.Next(1, good.Length)], IsHttp: false, End: true);
            case 2:
                byte[] damaged = [.. good];
                damaged[_random.Next(damaged.Length)] = (byte)_random.Next(256);
                return new FuzzedRequest("a damaged request", damaged, IsHttp: false, End: true);
            case 3:
                return new FuzzedRequest("many headers", RawHttp.Request("POST", "/run", null,
                    [.. Enumerable.Range(0, _random.Next(101, 10_000)).Select(i => $"h{i}: v")]), IsHttp: false, End: true);
            case 4:
                return new FuzzedRequest("a long path",
                    RawHttp.Request("GET", "/" + new string('a', _random.Next(8_000, 20_000)), null), IsHttp: false, End: true);
            case 5:
                byte[] chunk = [.. Encoding.ASCII.GetBytes($"{_random.Next(1, 99):x}\r\n"), .. good, .. "\r\n0\r\n\r\n"u8];
                return new FuzzedRequest(
                    "wrong chunks", RawHttp.Request("POST", Pick(Messages), chunk, "Transfer-Encoding: chunked"), IsHttp: false, End: true);
            case 6:
                byte[] large = [.. "{\"agent_id\":\""u8,
                    .. Enumerable.Repeat((byte)'a', _random.Next(60_000, 90_000)), .. "\",\"value\":1,\"round\":1}"u8];
                return new FuzzedRequest("a large body", RawHttp.Request("POST", Pick(Messages), large), End: true);
            case 7:
                return new FuzzedRequest("two lengths",
                    RawHttp.Request("POST", "/reset", null, "Content-Length: 2", "Content-Length: 3"), IsHttp: false, End: true);
            default:
                return new FuzzedRequest(
                    "another type", RawHttp.Request("POST", Pick(Messages), "{}"u8.ToArray(), "Content-Type: text/xml"), MayBeLost: faults);
        }
    }

    private JsonObject Body(string path, JsonNode? run, string id)
    {
        var round = _random.Next(6) == 0 ? Pick(1_000_000_000, 2_000_000_000, int.MaxValue) : _random.Next(1, 6);
        var body = path switch
        {
            "/new_round" when _random.Next(2) == 0 =>
                new JsonObject { ["round"] = round, ["agent_id"] = id, ["value"] = _random.Next(1, 5) },
            "/new_round" => new JsonObject { ["round"] = round },
            "/proposal" => new JsonObject { ["agent_id"] = id, ["value"] = _random.Next(1, 5), ["round"] = round },
            "/vote" => new JsonObject
            {
                ["agent_id"] = id, ["value"] = _random.Next(3) == 0 ? null : _random.Next(1, 5),
                ["proposal"] = _random.Next(1, 5), ["round"] = round,
            },
            "/final" => new JsonObject { ["value"] = _random.Next(1, 5), ["round"] = round },
            _ => new JsonObject { ["handshake"] = _random.Next(2) == 0 },
        };
        if (run is not null && path != "/reset")
        {
            body["run"] = run.DeepClone();
        }

        return body;
    }

    /// <summary>
    /// The run the agents are in, one of the same name that says something else, or one made up. None has the name of a run
    /// that an agent may still start: whoever can say in an agent's name what it will say is no fault that a crash makes, and
    /// no agreement stands against it.
    /// </summary>
    private JsonNode Run()
    {
        if (_run is not null && _random.Next(3) == 0)
        {
            return _run.DeepClone();
        }

        var members = new JsonObject();
        foreach (var (id, boot) in _boots)
        {
            members[id] = _random.Next(6) == 0 ? "otherboot" : boot;
        }

        var initiator = Any([.. _boots.Keys, "agent4"]);
        var number = _random.Next(12) switch
        {
            0 => Pick(1_000_000_000_000, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() * 1000 - 1, long.MaxValue / 1000, long.MaxValue),
            < 4 => _number,
            < 6 => Math.Max(1, _number - _random.Next(9)),
            _ => _number += _random.Next(3),
        };
        if (number > _named || !_boots.ContainsKey(initiator))
        {
            members[initiator] = "boot4";
        }

        return new JsonObject
        {
            ["id"] = string.Create(CultureInfo.InvariantCulture, $"{number}.{initiator}.{members[initiator]}"),
            ["n"] = _random.Next(5) == 0 ? _random.Next(103) : 3, ["start_round"] = _random.Next(1, 4),
            ["rule"] = Pick("ratified", "classic"), ["values"] = _random.Next(1, 6),
            ["draw"] = Pick("fresh", "plurality"), ["window_ms"] = Pick(0, 20, 200, 60_000), ["members"] = members,
        };
    }

    private string Mutated(JsonNode body)
    {
        var text = body.ToJsonString();
        List<JsonObject> objects = [];
        Collect(body, objects);
        var target = Any(objects);
        var name = target.Count == 0 ? "x" : Any([.. target.Select(entry => entry.Key)]);
        switch (_random.Next(5))
        {
            case 0:
                target.Remove(name);
                return body.ToJsonString();
            case 1:
                return $"{{\"{name}\":{Pick(Hostile)},{text[1..]}";
            case 2:
                var depth = _random.Next(10, 3000);
                return $"{{\"{name}\":{new string('[', depth)}{new string(']', depth)}}}";
            default:
                const string Mark = "\u0001mark";
                target[name] = Mark;
                return body.ToJsonString().Replace(JsonSerializer.Serialize(Mark), Pick(Hostile), StringComparison.Ordinal);
        }
    }

    private static void Collect(JsonNode? node, List<JsonObject> found)
    {
        if (node is JsonObject it)
        {
            found.Add(it);
            foreach (var (_, child) in it)
            {
                Collect(child, found);
            }
        }
    }

    private FuzzedRequest Post(string path, byte[] body) => Sent("POST", path, body);

    private FuzzedRequest Sent(string method, string path, byte[] body)
    {
        string[] headers = _random.Next(3) == 0 ? ["Content-Type: application/json"] : [];
        var sender = _random.Next(4) == 0
            ? [.. headers, $"Consensus-Message: {Pick(Ids)}/{Any([.. _boots.Values, "b"])}/{_random.Next()}"] : headers;
        return new FuzzedRequest($"{method} {path} {Encoding.UTF8.GetString(body)}",
            RawHttp.Request(method, path, body, sender), MayBeLost: faults);
    }

    private T Pick<T>(params T[] choices) => choices[_random.Next(choices.Length)];

    private T Any<T>(List<T> choices) => choices[_random.Next(choices.Count)];
}
