using Consensus.Conformance;
using Microsoft.AspNetCore.Http;

namespace Consensus.Tests.Conformance;

/// <summary>The judge tells a slow agent from a wrong one.</summary>
[Trait(Category.Name, Category.System)]
public sealed class PatienceTests : IAsyncLifetime
{
    private readonly ExchangeLog _log = new();
    private LoopbackServer _server = null!;
    private AgentConnection _agent = null!;

    public async Task InitializeAsync()
    {
        _server = await LoopbackServer.StartAsync(1, (_, context) => context.Response.WriteAsync("""{"status":"ok"}"""));
        _agent = new AgentConnection(_server.Addresses[0], _log);
    }

    public async Task DisposeAsync()
    {
        _agent.Dispose();
        await _server.DisposeAsync();
    }

    [Theory]
    [InlineData(40, true)]
    [InlineData(60, false)]
    public async Task An_agent_that_answered_few_requests_has_more_time_than_the_clock_says(int answersUntilItActs, bool seen)
    {
        var answers = 0;
        Assert.Equal(seen,
            await _agent.PollAsync("/state", _ => ++answers >= answersUntilItActs, () => Task.CompletedTask, TimeSpan.Zero, default));
        Assert.Single(_log.Last(100));
    }

    [Theory]
    [InlineData(2, 0, nameof(VerdictOutcome.Passed))]
    [InlineData(3, 0, nameof(VerdictOutcome.Failed))]
    [InlineData(0, 11, nameof(VerdictOutcome.Passed))]
    [InlineData(2, 9, nameof(VerdictOutcome.Passed))]
    public async Task A_check_fails_after_three_failures_in_time_and_tries_that_took_too_long_do_not_count(
        int failures, int tooSlow, string outcome)
    {
        var tries = 0;
        var check = new ConformanceCheck("check", ConformanceLevel.Original, "Sentence.", async context =>
        {
            await context.Get("/state");
            if (++tries <= failures + tooSlow)
            {
                throw new CheckFailedException("something else") { TooSlow = tries <= tooSlow };
            }
        });
        var verdict = await JudgeAsync(check);
        Assert.Equal(outcome, verdict.Outcome.ToString());
        Assert.NotEmpty(verdict.Exchanges);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_check_that_something_does_not_happen_in_a_round_passes_only_while_its_window_is_open(bool inWindow)
    {
        var tries = 0;
        var check = new ConformanceCheck(
            "check", ConformanceLevel.Original, "Sentence.",
            async context =>
            {
                await context.NewRound(1);
                await context.Delay(++tries <= 2 ? 200 : 0);
                await context.Get("/state");
            },
            InWindow: inWindow);
        var verdict = await JudgeAsync(check);
        Assert.Equal(VerdictOutcome.Passed, verdict.Outcome);
        Assert.Equal(inWindow, tries > 2);
    }

    [Fact]
    public async Task No_check_begins_when_the_time_is_over()
    {
        var check = new ConformanceCheck("check", ConformanceLevel.Original, "Sentence.", _ => Task.CompletedTask);
        var verdict = await new CheckRunner(_log, () => true, default)
            .RunAsync(check, () => throw new InvalidOperationException("The check began."));
        Assert.Equal(VerdictOutcome.NotJudged, verdict.Outcome);
        Assert.Equal(1, new ConformanceReport("x", ConformanceLevel.Original, 1, [verdict]).ExitCode);
    }

    private async Task<Verdict> JudgeAsync(ConformanceCheck check)
    {
        await using var peers = await FakePeers.StartAsync(3, _log);
        return await new CheckRunner(_log, () => false, default)
            .RunAsync(check, () => Task.FromResult(new CheckContext(_agent, [_agent], peers, 3, _log, default)));
    }
}
