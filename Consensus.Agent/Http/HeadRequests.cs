namespace Consensus.Agent.Http;

/// <summary>Serves <c>HEAD</c> with the status and headers of <c>GET</c>; the server leaves the body out.</summary>
internal static class HeadRequests
{
    private static readonly object Mark = new();

    /// <summary>Routes <c>HEAD</c> as <c>GET</c>. Before routing.</summary>
    public static void UseHeadAsGet(this WebApplication app) => app.Use((context, next) =>
    {
        if (HttpMethods.IsHead(context.Request.Method))
        {
            context.Items[Mark] = Mark;
            context.Request.Method = HttpMethods.Get;
        }

        return next(context);
    });

    /// <summary>Whether the client asked for no body: then nothing is worth waiting for.</summary>
    public static bool IsHead(HttpContext context) => context.Items.ContainsKey(Mark);
}
