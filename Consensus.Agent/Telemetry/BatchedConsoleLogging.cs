using System.Text;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;

namespace Consensus.Agent.Telemetry;

/// <summary>
/// The platform's console logging with its formatters and options, but in batches (<see cref="ConsoleBatch"/>). The platform's
/// own provider wakes a thread for each line, which takes 4 to 17 % of the CPU of a decision (docs/performance.md).
/// </summary>
internal static class BatchedConsoleLogging
{
    /// <summary>Logs to the console: one line for each entry, unless settings name another formatter.</summary>
    public static ILoggingBuilder AddBatchedConsole(this ILoggingBuilder logging)
    {
        logging.AddSimpleConsole(console => console.SingleLine = true);
        foreach (var platform in logging.Services.Where(service => service.ImplementationType == typeof(ConsoleLoggerProvider)).ToList())
        {
            logging.Services.Remove(platform);
        }

        logging.Services.AddSingleton(ConsoleBatch.Shared);
        logging.Services.TryAddEnumerable(ServiceDescriptor.Singleton<ILoggerProvider, Provider>());
        return logging;
    }

    [ProviderAlias("Console")]
    private sealed class Provider(IOptions<ConsoleLoggerOptions> options, IEnumerable<ConsoleFormatter> formatters, ConsoleBatch batch)
        : ILoggerProvider, ISupportExternalScope
    {
        private readonly ConsoleFormatter _formatter = formatters.FirstOrDefault(formatter => formatter.Name == options.Value.FormatterName)
            ?? formatters.First(formatter => formatter.Name == ConsoleFormatterNames.Simple);

        private IExternalScopeProvider? _scopes;

        public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

        public void SetScopeProvider(IExternalScopeProvider scopeProvider) => _scopes = scopeProvider;

        public void Dispose() => batch.Flush();

        private sealed class Logger(Provider provider, string category) : ILogger
        {
            [ThreadStatic]
            private static StringWriter? _formatted;

            public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

            public IDisposable? BeginScope<TState>(TState state)
                where TState : notnull => provider._scopes?.Push(state);

            public void Log<TState>(
                LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
            {
                _formatted ??= new StringWriter(System.Globalization.CultureInfo.InvariantCulture);
                provider._formatter.Write(
                    new LogEntry<TState>(logLevel, category, eventId, state, exception, formatter), provider._scopes, _formatted);
                var text = _formatted.GetStringBuilder();
                provider.Add(text, logLevel >= provider.Threshold, now: logLevel >= LogLevel.Error);
                text.Clear();
            }
        }

        private void Add(StringBuilder text, bool isError, bool now) => batch.Add(text, isError, now);

        private LogLevel Threshold => options.Value.LogToStandardErrorThreshold;
    }
}
