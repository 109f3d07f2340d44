using Consensus.Tests.AppHost;
using Consensus.Tests.Browser;
using Consensus.Tests.Cluster;
using Consensus.Tests.Conformance;
using Consensus.Tests.Simulation;
using Consensus.Tests.Telemetry;
using Xunit.Abstractions;

[assembly: TestCollectionOrderer("Consensus.Tests.LongestFirst", "Consensus.Tests")]

namespace Consensus.Tests;

/// <summary>
/// Starts the collections that take longest first. The tests of one collection run one after another, so a long collection that starts
/// late is waited for alone.
/// </summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly string[] Long =
    [
        Chromium.Lab, Chromium.Live, RunningApplication.Others, RunningApplication.Collection,
        Of<ModelCheckerTests>(), Of<BrokenAgentTests>(), Of<WarmUpTests>(), Of<StormTests>(),
    ];

    private static string Of<T>() => $"Test collection for {typeof(T).FullName}";

    /// <inheritdoc/>
    public IEnumerable<ITestCollection> OrderTestCollections(IEnumerable<ITestCollection> testCollections) =>
        testCollections.OrderBy(collection => Array.IndexOf(Long, collection.DisplayName) is >= 0 and var place ? place : Long.Length);
}
