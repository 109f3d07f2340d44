using System.Diagnostics;
using System.Diagnostics.Metrics;
using Consensus.Agent.Configuration;
using Consensus.Agent.Telemetry;
using Consensus.Protocol;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Consensus.Tests.Telemetry;

/// <summary>Metrics and tracing count the same runs, whatever order of events an agent reports.</summary>
[Trait(Category.Name, Category.Fast)]
public sealed class RunTrackerTests
{
    private static readonly RunDescriptor First = Run(1, Rule.Ratified);
    private static readonly RunDescriptor Second = Run(2, Rule.Classic);

    private static readonly (ProtocolEventKind Kind, RunDescriptor? Run)[] Events =
    [
        (ProtocolEventKind.Joined, First), (ProtocolEventKind.Drew, First),
        (ProtocolEventKind.Joined, Second), (ProtocolEventKind.Drew, Second), (ProtocolEventKind.Decided, Second),
        (ProtocolEventKind.Joined, Run(3, Rule.Ratified)),
        (ProtocolEventKind.Drew, Run(3, Rule.Ratified)), (ProtocolEventKind.WasReset, null),
        (ProtocolEventKind.WasReset, null),
        (ProtocolEventKind.CaughtUp, null), (ProtocolEventKind.Drew, null), (ProtocolEventKind.Learned, null),
        (ProtocolEventKind.Drew, null), (ProtocolEventKind.WasReset, null),
        (ProtocolEventKind.Restored, Run(4, Rule.Ratified)), (ProtocolEventKind.Learned, Run(4, Rule.Ratified)),
    ];

    [Fact]
    public void Metrics_and_spans_of_runs_have_the_same_outcomes()
    {
        var (spans, metrics) = Record();
        Assert.Equal(["ratified superseded", "classic decided", "ratified reset", "classic learned", "classic reset"], metrics);
        Assert.Equal(metrics, spans);
    }

    [Fact]
    public void A_run_that_another_supersedes_ends_with_its_own_rule()
    {
        var tracker = new RunTracker();
        var opened = tracker.Follow(new ProtocolEvent(ProtocolEventKind.Joined, First.Id, 1), First).Began;
        Assert.Equal(First, opened!.Descriptor);
        Assert.Equal(new RunChange(opened, "superseded", new OpenRun(Second, 1)),
            tracker.Follow(new ProtocolEvent(ProtocolEventKind.Joined, Second.Id, 1), Second));
    }

    private static (List<string> Spans, List<string> Metrics) Record()
    {
        var tracing = new RunTracing("agent-tracked");
        var spans = new List<string>();
        using var spanListener = new ActivityListener
        {
            ShouldListenTo = source => source == tracing.Source,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = span =>
            {
                if (span.OperationName == "run")
                {
                    spans.Add($"{span.GetTagItem("consensus.rule")} {span.GetTagItem("consensus.outcome")}");
                }
            },
        };
        ActivitySource.AddActivityListener(spanListener);
        using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var meters = services.GetRequiredService<IMeterFactory>();
        var metrics = new List<string>();
        using var meterListener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Scope == meters && instrument.Name == "consensus.runs")
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        meterListener.SetMeasurementEventCallback<long>(
            (_, _, tags, _) => metrics.Add(string.Join(' ', tags.ToArray().Select(tag => tag.Value))));
        meterListener.Start();

        var logger = new RunLogger(new AgentOptions { Id = "agent1" }, TimeProvider.System, NullLogger<RunLogger>.Instance);
        var telemetry = new AgentTelemetry(tracing, new AgentMetrics(meters), logger);
        foreach (var (kind, run) in Events)
        {
            telemetry.Record(new ProtocolEvent(kind, run?.Id ?? RunId.None, 1), run, new TimerFired(Consensus.Protocol.Timer.Window), null);
        }

        return (spans, metrics);
    }

    private static RunDescriptor Run(int number, Rule rule) =>
        new(new RunId(number, "agent2", "boot"), 3, 1, rule, 3, DrawStrategy.Fresh,
            200, new Dictionary<string, string> { ["agent2"] = "boot" });
}
