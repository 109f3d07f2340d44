using System.Diagnostics;
using System.Globalization;
using Consensus.Protocol;

namespace Consensus.Agent.Telemetry;

/// <summary>Where a message belongs in a trace.</summary>
/// <param name="Context">The span it lies under; default: it belongs to no trace.</param>
/// <param name="MakesSpan">Whether the call is a span; if not, the receiver's span lies under <paramref name="Context"/>.</param>
/// <param name="IsLate">Whether the receiver's span begins a trace of its own that links to <paramref name="Context"/>.</param>
internal readonly record struct MessageParent(ActivityContext Context, bool MakesSpan, bool IsLate = false);

/// <summary>
/// Spans of messages between agents, with kind and receiver. They replace the spans of HTTP. A call
/// that fails or is refused is no error of the run, so no status is set.
/// </summary>
internal sealed class MessageTracing(RunTracing runs)
{
    /// <summary>The header that names the sender's span (W3C Trace Context).</summary>
    public const string Header = "traceparent";

    /// <summary>The header that is <see cref="Late"/> where the run's trace is over (W3C Trace Context).</summary>
    public const string StateHeader = "tracestate";

    /// <summary>The receiver's span begins a trace of its own.</summary>
    public const string Late = "consensus=late";

    /// <summary>Starts the span of a call to a peer; null where the call makes none.</summary>
    public Activity? StartCall(Message message, string peer, in MessageParent parent)
    {
        if (!parent.MakesSpan || parent.Context == default)
        {
            return null;
        }

        var span = runs.Source.StartActivity($"{EventFormatter.Title(message)} → {peer}", ActivityKind.Client, parent.Context);
        if (span is { IsAllDataRequested: true })
        {
            SetTags(span, message);
            span.SetTag("peer.service", peer);
        }

        return span;
    }

    /// <summary>
    /// Starts the span of a message that came in; null where its sender names no span. The span of a late message is exported only where
    /// the message brings a run here (<see cref="AgentTelemetry"/>).
    /// </summary>
    public Activity? StartReceive(Message message, string? sender, string? traceparent, string? tracestate)
    {
        if (!ActivityContext.TryParse(traceparent, null, isRemote: true, out var parent))
        {
            return null;
        }

        var name = $"{EventFormatter.Title(message)} ← {sender ?? "unknown"}";
        var span = tracestate == Late
            ? runs.StartLate(name, ActivityKind.Server, parent)
            : runs.Source.StartActivity(name, ActivityKind.Server, parent);
        if (span is { IsAllDataRequested: true })
        {
            SetTags(span, message);
        }

        return span;
    }

    /// <summary>Records the response on the message's span; null: there is none.</summary>
    public static void RecordResponse(Activity? span, Response? response)
    {
        if (span is { IsAllDataRequested: true })
        {
            span.SetTag("consensus.outcome", AgentMetrics.OutcomeOf(response));
            span.SetTag("consensus.answer", response is null ? null : EventFormatter.Of(response));
        }
    }

    /// <summary>Records on the message's span why there is no response.</summary>
    public static void RecordFailure(Activity? span, string why)
    {
        RecordResponse(span, null);
        span?.AddEvent(new ActivityEvent("no answer", tags: [new("consensus.reason", why)]));
    }

    /// <summary>Writes a context as <see cref="Header"/> carries it; null for none.</summary>
    public static string? Format(in ActivityContext context) => context == default
        ? null
        : string.Create(CultureInfo.InvariantCulture, $"00-{context.TraceId}-{context.SpanId}-{(byte)context.TraceFlags:x2}");

    private static void SetTags(Activity span, Message message)
    {
        span.SetTag("consensus.message.type", message.Kind.WireName());
        span.SetTag("consensus.run.id", message.Run?.Id.ToString());
        span.SetTag("consensus.relayed", message.Relayed?.Count);
        span.SetTag("consensus.round", message.Content.Round is not 0 and var round ? round : null);
    }
}
