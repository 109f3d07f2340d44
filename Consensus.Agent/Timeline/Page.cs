namespace Consensus.Agent.Timeline;

/// <summary>The page that shows runs: the files of <c>wwwroot</c>, at <c>/</c> and, to start a run at once, at <c>/run</c>.</summary>
public static class Page
{
    /// <summary>Only what the agent itself serves may load, run or be called, and nobody may frame it.</summary>
    public const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private static readonly PathString[] Addresses = ["/", "/run"];

    /// <summary>Serves it. <c>GET /run</c> changes nothing: the page's script posts to <c>/run</c> once.</summary>
    public static WebApplication UsePage(this WebApplication app)
    {
        app.Use((context, next) =>
        {
            if (HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method))
            {
                if (Array.IndexOf(Addresses, context.Request.Path) >= 0)
                {
                    context.Request.Path = "/index.html";
                }
            }

            return next(context);
        });
        app.UseStaticFiles(new StaticFileOptions
        {
            OnPrepareResponse = served =>
            {
                var headers = served.Context.Response.Headers;
                headers.ContentSecurityPolicy = ContentSecurityPolicy;
                headers.XContentTypeOptions = "nosniff";
                headers["Referrer-Policy"] = "no-referrer";
                headers["Cross-Origin-Opener-Policy"] = "same-origin";

                // Asked for again each time, and answered with 304: an agent of another version has another page.
                headers.CacheControl = "no-cache";
            },
        });

        // After the files: a path that is none of them is still routed as it was asked for.
        app.UseRouting();
        return app;
    }
}
