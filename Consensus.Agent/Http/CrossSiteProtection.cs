using System.Globalization;
using System.Net;
using System.Text;
using Consensus.Agent.Peers;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Scalar.AspNetCore;

namespace Consensus.Agent.Http;

/// <summary>
/// Keeps pages of other sites from using a person's browser against an agent, and limits in browsers what an agent's own
/// page may do. Costs calls between agents next to nothing: no page can send the header that names their messages.
/// </summary>
internal sealed class CrossSiteProtection
{
    /// <summary>
    /// Only what the agent itself serves may load, run or be called. A picture may also be one that the page has made: it turns
    /// its diagram into a PNG.
    /// </summary>
    public const string PolicyInFrames =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
            + "connect-src 'self'; base-uri 'none'; form-action 'none'";

    /// <summary>The same, and no page may frame the response.</summary>
    public const string Policy = PolicyInFrames + "; frame-ancestors 'none'";

    // Scalar's page holds a script that starts it, known by its nonce, and sets styles as it goes; it calls only this agent.
    private const string PolicyOfScalar =
        "default-src 'none'; script-src 'self' 'nonce-{0}'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
            + "font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private const string Setting = "AllowedHosts";

    private static readonly CompositeFormat ScalarFormat = CompositeFormat.Parse(PolicyOfScalar);

    private readonly IServer _server;
    private readonly RejectedRequestLog _rejectedRequestLog;
    private readonly bool _anyName;
    private readonly string[] _names;
    private bool? _onlyThisMachine;
    private string? _lastGoodHost;

    public CrossSiteProtection(IServer server, IConfiguration configuration, RejectedRequestLog rejectedRequestLog)
    {
        (_server, _rejectedRequestLog) = (server, rejectedRequestLog);

        // Then ASP.NET itself checks the names.
        _names = (configuration[Setting] ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        _anyName = _names.Length > 0;
    }

    /// <summary>Refuses a request or sets the headers of its response. Before everything that responds.</summary>
    public Task ProtectAsync(HttpContext context, RequestDelegate next)
    {
        var request = context.Request;
        var fromAgent = request.Headers.ContainsKey(MessageId.Header);
        if (!fromAgent)
        {
            SetHeaders(context);
        }

        if (!IsOurName(request.Headers.Host))
        {
            return RefuseAsync(
                context, RejectionReason.ByAnotherName, 421,
                $"This agent listens on this machine only: call it localhost, or list the host's name in {Setting}.", "host");
        }

        return !fromAgent && IsFromAnotherSite(request)
            ? RefuseAsync(
                context, RejectionReason.FromAnotherSite, 403,
                "A page of another site asked for this; open the agent's own page, or use a client that is no browser. "
                + $"Behind a proxy that changes Host, list the page's host and the one that the proxy sends in {Setting}.", "cross-site")
            : next(context);
    }

    /// <summary>Sets headers: a browser must trust the content type, may frame only pictures, and may load only our files.</summary>
    private static void SetHeaders(HttpContext context)
    {
        var headers = context.Response.Headers;
        if (WebPage.MayBeFramed(context.Request))
        {
            headers.ContentSecurityPolicy = PolicyInFrames;
        }
        else
        {
            headers.ContentSecurityPolicy = Policy;
            headers.XFrameOptions = "DENY";
        }

        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        if (context.Request.Path.StartsWithSegments("/scalar"))
        {
            context.Response.OnStarting(static state =>
            {
                var served = (HttpContext)state;
                if (served.Items[ScalarOptions.NonceHttpContextItemKey] is string nonce)
                {
                    served.Response.Headers.ContentSecurityPolicy = string.Format(CultureInfo.InvariantCulture, ScalarFormat, nonce);
                }

                return Task.CompletedTask;
            }, context);
        }
    }

    private Task RefuseAsync(HttpContext context, RejectionReason why, int status, string detail, string reason)
    {
        _rejectedRequestLog.Add(why, context);
        return RequestBody.Problem(status, detail, reason).ExecuteAsync(context);
    }

    /// <summary>
    /// By Fetch Metadata; by Origin in browsers that have none. A person may follow a link from anywhere. The hosts of AllowedHosts are the
    /// agent's own, also where a proxy calls it by one and people by another.
    /// </summary>
    private bool IsFromAnotherSite(HttpRequest request)
    {
        var reads = HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method);
        var site = request.Headers["Sec-Fetch-Site"];
        if (site.Count > 0)
        {
            return site != "same-origin" && site != "none"
                && !(reads && request.Headers["Sec-Fetch-Mode"] == "navigate"
                    && (request.Headers["Sec-Fetch-Dest"] == "document"
                        || (request.Headers["Sec-Fetch-Dest"] == "iframe" && WebPage.MayBeFramed(request))));
        }

        return !reads && request.Headers.Origin is { Count: > 0 } origin
            && !(Uri.TryCreate(origin, UriKind.Absolute, out var from)
                && (from.Authority.Equals(request.Host.Value, StringComparison.OrdinalIgnoreCase)
                    || _names.Contains(from.Host, StringComparer.OrdinalIgnoreCase)));
    }

    /// <summary>
    /// An agent that only this machine can reach responds only to names that no other site can own. Otherwise a
    /// page could make its own name resolve to this machine, and the browser would take the agent for the page's site.
    /// </summary>
    private bool IsOurName(string? host)
    {
        if (_anyName || string.IsNullOrEmpty(host) || host == _lastGoodHost)
        {
            return true;
        }

        if (!(_onlyThisMachine ??= ListensOnThisMachineOnly()))
        {
            return true;
        }

        var name = new HostString(host).Host;
        var ours = !name.Contains('.', StringComparison.Ordinal) || IPAddress.TryParse(name, out _)
            || name.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
            || name.EndsWith(".internal", StringComparison.OrdinalIgnoreCase);
        _lastGoodHost = ours ? host : _lastGoodHost;
        return ours;
    }

    private bool ListensOnThisMachineOnly() =>
        _server.Features.Get<IServerAddressesFeature>() is { Addresses: { Count: > 0 } addresses }
        && addresses.All(address => Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri.IsLoopback);
}

internal static class CrossSiteProtectionExtensions
{
    /// <summary>Adds <see cref="CrossSiteProtection"/>. Before everything that responds.</summary>
    public static void UseCrossSiteProtection(this WebApplication app) =>
        app.Use(app.Services.GetRequiredService<CrossSiteProtection>().ProtectAsync);
}
