using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace Microsoft.Extensions.Hosting;

/// <summary>
/// Sends what telemetry is left when the service stops, for at most <see cref="AtMost"/>. When they are disposed, each of the
/// three providers would wait 5 s for a collector that does not respond.
/// </summary>
internal sealed class TelemetryShutdown(IServiceProvider services) : IHostedLifecycleService
{
    internal static readonly TimeSpan AtMost = TimeSpan.FromMilliseconds(500);

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken)
    {
        var milliseconds = (int)AtMost.TotalMilliseconds;
        return Task.WhenAll(
            InThread(() => services.GetService<TracerProvider>()?.Shutdown(milliseconds)),
            InThread(() => services.GetService<MeterProvider>()?.Shutdown(milliseconds)),
            InThread(() => services.GetService<LoggerProvider>()?.Shutdown(milliseconds)));
    }

    // The calls block, and the thread pool may have fewer threads than there are calls.
    private static Task InThread(Action action) =>
        Task.Factory.StartNew(action, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
