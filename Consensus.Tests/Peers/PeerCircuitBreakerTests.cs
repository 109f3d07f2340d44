using Consensus.Agent.Peers;
using Microsoft.Extensions.Time.Testing;

namespace Consensus.Tests.Peers;

[Trait(Category.Name, Category.Fast)]
public sealed class PeerCircuitBreakerTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void A_peer_that_cannot_be_reached_is_left_alone_for_longer_and_longer_and_at_most_a_second()
    {
        var peer = new PeerCircuitBreaker(_time);
        Assert.False(peer.IsOpen);
        foreach (var pause in (int[])[50, 100, 200, 400, 800, 1000, 1000])
        {
            peer.RecordFailure();
            _time.Advance(TimeSpan.FromMilliseconds(pause - 1));
            Assert.True(peer.IsOpen);

            // Calls that were under way together are one failure.
            peer.RecordFailure();
            _time.Advance(TimeSpan.FromMilliseconds(1));
            Assert.False(peer.IsOpen);
        }
    }

    [Fact]
    public void A_peer_that_is_back_is_called_at_once_and_its_next_pause_is_short_again()
    {
        var peer = new PeerCircuitBreaker(_time);
        peer.RecordFailure();
        _time.Advance(TimeSpan.FromMilliseconds(50));
        peer.RecordFailure();
        peer.RecordSuccess();
        Assert.False(peer.IsOpen);
        peer.RecordFailure();
        _time.Advance(TimeSpan.FromMilliseconds(50));
        Assert.False(peer.IsOpen);
    }
}
