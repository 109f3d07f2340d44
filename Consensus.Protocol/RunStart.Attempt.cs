namespace Consensus.Protocol;

internal sealed partial class RunStart
{
    /// <summary>One start in progress. Arrays are by peer.</summary>
    private sealed class Attempt(StartRun start, int peers)
    {
        public readonly StartRun Start = start;

        /// <summary>The request of this stage has a response, or has failed.</summary>
        public bool[] Completed { get; private init; } = new bool[peers];

        public bool[] Responded { get; private init; } = new bool[peers];

        /// <summary>The peer is an original agent.</summary>
        public bool[] IsOriginal { get; private init; } = new bool[peers];

        public Stage Stage { get; private set; }

        public bool TimerArmed { get; set; }

        public int Restarts { get; set; }

        /// <summary>The run as it was created; null before, and for a bare run.</summary>
        public RunDescriptor? Run { get; set; }

        public bool WithoutHandshake { get; set; }

        /// <summary>What a rollback returns to.</summary>
        public RunState? PreviousRun { get; set; }

        public RunId PreviousHighestSeenRun { get; set; }

        public Attempt Clone() => new(Start, 0)
        {
            Completed = [.. Completed], Responded = [.. Responded], IsOriginal = [.. IsOriginal],
            Stage = Stage, TimerArmed = TimerArmed, Restarts = Restarts, Run = Run,
            WithoutHandshake = WithoutHandshake, PreviousRun = PreviousRun?.Clone(), PreviousHighestSeenRun = PreviousHighestSeenRun,
        };

        /// <summary>Reads what <see cref="Write(RecordWriter)"/> wrote.</summary>
        public static Attempt Read(RecordReader reader, string me, int peers)
        {
            var attempt = new Attempt(reader.ReadStart(), peers);
            reader.ReadFlags(attempt.Completed);
            reader.ReadFlags(attempt.Responded);
            reader.ReadFlags(attempt.IsOriginal);
            (attempt.Stage, attempt.TimerArmed, attempt.Restarts) = ((Stage)reader.ReadInt(), reader.ReadBool(), reader.ReadInt());
            (attempt.Run, attempt.WithoutHandshake) = (reader.ReadRun(), reader.ReadBool());
            attempt.PreviousRun = reader.ReadBool() ? RunState.Read(reader, me) : null;
            attempt.PreviousHighestSeenRun = reader.ReadRunId();
            return attempt;
        }

        /// <summary>Writes everything that it holds.</summary>
        public void Write(RecordWriter writer)
        {
            writer.Write(Start);
            writer.Write(Completed);
            writer.Write(Responded);
            writer.Write(IsOriginal);
            writer.Write((long)Stage);
            writer.Write(TimerArmed);
            writer.Write(Restarts);
            writer.Write(Run);
            writer.Write(WithoutHandshake);
            writer.Write(PreviousRun is not null);
            PreviousRun?.Write(writer);
            writer.Write(PreviousHighestSeenRun);
        }

        public void Enter(Stage stage)
        {
            Stage = stage;
            TimerArmed = false;
            Array.Clear(Completed);
        }

        /// <summary>Whether a request was sent by the current stage.</summary>
        public bool Owns(Message sent) => (Stage, sent) switch
        {
            (Stage.Handshake, Handshake) => true,
            (Stage.ResetForAnonymousRun, Reset) => true,
            (Stage.FirstRound, NewRound newRound) => newRound.Run?.Id == Run?.Id,
            _ => false,
        };

        /// <summary>Whether the created run is still the agent's current run.</summary>
        public bool IsCurrentIn(AgentContext agent) => Run is { } run && agent.Run?.Id == run.Id;

        public void Write(Fingerprint fingerprint)
        {
            for (var i = 0; i < Completed.Length; i++)
            {
                fingerprint.Writer.Write((byte)((Completed[i] ? 1 : 0) | (Responded[i] ? 2 : 0) | (IsOriginal[i] ? 4 : 0)));
            }
        }
    }
}
