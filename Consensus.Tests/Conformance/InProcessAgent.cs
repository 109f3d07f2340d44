using System.Text;
using Consensus.Agent;
using Consensus.Agent.Configuration;
using Consensus.Agent.Hosting;
using Consensus.Conformance;
using Consensus.Protocol;
using Consensus.Simulation.Mutants;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Consensus.Tests.Conformance;

/// <summary>An agent in the process of the tests, which starts faster than a program and ends as suddenly.</summary>
internal sealed class InProcessAgent : IAgentProcess
{
    private readonly WebApplication _app;
    private readonly Task _started;

    private InProcessAgent(WebApplication app, AgentSettings settings)
    {
        _app = app;
        _app.Urls.Add($"http://127.0.0.1:{settings.Port}");
        _started = Task.Run(async () =>
        {
            await _app.StartAsync();
            _app.Services.GetService<AgentService>()?.Start();
        });
    }

    /// <summary>The agent of this project.</summary>
    public static AgentProgram Own { get; } = new("own", settings => new InProcessAgent(BuildOwn(settings), settings));

    public bool HasExited => _started.IsFaulted;

    public IReadOnlyList<string> LastLines => _started.Exception is { } failed ? [failed.Message] : [];

    /// <summary>
    /// An agent with a fault: an <see cref="OriginalFault"/>, or one of <see cref="BrokenRules"/> or <see cref="Tampered"/>.
    /// </summary>
    public static AgentProgram Broken(string fault) => new(fault, settings => new InProcessAgent(
        Enum.TryParse<OriginalFault>(fault, out var original) ? new BrokenAgent(original, settings.Id, settings.Peers.Split(',')).Build()
            : BuildOwn(settings, services =>
            {
                if (BrokenRules.TryGetValue(fault, out var rules))
                {
                    services.AddSingleton(rules);
                }
                else
                {
                    services.AddSingleton<IStartupFilter>(new FirstMiddleware(new Tampering(Tampered[fault]).ChangeAsync));
                }
            }), settings));

    public void Dispose() => Task.Run(async () =>
    {
        await _app.StopAsync(new CancellationToken(canceled: true));
        await _app.DisposeAsync();
    }).Wait(TimeSpan.FromSeconds(20));

    private static WebApplication BuildOwn(AgentSettings settings, Action<IServiceCollection>? configure = null)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(
            [new("AGENT_ID", settings.Id), new("PORT", $"{settings.Port}"), new("PEERS", settings.Peers)]).Build();
        return AgentApplication.Build(AgentOptions.From(configuration), [], builder =>
        {
            builder.Logging.ClearProviders();
            configure?.Invoke(builder.Services);
        });
    }

    private static Dictionary<string, SafetyRules> BrokenRules { get; } = new()
    {
        [nameof(ClearingHandshake)] = new ClearingHandshake(),
        [nameof(RunIdWithoutBoot)] = new RunIdWithoutBoot(),
        [nameof(OldFinalAccepted)] = new OldFinalAccepted(),
        [nameof(ForgottenHighestSeenRun)] = new ForgottenHighestSeenRun(),
        [nameof(NoAdoption)] = new NoAdoption(),
        [nameof(DrawOnCatchUp)] = new DrawOnCatchUp(),
        [nameof(DecisionOnOneVote)] = new DecisionOnOneVote(),
    };

    /// <summary>Faults made by changing requests and responses.</summary>
    private static Dictionary<string, Change> Tampered { get; } = new()
    {
        ["RestartedAgentTakesPart"] = new(Request: (_, text, boot) => Replace(text, "\"agent1\":\"earlier\"", $"\"agent1\":\"{boot}\"")),
        ["VotesTwice"] = new(Response: (path, text) => path == "/proposal"
            ? Replace(text, "\"vote\":{\"agent_id\":\"agent1\",\"value\":2", "\"vote\":{\"agent_id\":\"agent1\",\"value\":null") : text),
        ["WrongStatusForASecondProposal"] = new(Status: (path, status) => path == "/proposal" && status == 409 ? 200 : status),
        ["NoDecisionInAnswers"] = new(
            Response: (path, text) => path is "/proposal" or "/vote" ? Replace(text, "\"decision\":", "\"hidden\":") : text),
    };

    private static string Replace(string text, string old, string with) => text.Replace(old, with, StringComparison.Ordinal);

    /// <summary>How requests and responses are changed.</summary>
    private sealed record Change(
        Func<string, string, string, string>? Request = null,
        Func<string, string, string>? Response = null, Func<string, int, int>? Status = null);

    /// <summary>Changes what comes in and goes out.</summary>
    private sealed class Tampering(Change change)
    {
        private string _boot = "";

        public async Task ChangeAsync(HttpContext context, RequestDelegate next)
        {
            var path = context.Request.Path.Value!;
            using var reader = new StreamReader(context.Request.Body);
            var request = await reader.ReadToEndAsync();
            var changed = Encoding.UTF8.GetBytes(change.Request?.Invoke(path, request, _boot) ?? request);
            (context.Request.Body, context.Request.ContentLength) = (new MemoryStream(changed), changed.Length);
            var original = context.Response.Body;
            using var buffer = new MemoryStream();
            context.Response.Body = buffer;
            await next(context);
            context.Response.Body = original;
            var response = Encoding.UTF8.GetString(buffer.ToArray());
            if (response.IndexOf("\"boot\":\"", StringComparison.Ordinal) is >= 0 and var at)
            {
                _boot = response.Substring(at + 8, 12);
            }

            context.Response.StatusCode = change.Status?.Invoke(path, context.Response.StatusCode) ?? context.Response.StatusCode;
            var body = Encoding.UTF8.GetBytes(change.Response?.Invoke(path, response) ?? response);
            context.Response.ContentLength = body.Length == 0 ? null : body.Length;
            await context.Response.Body.WriteAsync(body);
        }
    }
}
