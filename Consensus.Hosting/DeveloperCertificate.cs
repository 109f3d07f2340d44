using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Configuration;

namespace Consensus.Hosting;

/// <summary>The certificate that the dashboard needs for https.</summary>
internal static class DeveloperCertificate
{
    // The extension by which `dotnet dev-certs` marks its certificates.
    internal const string Mark = "1.3.6.1.4.1.311.84.1.1";

    /// <summary>One line that says what to do where the dashboard is to listen by https and there is no certificate; else null.</summary>
    public static string? Warning(IConfiguration configuration)
    {
        if (configuration["ASPNETCORE_URLS"]?.Contains("https://", StringComparison.OrdinalIgnoreCase) != true)
        {
            return null;
        }

        using var store = new X509Store(StoreName.My, StoreLocation.CurrentUser, OpenFlags.ReadOnly);
        return Warning(store.Certificates);
    }

    /// <summary>The same for https with these certificates.</summary>
    internal static string? Warning(IEnumerable<X509Certificate2> certificates) =>
        certificates.Any(certificate => certificate.NotAfter > DateTime.Now && certificate.Extensions[Mark] is not null)
            ? null
            : "The https profile needs a developer certificate. Make one with `dotnet dev-certs https --trust`, "
                + "or start with the http profile.";
}
