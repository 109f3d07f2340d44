using System.Net.Mime;
using System.Text.Encodings.Web;
using Consensus.Agent.Configuration;
using Microsoft.Net.Http.Headers;

namespace Consensus.Agent.Http;

/// <summary>
/// The page: the files of <c>wwwroot</c>. It is at <c>/</c>, for lessons at <c>/learn</c>, for the explorer at
/// <c>/explore</c>, and to start a run at <c>/run</c>.
/// </summary>
internal static class WebPage
{
    private static readonly string[] Pictures = ["", "/learn", "/explore"];
    private static readonly string[] Addresses = [.. Pictures, "/run"];

    /// <summary>Whether another site may frame the response: with <c>?embed</c> the page has no controls, and changes nothing.</summary>
    public static bool MayBeFramed(HttpRequest request) =>
        IsRead(request) && IsAtOneOf(Pictures, request) && request.Query.ContainsKey("embed");

    /// <summary>Serves it. <c>GET /run</c> changes nothing: the page's script posts to <c>/run</c> once.</summary>
    public static void UseWebPage(this WebApplication app)
    {
        var files = app.Services.GetRequiredService<Lazy<PageFiles>>();
        app.Use((context, next) =>
        {
            var request = context.Request;
            if (!IsRead(request))
            {
                return next(context);
            }

            if (IsAtOneOf(Addresses, request))
            {
                return request.Path.Value is { Length: > 1 } path && path.EndsWith('/')
                    ? RedirectAsync(context) : SendPageAsync(context, files.Value);
            }

            return Path.HasExtension(request.Path.Value) && files.Value.Find(request.Path.Value) is { } file
                ? SendAsync(context, file) : next(context);
        });

        // After the files: a path that is none of them is still routed as it was asked for.
        app.UseRouting();
    }

    /// <summary>Adds the files of the page, which are read when a browser first asks for one.</summary>
    internal static void AddWebPage(this IServiceCollection services) => services.AddSingleton(provider => new Lazy<PageFiles>(
        () => new PageFiles(provider.GetRequiredService<IWebHostEnvironment>().WebRootPath, provider.GetRequiredService<AgentOptions>())));

    /// <summary>Whether a browser asks for a page, and not a script or a program for data.</summary>
    internal static bool IsNavigation(HttpRequest request) =>
        IsRead(request) && request.Headers.Accept.ToString().Contains(MediaTypeNames.Text.Html, StringComparison.OrdinalIgnoreCase);

    /// <summary>Says in a page that an address is unknown.</summary>
    internal static Task SendNotFoundAsync(HttpContext context)
    {
        var files = context.RequestServices.GetRequiredService<Lazy<PageFiles>>().Value;
        AllowInline(context, files);
        context.Response.ContentType = "text/html; charset=utf-8";
        var path = context.Request.Path.Value ?? "/";

        // Relative to the address, so that the links also work behind a proxy's path.
        var root = string.Concat(Enumerable.Repeat("../", path.Count(letter => letter == '/') - 1));
        return context.Response.WriteAsync(files.NotFound
            .Replace("href=\"", $"href=\"{(root.Length > 0 ? root : "./")}", StringComparison.Ordinal)
            .Replace("{path}", HtmlEncoder.Default.Encode(path), StringComparison.Ordinal));
    }

    private static Task SendPageAsync(HttpContext context, PageFiles files)
    {
        AllowInline(context, files);
        var query = context.Request.Query;
        return SendAsync(context, context.Request.Path.Value?.ToUpperInvariant() switch
        {
            "/LEARN" => files.LessonPage(query["lesson"], query["part"]),
            "/EXPLORE" => files.ExplorePage,
            _ => files.LivePage,
        });
    }

    private static void AllowInline(HttpContext context, PageFiles files)
    {
        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = files.AllowInline(headers.ContentSecurityPolicy.ToString());
    }

    private static Task SendAsync(HttpContext context, PageFile file)
    {
        var (request, response) = (context.Request, context.Response);
        var tag = new EntityTagHeaderValue($"\"{file.Tag}\"");

        // Other files are asked for again each time, with 304 as the response: an agent of another version has another page.
        response.Headers.CacheControl = file.IsImmutable ? "public, max-age=31536000, immutable" : "no-cache";
        response.Headers.ETag = tag.ToString();
        response.Headers.Vary = HeaderNames.AcceptEncoding;
        if (request.GetTypedHeaders().IfNoneMatch.Any(known => known.Compare(tag, useStrongComparison: false)))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }

        var compresses = request.GetTypedHeaders().AcceptEncoding.Any(coding => coding.Value == "gzip" && coding.Quality != 0);
        var body = compresses ? file.Compressed : file.Body;
        if (compresses)
        {
            response.Headers.ContentEncoding = "gzip";
        }

        (response.ContentType, response.ContentLength) = (file.ContentType, body.Length);
        return response.Body.WriteAsync(body).AsTask();
    }

    /// <summary>Relative addresses of the page need its address without a slash at the end.</summary>
    private static Task RedirectAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!;
        var page = path.TrimEnd('/');
        context.Response.Redirect(
            $"{string.Concat(Enumerable.Repeat("../", path.Length - page.Length))}{page.TrimStart('/')}{context.Request.QueryString}");
        return Task.CompletedTask;
    }

    private static bool IsRead(HttpRequest request) => HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method);

    // Routing finds POST /Run and POST /run/ too, so a browser may ask for the page by the same addresses.
    private static bool IsAtOneOf(string[] addresses, HttpRequest request) =>
        request.Path.Value?.TrimEnd('/') is { } path && addresses.Contains(path, StringComparer.OrdinalIgnoreCase);
}
