using Consensus.Protocol;

namespace Consensus.Simulation.Exploration;

/// <summary>What one agent recorded.</summary>
/// <param name="AgentId">Its id.</param>
/// <param name="Recording">Its recording; null: it does not respond, so it is down.</param>
/// <param name="OffsetUs">By how much its clock is ahead, in µs.</param>
public sealed record RecordedPart(string AgentId, Recording? Recording, long OffsetUs = 0);

/// <summary>
/// A moment of a recorded run: each agent before the run, and the steps that led from there to the moment. Each message is sent before
/// it arrives. A step is left out where the message that caused it was sent after the moment.
/// </summary>
public sealed class RecordedMoment
{
    private readonly RunId _run;
    private readonly long _until;
    private readonly List<string> _ids;
    private readonly List<string?> _boots;

    // The agent at an address, as any of them knows it.
    private readonly Dictionary<string, string> _idOf = new(StringComparer.Ordinal);
    private readonly List<Step> _steps = [];

    /// <summary>Finds the agents' states and steps.</summary>
    /// <param name="run">The run.</param>
    /// <param name="until">The moment, in µs since 1970.</param>
    /// <param name="parts">What each agent recorded.</param>
    /// <exception cref="FormatException">A recording is damaged, or an agent has a peer that is none of these.</exception>
    public RecordedMoment(RunDescriptor run, long until, IReadOnlyList<RecordedPart> parts)
    {
        ArgumentNullException.ThrowIfNull(run);
        (_run, _until, Run) = (run.Id, until, run);
        _ids = [.. parts.Select(part => part.AgentId)];
        _boots = [.. parts.Select(part => part.Recording?.Boot)];
        var read = parts
            .Select((part, agent) => part.Recording is { Steps: > 0 } recording ? Read(agent, recording, part.OffsetUs) : default).ToList();
        Processes = [.. read.Select((one, agent) => one.All is null ? null : ProcessBefore(parts[agent].Recording!, one.First))];
        Merge([.. read.Select(one => one.All?[one.First..] ?? [])]);
    }

    private RecordedMoment(RecordedMoment later, int steps)
    {
        (_run, _until, Run, _ids, _boots, Processes) = (later._run, later._until, later.Run, later._ids, later._boots, later.Processes);
        _steps.AddRange(later._steps.Take(steps));
    }

    /// <summary>An earlier moment, after the first of the steps.</summary>
    public RecordedMoment First(int steps) => new(this, steps);

    /// <summary>The run.</summary>
    public RunDescriptor Run { get; }

    /// <summary>The agents' ids, by index.</summary>
    public IReadOnlyList<string> Ids => _ids;

    /// <summary>The agents before the run, by index; null: the agent is down.</summary>
    internal IReadOnlyList<Process?> Processes { get; }

    /// <summary>The steps, in their order.</summary>
    internal IReadOnlyList<Step> Steps => _steps;

    /// <summary>The process of one agent between two steps.</summary>
    /// <param name="Boot">Its boot.</param>
    /// <param name="Addresses">The addresses of its peers.</param>
    /// <param name="Peers">The peers, from 0.</param>
    /// <param name="State">What its machine saved.</param>
    /// <param name="Timers">Its timers.</param>
    /// <param name="SentBefore">How many messages it has sent.</param>
    internal sealed record Process(
        string Boot, IReadOnlyList<string> Addresses, IReadOnlyList<int> Peers, ReadOnlyMemory<byte> State, TimerSet Timers,
        long SentBefore);

    /// <summary>One recorded step.</summary>
    /// <param name="Agent">The agent, from 0.</param>
    /// <param name="At">The time in µs since 1970.</param>
    /// <param name="Input">The input.</param>
    /// <param name="Caller">Who made the call that the input belongs to, from 0; -1: unknown, or no call.</param>
    /// <param name="MessageId">The caller's number of the message.</param>
    /// <param name="Draws">What it drew.</param>
    /// <param name="Sends">How many messages it sends.</param>
    internal readonly record struct Step(int Agent, long At, Input Input, int Caller, long MessageId, IReadOnlyList<int> Draws, int Sends);

    private int IndexOf(string? id) => id is null ? -1 : _ids.IndexOf(id);

    /// <summary>The recorded steps of one agent up to the moment, and which is the first in the run.</summary>
    private (List<Step>? All, int First) Read(int agent, Recording recording, long offsetUs)
    {
        var all = new List<Step>();
        var first = -1;
        foreach (var step in recording.Reexecute())
        {
            // Who is at an address may be known only after the moment.
            if (step.Input is ResponseReceived { Peer: var peer } && IndexOf(step.NameOf(peer)) >= 0)
            {
                _idOf[recording.Peers[peer]] = step.NameOf(peer);
            }

            if (step.At - offsetUs > _until)
            {
                continue;
            }

            first = first < 0 && step.CurrentRun?.Id == _run ? all.Count : first;

            var caller = step.Input switch
            {
                MessageReceived => IndexOf(step.Sender) is >= 0 and var sender && _boots[sender] == step.SenderBoot ? sender : -1,
                ResponseReceived or RequestFailed => agent,
                _ => -1,
            };
            var sends = step.Effects.Count(effect => effect is Send);
            all.Add(new Step(agent, step.At - offsetUs, step.Input, caller, step.MessageId, step.Draws, sends));
        }

        first = first < 0 ? all.Count : first;
        while (first > 0 && all[first - 1].Input is StartRun or { RelatedMessage: Handshake or Reset })
        {
            first--;
        }

        return (all, first);
    }

    private Process ProcessBefore(Recording recording, int steps)
    {
        var segments = recording.Segments;
        var segment = segments[0];
        for (var i = 1; i < segments.Count && steps >= segment.Steps; i++)
        {
            steps -= segment.Steps;
            segment = segments[i];
        }

        var execution = new Reexecution(recording, segment);
        var sent = segment.SentBefore;
        for (; steps > 0 && execution.TryStep(out var step); steps--)
        {
            sent += step.Effects.Count(effect => effect is Send);
        }

        var state = new RecordWriter();
        execution.Machine.Save(state);
        return new Process(recording.Boot, recording.Peers, PeersOf(execution.Machine), state.Written, execution.Timers, sent);
    }

    private List<int> PeersOf(AgentStateMachine machine)
    {
        var peers = machine.Peers.Select((address, peer) =>
            IndexOf(machine.NameOf(peer)) is >= 0 and var known ? known : IndexOf(_idOf.GetValueOrDefault(address))).ToList();

        // A peer that has never responded to anybody is the one that is left.
        var left = Enumerable.Range(0, Ids.Count).Except([.. peers, IndexOf(machine.Id)]).ToList();
        if (peers.Count(peer => peer < 0) > 1 || peers.Count != Ids.Count - 1)
        {
            throw new FormatException($"{machine.Id} does not know all of its peers.");
        }

        return peers.ConvertAll(peer => peer < 0 ? left.Single() : peer);
    }

    /// <summary>The earliest possible step is next, until none is possible.</summary>
    private void Merge(List<Step>[] steps)
    {
        var taken = new int[steps.Length];
        var sent = Processes.Select(process => process?.SentBefore ?? 0).ToArray();
        var arrivals = steps.SelectMany(own => own).Where(step => step.Input is MessageReceived)
            .Select(step => (step.Caller, step.MessageId, step.Agent)).ToHashSet();
        while (true)
        {
            var possible = steps.Select((own, agent) => taken[agent] < own.Count ? own[taken[agent]] : (Step?)null)
                .OfType<Step>().Where(IsPossible).OrderBy(step => step.At).Take(1).ToList();
            if (possible.Count == 0)
            {
                return;
            }

            var step = possible[0];
            taken[step.Agent]++;
            sent[step.Agent] += step.Sends;
            arrivals.Remove((step.Caller, step.MessageId, step.Agent));
            _steps.Add(step with { At = Math.Max(step.At, _steps.Count == 0 ? 0 : _steps[^1].At) });
        }

        bool IsPossible(Step step) => step.Input switch
        {
            MessageReceived => step.Caller < 0 || step.MessageId <= sent[step.Caller],
            ResponseReceived response => !arrivals.Contains((step.Agent, step.MessageId, Processes[step.Agent]!.Peers[response.Peer])),
            _ => true,
        };
    }
}
