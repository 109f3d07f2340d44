using System.Text;
using Consensus.Agent;
using Consensus.Agent.Configuration;
using Consensus.Agent.Hosting;
using Consensus.Simulation;
using Consensus.Simulation.Mutants;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Consensus.Tests.Conformance;

/// <summary>
/// This assembly as a program: one broken agent. The argument is an <see cref="OriginalFault"/>, the name of one of
/// <see cref="Mutant.All"/>, or one of <see cref="Tampered"/>.
/// </summary>
internal static class FixtureProgram
{
    /// <summary>Faults made by changing requests and responses of the agent.</summary>
    public static IReadOnlyList<string> Tampered { get; } = [nameof(RestartedAgentTakesPart), nameof(VotesTwice), nameof(WrongStatusForASecondProposal), nameof(NoDecisionInAnswers)];

    /// <summary>The command line that starts the agent.</summary>
    public static string CommandOf(string fault) => $"dotnet {typeof(FixtureProgram).Assembly.Location} {fault}";

    public static async Task<int> Main(string[] args)
    {
        if (args is not [var fault])
        {
            return 1;
        }

        var configuration = new ConfigurationBuilder().AddEnvironmentVariables().Build();
        if (Enum.TryParse<OriginalFault>(fault, out var original))
        {
            await new BrokenAgent(original, configuration["AGENT_ID"]!, configuration["PEERS"]!.Split(',')).ServeAsync(configuration["PORT"]!);
            return 0;
        }

        var app = AgentApplication.Build(AgentOptions.From(configuration), [], builder =>
        {
            builder.Logging.ClearProviders();
            if (Mutant.All.FirstOrDefault(mutant => mutant.Name == fault) is { } mutant)
            {
                builder.Services.AddSingleton(mutant.Factory);
            }
            else
            {
                builder.Services.AddSingleton<IStartupFilter>(new Tampering(fault));
            }
        });
        app.Urls.Add($"http://127.0.0.1:{configuration["PORT"]}");
        await app.StartAsync();
        app.Services.GetRequiredService<AgentService>().Start();
        await app.WaitForShutdownAsync();
        return 0;
    }

    private static string RestartedAgentTakesPart(string path, string request, string boot) => request.Replace("\"agent1\":\"earlier\"", $"\"agent1\":\"{boot}\"", StringComparison.Ordinal);

    private static string VotesTwice(string path, string response) =>
        path == "/proposal" ? response.Replace("\"vote\":{\"agent_id\":\"agent1\",\"value\":2", "\"vote\":{\"agent_id\":\"agent1\",\"value\":null", StringComparison.Ordinal) : response;

    private static string NoDecisionInAnswers(string path, string response) =>
        path is "/proposal" or "/vote" ? response.Replace("\"decision\":", "\"hidden\":", StringComparison.Ordinal) : response;

    private static int WrongStatusForASecondProposal(string path, int status) => path == "/proposal" && status == 409 ? 200 : status;

    /// <summary>A middleware before all others that changes what comes in and goes out.</summary>
    private sealed class Tampering(string fault) : IStartupFilter
    {
        private string _boot = "";

        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.Use(ChangeAsync);
            next(app);
        };

        private async Task ChangeAsync(HttpContext context, RequestDelegate next)
        {
            var path = context.Request.Path.Value!;
            using var reader = new StreamReader(context.Request.Body);
            var request = await reader.ReadToEndAsync();
            var changed = Encoding.UTF8.GetBytes(fault == nameof(RestartedAgentTakesPart) ? RestartedAgentTakesPart(path, request, _boot) : request);
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

            context.Response.StatusCode = fault == nameof(WrongStatusForASecondProposal) ? WrongStatusForASecondProposal(path, context.Response.StatusCode) : context.Response.StatusCode;
            var body = Encoding.UTF8.GetBytes(fault switch
            {
                nameof(VotesTwice) => VotesTwice(path, response),
                nameof(NoDecisionInAnswers) => NoDecisionInAnswers(path, response),
                _ => response,
            });
            context.Response.ContentLength = body.Length == 0 ? null : body.Length;
            await context.Response.Body.WriteAsync(body);
        }
    }
}
