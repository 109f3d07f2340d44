using System.Text.Json;
using Consensus.Protocol;
using Consensus.ServiceDefaults;
using Consensus.Simulation;

namespace Consensus.Conformance;

/// <summary>Judges agents that run already, with peers of their own: by their responses, and by runs that they are asked for.</summary>
internal sealed class RunningAgents(
    IReadOnlyList<Uri> urls, ConformanceOptions options, ExchangeLog log, Func<bool> outOfTime, CancellationToken cancellation)
{
    private static readonly TimeSpan DecisionTimeout = TimeSpan.FromSeconds(30);

    /// <summary>Judges all.</summary>
    /// <exception cref="ConfigurationException">An agent does not answer.</exception>
    public async Task<ConformanceReport> JudgeAsync(IReadOnlyList<ConformanceCheck> checks, Action<int, int, string> progress)
    {
        List<AgentConnection> agents = [.. urls.Select(url => new AgentConnection(url, log, options.Key))];
        try
        {
            var verdicts = new List<Verdict>();
            var runner = new CheckRunner(log, outOfTime, cancellation);
            var introduced = new List<(ConformanceLevel Level, int N)>();
            foreach (var agent in agents)
            {
                introduced.Add(await IntroduceAsync(agent));
            }

            // A run is what all its agents speak: one original agent makes it a run of the original contract.
            var judged = introduced.Min(one => one.Level);
            foreach (var (agent, (_, n)) in agents.Zip(introduced))
            {
                var mine = checks.Where(check => !check.NeedsPeers && check.Level <= judged).ToList();
                foreach (var check in mine)
                {
                    progress(verdicts.Count, (mine.Count * agents.Count) + options.Runs, check.Id);
                    var verdict = await runner.RunAsync(
                        check, () => Task.FromResult(new CheckContext(agent, agents, null, n - 1, log, cancellation)));
                    verdicts.Add(agents.Count == 1 ? verdict
                        : verdict with { Sentence = $"{verdict.Sentence} [{agent.Address}]", Agent = agent.Address });
                }
            }

            var (runs, decided) = (0, 0);
            Violation? violation = null;
            for (; runs < options.Runs && violation is null && !outOfTime(); runs++)
            {
                progress(verdicts.Count + runs, verdicts.Count + options.Runs, "runs");
                (violation, var reached) = await RunAsync(agents, runs);

                // An agent by the original contract sends its decision once, and a slow machine may lose it.
                for (var failures = 1; failures < CheckRunner.FailuresToBelieve && judged == ConformanceLevel.Original
                    && violation?.Property == PropertyNames.Termination && !outOfTime(); failures++)
                {
                    (violation, reached) = await RunAsync(agents, runs);
                }

                decided += reached ? 1 : 0;
            }

            if (runs > 0)
            {
                verdicts.Add(Judged("agreement", "No two agents decide differently in one run.", PropertyNames.Agreement));
                verdicts.Add(Judged("termination", "A run is decided.", PropertyNames.Termination));
            }

            return new ConformanceReport(
                string.Join(" + ", urls), judged, options.Seed, verdicts, runs, decided, RequestedRuns: options.Runs);

            Verdict Judged(string id, string sentence, string property) => violation?.Property == property
                ? new Verdict(id, judged, sentence, VerdictOutcome.Failed, sentence, violation.Explanation, log.Last(8))
                : new Verdict(id, judged, sentence, VerdictOutcome.Passed, null, null, log.Last(1));
        }
        finally
        {
            agents.ForEach(agent => agent.Dispose());
        }
    }

    private async Task<(ConformanceLevel Level, int N)> IntroduceAsync(AgentConnection agent)
    {
        var state = await agent.WaitUntilUpAsync(TimeSpan.FromSeconds(10), () => false, cancellation)
            ?? throw new ConfigurationException(agent.Failure is { } why ? $"{agent.Address} cannot be called. {why}."
                : $"{agent.Address} does not answer GET /state with 200: is an agent running there?");
        agent.Id = state.Text("agent_id") ?? agent.Id;
        var (boot, agents) = await agent.IntroduceAsync(cancellation);
        var n = agents ?? Math.Max(3, urls.Count);

        // The values that the checks propose fit a cluster of three or four.
        var speaks = boot is not null && n is 3 or 4 ? ConformanceLevel.Ratified : ConformanceLevel.Original;
        return (options.Level ?? speaks, n);
    }

    private async Task<(Violation? Violation, bool Reached)> RunAsync(List<AgentConnection> agents, int run)
    {
        var id = new RunId(run + 1, "agents", "bare");
        var history = new List<Observation>();
        try
        {
            foreach (var agent in agents)
            {
                await agent.SendAsync(HttpMethod.Post, "/reset", null, cancellation);
            }

            var answer = await agents[run % agents.Count].SendAsync(HttpMethod.Post, "/run", """{"round":1}""", cancellation);
            id = RunId.TryParse(answer.Body.Text("run"), out var named) ? named : id;
            foreach (var agent in agents)
            {
                await agent.PollAsync("/consensus", reply => Holds(agent, reply.Body),
                    () => Task.Delay(10, cancellation), DecisionTimeout, cancellation);
            }
        }
        catch (CheckFailedException e)
        {
            return (new(PropertyNames.Termination, Rule.Ratified, id, $"An agent did not respond: {e.Detail ?? e.Expected}."),
                history.Count > 0);
        }

        var violation = SafetyChecker.Check(history) ?? (history.Count == agents.Count ? null
            : new(PropertyNames.Termination, Rule.Ratified, id,
                $"{history.Count} of {agents.Count} agents decided within {DecisionTimeout.TotalSeconds:0} s."));
        return (violation, history.Count > 0);

        bool Holds(AgentConnection agent, JsonElement body)
        {
            if (body.Find("reached") is not { ValueKind: JsonValueKind.True } || body.Number("value") is not { } value)
            {
                return false;
            }

            history.Add(new Observation(agent.Id, "", id, value, body.Number("round") ?? 0));
            return true;
        }
    }
}
