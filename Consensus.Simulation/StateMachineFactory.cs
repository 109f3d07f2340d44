using Consensus.Protocol;

namespace Consensus.Simulation;

/// <summary>Makes the machine of one process.</summary>
/// <param name="id">The agent's id.</param>
/// <param name="boot">The process's boot.</param>
/// <param name="peers">The names of the agent's peers.</param>
/// <param name="random">The source of the process's draws.</param>
public delegate AgentStateMachine StateMachineFactory(string id, string boot, IReadOnlyList<string> peers, IRandomSource random);
