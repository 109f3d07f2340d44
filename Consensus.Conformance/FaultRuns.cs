using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using Consensus.Protocol;
using Consensus.ServiceDefaults;
using Consensus.Simulation;

namespace Consensus.Conformance;

/// <summary>One run under a plan, and what came of it.</summary>
/// <param name="Plan">What was to happen.</param>
/// <param name="History">What was observed.</param>
/// <param name="AnonymousRun">Names the run where its messages name none.</param>
/// <param name="Violation">The property that was violated, or null.</param>
/// <param name="Decided">How many agents hold a decision of it.</param>
internal sealed record RunResult(FaultPlan Plan, ObservedHistory History, RunDescriptor? AnonymousRun, Violation? Violation, int Decided);

/// <summary>A cluster of programs behind proxies on every link, and runs of it under faults.</summary>
internal sealed class FaultRuns : IAsyncDisposable
{
    /// <summary>How many agents a cluster has.</summary>
    public const int Agents = 3;
    private const string DescribedRun = """{"round":1,"rule":"ratified","values":2,"window_ms":20}""";
    private const string OriginalRun = """{"round":1}""";
    private static readonly TimeSpan SettleTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LongestSettle = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan OriginalSettle = TimeSpan.FromSeconds(2.5);
    private static readonly TimeSpan OriginalQuiet = TimeSpan.FromMilliseconds(700);

    // An agent that is only slow answers less often meanwhile.
    private const int AnswersToBelieve = 1000;
    private readonly CancellationToken _cancellation;
    private readonly ConcurrentDictionary<(int Agent, int Process), string> _boots = new();
    private readonly HistoryJudge _judge;
    private readonly StartedAgent[] _agents = new StartedAgent[Agents];
    private LinkProxies? _proxies;
    private int _anonymousRuns;

    private FaultRuns(CancellationToken cancellation) =>
        (_cancellation, _judge) = (cancellation, new HistoryJudge(_boots));

    /// <summary>Whether all agents speak run descriptors.</summary>
    public bool Described => Enumerable.Range(0, Agents).All(agent => _boots.ContainsKey((agent, _agents[agent].Processes)));

    /// <summary>Starts a cluster.</summary>
    /// <param name="programs">The programs: agent k runs the k-th, from the first again after the last.</param>
    /// <param name="log">Where exchanges are recorded.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="ConfigurationException">A program does not answer.</exception>
    public static async Task<FaultRuns> StartAsync(IReadOnlyList<AgentProgram> programs, ExchangeLog log, CancellationToken cancellation)
    {
        var runs = new FaultRuns(cancellation);
        try
        {
            runs._proxies = await LinkProxies.StartAsync(Agents, agent => (runs._agents[agent].Address, runs._agents[agent].Processes));
            var ports = LoopbackPorts.Free(Agents);
            for (var agent = 0; agent < Agents; agent++)
            {
                runs._agents[agent] = new StartedAgent(
                    programs[agent % programs.Count], $"agent{agent + 1}", ports[agent], runs._proxies.PeersOf(agent), log);
            }

            await Task.WhenAll(Enumerable.Range(0, Agents).Select(runs.StartAsync));
            return runs;
        }
        catch
        {
            await runs.DisposeAsync();
            throw;
        }
    }

    /// <summary>Asks for one run, and lets the plan's faults happen in it.</summary>
    public async Task<RunResult> RunAsync(FaultPlan plan)
    {
        var described = Described;
        var history = new ObservedHistory([.. _agents.Select(agent => agent.Id)], TimeProvider.System);
        RunDescriptor? anonymousRun = null;
        if (!described)
        {
            anonymousRun = new RunDescriptor(
                new RunId(++_anonymousRuns, $"agent{plan.Starts[0].Agent + 1}", "bare"), Agents, 1, Rule.Classic, 3,
                DrawStrategy.Fresh, 200, _agents.ToDictionary(agent => agent.Id, agent => $"{agent.Processes}"));
            await ResetAsync();
        }

        _proxies!.Use(history, plan);
        await Task.WhenAll(
            plan.Starts.Select(start => RequestAsync(history, start, described))
                .Concat(plan.Faults.Where(fault => fault.Kind == FaultKind.Kill)
                    .GroupBy(fault => fault.From).Select(kills => KillAsync(history, kills.First()))));
        await EndFaultsAsync(history, plan, described);
        _proxies.Heal();
        var unfinished = await SettleAsync(history, described, plan.Faults.Count > 0);
        var decided = await ReadDecisionsAsync(history, described);
        return new RunResult(plan, history, anonymousRun, _judge.Judge(history, anonymousRun) ?? unfinished, decided);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var agent in _agents)
        {
            agent?.Dispose();
        }

        if (_proxies is not null)
        {
            await _proxies.DisposeAsync();
        }
    }

    private async Task StartAsync(int agent)
    {
        if ((await _agents[agent].StartAsync(_cancellation)).Text("boot") is { } boot)
        {
            _boots[(agent, _agents[agent].Processes)] = boot;
        }
    }

    private async Task RequestAsync(ObservedHistory history, PlannedStart start, bool described)
    {
        await WaitUntilAsync(history, start.AtMs);
        history.Add(HistoryEventKind.RunRequested, start.Agent, _agents[start.Agent].Processes);
        var answer = await TryAsync(start.Agent, HttpMethod.Post, "/run", described ? DescribedRun : OriginalRun);
        if (RunId.TryParse(answer?.Text("run"), out var run))
        {
            history.AddStarted(run);
        }
    }

    private async Task KillAsync(ObservedHistory history, PlannedFault kill)
    {
        await WaitUntilAsync(history, kill.AtMs);
        history.Apply(kill);
        history.Add(HistoryEventKind.Killed, kill.From, _agents[kill.From].Processes);
        _agents[kill.From].Kill();

        // Requests of the killed process that are still on their way must not count as the next one's.
        await Task.Delay(100, _cancellation);
        await StartAsync(kill.From);
        history.Add(HistoryEventKind.Started, kill.From, _agents[kill.From].Processes);
    }

    private Task WaitUntilAsync(ObservedHistory history, int atMs) => Task.Delay((int)Math.Max(0, atMs - history.ElapsedMs), _cancellation);

    private async Task ResetAsync()
    {
        // What is still on its way belongs to the last run, and would decide this one.
        for (var idle = 0; idle < 10; idle = _proxies!.InFlight == 0 ? idle + 1 : 0)
        {
            await Task.Delay(15, _cancellation);
        }

        for (var agent = 0; agent < Agents; agent++)
        {
            await TryAsync(agent, HttpMethod.Post, "/reset", null);
        }
    }

    /// <summary>Waits until the last fault of the plan is over, or until the run is.</summary>
    private async Task EndFaultsAsync(ObservedHistory history, FaultPlan plan, bool described)
    {
        var last = plan.Faults.Select(fault => fault.AtMs + fault.Ms).DefaultIfEmpty().Max();
        while (history.ElapsedMs < last && await FindOpenAsync(history, described) is not null)
        {
            await PauseAsync(described);
        }
    }

    /// <summary>
    /// Waits until every agent is decided or says that it cannot be; of agents that cannot say so, until nothing happens any more.
    /// </summary>
    /// <returns>A violation where an agent of a described run comes to no end although the agents answer at a good pace.</returns>
    private async Task<Violation?> SettleAsync(ObservedHistory history, bool described, bool faults)
    {
        var (clock, answers) = (Stopwatch.StartNew(), 0);

        // An agent by the original contract may go on alone for ever, where it has lost the decision.
        var originalLimit = faults ? OriginalSettle : SettleTimeout;
        while (described ? clock.Elapsed < LongestSettle : clock.Elapsed < originalLimit && history.Quiet < OriginalQuiet)
        {
            if (await FindOpenAsync(history, described) is not { } open)
            {
                return null;
            }

            if (++answers > AnswersToBelieve && described && clock.Elapsed > SettleTimeout)
            {
                return new Violation(PropertyNames.Termination, Rule.Ratified, open.Run,
                    $"{_agents[open.Agent].Id} is undecided in run {open.Run} {clock.Elapsed.TotalSeconds:0} s "
                        + "after the last fault, and does not say that it is stalled.");
            }

            await PauseAsync(described);
        }

        return null;
    }

    private Task PauseAsync(bool described) => Task.Delay(described ? 5 : 20, _cancellation);

    /// <summary>An agent that is undecided, in the run that was started or at all; null: there is none, or the run is stalled.</summary>
    private async Task<(int Agent, RunId Run)?> FindOpenAsync(ObservedHistory history, bool described)
    {
        // Where the initiator was killed at once, perhaps no other agent knows the run.
        bool IsInitiator(int agent) => _boots.GetValueOrDefault((agent, _agents[agent].Processes)) == history.Started.Boot;
        var started = Enumerable.Range(0, Agents).Any(IsInitiator) ? history.Started : RunId.None;
        var (reached, stalled) = (false, false);
        (int Agent, RunId Run)? open = null;
        for (var agent = 0; agent < Agents; agent++)
        {
            var answer = await TryAsync(agent, HttpMethod.Get, "/consensus", null) ?? default;
            var run = RunId.TryParse(answer.Text("run"), out var named) ? named : RunId.None;
            var decided = IsTrue(answer, "reached") && (!described || run >= started);
            var cannot = IsTrue(answer, "stalled")
                || (described && started == RunId.None && run == RunId.None && answer.Find("reached") is not null);
            (reached, stalled) = (reached || decided, stalled || cannot);
            open ??= decided || cannot ? null : (agent, run);
        }

        // An agent that was restarted may never learn of a run that stalled.
        return stalled && !reached ? null : open;
    }

    private async Task<int> ReadDecisionsAsync(ObservedHistory history, bool described)
    {
        var decided = 0;
        for (var agent = 0; agent < Agents; agent++)
        {
            if (await TryAsync(agent, HttpMethod.Get, "/consensus", null) is not { } body || !IsTrue(body, "reached")
                || body.Number("value") is not { } value || body.Number("round") is not { } round)
            {
                continue;
            }

            RunId? run = RunId.TryParse(body.Text("run"), out var id) ? id : null;
            if (described == run is not null)
            {
                history.Add(HistoryEventKind.Decided, agent, _agents[agent].Processes, decision: new Decision(value, round, run));
                decided += !described || run == history.Started ? 1 : 0;
            }
        }

        return decided;
    }

    private static bool IsTrue(JsonElement body, string field) => body.Find(field) is { ValueKind: JsonValueKind.True };

    private async Task<JsonElement?> TryAsync(int agent, HttpMethod method, string path, string? json)
    {
        try
        {
            return (await _agents[agent].Connection.SendAsync(method, path, json, _cancellation)).Body;
        }
        catch (CheckFailedException)
        {
            // It is being killed, or hangs.
            return null;
        }
    }
}
