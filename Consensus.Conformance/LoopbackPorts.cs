using System.Net;
using System.Net.Sockets;

namespace Consensus.Conformance;

/// <summary>Free ports of the loopback address. The caller chooses a port and then starts the program that listens on it.</summary>
internal static class LoopbackPorts
{
    // Linux, macOS and Windows give higher ports to outgoing connections and to listeners on port 0. Those could take a port before
    // the program listens.
    private const int First = 20_000;
    private const int Count = 12_768;

    private static int _last = Random.Shared.Next(Count);

    /// <summary>Finds ports that are free now. A process returns no port twice until it has returned all.</summary>
    /// <exception cref="IOException">Too few ports are free.</exception>
    public static int[] Free(int count)
    {
        int[] ports = [.. Enumerable.Range(0, Count).Select(_ => Next()).Where(IsFree).Take(count)];
        return ports.Length == count ? ports
            : throw new IOException($"Only {ports.Length} ports from {First} to {First + Count - 1} are free; {count} are needed.");
    }

    private static int Next() => First + (int)((uint)Interlocked.Increment(ref _last) % Count);

    private static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
