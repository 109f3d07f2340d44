#pragma warning disable ASPIREINTERACTION001 // Typed arguments of commands are marked experimental.
using System.Collections.Concurrent;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Consensus.Tests.Api;
using Consensus.Tests.Browser;
using Microsoft.Extensions.DependencyInjection;

namespace Consensus.Tests.AppHost;

/// <summary>The whole application on free ports, as <c>dotnet run --project Consensus.AppHost</c> starts it, with its dashboard.</summary>
public sealed class RunningApplication : IAsyncLifetime
{
    /// <summary>The name of the collection of tests that share the application, one after the other.</summary>
    public const string Collection = "apphost";

    /// <summary>The name of the collection of tests that start applications of their own, beside this one.</summary>
    public const string Others = "other apphosts";

    public static readonly string[] Names = ["agent1", "agent2", "agent3"];

    private CancellationTokenSource _limit = new(TimeSpan.FromMinutes(4));
    private Model _model = null!;

    private readonly ConcurrentQueue<(string Resource, string State)> _firstStates = new();
    private readonly ConcurrentQueue<string> _firstOutcomes = new();

    public DistributedApplication App { get; private set; } = null!;

    /// <summary>The states of all resources from the start until all agents were healthy, each as often as it changed.</summary>
    public IReadOnlyList<(string Resource, string State)> FirstStates { get; private set; } = [];

    /// <summary>What the cluster showed as its outcome while it was starting.</summary>
    public IReadOnlyCollection<string> FirstOutcomes => _firstOutcomes;

    /// <summary>Address that logs a browser in to the dashboard.</summary>
    public Uri Dashboard { get; private set; } = null!;

    /// <summary>Ends waits of the current test that would hang.</summary>
    public CancellationToken Limit => _limit.Token;

    public async Task InitializeAsync()
    {
        // Agents wait for each other on a slow machine. Calls to stopped and isolated agents fail at once.
        _model = await Model.CreateAsync(dashboard: true, "--Parameters:window-ms=20000");

        // Off in tests by default; without it, Aspire adds no command that sets a parameter.
        _model.Builder.Configuration["ASPIRE_INTERACTIVITY_ENABLED"] = "true";
        App = await _model.Builder.BuildAsync(Limit);
        using var watching = CancellationTokenSource.CreateLinkedTokenSource(Limit);
        var watch = WatchAsync(watching.Token);
        await App.StartAsync(Limit);
        await AllHealthyAsync();
        await HealthyAsync(App, "consensus", Limit);
        await watching.CancelAsync();
        await watch;
        FirstStates = [.. _firstStates];
        Dashboard = await App.GetDashboardUrlAsync(Limit);
    }

    public async Task DisposeAsync()
    {
        await App.DisposeAsync();
        await _model.DisposeAsync();
        _limit.Dispose();
    }

    /// <summary>Brings the application back to a state that every test can begin with: all agents up, none isolated, no run.</summary>
    public async Task BeginAsync()
    {
        _limit.Dispose();
        _limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        foreach (var name in Names)
        {
            if (KnownResourceStates.TerminalStates.Contains((await WaitAsync(name, _ => true)).State?.Text))
            {
                await StartAsync(name);
            }
        }

        await SucceedAsync("consensus", "heal");
        await SucceedAsync("consensus", "reset");
        await AllHealthyAsync();
    }

    private async Task WatchAsync(CancellationToken cancellation)
    {
        var last = new Dictionary<string, string>();
        try
        {
            await foreach (var change in App.ResourceNotifications.WatchAsync(cancellation))
            {
                if (change.Resource.Name == "consensus" && change.Snapshot.State?.Text == KnownResourceStates.Starting
                    && PropertyOf(change.Snapshot, "Outcome") is { } outcome)
                {
                    _firstOutcomes.Enqueue(outcome);
                }

                if (change.Snapshot.State?.Text is { } state && last.GetValueOrDefault(change.Resource.Name) != state)
                {
                    last[change.Resource.Name] = state;
                    _firstStates.Enqueue((change.Resource.Name, state));
                }
            }
        }
        catch (OperationCanceledException)
        {
            // All is healthy.
        }
    }

    private async Task AllHealthyAsync() =>
        await Task.WhenAll(Names.Select(name => HealthyAsync(App, name, Limit)));

    /// <summary>Runs a command, with the arguments that a dialog or the command line would pass.</summary>
    public Task<ExecuteCommandResult> CommandAsync(string resource, string command, params (string Name, string Value)[] arguments) =>
        CommandAsync(App, resource, command, Limit, arguments);

    /// <summary>The same in another application.</summary>
    public static Task<ExecuteCommandResult> CommandAsync(
        DistributedApplication app, string resource, string command,
        CancellationToken cancellation, params (string Name, string Value)[] arguments)
    {
        var model = app.Services.GetRequiredService<DistributedApplicationModel>().Resources.Single(found => found.Name == resource);
        var declared = model.Annotations.OfType<ResourceCommandAnnotation>().Single(found => found.Name == command).Arguments;
        var inputs = declared.Select(input => new InteractionInput
        {
            Name = input.Name,
            InputType = input.InputType,
            Options = input.Options,
            Value = arguments.FirstOrDefault(argument => argument.Name == input.Name).Value ?? input.Value,
        });
        return app.ResourceCommands.ExecuteCommandAsync(model, command, new InteractionInputCollection([.. inputs]), cancellation);
    }

    /// <summary>The same, which must succeed.</summary>
    public async Task<ExecuteCommandResult> SucceedAsync(string resource, string command, params (string Name, string Value)[] arguments)
    {
        var result = await CommandAsync(resource, command, arguments);
        Assert.True(result.Success, $"{command} on {resource}: {result.Message}");
        return result;
    }

    /// <summary>Waits until the snapshot of a resource is so.</summary>
    public async Task<CustomResourceSnapshot> WaitAsync(string resource, Func<CustomResourceSnapshot, bool> so) =>
        (await App.ResourceNotifications.WaitForResourceAsync(resource, now => so(now.Snapshot), Limit)).Snapshot;

    /// <summary>Waits until the cluster shows this outcome.</summary>
    public Task<CustomResourceSnapshot> ClusterIsAsync(string outcome) =>
        WaitAsync("consensus", snapshot => OutcomeOf(snapshot) == outcome);

    /// <summary>The text of the link that shows the outcome.</summary>
    public static string? OutcomeOf(CustomResourceSnapshot cluster) =>
        cluster.Urls.FirstOrDefault(url => !url.IsInternal)?.DisplayProperties.DisplayName;

    /// <summary>A detail that the dashboard shows of a resource.</summary>
    public static string? PropertyOf(CustomResourceSnapshot resource, string name) =>
        resource.Properties.FirstOrDefault(property => property.Name == name)?.Value?.ToString();

    public async Task StopAsync(string agent)
    {
        // Where the machine is slow the command gives up before the agent has ended, which it does all the same.
        await App.ResourceCommands.ExecuteCommandAsync(agent, KnownResourceCommands.StopCommand, Limit);
        await App.ResourceNotifications.WaitForResourceAsync(agent, KnownResourceStates.TerminalStates, Limit);
    }

    public async Task StartAsync(string agent)
    {
        Assert.True((await App.ResourceCommands.ExecuteCommandAsync(agent, KnownResourceCommands.StartCommand, Limit)).Success);
        await HealthyAsync(App, agent, Limit);
    }

    /// <summary>Waits until a resource is healthy. Its snapshot may still show the end of its former process.</summary>
    public static Task HealthyAsync(DistributedApplication app, string resource, CancellationToken cancellation) =>
        app.ResourceNotifications.WaitForResourceHealthyAsync(resource, WaitBehavior.WaitOnResourceUnavailable, cancellation);

    internal ApiClient ClientOf(string agent) => new(App.GetEndpoint(agent, "http"));
}

#pragma warning disable CA1711 // xunit names them so
[CollectionDefinition(RunningApplication.Collection)]
public sealed class RunningApplicationCollection : ICollectionFixture<RunningApplication>, ICollectionFixture<Chromium>;

[CollectionDefinition(RunningApplication.Others)]
public sealed class OtherApplicationsCollection : ICollectionFixture<Chromium>;
#pragma warning restore CA1711
