using System.Net;

namespace Consensus.ServiceDefaults;

/// <summary>
/// Resolves names. The platform's look-up blocks a thread, for seconds where no name server answers, and
/// <see cref="Dns.GetHostAddressesAsync(string, CancellationToken)"/> takes that thread from the pool: one more for each
/// call that times out. Calls to a peer whose name is gone then leave no thread to calls to the other peers. Here a look-up
/// has its own thread, and callers that need the same name share it. Thread safe.
/// </summary>
/// <param name="lookUp">Finds the addresses of a name; may block.</param>
/// <param name="time">The clock.</param>
public sealed class NameResolver(Func<string, IPAddress[]> lookUp, TimeProvider time)
{
    /// <summary>How long callers join a look-up. After that a new one starts, since the name may be back.</summary>
    public static readonly TimeSpan SharedFor = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, (Task<IPAddress[]> Addresses, long Start)> _lookUps = [];

    /// <summary>Finds the addresses of a name, the preferred one first.</summary>
    /// <param name="name">The name.</param>
    /// <param name="cancellation">Ends the wait, and not the look-up.</param>
    /// <exception cref="System.Net.Sockets.SocketException">The name has no address, or no name server answers.</exception>
    public Task<IPAddress[]> ResolveAsync(string name, CancellationToken cancellation)
    {
        lock (_gate)
        {
            if (!_lookUps.TryGetValue(name, out var current) || current.Addresses.IsCompleted
                || time.GetElapsedTime(current.Start) >= SharedFor)
            {
                var addresses = Task.Factory.StartNew(
                    () => lookUp(name), CancellationToken.None,
                    TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach, TaskScheduler.Default);
                _lookUps[name] = current = (addresses, time.GetTimestamp());
            }

            return current.Addresses.WaitAsync(cancellation);
        }
    }
}
