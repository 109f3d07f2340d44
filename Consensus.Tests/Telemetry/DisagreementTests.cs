using System.Diagnostics;
using System.Diagnostics.Metrics;
using Consensus.Agent.Configuration;
using Consensus.Agent.Telemetry;
using Consensus.Protocol;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Consensus.Tests.Telemetry;

/// <summary>What the telemetry says where another agent decided another value, which the classic rule allows.</summary>
[Trait(Category.Name, Category.Fast)]
public sealed class DisagreementTests
{
    private static readonly RunDescriptor Run =
        new(new RunId(1, "agent2", "b"), 3, 1, Rule.Classic, 3, DrawStrategy.Fresh, 0, new Dictionary<string, string> { ["agent2"] = "b" });

    [Fact]
    public void A_disagreement_is_an_error_in_the_trace_of_its_run_and_a_line_that_leads_to_it()
    {
        var tracing = new RunTracing("agent-that-disagrees");
        var spans = new List<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source == tracing.Source,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = spans.Add,
        };
        ActivitySource.AddActivityListener(listener);
        using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var lines = new Lines();
        var telemetry = new AgentTelemetry(
            tracing, new AgentMetrics(services.GetRequiredService<IMeterFactory>()),
            new RunLogger(new AgentOptions { Id = "agent1" }, TimeProvider.System, lines));

        telemetry.StartTakenUp(default);
        telemetry.Record(new ProtocolEvent(ProtocolEventKind.Joined, Run.Id, 1), Run, new Started(), null);
        telemetry.Record(new ProtocolEvent(ProtocolEventKind.Drew, Run.Id, 1, 2), Run, new Started(), null);
        telemetry.Record(new ProtocolEvent(ProtocolEventKind.Decided, Run.Id, 1, 2), Run, new Started(), TimeSpan.FromMilliseconds(4));
        telemetry.Record(new ProtocolEvent(ProtocolEventKind.AgreementViolated, Run.Id, 1, 3, Other: "agent3"), Run, new Started(), null);

        var error = Assert.Single(spans, span => span.Status == ActivityStatusCode.Error);
        Assert.Equal("disagreement: agent3 decided 3", error.DisplayName);
        Assert.Equal(Assert.Single(spans, span => span.OperationName == "run").TraceId, error.TraceId);
        var (level, text, trace) = lines.All[^1];
        Assert.Equal((LogLevel.Error, error.TraceId), (level, trace));
        Assert.Contains("agent3 decided 3", text, StringComparison.Ordinal);
    }

    private sealed class Lines : ILogger<RunLogger>
    {
        public List<(LogLevel Level, string Text, ActivityTraceId? Trace)> All { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            All.Add((logLevel, formatter(state, exception), Activity.Current?.TraceId));
    }
}
