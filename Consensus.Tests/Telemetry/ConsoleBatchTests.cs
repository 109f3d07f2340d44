using System.Text;
using Consensus.Agent.Telemetry;
using Microsoft.Extensions.Time.Testing;

namespace Consensus.Tests.Telemetry;

/// <summary>Log lines on their way to the console.</summary>
[Trait(Category.Name, Category.Fast)]
public sealed class ConsoleBatchTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly List<string> _written = [];
    private readonly ConsoleBatch _batch;

    public ConsoleBatchTests() =>
        _batch = new ConsoleBatch(_time, text => _written.Add("out " + text), text => _written.Add("err " + text));

    [Fact]
    public void Lines_of_20_ms_are_written_at_once_in_their_order()
    {
        Add("a\n");
        _time.Advance(TimeSpan.FromMilliseconds(19));
        Add("b\n");
        Assert.Empty(_written);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(["out a\nb\n"], _written);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Single(_written);

        Add("c\n");
        _time.Advance(TimeSpan.FromMilliseconds(20));
        Assert.Equal(["out a\nb\n", "out c\n"], _written);
    }

    [Fact]
    public void A_line_that_cannot_wait_takes_all_earlier_lines_with_it()
    {
        Add("a\n");
        Add("failed\n", now: true);
        Assert.Equal(["out a\nfailed\n"], _written);
    }

    [Fact]
    public void Lines_for_the_standard_error_are_written_there()
    {
        Add("a\n");
        Add("b\n", isError: true);
        _batch.Flush();
        Assert.Equal(["out a\n", "err b\n"], _written);
    }

    [Fact]
    public void Much_text_waits_for_the_console_instead_of_filling_the_memory()
    {
        Add(new string('x', (1 << 20) + 1));
        Assert.Single(_written);
    }

    [Fact]
    public void The_last_lines_are_written_at_the_end()
    {
        Add("a\n");
        _batch.Dispose();
        Assert.Equal(["out a\n"], _written);
    }

    public void Dispose() => _batch.Dispose();

    private void Add(string text, bool isError = false, bool now = false) => _batch.Add(new StringBuilder(text), isError, now);
}
