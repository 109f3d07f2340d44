using System.Globalization;

namespace Consensus.Hosting;

/// <summary>Publishes a view of the cluster as the snapshots of its resources.</summary>
internal sealed class ClusterPublisher(ConsensusClusterResource cluster, ResourceNotificationService notifications)
{
    /// <summary>The agent's property that shows whether it is isolated.</summary>
    public const string NetworkProperty = "Network";

    private const string FaultsProperty = "Faults";
    private const string Isolated = "isolated";
    private const string CheckingHealth = "Checking health";

    private readonly Lock _gate = new();

    // Agents whose process runs and has not answered yet.
    private readonly HashSet<string> _starting = new(StringComparer.Ordinal);
    private readonly HashSet<string> _answered = new(StringComparer.Ordinal);
    private readonly Dictionary<LinkResource, (string, string)> _links = [];
    private bool _clusterAnswered;

    /// <summary>Whether an agent's snapshot shows that it is isolated.</summary>
    public static bool IsIsolated(CustomResourceSnapshot snapshot) =>
        snapshot.Properties.Any(property => property.Name == NetworkProperty && property.Value is Isolated);

    /// <summary>Whether an agent has answered since it was started.</summary>
    public bool HasAnswered(IResource agent)
    {
        lock (_gate)
        {
            return _answered.Contains(agent.Name);
        }
    }

    /// <summary>
    /// Takes up a new state of an agent. Aspire shows a process that runs as unhealthy until its first check. It is starting until it
    /// has answered once.
    /// </summary>
    public async Task OnStateAsync(IResource agent, string? state)
    {
        lock (_gate)
        {
            if (KnownResourceStates.TerminalStates.Contains(state))
            {
                _answered.Remove(agent.Name);
                _starting.Remove(agent.Name);
            }

            if (state != KnownResourceStates.Running || _answered.Contains(agent.Name))
            {
                return;
            }

            _starting.Add(agent.Name);
        }

        // It may answer before this is published, and would then start for ever.
        await ReplaceStateAsync(agent, KnownResourceStates.Running, KnownResourceStates.Starting, () =>
        {
            lock (_gate)
            {
                return _starting.Contains(agent.Name);
            }
        });
    }

    /// <summary>Publishes what changed since the last view.</summary>
    public async Task PublishAsync(ClusterView? last, ClusterView view)
    {
        var hadAnswered = _clusterAnswered;
        _clusterAnswered |= view.CanDecide;
        var page = PageOf(view);
        await notifications.PublishUpdateAsync(cluster, snapshot => snapshot with
        {
            State = !_clusterAnswered ? KnownResourceStates.Starting
                : new ResourceStateSnapshot(KnownResourceStates.Running, view.Style == KnownResourceStateStyles.Error ? view.Style : null!),
            StartTimeStamp = snapshot.StartTimeStamp ?? (_clusterAnswered ? DateTime.UtcNow : null),
            // Agents that start are not down, and do not hang.
            Properties = [.. PropertiesOf(view, _clusterAnswered ? view.Sentence : view.Counts)],
            Urls = page is null || !_clusterAnswered ? [] : [.. UrlsOf(view, page)],
        });
        if (hadAnswered && last?.CanDecide != view.CanDecide)
        {
            await CheckHealthNowAsync(cluster);
        }

        for (var i = 0; i < cluster.Agents.Count; i++)
        {
            await PublishAsync(cluster.Agents[i].Agent, last?.Agents[i], view.Agents[i]);
        }
    }

    /// <summary>The address that shows the run: the page, or else what an agent that is up says of the decision.</summary>
    private string? PageOf(ClusterView view) => cluster.PageOf(view) is { } page ? view.PageAt(page)
        : cluster.Agents.Where((_, i) => view.Agents[i].Up).FirstOrDefault()?.Address is { } agent
        ? new Uri(agent, "/consensus").ToString() : null;

    private static IEnumerable<UrlSnapshot> UrlsOf(ClusterView view, string page)
    {
        // The list of resources shows one link in full at every width, so the outcome is its text. The details show the other.
        yield return new UrlSnapshot("outcome", page, IsInternal: false)
        { DisplayProperties = new(view.Text, SortOrder: 1) };
        if (view.TraceUrl is { } trace)
        {
            yield return new UrlSnapshot("trace", trace, IsInternal: true) { DisplayProperties = new("Trace") };
        }
    }

    private static IEnumerable<ResourcePropertySnapshot> PropertiesOf(ClusterView view, string sentence)
    {
        var summary = view.Summary;
        (string Name, string? Value)[] properties =
        [
            ("Outcome", sentence),
            ("Agents up", string.Join(", ", view.Up)),
            ("Run", view.Run),
            ("Rule", summary?.Rule),
            ("Value", summary?.Value?.ToString(CultureInfo.InvariantCulture)),
            ("Rounds", summary?.Rounds.ToString(CultureInfo.InvariantCulture)),
            ("Duration", summary?.DurationMs is { } duration ? ClusterView.FormatDuration(duration) : null),
            ("Messages", summary is null ? null : view.InRun.Sum(agent => agent.Summary?.Sent ?? 0).ToString(CultureInfo.InvariantCulture)),
        ];

        // The details pane shows only highlighted properties at first. The list of resources shows the source.
        return properties.Where(property => property.Value is not null)
            .Select((property, i) => new ResourcePropertySnapshot(property.Name, property.Value) { IsHighlighted = true, SortOrder = i })
            .Append(new ResourcePropertySnapshot(CustomResourceKnownProperties.Source, sentence));
    }

    /// <summary>Publishes what the links do, where that changed.</summary>
    public async Task PublishLinksAsync(ClusterLinks links)
    {
        foreach (var link in links.Resources)
        {
            var own = links.States.Where(link.Holds).ToList();
            var broken = own.Where(state => state.Faults.ToString().Length > 0).ToList();
            var text = own.Count == 0 ? KnownResourceStates.Starting : broken.Count == 0 ? KnownResourceStates.Running
                : own.TrueForAll(state => state.Faults.Cut) ? "Cut" : broken.Exists(state => state.Faults.Cut) ? "Cut one way" : "Faulty";
            var source = string.Join("; ", broken.Select(state => $"{state.From} → {state.To}: {state.Faults}"));
            if (_links.GetValueOrDefault(link) == (text, source))
            {
                continue;
            }

            _links[link] = (text, source);
            var style = broken.Count == 0 ? null
                : own.TrueForAll(state => state.Faults.Cut) ? KnownResourceStateStyles.Error : KnownResourceStateStyles.Warn;
            await notifications.PublishUpdateAsync(link, snapshot => snapshot with
            {
                State = new ResourceStateSnapshot(text, style!),
                Properties =
                [
                    .. snapshot.Properties.Where(property =>
                        property.Name != CustomResourceKnownProperties.Source && property.Name != FaultsProperty),
                    new(CustomResourceKnownProperties.Source, source),
                    new(FaultsProperty, source.Length == 0 ? "none" : source) { IsHighlighted = true },
                ],
            });
        }
    }

    /// <summary>Publishes an agent's details, and has its health checked at once where that changed.</summary>
    private async Task PublishAsync(IResource agent, AgentStatus? before, AgentStatus now)
    {
        if (now.State is { } state
            && (before?.State is not { } last
            || (last.Run, last.Round, last.Decision, last.Isolated)
            != (state.Run, state.Round, state.Decision, state.Isolated)))
        {
            await PublishPropertiesAsync(agent, state);
        }

        bool isFirstAnswer;
        lock (_gate)
        {
            isFirstAnswer = now.Up && _answered.Add(agent.Name);
            if (isFirstAnswer)
            {
                _starting.Remove(agent.Name);
            }
        }

        if (isFirstAnswer)
        {
            // It may have answered before this class saw that its process runs.
            await ReplaceStateAsync(agent, KnownResourceStates.Running, KnownResourceStates.Starting);
            await ReplaceStateAsync(agent, KnownResourceStates.Starting, KnownResourceStates.Running);
        }
        else if (before is not null
            && (before.Up != now.Up || before.Isolated != now.Isolated || before.State?.Stalled != now.State?.Stalled))
        {
            await CheckHealthNowAsync(agent);
        }
    }

    private Task PublishPropertiesAsync(IResource agent, AgentState state)
    {
        (string Name, string? Value)[] properties =
        [
            (NetworkProperty, state.Isolated ? Isolated : "connected"),
            ("Run", state.Run),
            ("Round", state.Run is null ? null : (state.Decision?.Round ?? state.Round).ToString(CultureInfo.InvariantCulture)),
            ("Value", state.Run is null ? null : state.Decision?.Value.ToString(CultureInfo.InvariantCulture) ?? "undecided"),
        ];
        return notifications.PublishUpdateAsync(agent, snapshot => snapshot with
        {
            Properties =
            [
                .. snapshot.Properties.Where(old => properties.All(property => property.Name != old.Name)),
                .. properties.Where(property => property.Value is not null)
                    .Select(property => new ResourcePropertySnapshot(property.Name, property.Value) { IsHighlighted = true }),
            ],
        });
    }

    private Task ReplaceStateAsync(IResource resource, string from, string to, Func<bool>? isStillTrue = null) =>
        notifications.PublishUpdateAsync(resource, snapshot =>
            snapshot.State?.Text == from && isStillTrue?.Invoke() != false ? snapshot with { State = to } : snapshot);

    /// <summary>
    /// A healthy resource is checked every 30 s only, which nothing sets. A change of its state's text is the one
    /// thing that has it checked at once.
    /// </summary>
    public async Task CheckHealthNowAsync(IResource resource)
    {
        ResourceStateSnapshot? running = null;
        await notifications.PublishUpdateAsync(resource, snapshot =>
        {
            running = snapshot.State;
            return running?.Text == KnownResourceStates.Running
                ? snapshot with { State = new ResourceStateSnapshot(CheckingHealth, running.Style) }
                : snapshot;
        });
        await notifications.PublishUpdateAsync(resource,
            snapshot => snapshot.State?.Text == CheckingHealth ? snapshot with { State = running } : snapshot);
    }
}
