using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Consensus.Tests;

/// <summary>A middleware before all others of an application; register it as <see cref="IStartupFilter"/>.</summary>
/// <param name="handle">Handles a request. It may call the rest of the pipeline.</param>
internal sealed class FirstMiddleware(Func<HttpContext, RequestDelegate, Task> handle) : IStartupFilter
{
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use(handle);
        next(app);
    };
}
