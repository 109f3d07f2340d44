using System.Globalization;
using System.Text.Json.Serialization;
using Consensus.Protocol;

namespace Consensus.Conformance;

/// <summary>Kinds of faults.</summary>
[JsonConverter(typeof(EnumNameConverter<FaultKind>))]
public enum FaultKind
{
    /// <summary>A request does not arrive.</summary>
    Drop,

    /// <summary>A request arrives, and its response does not.</summary>
    LoseResponse,

    /// <summary>A request arrives late.</summary>
    Delay,

    /// <summary>A request arrives twice.</summary>
    Duplicate,

    /// <summary>A request arrives after the next one on the same link.</summary>
    Reorder,

    /// <summary>No request arrives for a while.</summary>
    Cut,

    /// <summary>An agent is killed and started again.</summary>
    Kill,
}

/// <summary>One fault.</summary>
/// <param name="Kind">What goes wrong.</param>
/// <param name="From">The calling agent, from 0; the killed agent.</param>
/// <param name="To">The called agent, from 0.</param>
/// <param name="Call">The path of the request, such as <c>/proposal</c>.</param>
/// <param name="Ordinal">Which request of that path on that link, from 1.</param>
/// <param name="AtMs">When a cut or a kill begins, in ms since the run was asked for.</param>
/// <param name="Ms">How long a request is delayed, or a link cut.</param>
public sealed record PlannedFault(FaultKind Kind, int From, int To = 0, string? Call = null, int Ordinal = 0, int AtMs = 0, int Ms = 0)
{
    /// <inheritdoc/>
    public override string ToString()
    {
        var request = string.Create(CultureInfo.InvariantCulture, $"{Call} {Ordinal} from agent{From + 1} to agent{To + 1}");
        return Kind switch
        {
            FaultKind.Drop => $"{request} is lost",
            FaultKind.LoseResponse => $"the response to {request} is lost",
            FaultKind.Delay => string.Create(CultureInfo.InvariantCulture, $"{request} takes {Ms} ms"),
            FaultKind.Duplicate => $"{request} arrives twice",
            FaultKind.Reorder => $"{request} arrives after the next request",
            FaultKind.Cut =>
                string.Create(CultureInfo.InvariantCulture, $"agent{From + 1} cannot reach agent{To + 1} from {AtMs} ms on, for {Ms} ms"),
            _ => string.Create(CultureInfo.InvariantCulture, $"agent{From + 1} is killed after {AtMs} ms and started again"),
        };
    }
}

/// <summary>A run that the judge asks for.</summary>
/// <param name="Agent">Which agent is asked, from 0.</param>
/// <param name="AtMs">When, in ms.</param>
public sealed record PlannedStart(int Agent, int AtMs);

/// <summary>What happens in one run: a function of the seed.</summary>
/// <param name="Seed">The seed.</param>
/// <param name="Starts">The runs that are asked for: one, or two that overlap.</param>
/// <param name="Faults">The faults.</param>
public sealed record FaultPlan(long Seed, IReadOnlyList<PlannedStart> Starts, IReadOnlyList<PlannedFault> Faults)
{
    private static readonly string[] Described =
        ["/proposal", "/vote", "/final", "/new_round", "/proposal", "/vote", "/final", "/reset", "/state"];
    private static readonly string[] Original = ["/proposal", "/final", "/new_round", "/proposal", "/final", "/proposal", "/reset"];

    /// <summary>A plan without faults.</summary>
    public static FaultPlan Quiet(int agent) => new(0, [new PlannedStart(agent, 0)], []);

    /// <summary>Draws a plan.</summary>
    /// <param name="seed">The seed.</param>
    /// <param name="agents">How many agents there are.</param>
    /// <param name="described">Whether the agents vote; the original's have a longer window and no votes.</param>
    public static FaultPlan Draw(long seed, int agents, bool described)
    {
        var random = SeededRandom.For(seed, "faults", 1);
        var calls = described ? Described : Original;

        // The original's window is 200 ms; the judge asks for a shorter one where it can.
        var span = described ? 60 : 300;

        // Messages of the original do not name their run. With two runs at once the judge could not assign them.
        List<PlannedStart> starts = [new(random.Next(agents), 0)];
        if (described && random.Next(8) == 0)
        {
            starts.Add(new(random.Next(agents), random.Next(span)));
        }

        var faults = new List<PlannedFault>();
        for (var i = 3 + random.Next(12); i > 0; i--)
        {
            var from = random.Next(agents);
            var to = (from + 1 + random.Next(agents - 1)) % agents;
            var kind = random.Next(12);
            var (at, ms) = (random.Next(span), 20 + random.Next(span * 3));
            if (kind is 0 or 1)
            {
                // Of kind 0 one link is cut; of kind 1 all links from one agent, which still receives, are cut from the start.
                var cut = Enumerable.Range(0, agents).Where(other => kind == 0 ? other == to : other != from);
                faults.AddRange(cut.Select(other => new PlannedFault(FaultKind.Cut, from, other, AtMs: kind == 0 ? at : 0, Ms: ms)));
                continue;
            }

            faults.Add(kind switch
            {
                2 when random.Next(6) == 0 => new(FaultKind.Kill, from, AtMs: at),
                _ => new(Kinds[kind % Kinds.Length], from, to, calls[random.Next(calls.Length)],
                    random.Next(3) == 0 ? 2 : 1, Ms: 5 + random.Next(span)),
            });
        }

        return new FaultPlan(seed, starts, faults);
    }

    private static FaultKind[] Kinds { get; } =
        [FaultKind.Drop, FaultKind.Delay, FaultKind.Drop, FaultKind.LoseResponse, FaultKind.Delay, FaultKind.Duplicate, FaultKind.Reorder];
}
