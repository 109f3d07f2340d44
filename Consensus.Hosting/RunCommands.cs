#pragma warning disable ASPIREINTERACTION001 // Typed arguments of commands are marked experimental.
using System.Text.Json.Nodes;
using Consensus.Protocol;

namespace Consensus.Hosting;

/// <summary>What the commands do, and the sentences they return.</summary>
internal sealed class RunCommands(ConsensusClusterResource cluster, ClusterMonitor monitor)
{
    /// <summary>The argument that names the agent which starts a run.</summary>
    public const string StartingAgent = "agent";

    /// <summary>Stands for any agent that is up.</summary>
    public const string AnyAgent = "any";

    private const int WaitSeconds = 30;

    /// <summary>How long other agents may take to learn a decision before the sentence leaves them out, in ms.</summary>
    private const int LearnMs = 1000;

    /// <summary>Between two questions to an agent that knows no long poll.</summary>
    private static readonly TimeSpan PollPeriod = TimeSpan.FromMilliseconds(50);

    /// <summary>Starts a run on one agent, with the parameters' values, and waits for the decision.</summary>
    /// <param name="agent">The agent that starts it, or null for the first that can.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public Task<ExecuteCommandResult> RunAsync(AgentClient? agent, CancellationToken cancellation) =>
        AnswerAsync(() => RunAsync(agent, [], displayImmediately: false, cancellation));

    /// <summary>The same with the options of a dialog in place of the parameters' values. The result opens at once.</summary>
    public Task<ExecuteCommandResult> RunWithAsync(InteractionInputCollection arguments, CancellationToken cancellation) =>
        AnswerAsync(() =>
    {
        var chosen = RunOption.InForms
            .Where(option => arguments.TryGetByName(option.CommandName, out var input) && option.IsSet(input.Value))
            .ToDictionary(option => option, option => arguments[option.CommandName].Value!);
        var name = arguments.TryGetByName(StartingAgent, out var starter) ? starter.Value : null;
        return RunAsync(cluster.Agents.FirstOrDefault(agent => agent.Agent.Name == name), chosen, displayImmediately: true, cancellation);
    });

    /// <summary>Makes every agent that is up forget its run.</summary>
    public Task<ExecuteCommandResult> ResetAllAsync(CancellationToken cancellation) =>
        OnAllAsync(HttpMethod.Post, "/reset", "was reset", "were reset", cancellation);

    /// <summary>Ends the faults of every agent that is up.</summary>
    public async Task<ExecuteCommandResult> HealAllAsync(CancellationToken cancellation)
    {
        if (cluster.Links is { } links)
        {
            return await AnswerAsync(async () =>
            {
                await links.HealAsync(cancellation);
                await monitor.RefreshAsync(cancellation);
                return CommandResults.Success("All links are whole");
            });
        }

        return await OnAllAsync(HttpMethod.Delete, "/faults", "has no faults now", "have no faults now", cancellation);
    }

    /// <summary>Makes one agent forget its run.</summary>
    public Task<ExecuteCommandResult> ResetAsync(AgentClient agent, CancellationToken cancellation) =>
        OnOneAsync(agent, HttpMethod.Post, "/reset", null, "was reset", cancellation);

    /// <summary>Cuts all calls between one agent and the others.</summary>
    public Task<ExecuteCommandResult> IsolateAsync(AgentClient agent, CancellationToken cancellation) => cluster.Links is not null
        ? OnLinksAsync(link => IsOf(link, agent), now => now with { Cut = true }, () => $"{agent.Agent.Name} is isolated", cancellation)
        : OnOneAsync(agent, HttpMethod.Put, "/faults", new JsonObject { ["isolate"] = true }, "is isolated", cancellation);

    /// <summary>Ends all faults of one agent.</summary>
    public Task<ExecuteCommandResult> ReconnectAsync(AgentClient agent, CancellationToken cancellation) => cluster.Links is not null
        ? OnLinksAsync(link => IsOf(link, agent), _ => LinkFaults.None, () => $"{agent.Agent.Name} is connected again", cancellation)
        : OnOneAsync(agent, HttpMethod.Delete, "/faults", null, "is connected again", cancellation);

    /// <summary>Changes the faults of some directions of links.</summary>
    /// <param name="which">The directions.</param>
    /// <param name="change">The faults that they get, by those that they have.</param>
    /// <param name="done">The sentence when it is done.</param>
    /// <param name="cancellation">Ends it.</param>
    public Task<ExecuteCommandResult> OnLinksAsync(
        Func<LinkState, bool> which, Func<LinkFaults, LinkFaults> change, Func<string> done, CancellationToken cancellation) =>
        AnswerAsync(async () =>
        {
            await cluster.Links!.BreakAsync(which, change, cancellation);
            await monitor.RefreshAsync(cancellation);
            return CommandResults.Success(done());
        });

    /// <summary>Judges the agents. One that fails is unhealthy, with the reason, until the next judgement.</summary>
    public Task<ExecuteCommandResult> JudgeAsync(CancellationToken cancellation) => AnswerAsync(async () =>
    {
        var judged = await cluster.Links!.JudgeAsync((done, total, what) => monitor.Log($"Judge: {done} of {total}, {what}"), cancellation);
        foreach (var agent in cluster.Agents)
        {
            agent.Failure = judged.Failures.GetValueOrDefault(agent.Agent.Name);
        }

        monitor.Log($"Judge: {judged.Result}");
        await monitor.CheckHealthAsync();
        var verdict = new CommandResultData { Value = judged.Markdown, Format = CommandResultFormat.Markdown, DisplayImmediately = true };
        return judged.Conforms ? CommandResults.Success(judged.Result, verdict) : CommandResults.Failure(judged.Result, verdict);
    });

    private static bool IsOf(LinkState link, AgentClient agent) => link.From == agent.Agent.Name || link.To == agent.Agent.Name;

    private static async Task<ExecuteCommandResult> AnswerAsync(Func<Task<ExecuteCommandResult>> command)
    {
        try
        {
            return await command();
        }
        catch (AgentException exception)
        {
            return CommandResults.Failure(exception.Message);
        }
    }

    private async Task<ExecuteCommandResult> RunAsync(
        AgentClient? agent, Dictionary<RunOption, string> chosen, bool displayImmediately, CancellationToken cancellation)
    {
        agent ??= await FirstAgentAsync(cancellation);
        var started = await agent.RunAsync(await BodyAsync(chosen, cancellation), TimeSpan.FromSeconds(WaitSeconds), cancellation);
        var reached = started.Outcome?.Reached ?? await DecidesAsync(agent, cancellation);
        var view = await monitor.RefreshAsync(cancellation);
        if (!reached)
        {
            throw new AgentException(WhyUndecided(started, view));
        }

        // The others learn the decision a moment later; the sentence should name them.
        if ((started.Run ?? view.Run) is { } run && IsLearning(view, run))
        {
            await Task.WhenAll(
                cluster.Agents.Where(other => view.Up.Contains(other.Agent.Name)).Select(other => LearnAsync(other, run, cancellation)));
            view = await monitor.RefreshAsync(cancellation);
        }

        var report = new CommandResultData
        {
            Value = RunReport.Of(view, cluster.PageOf(view)),
            Format = CommandResultFormat.Markdown,
            DisplayImmediately = displayImmediately,
        };
        return view.IsDisagreement
            ? CommandResults.Failure(WhatDisagrees(view), report)
            : CommandResults.Success(view.Sentence, report);
    }

    /// <summary>Waits for the decision of an agent that answers <c>POST /run</c> before it has one.</summary>
    private static async Task<bool> DecidesAsync(AgentClient agent, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(TimeSpan.FromSeconds(WaitSeconds));
        try
        {
            await PollAsync(agent, limit.Token);
            return true;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return false;
        }
    }

    /// <summary>Asks an agent that knows no long poll until it has a decision.</summary>
    private static async Task PollAsync(AgentClient agent, CancellationToken cancellation)
    {
        while (!(await agent.GetAsync<AgentConsensus>("/consensus", cancellation)).Reached)
        {
            await Task.Delay(PollPeriod, cancellation);
        }
    }

    /// <summary>
    /// The body of <c>POST /run</c>. Agents took the parameters when they started, so the present values go with the run.
    /// </summary>
    private async Task<JsonObject> BodyAsync(Dictionary<RunOption, string> chosen, CancellationToken cancellation)
    {
        var body = new JsonObject();
        foreach (var option in RunOption.InForms)
        {
            var value = chosen.GetValueOrDefault(option) ?? await cluster.ParameterAsync(option, cancellation);
            if (value is not null)
            {
                body[option.Name] = option.ToJson(value);
            }
        }

        return body;
    }

    /// <summary>Why a run has no decision when the wait ended.</summary>
    internal static string WhyUndecided(AgentRunResponse started, ClusterView view)
    {
        if (started.Outcome is { Superseded: true, Run: { } next } && started.Run is { } run)
        {
            return $"{ClusterView.NameOf(run)} was replaced by run {ClusterView.NumberOf(next)}.";
        }

        return started.Outcome?.Reason is { } reason ? DashboardWords.Of(reason)
            : $"No decision after {WaitSeconds} s. {view.Sentence}. The run goes on: a new run or Reset all ends it.";
    }

    /// <summary>Who decided what, and where its trace is.</summary>
    internal static string WhatDisagrees(ClusterView view) =>
        $"The agents disagree: {view.Sentence}.{(view.TraceUrl is { } trace ? $" Trace: {trace}" : "")}";

    private static bool IsLearning(ClusterView view, string run) =>
        view.Agents.Any(agent => agent is { Up: true, Isolated: false } && (agent.State!.Run != run || agent.State.Decision is null));

    private static async Task LearnAsync(AgentClient agent, string run, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(LearnMs);
        try
        {
            await (agent.KeepsHistory
                ? agent.SendAsync(HttpMethod.Get, $"/consensus?wait=1&run={Uri.EscapeDataString(run)}", null, limit.Token)
                : PollAsync(agent, limit.Token));
        }
        catch (Exception exception)
            when (exception is AgentException || (exception is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            // An agent that is slow or down is named as such by the view.
        }
    }

    private async Task<AgentClient> FirstAgentAsync(CancellationToken cancellation)
    {
        var view = await monitor.RefreshAsync(cancellation);
        var up = cluster.Agents.Where((_, i) => view.Agents[i].Up).ToList();
        return up.FirstOrDefault(agent => !view.Agents.Any(status => status.Name == agent.Agent.Name && status.Isolated))
            ?? up.FirstOrDefault()
            ?? throw new AgentException("No agent is up. Start the agents.");
    }

    private async Task<ExecuteCommandResult> OnAllAsync(
        HttpMethod method, string path, string doneByOne, string doneByMany, CancellationToken cancellation)
    {
        var view = await monitor.RefreshAsync(cancellation);
        var agents = cluster.Agents.Where((_, i) => view.Agents[i].Up).ToList();
        var failures = (await Task.WhenAll(agents.Select(agent => TryAsync(agent, method, path, null, cancellation))))
            .OfType<string>().ToList();
        await monitor.RefreshAsync(cancellation);
        return failures.Count > 0 ? CommandResults.Failure(string.Join(" ", failures))
            : agents.Count == 0 ? CommandResults.Failure("No agent is up. Start the agents.")
            : CommandResults.Success(
                $"{string.Join(", ", agents.Select(agent => agent.Agent.Name))} {(agents.Count == 1 ? doneByOne : doneByMany)}");
    }

    private async Task<ExecuteCommandResult> OnOneAsync(
        AgentClient agent, HttpMethod method, string path, JsonObject? body, string done, CancellationToken cancellation)
    {
        var failure = await TryAsync(agent, method, path, body, cancellation);
        await monitor.RefreshAsync(cancellation);
        return failure is null ? CommandResults.Success($"{agent.Agent.Name} {done}") : CommandResults.Failure(failure);
    }

    private static async Task<string?> TryAsync(
        AgentClient agent, HttpMethod method, string path, JsonObject? body, CancellationToken cancellation)
    {
        try
        {
            await agent.SendAsync(method, path, body, cancellation);
            return null;
        }
        catch (AgentException exception)
        {
            return exception.Message;
        }
    }
}
