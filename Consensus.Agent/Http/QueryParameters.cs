using System.Globalization;
using Consensus.Protocol;

namespace Consensus.Agent.Http;

/// <summary>Reads query parameters. A wrong one gets a 400 with what to change.</summary>
internal static class QueryParameters
{
    /// <summary>The longest wait for a decision, in s.</summary>
    public const int MaxWaitSeconds = 60;

    /// <summary>Reads <c>wait</c>, seconds from 0 to 60; null where it is not there.</summary>
    /// <returns>The problem, or null.</returns>
    public static IResult? ReadWait(string? text, out TimeSpan? wait)
    {
        wait = null;
        if (text is null)
        {
            return null;
        }

        const NumberStyles Style = NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign;
        if (!double.TryParse(text, Style, CultureInfo.InvariantCulture, out var seconds) || seconds is not (>= 0 and <= MaxWaitSeconds))
        {
            return RequestBody.Problem(400, $"wait must be a number of seconds from 0 to {MaxWaitSeconds}.");
        }

        wait = TimeSpan.FromSeconds(seconds);
        return null;
    }

    /// <summary>Reads <c>run</c>, the id of a run; null where it is not there.</summary>
    /// <returns>The problem, or null.</returns>
    public static IResult? ReadRun(string? text, out RunId? run)
    {
        run = RunId.TryParse(text, out var parsed) ? parsed : null;
        return text is null || run is not null
            ? null : RequestBody.Problem(400, "run must be a run id as POST /run answers it: number.initiator.boot.");
    }

    /// <summary>Reads <c>true</c> or <c>false</c>, the default.</summary>
    /// <returns>The problem, or null.</returns>
    public static IResult? ReadFlag(string name, string? text, out bool flag)
    {
        flag = false;
        return text is null || bool.TryParse(text, out flag) ? null : RequestBody.Problem(400, $"{name} must be true or false.");
    }
}
