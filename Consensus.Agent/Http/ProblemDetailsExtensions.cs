namespace Consensus.Agent.Http;

/// <summary>Makes every error a problem, whatever content types the client accepts.</summary>
internal static class ProblemDetailsExtensions
{
    /// <summary>Turns exceptions and bare error codes into problem details.</summary>
    public static void UseProblemDetails(this WebApplication app)
    {
        app.UseExceptionHandler(new ExceptionHandlerOptions
        {
            ExceptionHandler = context => AnswerAsync(context, 500),
        });
        app.UseStatusCodePages(pages =>
            pages.HttpContext.Response.StatusCode == StatusCodes.Status404NotFound && WebPage.IsNavigation(pages.HttpContext.Request)
                ? WebPage.SendNotFoundAsync(pages.HttpContext) : AnswerAsync(pages.HttpContext, pages.HttpContext.Response.StatusCode));
    }

    private static Task AnswerAsync(HttpContext context, int status) => RequestBody.Problem(status, status switch
    {
        404 => "There is no such path; /openapi/v1.json lists them.",
        405 => $"This path takes {context.Response.Headers.Allow}; /openapi/v1.json lists what each takes.",
        500 => "The agent failed; its log says how.",
        _ => "The request is none that an agent takes; /openapi/v1.json lists them.",
    }).ExecuteAsync(context);
}
