using System.Net;
using System.Text.Json;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Consensus.Tests.Api;
using Microsoft.Extensions.DependencyInjection;

namespace Consensus.Tests.AppHost;

/// <summary>The whole application, started as <c>dotnet run --project Consensus.AppHost</c> starts it, without the dashboard's page.</summary>
public sealed class RunningTests : IAsyncLifetime
{
    private static readonly string[] Names = ["agent1", "agent2", "agent3"];

    private readonly CancellationTokenSource _patience = new(TimeSpan.FromMinutes(4));
    private Model _model = null!;
    private DistributedApplication _app = null!;

    private CancellationToken Patience => _patience.Token;

    public async Task InitializeAsync()
    {
        // Agents wait for each other however slow the machine is; dead and cut off ones fail at once.
        _model = await Model.CreateAsync("--port", "0", "--Parameters:window-ms=20000");
        _app = await _model.Builder.BuildAsync(Patience);
        await _app.StartAsync(Patience);
        await Task.WhenAll(Names.Select(name => _app.ResourceNotifications.WaitForResourceHealthyAsync(name, Patience)));
    }

    public async Task DisposeAsync()
    {
        await _app.DisposeAsync();
        await _model.DisposeAsync();
        _patience.Dispose();
    }

    [Fact]
    public async Task The_commands_run_reset_and_cut_off_and_the_links_lead_somewhere()
    {
        // The decision comes back as JSON, and every agent holds it.
        var ran = await CommandAsync("agent1", "run");
        Assert.Contains("Decided ", ran.Message, StringComparison.Ordinal);
        var answer = JsonDocument.Parse(ran.Data!.Value).RootElement;
        var run = answer.GetProperty("run").GetString()!;
        var value = answer.GetProperty("outcome").GetProperty("value").GetInt32();
        foreach (var name in Names)
        {
            Assert.Equal(value, await DecisionAsync(name, run));
        }

        Assert.Equal("classic", JsonDocument.Parse((await CommandAsync("agent2", "run-classic")).Data!.Value).RootElement.GetProperty("rule").GetString());

        await CommandAsync("agent1", "reset");
        using var client = ClientOf("agent1");
        Assert.Equal(HttpStatusCode.Accepted, (await client.Get("/consensus")).Code);

        // An agent that is cut off cannot start a run, and says why.
        await CommandAsync("agent3", "isolate");
        var alone = await _app.ResourceCommands.ExecuteCommandAsync("agent3", "run", Patience);
        Assert.False(alone.Success);
        Assert.Contains("Too few agents answered", alone.Message, StringComparison.Ordinal);
        await CommandAsync("agent3", "reconnect");
        await CommandAsync("agent3", "run");

        var links = (await _app.ResourceNotifications.WaitForResourceHealthyAsync("agent1", Patience)).Snapshot.Urls;
        Assert.Equal(["Run", "Timeline", "Consensus", "State", "API"], links.Where(link => !link.IsInternal).Select(link => link.DisplayProperties.DisplayName));
        using var http = new HttpClient();
        foreach (var link in links)
        {
            Assert.True((await http.GetAsync(link.Url, Patience)).IsSuccessStatusCode, link.Url);
        }
    }

    [Fact]
    public async Task Without_one_agent_its_commands_are_off_and_the_others_decide()
    {
        Assert.All(await CommandsAsync("agent3", _ => true), command => Assert.Equal(ResourceCommandState.Enabled, command.State));

        // Where the machine is slow the command gives up before the agent has ended, which it does all the same.
        await _app.ResourceCommands.ExecuteCommandAsync("agent3", KnownResourceCommands.StopCommand, Patience);
        await _app.ResourceNotifications.WaitForResourceAsync("agent3", KnownResourceStates.TerminalStates, Patience);
        await CommandsAsync("agent3", commands => commands.All(command => command.State == ResourceCommandState.Disabled));

        var answer = JsonDocument.Parse((await CommandAsync("agent1", "run")).Data!.Value).RootElement;
        Assert.Contains(answer.GetProperty("missing").EnumerateArray(), missing => missing.GetString()!.Contains("agent3", StringComparison.Ordinal));
        Assert.Equal(await DecisionAsync("agent1", answer.GetProperty("run").GetString()!), await DecisionAsync("agent2", answer.GetProperty("run").GetString()!));

        // Back again, it learns the decision it missed.
        Assert.True((await _app.ResourceCommands.ExecuteCommandAsync("agent3", KnownResourceCommands.StartCommand, Patience)).Success);
        await CommandsAsync("agent3", commands => commands.All(command => command.State == ResourceCommandState.Enabled));
        Assert.Equal(answer.GetProperty("outcome").GetProperty("value").GetInt32(), await DecisionAsync("agent3", answer.GetProperty("run").GetString()!));
    }

    private Client ClientOf(string name) => new(_app.GetEndpoint(name, "http"));

    private async Task<ExecuteCommandResult> CommandAsync(string name, string command)
    {
        var result = await _app.ResourceCommands.ExecuteCommandAsync(name, command, Patience);
        Assert.True(result.Success, $"{command} on {name}: {result.Message}");
        return result;
    }

    private async Task<int> DecisionAsync(string name, string run)
    {
        using var client = ClientOf(name);
        var (code, answer) = await client.Get($"/consensus?wait=60&run={run}");
        Assert.Equal(HttpStatusCode.OK, code);
        return answer.GetProperty("value").GetInt32();
    }

    /// <summary>Waits until an agent's own commands are so.</summary>
    private async Task<IReadOnlyList<ResourceCommandSnapshot>> CommandsAsync(string name, Func<IReadOnlyList<ResourceCommandSnapshot>, bool> so)
    {
        IReadOnlyList<ResourceCommandSnapshot> Own(ResourceEvent now) =>
            [.. now.Snapshot.Commands.Where(command => command.Name is "run" or "run-classic" or "reset" or "isolate" or "reconnect")];
        return Own(await _app.ResourceNotifications.WaitForResourceAsync(name, now => Own(now) is { Count: 5 } commands && so(commands), Patience));
    }
}
