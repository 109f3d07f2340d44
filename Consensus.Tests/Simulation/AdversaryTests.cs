using System.Text.RegularExpressions;
using Consensus.Protocol;
using Consensus.Simulation.Exploration;

namespace Consensus.Tests.Simulation;

/// <summary>
/// An adversary that sees the draws. In time, each agent receives one proposal, which differs from its own, and one vote. Two of three
/// agents draw the same value in each round. A network that delivers all messages in time would decide in round 1.
/// </summary>
[Trait(Category.Name, Category.Fast)]
public sealed partial class AdversaryTests
{
    private static readonly int[] Values = [1, 2, 2];
    private readonly List<ExplorationStep> _path = [];

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(12)]
    public void An_adversary_keeps_three_agents_undecided_for_any_number_of_rounds(int rounds)
    {
        Keep(rounds);
        AssertUndecided(_path, rounds + 1);
        Assert.Equal((12 * rounds) + 1, _path.Count);
    }

    [Fact]
    public void The_schedule_in_the_documents_keeps_three_agents_undecided_for_five_rounds()
    {
        var shown = Path().Match(File.ReadAllText(System.IO.Path.Combine(SourceTree.Root, "docs", "termination.md"))).Groups[1].Value;
        AssertUndecided(ExplorationStep.ParsePath(shown), 6);
        Keep(5);
        Assert.Equal(string.Join('-', _path), shown);
    }

    private static void AssertUndecided(IReadOnlyList<ExplorationStep> path, int round)
    {
        var cluster = new ExploredCluster(new(), path);
        Assert.Empty(cluster.Violations);
        Assert.All(cluster.Snapshots, known => Assert.Equal((round, null, null), (known!.Round, known.Decision, known.Stalled)));
        Assert.Equal(round * 3, cluster.Trace!.Steps.SelectMany(step => step.Events).Count(one => one.Kind == ProtocolEventKind.Drew));
    }

    private void Keep(int rounds)
    {
        Take(0, (step, _) => step.Step.Kind == ExplorationStepKind.Start && Draws(step, 0));
        Take(1, (step, told) => told.Kind == MessageKind.NewRound && Draws(step, 1));
        Take(2, (step, told) => told.Kind == MessageKind.NewRound && Draws(step, 2));
        for (var round = 1; round <= rounds; round++)
        {
            for (var agent = 0; agent < Values.Length; agent++)
            {
                // The first message of the run carries the initiator's proposal to the others.
                if (round > 1 || agent == 0)
                {
                    Take(agent, (_, told) => told.Kind == MessageKind.Proposal && told.Round == round && told.Value != Values[agent]);
                }

                Take(agent, (step, _) => step.Step.Kind == ExplorationStepKind.Window);
            }

            for (var agent = 0; agent < Values.Length; agent++)
            {
                Take(agent, (_, told) => told.Kind == MessageKind.Vote && told.Round == round);
                Take(agent, (step, _) => step.Step.Kind == ExplorationStepKind.Window && Draws(step, agent));
            }
        }
    }

    private static bool Draws(NextStep step, int agent) => step.Step.Draws is [var draw] && draw + 1 == Values[agent];

    private void Take(int agent, Func<NextStep, MessageContent, bool> wanted) =>
        _path.Add(new ExploredCluster(new(), _path).NextSteps().First(step => step.Agent == agent && wanted(step, Told(step))).Step);

    private static MessageContent Told(NextStep step) => step.Step.Kind switch
    {
        ExplorationStepKind.Deliver => step.Call!.Message.Content,
        ExplorationStepKind.Respond => step.Call!.Response!.Carried,
        _ => default,
    };

    [GeneratedRegex("/explore\\?path=([\\w.-]+)")]
    private static partial Regex Path();
}
