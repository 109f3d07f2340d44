using System.Collections.Immutable;
using System.Globalization;
using System.Net.ServerSentEvents;
using System.Threading.Channels;
using Microsoft.Extensions.Hosting;

namespace Consensus.AppHost;

/// <summary>
/// Keeps the resource <c>consensus</c> up to date: queries the state of every agent, at once after an event of an agent or
/// a command, and every two seconds besides.
/// </summary>
internal sealed class ClusterMonitor(ClusterResource cluster, ResourceNotificationService notifications) : BackgroundService
{
    /// <summary>The agent's property that shows whether it is isolated.</summary>
    public const string NetworkProperty = "Network";

    private const string Isolated = "isolated";
    private const string CheckingHealth = "Checking health";

    private static readonly TimeSpan Period = TimeSpan.FromSeconds(2);

    /// <summary>A run has many events in a few ms; one refresh serves them all.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(1);

    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly SemaphoreSlim _refreshing = new(1);

    /// <summary>The last view; null before the first.</summary>
    public ClusterView? View { get; private set; }

    /// <summary>Whether an agent's snapshot shows that it is isolated.</summary>
    public static bool IsIsolated(CustomResourceSnapshot snapshot) =>
        snapshot.Properties.Any(property => property.Name == NetworkProperty && property.Value is Isolated);

    /// <inheritdoc/>
    public override void Dispose()
    {
        _refreshing.Dispose();
        base.Dispose();
    }

    /// <summary>Asks all agents, and publishes what changed.</summary>
    public async Task<ClusterView> RefreshAsync(CancellationToken cancellation)
    {
        await _refreshing.WaitAsync(cancellation);
        try
        {
            var last = View;
            var statuses = await Task.WhenAll(cluster.Agents.Select((agent, i) => AskAsync(agent, last?.Agents[i], cancellation)));
            var view = ClusterView.Next(last, [.. statuses]);
            View = view;
            if (last is null || !Same(last, view))
            {
                await PublishAsync(view);
                await PublishAgentsAsync(last, view);
            }

            return view;
        }
        finally
        {
            _refreshing.Release();
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var followers = new List<Task> { FollowResourcesAsync(stoppingToken), FollowEventsAsync(stoppingToken) };
        while (!stoppingToken.IsCancellationRequested)
        {
            await RefreshAsync(stoppingToken);
            using var period = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
            period.CancelAfter(Period);
            await _wake.Reader.WaitToReadAsync(period.Token).AsTask().ContinueWith(_ => { }, TaskScheduler.Default);
            if (_wake.Reader.TryRead(out _))
            {
                await Task.Delay(Pause, stoppingToken);
            }
        }

        await Task.WhenAll(followers);
    }

    private static bool Same(ClusterView x, ClusterView y) => x with { Agents = [] } == y with { Agents = [] } && x.Agents.SequenceEqual(y.Agents);

    private static async Task<AgentStatus> AskAsync(AgentClient agent, AgentStatus? last, CancellationToken cancellation)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        timeout.CancelAfter(AnswerTimeout);
        try
        {
            var state = await agent.GetAsync<AgentState>("/state", timeout.Token);
            var summary = last?.State is { } known && (known.Run, known.Round, known.Decision) == (state.Run, state.Round, state.Decision) && known.Decision is not null
                ? last.Summary
                : (await agent.GetAsync<AgentRunHistory>("/timeline/runs", timeout.Token)).Runs.FirstOrDefault(run => run.Run == state.Run);
            return new AgentStatus(agent.Agent.Name, state, summary);
        }
        catch (Exception exception) when (exception is AgentException || (exception is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            return new AgentStatus(agent.Agent.Name, null);
        }
    }

    private Task PublishAsync(ClusterView view)
    {
        var page = cluster.Agents.Where((_, i) => view.Agents[i].Up).Select(agent => agent.Address).FirstOrDefault();
        return notifications.PublishUpdateAsync(cluster, snapshot => snapshot with
        {
            State = new ResourceStateSnapshot(view.Text, view.Style),
            Properties = [.. PropertiesOf(view)],
            Urls = page is null ? [] : [new UrlSnapshot("timeline", page.ToString(), IsInternal: false) { DisplayProperties = new("Timeline") }],
        });
    }

    private static IEnumerable<ResourcePropertySnapshot> PropertiesOf(ClusterView view)
    {
        var summary = view.Summary;
        (string Name, string? Value)[] properties =
        [
            ("Outcome", view.Sentence),
            ("Agents up", string.Join(", ", view.Up)),
            ("Run", view.Run),
            ("Rule", summary?.Rule),
            ("Value", summary?.Value?.ToString(CultureInfo.InvariantCulture)),
            ("Rounds", summary?.Rounds.ToString(CultureInfo.InvariantCulture)),
            ("Duration", summary?.DurationMs is { } duration ? ClusterView.FormatDuration(duration) : null),
            ("Messages", summary is null ? null : view.InRun.Sum(agent => agent.Summary?.Sent ?? 0).ToString(CultureInfo.InvariantCulture)),
        ];

        // The details pane shows only highlighted properties at first.
        return properties.Where(property => property.Value is not null)
            .Select((property, i) => new ResourcePropertySnapshot(property.Name, property.Value) { IsHighlighted = true, SortOrder = i });
    }

    /// <summary>Publishes which agents are isolated, and has the health of agents that changed checked at once.</summary>
    private async Task PublishAgentsAsync(ClusterView? last, ClusterView view)
    {
        for (var i = 0; i < cluster.Agents.Count; i++)
        {
            var (before, now) = (last?.Agents[i], view.Agents[i]);
            if (!now.Up || (before?.Up == true && before.Isolated == now.Isolated && before.State!.Stalled == now.State!.Stalled))
            {
                continue;
            }

            var agent = cluster.Agents[i].Agent;
            await notifications.PublishUpdateAsync(agent, snapshot => snapshot with
            {
                Properties = [
                    .. snapshot.Properties.Where(property => property.Name != NetworkProperty),
                    new(NetworkProperty, now.Isolated ? Isolated : "connected"),
                ],
            });
            await CheckHealthNowAsync(agent);
        }
    }

    /// <summary>
    /// A healthy resource is checked every 30 s only, which nothing sets. A change of its state's text is the one
    /// thing that has it checked at once.
    /// </summary>
    private async Task CheckHealthNowAsync(ProjectResource agent)
    {
        ResourceStateSnapshot? running = null;
        await notifications.PublishUpdateAsync(agent, snapshot =>
        {
            running = snapshot.State;
            return running?.Text == KnownResourceStates.Running ? snapshot with { State = new ResourceStateSnapshot(CheckingHealth, running.Style) } : snapshot;
        });
        await notifications.PublishUpdateAsync(agent, snapshot => snapshot.State?.Text == CheckingHealth ? snapshot with { State = running } : snapshot);
    }

    private async Task FollowResourcesAsync(CancellationToken cancellation)
    {
        var states = new Dictionary<string, string?>();
        await foreach (var change in notifications.WatchAsync(cancellation))
        {
            if (change.Resource is ProjectResource && states.GetValueOrDefault(change.ResourceId) != change.Snapshot.State?.Text)
            {
                states[change.ResourceId] = change.Snapshot.State?.Text;
                _wake.Writer.TryWrite(true);
            }
        }
    }

    /// <summary>Follows the events of one agent that is up, and of another where that one ends.</summary>
    private async Task FollowEventsAsync(CancellationToken cancellation)
    {
        for (var i = 0; !cancellation.IsCancellationRequested; i = (i + 1) % cluster.Agents.Count)
        {
            if (View?.Agents[i] is { Up: true, Isolated: false })
            {
                await FollowEventsAsync(cluster.Agents[i], cancellation);
            }

            await Task.Delay(Pause, cancellation);
        }
    }

    private async Task FollowEventsAsync(AgentClient agent, CancellationToken cancellation)
    {
        try
        {
            using var response = await agent.SendRawAsync(HttpMethod.Get, "/events", null, cancellation, HttpCompletionOption.ResponseHeadersRead);
            await using var stream = await response.Content.ReadAsStreamAsync(cancellation);
            await foreach (var protocolEvent in SseParser.Create(stream).EnumerateAsync(cancellation))
            {
                if (protocolEvent.EventType != "quiet")
                {
                    _wake.Writer.TryWrite(true);
                }
            }
        }
        catch (Exception exception) when (exception is AgentException or IOException or HttpRequestException)
        {
            // The agent ended or broke the stream; the next agent is followed.
            _wake.Writer.TryWrite(true);
        }
    }
}
