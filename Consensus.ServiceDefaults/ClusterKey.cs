using System.Net.Http.Headers;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Consensus.Protocol;

namespace Consensus.ServiceDefaults;

/// <summary><c>CLUSTER_KEY</c>: the shared secret of one cluster's agents. <c>ToString</c> never returns it.</summary>
public sealed class ClusterKey
{
    /// <summary>The header that carries it.</summary>
    public const string Header = ClusterKeyRule.Header;

    private readonly string _secret;

    /// <summary>Takes the key.</summary>
    /// <exception cref="ConfigurationException">It is too short to be a secret, or cannot be sent in a header.</exception>
    public ClusterKey(string secret)
    {
        if (!ClusterKeyRule.Accepts(secret))
        {
            throw new ConfigurationException($"CLUSTER_KEY must be {ClusterKeyRule.Allowed}.");
        }

        _secret = secret;
    }

    /// <summary>Whether this is the key. It takes the same time wherever the two differ.</summary>
    public bool Is(string? sent) =>
        CryptographicOperations.FixedTimeEquals(MemoryMarshal.AsBytes(_secret.AsSpan()), MemoryMarshal.AsBytes(sent.AsSpan()));

    /// <summary>Adds it to what is sent.</summary>
    public void AddTo(HttpRequestHeaders headers) => headers.TryAddWithoutValidation(Header, _secret);

    /// <summary>Stars instead of the key.</summary>
    public override string ToString() => "***";
}
