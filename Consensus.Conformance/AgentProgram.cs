namespace Consensus.Conformance;

/// <summary>The settings with which a program starts as an agent.</summary>
/// <param name="Id">AGENT_ID.</param>
/// <param name="Port">PORT, on this machine.</param>
/// <param name="Peers">PEERS: the base addresses of the others, comma-separated.</param>
public sealed record AgentSettings(string Id, int Port, string Peers);

/// <summary>A started agent. <see cref="IDisposable.Dispose"/> kills it and waits until it has ended.</summary>
public interface IAgentProcess : IDisposable
{
    /// <summary>Whether the process has ended without the judge.</summary>
    bool HasExited { get; }

    /// <summary>The last lines that it printed, oldest first.</summary>
    IReadOnlyList<string> LastLines { get; }
}

/// <summary>A program that can be started as an agent.</summary>
/// <param name="Name">The program as reports name it.</param>
/// <param name="Start">Starts it; it may still be on its way to listen when this returns.</param>
public sealed record AgentProgram(string Name, Func<AgentSettings, IAgentProcess> Start)
{
    /// <summary>A command line for the shell.</summary>
    /// <param name="command">The command line.</param>
    /// <param name="environment">Variables that it gets beside those of the contract: <see cref="ProgramEnvironment.Clean"/>.</param>
    public static AgentProgram OfCommand(string command, IReadOnlyList<string> environment) =>
        new(command, settings => new ChildProcess(command, settings, environment));
}
