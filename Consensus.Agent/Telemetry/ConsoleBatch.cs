using System.Text;

namespace Consensus.Agent.Telemetry;

/// <summary>
/// Text for the console that is written at once every 20 ms. All agents of a process share one, so their lines keep their order.
/// </summary>
/// <param name="time">The clock.</param>
/// <param name="output">Receives what is for the standard output.</param>
/// <param name="errors">Receives what is for the standard error.</param>
internal sealed class ConsoleBatch(TimeProvider time, Action<string> output, Action<string> errors) : IDisposable
{
    // More waits for the console, as the platform's console logger does.
    private const int MaxLength = 1 << 20;
    private static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(20);

    private static readonly Lazy<ConsoleBatch> OfProcess = new(() =>
    {
        var batch = new ConsoleBatch(TimeProvider.System, static text => Console.Out.Write(text), static text => Console.Error.Write(text));
        AppDomain.CurrentDomain.ProcessExit += (_, _) => batch.Flush();
        return batch;
    });

    private readonly Lock _adding = new();
    private readonly Lock _writing = new();
    private readonly StringBuilder _output = new();
    private readonly StringBuilder _errors = new();
    private ITimer? _timer;

    /// <summary>The batch of this process.</summary>
    public static ConsoleBatch Shared => OfProcess.Value;

    /// <summary>Adds text.</summary>
    /// <param name="text">Whole lines.</param>
    /// <param name="isError">True for the standard error.</param>
    /// <param name="now">True to write all text at once, as the last words of a process need it.</param>
    public void Add(StringBuilder text, bool isError, bool now)
    {
        lock (_adding)
        {
            if (_output.Length + _errors.Length == 0)
            {
                _timer ??= time.CreateTimer(_ => Flush(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
                _timer.Change(Delay, Timeout.InfiniteTimeSpan);
            }

            var added = isError ? _errors : _output;
            added.Append(text);
            now |= added.Length > MaxLength;
        }

        if (now)
        {
            Flush();
        }
    }

    /// <summary>Writes what was added.</summary>
    public void Flush()
    {
        lock (_writing)
        {
            string text, errorText;
            lock (_adding)
            {
                (text, errorText) = (_output.ToString(), _errors.ToString());
                _output.Clear();
                _errors.Clear();
            }

            Write(output, text);
            Write(errors, errorText);
        }
    }

    public void Dispose()
    {
        _timer?.Dispose();
        Flush();
    }

    private static void Write(Action<string> writer, string text)
    {
        if (text.Length > 0)
        {
            writer(text);
        }
    }
}
