namespace Consensus.Simulation.ModelChecking;

/// <summary>Kinds of <see cref="TransitionCode"/>. Those before <see cref="DropHandshakeReplies"/> are an agent's own steps.</summary>
internal enum TransitionKind
{
    Window,
    StartTimer,
    Start,
    Reset,
    RestartHigherBoot,
    RestartLowerBoot,
    Poll,

    /// <summary>
    /// As <see cref="RestartHigherBoot"/>, with a disk that lost what was not forced to it. An undecided agent then restores nothing.
    /// </summary>
    RestartHigherBootLosing,

    /// <summary>As <see cref="RestartLowerBoot"/>, with such a disk.</summary>
    RestartLowerBootLosing,

    /// <summary>Drops the responses to an agent's handshake, which will not be read any more.</summary>
    DropHandshakeReplies,

    /// <summary>Drops the proposals and votes of a dead run.</summary>
    DropDeadRun,

    /// <summary>Delivers a message.</summary>
    Deliver,
}

/// <summary>
/// The input of a transition: its kind, and the message, the agent or the run that the kind takes. One number holds both, because
/// a state finds its successors by it.
/// </summary>
/// <param name="Number">
/// An own step is its kind. Dropped responses are 9 plus the agent, a message is its code, and a dead run is -1 minus the run.
/// </param>
internal readonly record struct TransitionCode(int Number)
{
    /// <summary>The number of an agent's own steps, which come first.</summary>
    public const int OwnSteps = (int)TransitionKind.DropHandshakeReplies;

    /// <summary>The least code of a message.</summary>
    public const int FirstMessage = 16;

    public TransitionKind Kind => Number >= FirstMessage ? TransitionKind.Deliver
        : Number < 0 ? TransitionKind.DropDeadRun
        : Number < OwnSteps ? (TransitionKind)Number : TransitionKind.DropHandshakeReplies;

    public bool IsOwnStep => (uint)Number < OwnSteps;

    /// <summary>Whether it only drops messages.</summary>
    public bool IsDrop => Kind is TransitionKind.DropHandshakeReplies or TransitionKind.DropDeadRun;

    /// <summary>Whether it is a crash with a restart.</summary>
    public bool IsCrash => Kind is TransitionKind.RestartHigherBoot or TransitionKind.RestartLowerBoot || IsLosing;

    /// <summary>Whether the disk loses what was not forced to it.</summary>
    public bool IsLosing => Kind is TransitionKind.RestartHigherBootLosing or TransitionKind.RestartLowerBootLosing;

    /// <summary>Whether the new boot sorts before all earlier ones.</summary>
    public bool LowersBoot => Kind is TransitionKind.RestartLowerBoot or TransitionKind.RestartLowerBootLosing;

    /// <summary>The agent whose handshake is over, where responses to it are dropped.</summary>
    public int Agent => Number - OwnSteps;

    /// <summary>The run whose messages are dropped.</summary>
    public int Run => -1 - Number;

    /// <summary>The delivered message.</summary>
    public int Message => Number;

    public static TransitionCode DropHandshakeReplies(int agent) => new(OwnSteps + agent);

    public static TransitionCode DropDeadRun(int run) => new(-1 - run);

    public static TransitionCode Deliver(int message) => new(message);
}
