namespace Consensus.Tests;

/// <summary>Which kind of test a class holds: <c>dotnet test Consensus.Tests --filter Category=Fast</c>.</summary>
public static class Category
{
    /// <summary>The name of the trait.</summary>
    public const string Name = "Category";

    /// <summary>No agent over a socket, and no long search. All of them together take under 20 s.</summary>
    public const string Fast = "Fast";

    /// <summary>The model checker, the simulator and random schedules, with every mutant.</summary>
    public const string Proof = "Proof";

    /// <summary>Agents over sockets, in processes of their own, in a browser or under the AppHost.</summary>
    public const string System = "System";
}
