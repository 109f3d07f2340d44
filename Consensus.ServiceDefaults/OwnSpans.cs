using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry;

namespace Microsoft.Extensions.Hosting;

/// <summary>Says which spans are a service's own, where several services share a process and so see each other's.</summary>
public interface ISpanOwner
{
    /// <summary>Whether the span is to be exported by this service.</summary>
    bool Owns(Activity span);
}

/// <summary>Hands on a service's own spans only.</summary>
public sealed class OwnSpans : CompositeProcessor<Activity>
{
    private readonly ISpanOwner? _owner;

    private OwnSpans(ISpanOwner? owner, BaseProcessor<Activity> next)
        : base([next]) => _owner = owner;

    /// <summary>The spans that the service's <see cref="ISpanOwner"/> knows for its own, or all where it has none.</summary>
    public static OwnSpans ExportedBy(IServiceProvider services, BaseProcessor<Activity> next) => new(services.GetService<ISpanOwner>(), next);

    /// <inheritdoc/>
    public override void OnStart(Activity data)
    {
        if (_owner is null || _owner.Owns(data))
        {
            base.OnStart(data);
        }
    }

    /// <inheritdoc/>
    public override void OnEnd(Activity data)
    {
        if (_owner is null || _owner.Owns(data))
        {
            base.OnEnd(data);
        }
    }
}
