using Microsoft.AspNetCore.StaticFiles;

namespace Consensus.Agent.Api;

/// <summary>The page: the files of <c>wwwroot</c>, at <c>/</c>, for lessons at <c>/learn</c>, for the explorer at <c>/explore</c>, and to start a run at <c>/run</c>.</summary>
public static class WebPage
{
    private static readonly string[] Pictures = ["", "/learn", "/explore"];
    private static readonly string[] Addresses = [.. Pictures, "/run"];

    /// <summary>Whether another site may frame the response: with <c>?embed</c> the page has no controls, and changes nothing.</summary>
    public static bool MayBeFramed(HttpRequest request) => IsRead(request) && IsAtOneOf(Pictures, request) && request.Query.ContainsKey("embed");

    /// <summary>Serves it. <c>GET /run</c> changes nothing: the page's script posts to <c>/run</c> once.</summary>
    public static void UseWebPage(this WebApplication app)
    {
        app.Use((context, next) =>
        {
            if (IsRead(context.Request) && IsAtOneOf(Addresses, context.Request))
            {
                context.Request.Path = "/index.html";
            }

            return next(context);
        });
        var types = new FileExtensionContentTypeProvider();
        types.Mappings[".md"] = "text/markdown; charset=utf-8";
        app.UseStaticFiles(new StaticFileOptions
        {
            ContentTypeProvider = types,

            // Asked for again each time, with 304 as the response: an agent of another version has another page.
            OnPrepareResponse = served => served.Context.Response.Headers.CacheControl = "no-cache",
        });

        // After the files: a path that is none of them is still routed as it was asked for.
        app.UseRouting();
    }

    private static bool IsRead(HttpRequest request) => HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method);

    // Routing finds POST /Run and POST /run/ too, so a browser may ask for the page by the same addresses.
    private static bool IsAtOneOf(string[] addresses, HttpRequest request) =>
        request.Path.Value?.TrimEnd('/') is { } path && addresses.Contains(path, StringComparer.OrdinalIgnoreCase);
}
