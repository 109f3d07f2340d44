using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Consensus.Protocol;

namespace Consensus.Agent.Telemetry;

/// <summary>Runs of many rounds.</summary>
internal sealed partial class RunTracing
{
    private void ContinueInNextTrace(int segment, ProtocolEvent protocolEvent)
    {
        _segment = segment;
        if (_run is not { } before)
        {
            return;
        }

        // Agents enter a round without asking each other. So the id of the trace they share is made from the run's id.
        var name = Encoding.UTF8.GetBytes($"{_latest.Descriptor?.Id}/{segment}");
        var trace = _latest.Descriptor is null
            ? ActivityTraceId.CreateRandom() : ActivityTraceId.CreateFromBytes(SHA256.HashData(name).AsSpan(0, 16));
        _run = Start("run", new ActivityContext(trace, default, before.ActivityTraceFlags), [new ActivityLink(before.Context)]);
        Describe(_run, protocolEvent);
        if (_run is not null)
        {
            before.AddLink(new ActivityLink(_run.Context));
        }

        before.DisplayName = $"{_latest.Title}: continued";
        before.SetTag("consensus.outcome", "continued");
        before.Stop();
    }
}
