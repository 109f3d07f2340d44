using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Consensus.Tests.Conformance;

/// <summary>What an agent by the original contract does wrong.</summary>
public enum OriginalFault
{
    /// <summary>Nothing.</summary>
    None,
    WrongStatus,
    WrongMajority,
    ForgetsTheRound,
    DecidesTwice,
    NoFinal,
    AcceptsStaleRound,
    AcceptsLateProposal,
    ProposesTwice,
    CountsMessages,
    WrongConflictStatus,
    ValuesOutOfRange,
    ResetKeepsItsValue,
    NoNextRound,
    NeedsEveryPeer,
}

/// <summary>An agent by the original contract, with one fault.</summary>
internal sealed class BrokenAgent(OriginalFault fault, string id, string[] peers)
{
    private readonly Lock _gate = new();
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(1) };
    private readonly Dictionary<string, int> _proposals = [];
    private readonly List<int> _messages = [];
    private int _round;
    private int? _mine;
    private int _attempts;
    private int _drawn;
    private int _entered;
    private bool _lacksPeers;
    private CancellationToken _killed;
    private (int Value, int Round)? _decision;

    private int Majority => ((peers.Length + 1) / 2) + (fault == OriginalFault.WrongMajority ? 0 : 1);

    /// <summary>Builds the server.</summary>
    public WebApplication Build()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var app = builder.Build();
        _killed = app.Lifetime.ApplicationStopping;
        _killed.Register(_http.Dispose);
        Map("/new_round", body => Task.FromResult(NewRound(Number(body, "round"))));
        Map("/proposal", body => Task.FromResult(Propose(body)));
        Map("/final", body => Task.FromResult(Final(body)));
        Map("/run", body => RunAsync(body.ValueKind == JsonValueKind.Object ? Number(body, "round") : 1));
        app.MapPost("/reset", Reset);
        app.MapGet("/consensus", Consensus);
        app.MapGet("/state", State);
        return app;

        // The cast keeps the result: without it, the handler would be taken for one that writes its own response.
        void Map(string path, Func<JsonElement, Task<IResult>> handle) =>
            app.MapPost(path, (Delegate)(async (HttpContext context) => await handle(await ReadAsync(context))));
    }

    private static async Task<JsonElement> ReadAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body);
        var text = await reader.ReadToEndAsync();
        return text.Length == 0 ? default : JsonDocument.Parse(text).RootElement;
    }

    private static int Number(JsonElement body, string field) => body.GetProperty(field).GetInt32();

    private IResult NewRound(int round)
    {
        lock (_gate)
        {
            if (_decision is not null)
            {
                return Results.Json(new { status = "ignored", reason = "already-decided" },
                    statusCode: fault == OriginalFault.WrongConflictStatus ? 200 : 409);
            }

            if (round < _round && fault != OriginalFault.AcceptsStaleRound)
            {
                return Results.Json(new { status = "ignored", reason = "stale-round", current_round = _round });
            }

            if (round == _round && fault != OriginalFault.ForgetsTheRound)
            {
                return Results.Json(new { status = "already-started", round });
            }

            Enter(round, opens: false);
            return Results.Json(new { status = "started", round });
        }
    }

    private IResult Propose(JsonElement body)
    {
        lock (_gate)
        {
            var round = Number(body, "round");
            if (round > _round || (round < _round && fault != OriginalFault.AcceptsLateProposal))
            {
                return Results.Json(new { status = "ignored", reason = "round-mismatch", current_round = _round });
            }

            var value = Number(body, "value");
            _proposals[body.GetProperty("agent_id").GetString()!] = value;
            _messages.Add(value);
            TryDecide();
            return Results.Json(new { status = "ok" });
        }
    }

    private IResult Final(JsonElement body)
    {
        lock (_gate)
        {
            if (_decision is null || fault == OriginalFault.DecidesTwice)
            {
                _decision = (Number(body, "value"), Number(body, "round"));
            }

            return Results.Json(new { status = "ack" });
        }
    }

    private IResult Reset()
    {
        lock (_gate)
        {
            _mine = fault == OriginalFault.ResetKeepsItsValue ? _mine : null;
            (_round, _attempts, _decision, _lacksPeers, _entered) = (0, 0, null, false, _entered + 1);
            _proposals.Clear();
            _messages.Clear();
            return Results.Json(new { status = "reset" });
        }
    }

    private async Task<IResult> RunAsync(int round)
    {
        await SendAsync("/reset", _ => "{}");
        Reset();
        lock (_gate)
        {
            Enter(round, opens: true);
        }

        return Results.Json(new { status = "triggered", round });
    }

    private IResult Consensus()
    {
        lock (_gate)
        {
            return _decision is { } decision
                ? Results.Json(new { reached = true, value = decision.Value, round = decision.Round, attempts = _attempts })
                : Results.Json(new { reached = false, round = _round }, statusCode: fault == OriginalFault.WrongStatus ? 200 : 202);
        }
    }

    private IResult State()
    {
        lock (_gate)
        {
            return Results.Json(new
            {
                agent_id = id, round = _round, my_value = _mine, proposals = new Dictionary<string, int>(_proposals), attempts = _attempts,
                consensus_value = _decision?.Value, consensus_round = _decision?.Round,
            });
        }
    }

    private void TryDecide()
    {
        IEnumerable<int> counted = fault == OriginalFault.CountsMessages ? _messages : _proposals.Values;
        if (_decision is null && !_lacksPeers
            && counted.GroupBy(value => value).FirstOrDefault(equal => equal.Count() >= Majority) is { Key: var decided })
        {
            _decision = (decided, _round);
            var final = $$"""{"value":{{decided}},"round":{{_round}}}""";
            _ = fault == OriginalFault.NoFinal ? Task.CompletedTask : SendAsync("/final", _ => final);
        }
    }

    private void Enter(int round, bool opens)
    {
        _lacksPeers = fault == OriginalFault.NeedsEveryPeer;
        (_round, _attempts, _mine) =
            (round, _attempts + 1, fault == OriginalFault.ValuesOutOfRange ? 1 + (_drawn++ % 5) : Random.Shared.Next(1, 4));
        _proposals.Clear();
        _messages.Clear();
        _proposals[id] = _mine.Value;
        _messages.Add(_mine.Value);
        var entered = ++_entered;
        _ = SpeakAsync(round, _mine.Value, opens, entered);
        _ = WindowAsync(entered);
    }

    private async Task SpeakAsync(int round, int value, bool opens, int entered)
    {
        if (opens)
        {
            await SendAsync("/new_round", _ => $$"""{"round":{{round}}}""");
        }

        int ValueFor(int peer) => fault == OriginalFault.ProposesTwice && peer == 1 ? (value % 3) + 1 : value;
        var everyPeer = await SendAsync("/proposal", peer => string.Create(
            CultureInfo.InvariantCulture, $$"""{"agent_id":"{{id}}","value":{{ValueFor(peer)}},"round":{{round}}}"""));
        lock (_gate)
        {
            if (everyPeer && entered == _entered)
            {
                _lacksPeers = false;
                TryDecide();
            }
        }
    }

    private async Task WindowAsync(int entered)
    {
        await Task.Delay(200, _killed);
        lock (_gate)
        {
            if (!_killed.IsCancellationRequested && _decision is null && entered == _entered && fault != OriginalFault.NoNextRound)
            {
                Enter(_round + 1, opens: true);
            }
        }
    }

    private async Task<bool> SendAsync(string path, Func<int, string> body)
    {
        var responses = await Task.WhenAll(peers.Select(async (peer, index) =>
        {
            try
            {
                using var content = new StringContent(body(index), System.Text.Encoding.UTF8, "application/json");
                using var response = await _http.PostAsync(new Uri(new Uri(peer), path), content);
                return true;
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException or ObjectDisposedException)
            {
                return false;
            }
        }));
        return responses.All(responded => responded);
    }
}
