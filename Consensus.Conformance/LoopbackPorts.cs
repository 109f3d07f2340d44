using System.Net;
using System.Net.Sockets;

namespace Consensus.Conformance;

/// <summary>Ports of the loopback address.</summary>
internal static class LoopbackPorts
{
    /// <summary>Finds ports that are free now. All are held until all are known, so that no two are the same.</summary>
    public static int[] Free(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToList();
        listeners.ForEach(listener => listener.Start());
        var ports = listeners.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port).ToArray();
        listeners.ForEach(listener => listener.Dispose());
        return ports;
    }
}
