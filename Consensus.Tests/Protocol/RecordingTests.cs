using Consensus.Protocol;
using Consensus.Simulation;
using Consensus.Simulation.Mutants;
using Timer = Consensus.Protocol.Timer;

namespace Consensus.Tests.Protocol;

/// <summary>What an agent's core was given is enough to execute it again: every state, every effect.</summary>
[Trait(Category.Name, Category.Fast)]
public sealed class RecordingTests
{
    [Theory]
    [InlineData(3, Spread.Direct, Rule.Ratified)]
    [InlineData(3, Spread.Direct, Rule.Classic)]
    [InlineData(5, Spread.Relay, Rule.Ratified)]
    public void A_recorded_agent_does_the_same_again(int agents, Spread spread, Rule rule)
    {
        for (var seed = 1; seed <= 40; seed++)
        {
            var cluster = new RecordedWorld(agents, seed);
            cluster.Run(new RunRequest(
                Rule: rule, Values: 3, Draw: seed % 2 == 0 ? DrawStrategy.Plurality : DrawStrategy.Fresh, Spread: spread), steps: 1_200);
            foreach (var log in cluster.Logs)
            {
                var read = Recording.FromBytes(log.Read(1, long.MaxValue).ToBytes());
                Assert.Equal(log.LastStep, read.Steps);
                Assert.DoesNotContain(read.Reexecute(), step => step.Differs);
            }

            var (whole, partial, violation) = RecordedRuns.Check(cluster.Recordings);
            Assert.Null(violation);
            Assert.Equal(0, partial);
            Assert.Equal(rule == Rule.Ratified, whole > 0);
        }
    }

    [Fact]
    public void Runs_that_are_not_recorded_whole_are_left_out_and_the_others_are_compared_with_the_model()
    {
        for (var seed = 1; seed <= 20; seed++)
        {
            var cluster = new RecordedWorld(3, seed);
            cluster.Run(new RunRequest(Values: 3), steps: 1_500);
            var recordings = cluster.Recordings;
            var withoutAnAgent = RecordedRuns.Check(recordings.Where(recording => recording.AgentId != "agent2"));
            Assert.Null(withoutAnAgent.Violation);
            Assert.NotEqual(0, withoutAnAgent.Partial);

            // As after a long time: the segments after the first ones are dropped.
            var withGaps = RecordedRuns.Check(recordings.Select(
                recording => recording with { Segments = [.. recording.Segments.Where((_, i) => i % 3 != 1)] }));
            Assert.Null(withGaps.Violation);
            var whole = RecordedRuns.Check(recordings);
            Assert.InRange(withGaps.Checked, 0, whole.Checked);
        }
    }

    [Fact]
    public void A_saved_state_is_the_whole_state()
    {
        var cluster = new RecordedWorld(4, seed: 7) { ChecksStates = true };
        cluster.Run(new RunRequest(Spread: Spread.Relay), steps: 1_500);
        Assert.True(cluster.Logs.Sum(log => log.LastStep) > 1_000);
    }

    [Theory]
    [InlineData(nameof(NoAdoption))]
    [InlineData(nameof(DecisionOnOneVote))]
    public void An_agent_with_a_broken_rule_is_caught_at_its_first_wrong_step(string name)
    {
        SafetyRules broken = name == nameof(NoAdoption) ? new NoAdoption() : new DecisionOnOneVote();
        var (caught, refused) = (0, 0);
        for (var seed = 1; seed <= 30 && (caught == 0 || refused == 0); seed++)
        {
            var cluster = new RecordedWorld(3, seed, broken);
            cluster.Run(new RunRequest(Values: 3), steps: 1_000);
            foreach (var log in cluster.Logs)
            {
                var wrong = log.Read(1, long.MaxValue).Reexecute().FirstOrDefault(step => step.Differs);
                caught += wrong.Number > 0 ? 1 : 0;

                // With the agent's own rules, nothing differs.
                Assert.DoesNotContain(log.Read(1, long.MaxValue).Reexecute(broken), step => step.Differs);
            }

            refused += RecordedRuns.Check(cluster.Recordings, broken).Violation is { Property: PropertyNames.Refinement } ? 1 : 0;
        }

        Assert.NotEqual(0, caught);
        Assert.NotEqual(0, refused);
    }

    [Fact]
    public void A_record_holds_every_option_of_a_request_and_of_a_run()
    {
        var writer = new RecordWriter();
        var run = Filled<RunDescriptor>();
        var start = new StartRun(5, Filled<RunRequest>());
        writer.Write(run);
        writer.Write((Input)start);
        var reader = new RecordReader(writer.Written);
        Assert.Equivalent(run, reader.ReadRun(), strict: true);
        Assert.Equal(start, reader.ReadInput());
    }

    /// <summary>A record none of whose fields has its default.</summary>
    private static T Filled<T>() => (T)Activator.CreateInstance(typeof(T), [.. typeof(T).GetConstructors()[0].GetParameters().Select(
        (parameter, index) => Sample(Nullable.GetUnderlyingType(parameter.ParameterType) ?? parameter.ParameterType, index + 3))])!;

    private static object Sample(Type type, int number) =>
        type == typeof(int) ? number
        : type == typeof(long) ? (long)number
        : type == typeof(RunId) ? new RunId(number, "agent1", "b1")
        : type == typeof(IReadOnlyDictionary<string, string>) ? new Dictionary<string, string> { ["agent1"] = "b1" }
        : type.IsEnum ? Enum.GetValues(type).Cast<object>().Last()
        : throw new ArgumentException($"No sample of {type}.", nameof(type));

    [Fact]
    public void A_damaged_recording_says_so()
    {
        var cluster = new RecordedWorld(3, seed: 1);
        cluster.Run(new RunRequest(), steps: 200);
        var bytes = cluster.Logs[0].Read(1, long.MaxValue).ToBytes();
        Assert.Throws<FormatException>(() => Recording.FromBytes(bytes.AsMemory(0, 10)));
        Assert.Throws<FormatException>(() => Recording.FromBytes(bytes.AsMemory(0, bytes.Length / 2)));
        Assert.Throws<FormatException>(() => Recording.FromBytes(new byte[100]));
    }

    [Fact]
    public void A_log_of_any_length_keeps_its_beginning_and_its_end()
    {
        var random = new RecordedDraws(new SeededRandom(1));
        var machine = new AgentStateMachine("agent1", "a", ["agent2", "agent3"], random);
        var log = new InputLog(machine, random);
        const int Steps = (InputLog.MaxSegments + 100) * InputLog.StepsPerSegment;
        for (var i = 0; i < Steps; i++)
        {
            var input = new TimerFired(Timer.Poll);
            log.Add(i, input, machine.Step(input));
        }

        var read = log.Read(1, long.MaxValue);
        Assert.InRange(read.Segments.Count, InputLog.MaxSegments - 1, InputLog.MaxSegments);
        Assert.Equal(1, read.Segments[0].FirstStep);
        Assert.Equal(Steps, read.Reexecute().Last().Number);
        Assert.DoesNotContain(read.Reexecute(), step => step.Differs);
    }

    /// <summary>A cluster in which anything happens in random order, and each process is recorded.</summary>
    private sealed class RecordedWorld : SimulatedCluster
    {
        private readonly Random _random;
        private readonly SeededRandom _draws;
        private readonly SafetyRules? _rules;
        private readonly InputLog[] _current;
        private long _boots;

        public RecordedWorld(int agents, int seed, SafetyRules? rules = null)
            : base(Enumerable.Range(0, agents).Select(agent => new SimulatedAgent(agent, AgentIds.Others(agent, agents))))
        {
            (_random, _draws, _rules, _current) = (new Random(seed), new SeededRandom((ulong)seed), rules, new InputLog[agents]);
            foreach (var agent in Agents)
            {
                Boot(agent, restores: false);
            }
        }

        public bool ChecksStates { get; init; }

        public List<InputLog> Logs { get; } = [];

        public IReadOnlyList<Recording> Recordings => [.. Logs.Select(log => log.Read(1, long.MaxValue))];

        public void Run(RunRequest request, int steps)
        {
            for (var i = 0; i < steps; i++)
            {
                Now += _random.Next(1, 900);
                var agent = Agents[_random.Next(Agents.Count)];
                switch (_random.Next(100))
                {
                    case < 2:
                        StartRun(agent, i + 1, request);
                        break;
                    case < 3:
                        Reset(agent);
                        break;
                    case < 4:
                        Boot(agent, restores: _random.Next(2) == 0);
                        break;
                    case < 14 when agent.SetTimers.ToList() is { Count: > 0 } timers:
                        Fire(agent, timers[_random.Next(timers.Count)].Timer);
                        break;
                    default:
                        DeliverOne();
                        break;
                }
            }
        }

        protected override Response? OnStep(SimulatedAgent agent, Input input, IReadOnlyList<Effect> effects)
        {
            _current[agent.Index].Add(Now, input, effects, input is MessageReceived ? CurrentCall?.From.Id : null, "boot");
            if (ChecksStates)
            {
                var (machine, saved) = (agent.Machine!, new RecordWriter());
                machine.Save(saved);
                var loaded = new AgentStateMachine(machine.Id, machine.Boot, machine.Peers, _draws, _rules);
                loaded.Load(new RecordReader(saved.Written));
                var again = new RecordWriter();
                loaded.Save(again);
                Assert.Equal(saved.Written.Span, again.Written.Span);
                Assert.Equal(Describe(machine), Describe(loaded));
            }

            return base.OnStep(agent, input, effects);
        }

        private void Boot(SimulatedAgent agent, bool restores)
        {
            RecordedDraws? draws = null;
            agent.Start(
                $"b{++_boots}", _draws,
                (id, boot, peers, random) => new AgentStateMachine(id, boot, peers, draws = new RecordedDraws(random), _rules), restores);
            Logs.Add(_current[agent.Index] = new InputLog(agent.Machine!, draws!));
            Step(agent, new Started());
        }

        private void DeliverOne()
        {
            if (InFlight.Count == 0)
            {
                return;
            }

            var call = InFlight[_random.Next(InFlight.Count)];
            if (call.Response is null && _random.Next(20) != 0)
            {
                call.Response = Receive(call);
                return;
            }

            InFlight.Remove(call);
            Respond(call, call.Response);
        }

        // Neither the effects of the last step nor the source of draws is state; copies have neither.
        private static string Describe(AgentStateMachine machine)
        {
            var bytes = new MemoryStream();
            using var writer = new BinaryWriter(bytes);
            machine.EncodeFingerprint(writer, mayStart: true, peerKnowledge: true);
            return Convert.ToHexString(bytes.ToArray()) + (machine.Snapshot() with
            {
                Proposals = new Dictionary<string, int>(),
                Votes = new Dictionary<string, int?>(),
                Run = null,
            });
        }
    }
}
