using Consensus.Tests.AppHost;
using Consensus.Tests.Browser;
using Consensus.Tests.Simulation;
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
        $"Test collection for {typeof(ModelCheckerTests).FullName}",
    ];

    /// <inheritdoc/>
    public IEnumerable<ITestCollection> OrderTestCollections(IEnumerable<ITestCollection> testCollections) =>
        testCollections.OrderBy(collection => Array.IndexOf(Long, collection.DisplayName) is >= 0 and var place ? place : Long.Length);
}
