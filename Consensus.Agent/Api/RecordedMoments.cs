using System.Globalization;
using Consensus.Agent.Configuration;
using Consensus.Agent.Http;
using Consensus.Agent.Peers;
using Consensus.Agent.Recorder;
using Consensus.Protocol;
using Consensus.Simulation.Exploration;
using Consensus.Simulation.ModelChecking;
using Consensus.Timeline;
using Microsoft.Extensions.Caching.Memory;

namespace Consensus.Agent.Api;

/// <summary>
/// Finds moments of recorded runs for the explorer. It keeps the last ones, so that a path goes on although the agents forget the run.
/// </summary>
internal sealed class RecordedMoments(ClusterTimelines timelines, TimelineReader timeline, AgentOptions options, AgentApiClient client)
    : IDisposable
{
    private const int MaxKept = 16;

    private readonly MemoryCache _kept = new(new MemoryCacheOptions { SizeLimit = MaxKept });

    /// <summary>Finds a moment.</summary>
    /// <param name="run">The run's id.</param>
    /// <param name="at">When, in ms since the run's start in <c>GET /timeline?cluster=true</c>.</param>
    /// <param name="cancellation">Ends the calls to the peers.</param>
    /// <returns>What is explored from there, or the problem.</returns>
    public async Task<(ExplorationOptions? Options, IResult? Problem)> FindAsync(string run, string? at, CancellationToken cancellation)
    {
        const NumberStyles Style = NumberStyles.AllowDecimalPoint;
        if (!double.TryParse(at, Style, CultureInfo.InvariantCulture, out var ms) || !RunId.TryParse(run, out _))
        {
            return (null, RequestBody.Problem(
                400, "run must be a run id, number.initiator.boot, and at a time in it in ms, such as 12.5."));
        }

        if (_kept.TryGetValue((run, at), out ExplorationOptions? kept))
        {
            return (kept, null);
        }

        var (merged, problem) = await timelines.ReadAsync(run, null, cancellation);
        if (merged is null)
        {
            return (null, problem);
        }

        if (FindError(merged) is { } error)
        {
            return (null, RequestBody.Problem(400, error));
        }

        try
        {
            var (found, _) = await ReadAsync(merged, merged.StartUs + (long)Math.Round(ms * 1000), cancellation);
            return (_kept.Set((run, at), found, new MemoryCacheEntryOptions { Size = 1 }), null);
        }
        catch (FormatException impossible)
        {
            return (null, RequestBody.Problem(400, $"This moment cannot be explored: {impossible.Message}"));
        }
    }

    /// <summary>Explains what happened in a recorded run of any size.</summary>
    /// <param name="run">The run's id.</param>
    /// <param name="why">What is to be explained.</param>
    /// <param name="cancellation">Ends the calls to the peers.</param>
    /// <returns>The explanation, or the problem.</returns>
    public async Task<(EventExplanation? Explanation, IResult? Problem)> ExplainAsync(
        string run, WhyQuestion why, CancellationToken cancellation)
    {
        var (merged, problem) = await timelines.ReadAsync(run, null, cancellation);
        if (merged is not { Descriptor: not null })
        {
            return (null, problem ?? RequestBody.Problem(400, "Only runs with a description can be explained."));
        }

        try
        {
            var (_, cluster) = await ReadAsync(merged, long.MaxValue, cancellation);
            return why.Answer(cluster.Trace!, null, merged.StartUs) is { } answer ? (answer, null)
                : (null, RequestBody.Problem(404, merged.Lanes.FirstOrDefault(lane => lane.AgentId == why.Agent) is { StateKnown: false }
                    ? $"{why.Agent} gives no record, so only the other agents' steps can be explained."
                    : "Nothing such happened in this run, or it is no longer recorded."));
        }
        catch (FormatException impossible)
        {
            return (null, RequestBody.Problem(400, $"This run cannot be explained: {impossible.Message}"));
        }
    }

    /// <summary>A run up to a moment, in µs since 1970.</summary>
    /// <exception cref="FormatException">The recorded steps cannot be taken again.</exception>
    private async Task<(ExplorationOptions Options, ExploredCluster Cluster)> ReadAsync(
        ClusterTimeline merged, long until, CancellationToken cancellation)
    {
        var descriptor = merged.Descriptor!;
        var parts = await PartsOf(merged, merged.Run!, cancellation);
        var options = new ExplorationOptions(
            parts.Count, descriptor.Rule, descriptor.Values, Spread: descriptor.Spread, From: new RecordedMoment(descriptor, until, parts));
        return (options, new ExploredCluster(options, []));
    }

    /// <inheritdoc/>
    public void Dispose() => _kept.Dispose();

    private static string? FindError(ClusterTimeline merged) =>
        merged.Descriptor is not { } run ? "Only runs with a description can be explored."
        : merged.N > ModelCheckerOptions.MaxAgents || merged.Lanes.Count != merged.N
            ? $"Only runs of up to {ModelCheckerOptions.MaxAgents} agents can be explored."
        : run.Values > ModelCheckerOptions.MaxValues
            ? $"Only runs that draw from up to {ModelCheckerOptions.MaxValues} values can be explored."
        : null;

    private async Task<List<RecordedPart>> PartsOf(ClusterTimeline merged, string run, CancellationToken cancellation)
    {
        var recordings = await AgentApiClient.AllAsync(options.Peers, peer => ReadAsync(peer, run, cancellation));
        var known = recordings.Append(timeline.ReadRecording(run) ?? timeline.ReadRecording(null)).OfType<Recording>()
            .ToDictionary(recording => recording.AgentId, StringComparer.Ordinal);

        // Without its record, an agent that is up would be taken for one that is down.
        if (merged.Lanes.FirstOrDefault(lane => lane.StateKnown && !known.ContainsKey(lane.AgentId)) is { } silent)
        {
            throw new FormatException($"{silent.AgentId} did not give its record in time. Try again.");
        }

        return
        [
            .. merged.Lanes.Select(lane =>
                new RecordedPart(lane.AgentId, known.GetValueOrDefault(lane.AgentId), (long)Math.Round(lane.OffsetMs * 1000))),
        ];
    }

    /// <summary>An agent that does not know the run has recorded what it did meanwhile.</summary>
    private async Task<Recording?> ReadAsync(Uri peer, string run, CancellationToken cancellation) =>
        await client.GetRecordingAsync(peer, $"/timeline/record?run={Uri.EscapeDataString(run)}", cancellation)
        ?? await client.GetRecordingAsync(peer, "/timeline/record", cancellation);
}
