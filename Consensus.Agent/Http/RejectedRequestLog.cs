using Consensus.Agent.Configuration;
using Consensus.Agent.Telemetry;


namespace Consensus.Agent.Http;

/// <summary>Why a request was refused.</summary>
internal enum RejectionReason
{
    /// <summary>A call for agents without the cluster's key.</summary>
    WithoutKey,

    /// <summary>A page of another site asked a browser to call.</summary>
    FromAnotherSite,

    /// <summary>A call to a name that is not this machine's.</summary>
    ByAnotherName,

    /// <summary>More runs than may be started.</summary>
    TooManyRuns,
}

/// <summary>Logs refused requests: at most one line a second for each reason, and no text of the request.</summary>
internal sealed partial class RejectedRequestLog(AgentOptions options, TimeProvider time, ILogger<RejectedRequestLog> logger)
{
    private readonly LogRateLimiter _rateLimiter = new(time, Enum.GetValues<RejectionReason>().Length);

    /// <summary>A request was refused.</summary>
    public void Add(RejectionReason why, HttpContext context)
    {
        if (_rateLimiter.Passes((int)why, out var held))
        {
            Refused(options.Id, context.Connection.RemoteIpAddress, why, held);
        }
    }

    [LoggerMessage(20, LogLevel.Warning, "[{AgentId}] Refused a request from {Address}: {Why} ({Held} more held back)")]
    private partial void Refused(string agentId, System.Net.IPAddress? address, RejectionReason why, long held);
}
