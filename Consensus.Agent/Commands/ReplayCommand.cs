using System.CommandLine;
using System.Globalization;
using Consensus.Protocol;
using Consensus.ServiceDefaults;
using Consensus.Simulation;

namespace Consensus.Agent.Commands;

/// <summary><c>replay</c>: gives the core what recorded agents were given, and compares what it does with what they did.</summary>
internal static class ReplayCommand
{
    /// <summary>
    /// The command. Exit code 0: no difference; 2: an agent did something else, or what the model does not allow; 1: a file is no
    /// recording.
    /// </summary>
    public static Command Create()
    {
        var files = new Argument<string[]>("FILE")
        {
            Arity = ArgumentArity.OneOrMore,
            Description = "Recordings, each from GET /timeline/record of an agent.",
        };
        var command = new Command(
            "replay",
            "Re-executes what agents recorded. Compares every effect with what the agents did, and every event with the proof's model.")
        {
            files,
        };
        command.SetAction(parsed => Replay(parsed.GetValue(files)!));
        return command;
    }

    private static int Replay(string[] files)
    {
        var differ = false;
        var recordings = new List<Recording>();
        foreach (var file in files)
        {
            try
            {
                recordings.Add(Recording.FromBytes(File.ReadAllBytes(file)));
                differ |= !Matches(recordings[^1]);
            }
            catch (Exception e) when (e is FormatException or IOException or UnauthorizedAccessException)
            {
                throw new ConfigurationException($"{file} cannot be replayed: {e.Message}");
            }
        }

        return differ || !FollowsModel(recordings) ? 2 : 0;
    }

    private static bool FollowsModel(List<Recording> recordings)
    {
        var (whole, partial, violation) = RecordedRuns.Check(recordings);
        if (violation is not null || whole > 0)
        {
            Console.WriteLine(violation?.Explanation
                ?? string.Create(CultureInfo.InvariantCulture, $"{whole:N0} runs: each event is a step of the model that is proved."));
        }

        if (partial > 0)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{partial:N0} runs were not compared with that model: ")
                + "not every step of every agent is recorded there.");
        }

        return violation is null;
    }

    private static bool Matches(Recording recording)
    {
        var (steps, decisions) = (0, 0);
        foreach (var step in recording.Reexecute())
        {
            steps++;
            decisions += step.Effects.Any(effect => effect is ProtocolEvent { Kind: ProtocolEventKind.Decided }) ? 1 : 0;
            if (step.Differs)
            {
                var time = DateTimeOffset.UnixEpoch.AddMicroseconds(step.At).ToString("HH:mm:ss.ffffff", CultureInfo.InvariantCulture);
                Console.WriteLine($"{recording.AgentId}, boot {recording.Boot}: step {step.Number} at {time} differs.");
                Console.WriteLine($"  It {Describe(step)}.");
                Console.WriteLine($"  The core then {Describe(step.Effects, step.Machine)}. The agent did something else.");
                return false;
            }
        }

        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{recording.AgentId}, boot {recording.Boot}: {steps:N0} steps, {decisions:N0} decisions, 0 differences."));
        return true;
    }

    private static string Describe(in ReexecutedStep step)
    {
        var from = step.Sender is null ? "" : $" from {step.Sender}";
        return step.Input switch
        {
            MessageReceived received => $"receives {EventFormatter.Of(received.Message)}{from}",
            ResponseReceived response =>
                $"receives the response of {step.Machine.NameOf(response.Peer)}: {EventFormatter.Of(response.Response)}",
            RequestFailed failed => $"gets no response from {step.Machine.NameOf(failed.Peer)}",
            TimerFired fired => $"has a timer that fires: {EventFormatter.Of(fired.Timer)}",
            StartRun => "is asked to start a run",
            Restored => "restores what it persisted",
            _ => "starts",
        };
    }

    private static string Describe(IReadOnlyList<Effect> effects, AgentStateMachine machine)
    {
        var texts = effects.Select(effect => effect switch
        {
            ProtocolEvent e => EventFormatter.Of(e),
            Send send => $"sends {EventFormatter.Of(send.Message)} to {machine.NameOf(send.Peer)}",
            Reply reply => $"responds {EventFormatter.Of(reply.Response)}",
            StartEnded ended => EventFormatter.Of(ended.Outcome),
            SetTimer timer => string.Create(CultureInfo.InvariantCulture, $"sets the timer {timer.Timer} to {timer.DelayMs} ms"),
            CancelTimer timer => $"cancels the timer {timer.Timer}",
            _ => "",
        }).ToList();
        return texts.Count == 0 ? "does nothing" : string.Join("; ", texts);
    }
}
