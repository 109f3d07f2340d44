using System.Net;
using System.Net.Sockets;
using Consensus.ServiceDefaults;
using Microsoft.Extensions.Time.Testing;

namespace Consensus.Tests.Peers;

/// <summary>Look-ups of names, some of which block because no name server answers.</summary>
[Trait(Category.Name, Category.Fast)]
public sealed class NameResolverTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly FakeTimeProvider _time = new();
    private readonly ManualResetEventSlim _nameServerAnswers = new();
    private readonly SemaphoreSlim _started = new(0);
    private readonly NameResolver _resolver;
    private int _lookUps;
    private bool _blocksPool;

    public NameResolverTests() => _resolver = new NameResolver(LookUp, _time);

    public void Dispose()
    {
        _nameServerAnswers.Set();
        _started.Dispose();
    }

    [Fact]
    public async Task A_look_up_that_blocks_takes_no_thread_of_the_pool_and_delays_no_other_name()
    {
        var blocked = _resolver.ResolveAsync("agent3", CancellationToken.None);
        await StartedAsync();
        Assert.Equal([IPAddress.Loopback], await _resolver.ResolveAsync("agent2", CancellationToken.None).WaitAsync(Limit));
        Assert.False(blocked.IsCompleted);
        Assert.False(_blocksPool);
    }

    [Fact]
    public async Task Callers_that_time_out_one_after_another_share_one_look_up()
    {
        var first = _resolver.ResolveAsync("agent3", CancellationToken.None);
        await StartedAsync();
        for (var call = 0; call < 100; call++)
        {
            using var timeout = new CancellationTokenSource();
            var resolving = _resolver.ResolveAsync("agent3", timeout.Token);
            await timeout.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => resolving);
        }

        var last = _resolver.ResolveAsync("agent3", CancellationToken.None);
        _nameServerAnswers.Set();
        Assert.Equal([IPAddress.Loopback], await last.WaitAsync(Limit));
        await first.WaitAsync(Limit);
        Assert.Equal(1, _lookUps);
    }

    [Fact]
    public async Task A_name_that_is_back_is_found_while_an_old_look_up_still_blocks()
    {
        var old = _resolver.ResolveAsync("agent3", CancellationToken.None);
        await StartedAsync();
        _time.Advance(NameResolver.SharedFor);
        var blocked = _resolver.ResolveAsync("agent3", CancellationToken.None);
        await StartedAsync();
        Assert.Equal(2, _lookUps);
        _nameServerAnswers.Set();
        Assert.Equal([IPAddress.Loopback], await blocked.WaitAsync(Limit));
        await old.WaitAsync(Limit);
    }

    [Fact]
    public async Task Each_connection_gets_the_addresses_of_its_time()
    {
        _nameServerAnswers.Set();
        await _resolver.ResolveAsync("agent3", CancellationToken.None).WaitAsync(Limit);
        await _resolver.ResolveAsync("agent3", CancellationToken.None).WaitAsync(Limit);
        Assert.Equal(2, _lookUps);
    }

    [Fact]
    public async Task A_name_that_does_not_exist_fails_for_everyone_who_waits()
    {
        var resolver = new NameResolver(
            _ => { _nameServerAnswers.Wait(); throw new SocketException((int)SocketError.HostNotFound); }, _time);
        Task[] waiting = [resolver.ResolveAsync("agent3", CancellationToken.None), resolver.ResolveAsync("agent3", CancellationToken.None)];
        _nameServerAnswers.Set();
        foreach (var one in waiting)
        {
            Assert.Equal(SocketError.HostNotFound, (await Assert.ThrowsAsync<SocketException>(() => one.WaitAsync(Limit))).SocketErrorCode);
        }
    }

    /// <summary>The name server knows agent2, and answers for agent3 only when it is let.</summary>
    private IPAddress[] LookUp(string name)
    {
        if (name == "agent3")
        {
            Interlocked.Increment(ref _lookUps);
            _blocksPool |= Thread.CurrentThread.IsThreadPoolThread;
            _started.Release();
            _nameServerAnswers.Wait();
        }

        return [IPAddress.Loopback];
    }

    private async Task StartedAsync() => Assert.True(await _started.WaitAsync(Limit));
}
