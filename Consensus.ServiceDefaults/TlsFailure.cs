using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Consensus.ServiceDefaults;

/// <summary>Says why TLS with another program failed. The platform's sentence, "see inner exception", helps only who sees that.</summary>
public static class TlsFailure
{
    private const string Prefix = "TLS failed: ";

    /// <summary>Checks a certificate as the platform does, and keeps the reason for which it is refused.</summary>
    /// <exception cref="AuthenticationException">It is refused.</exception>
    public static bool Validate(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors) =>
        errors == SslPolicyErrors.None ? true
            : throw new CertificateRefusedException(string.Join(", and ", Reasons(chain, errors).Distinct()));

    /// <summary>The reason for which a call failed; null: it did not fail in TLS.</summary>
    public static string? Of(Exception failure)
    {
        if (failure is not HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError, InnerException: { } reason })
        {
            return null;
        }

        return Prefix + reason switch
        {
            CertificateRefusedException refused => refused.Message,

            // A handshake that the other side refuses has a reason of its own; what is no handshake has none.
            { InnerException: { } inner } => inner.Message.TrimEnd('.'),
            _ => "no TLS is spoken there; write the address with http://",
        };
    }

    /// <summary>The reason for which a call failed, in a few words.</summary>
    public static string Describe(HttpRequestException failure) => Of(failure) ?? failure.Message;

    private static IEnumerable<string> Reasons(X509Chain? chain, SslPolicyErrors errors)
    {
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable))
        {
            yield return "it shows no certificate";
        }

        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
        {
            yield return "its certificate is for another name";
        }

        foreach (var status in chain?.ChainStatus ?? [])
        {
            yield return status.Status switch
            {
                X509ChainStatusFlags.NotTimeValid => "its certificate has expired, or is not valid yet",
                X509ChainStatusFlags.UntrustedRoot or X509ChainStatusFlags.PartialChain => "its certificate is not trusted here",
                _ => $"its certificate is refused ({status.StatusInformation.Trim()})",
            };
        }
    }

    private sealed class CertificateRefusedException(string message) : AuthenticationException(message);
}
