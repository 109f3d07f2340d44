using System.Collections.Concurrent;
using System.Net.ServerSentEvents;
using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Consensus.Hosting;

/// <summary>
/// Keeps the resource <c>consensus</c> and the agents' up to date: queries the state of every agent, at once after an event of an
/// agent or a command, and every two seconds besides.
/// </summary>
internal sealed partial class ClusterMonitor(
    ConsensusClusterResource cluster, ResourceNotificationService notifications, ResourceLoggerService logs)
    : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(2);

    /// <summary>While agents start, their first answer is what people wait for.</summary>
    private static readonly TimeSpan StartPeriod = TimeSpan.FromMilliseconds(500);

    /// <summary>A run has many events in a few ms; one refresh serves them all.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly SemaphoreSlim _refreshing = new(1);
    private readonly ConcurrentDictionary<string, string?> _states = new();
    private readonly ClusterPublisher _publisher = new(cluster, notifications);

    /// <summary>The last view; null before the first.</summary>
    public ClusterView? View { get; private set; }

    private bool AllAnswered =>
        View?.IsLinked == true && cluster.Agents.All(agent => IsStopped(agent) || _publisher.HasAnswered(agent.Agent));

    /// <inheritdoc/>
    public override void Dispose()
    {
        _refreshing.Dispose();
        base.Dispose();
    }

    /// <summary>Asks all agents, and publishes what changed.</summary>
    public Task<ClusterView> RefreshAsync(CancellationToken cancellation) => RefreshAsync(isQuiet: false, cancellation);

    /// <summary>Writes a line to the console log of the cluster.</summary>
    public void Log(string line) => Changed(logs.GetLogger(cluster), line);

    /// <summary>Has the health of all agents checked at once.</summary>
    public Task CheckHealthAsync() => Task.WhenAll(cluster.Agents.Select(agent => _publisher.CheckHealthNowAsync(agent.Agent)));

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var followers = new List<Task> { FollowResourcesAsync(stoppingToken), FollowEventsAsync(stoppingToken) };
        var isQuiet = false;
        while (!stoppingToken.IsCancellationRequested)
        {
            await RefreshAsync(isQuiet, stoppingToken);
            using var period = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
            period.CancelAfter(AllAnswered ? Period : StartPeriod);
            await _wake.Reader.WaitToReadAsync(period.Token).AsTask().ContinueWith(_ => { }, TaskScheduler.Default);
            isQuiet = !_wake.Reader.TryRead(out _);
            if (!isQuiet)
            {
                await Task.Delay(Pause, stoppingToken);
            }
        }

        await Task.WhenAll(followers);
    }

    /// <param name="isQuiet">Whether a period has passed without an event.</param>
    /// <param name="cancellation">Ends the calls.</param>
    private async Task<ClusterView> RefreshAsync(bool isQuiet, CancellationToken cancellation)
    {
        await _refreshing.WaitAsync(cancellation);
        try
        {
            var last = View;
            if (cluster.Links is { } links)
            {
                await links.RefreshAsync(cancellation);
                await _publisher.PublishLinksAsync(links);
            }

            var statuses = await Task.WhenAll(cluster.Agents.Select((agent, i) => AskAsync(agent, last?.Agents[i], isQuiet, cancellation)));
            var view = ClusterView.Next(last, [.. statuses]) with { IsLinked = cluster.Links?.HasAnswered != false };
            View = view;
            if (last is null || !Same(last, view))
            {
                foreach (var line in ClusterLog.LinesOf(last, view))
                {
                    Log(line);
                }

                await _publisher.PublishAsync(last, view);
            }

            return view;
        }
        finally
        {
            _refreshing.Release();
        }
    }

    [LoggerMessage(LogLevel.Information, "{Line}")]
    private static partial void Changed(ILogger logger, string line);

    private static bool Same(ClusterView x, ClusterView y) =>
        x with { Agents = [] } == y with { Agents = [] } && x.Agents.SequenceEqual(y.Agents);

    private bool IsStopped(AgentClient agent) =>
        _states.TryGetValue(agent.Agent.Name, out var state) && KnownResourceStates.TerminalStates.Contains(state);

    /// <summary>Asks one agent. Whatever goes wrong, that agent counts as down and the others are shown.</summary>
    private async Task<AgentStatus> AskAsync(AgentClient agent, AgentStatus? last, bool isQuiet, CancellationToken cancellation)
    {
        var name = agent.Agent.Name;
        try
        {
            var state = await agent.StateAsync(cancellation);
            if (IsStopped(agent))
            {
                return new AgentStatus(
                    name, null, Problem: $"Port {agent.Address!.Port} answers as {name}, which is stopped here. Stop the other cluster");
            }

            // Agents count messages after the decision, too. The count is final once a period passed without an event.
            var isSame = last?.State is { } known
                && (known.Run, known.Round, known.Decision) == (state.Run, state.Round, state.Decision)
                && known.Decision is not null;
            var summary = isSame && last!.IsSettled ? last.Summary
                : (await agent.HistoryAsync(cancellation))?.Runs?.FirstOrDefault(run => run?.Run == state.Run);
            return new AgentStatus(name, state, summary)
            {
                HasPage = agent.KeepsHistory,
                IsSettled = isSame && (last!.IsSettled || (isQuiet && summary == last.Summary)),
            };
        }
        catch (AgentException exception)
        {
            return new AgentStatus(name, null, Problem: exception.IsAnswer ? exception.Message : null);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            throw;
        }
#pragma warning disable CA1031 // No answer of one agent may end the application.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            return new AgentStatus(name, null, Problem: exception.Message);
        }
    }

    private async Task FollowResourcesAsync(CancellationToken cancellation)
    {
        await foreach (var change in notifications.WatchAsync(cancellation))
        {
            var (name, state) = (change.Resource.Name, change.Snapshot.State?.Text);
            if (cluster.Agents.FirstOrDefault(one => one.Agent == change.Resource)?.Agent is { } agent
                && (!_states.TryGetValue(name, out var before) || before != state))
            {
                _states[name] = state;
                await _publisher.OnStateAsync(agent, state);
                _wake.Writer.TryWrite(true);
            }
        }
    }

    /// <summary>Follows what happens on the links, or the events of one agent that is up, and of another where that one ends.</summary>
    private async Task FollowEventsAsync(CancellationToken cancellation)
    {
        for (var i = 0; !cancellation.IsCancellationRequested; i = (i + 1) % cluster.Agents.Count)
        {
            if (cluster.Links is { Page: not null } links)
            {
                await FollowEventsAsync(links.FollowAsync, cancellation);
            }
            else if (View?.Agents[i] is { Up: true, Isolated: false, HasPage: true })
            {
                await FollowEventsAsync(cluster.Agents[i].FollowAsync, cancellation);
            }

            await Task.Delay(View is null ? StartPeriod : Pause, cancellation);
        }
    }

    private async Task FollowEventsAsync(Func<CancellationToken, Task<HttpResponseMessage>> follow, CancellationToken cancellation)
    {
        try
        {
            using var response = await follow(cancellation);
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
        }

        _wake.Writer.TryWrite(true);
    }
}
