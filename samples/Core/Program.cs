// Consensus without a network: the core is a library. Read from top to bottom.
using Consensus.Protocol;
using Consensus.Simulation.ModelChecking;
using Consensus.Simulation.Seeded;

// 1. An agent is a state machine. It takes an input, and returns effects. It knows no clock, no thread and no network.
string[] ids = ["agent1", "agent2", "agent3"];
var random = new SeededRandom(7);
var agents = ids.Select(id => new AgentStateMachine(id, boot: $"{id}-boot", [.. ids.Where(other => other != id)], random)).ToArray();

// 2. The host carries out the effects. This one holds the messages in flight in a list, and delivers any of them next.
var inFlight = new List<(int From, int Peer, Message Message)>();
Take(0, new StartRun(Ticket: 1, new RunRequest(Rule: Rule.Ratified, Values: 3)));
while (inFlight.Count > 0)
{
    var (from, peer, message) = inFlight[random.Next(inFlight.Count)];
    inFlight.Remove((from, peer, message));
    var response = Take(Receiver(from, peer), new MessageReceived(message));
    Take(from, new ResponseReceived(peer, message, response!));
}

foreach (var agent in agents)
{
    Console.WriteLine($"{agent.Id} decided {agent.CurrentDecision?.Value.ToString() ?? "nothing"} in round {agent.CurrentRound}.");
}

// 3. The simulator is a host with a virtual clock, faults and a safety check. The same seed gives the same run.
foreach (var rule in Enum.GetValues<Rule>())
{
    var simulator = new Simulator(new SimulationOptions(Rule: rule, Values: 2, WindowMs: 0));
    var broken = Enumerable.Range(1, 1_000).Count(seed => simulator.Run(seed).Violation is not null);
    Console.WriteLine($"{rule} rule, 1,000 runs in which messages overtake each other: {broken} with a disagreement.");
}

// 4. The model checker is a host that takes every possible step, and so visits every state within its bounds.
var report = new ModelChecker(new ModelCheckerOptions(Values: 2, Rounds: 1, Crashes: 0, Resets: 0)).Run();
Console.WriteLine($"Ratified rule, every order of the messages of one round: {report.States:N0} states; "
    + $"{(report.Broken is null ? "no property is broken" : $"{report.Broken} is broken")}.");

// An agent takes an input. Returns its response, where the input is a message.
Response? Take(int agent, Input input)
{
    Response? response = null;
    foreach (var effect in agents[agent].Step(input))
    {
        switch (effect)
        {
            case Send send:
                inFlight.Add((agent, send.Peer, send.Message));
                break;
            case Reply reply:
                response = reply.Response;
                break;
            case ProtocolEvent happened:
                Console.WriteLine($"  {ids[agent]} {EventFormatter.Of(happened)}");
                break;

            // Timers repeat lost messages and end the wait for slow agents. Here no message is lost, and all arrive.
            case SetTimer or CancelTimer:
                break;
        }
    }

    return response;
}

// An agent counts its peers from 0 and leaves itself out.
int Receiver(int from, int peer) => peer < from ? peer : peer + 1;
