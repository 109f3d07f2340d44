namespace Consensus.Agent.Lab;

/// <summary>Runs work that takes a core on a thread of its own. On threads of the pool it would delay all other calls.</summary>
internal static class LabThread
{
    /// <summary>Runs <paramref name="work"/>.</summary>
    public static Task<T> RunAsync<T>(Func<T> work) =>
        Task.Factory.StartNew(
            work, CancellationToken.None, TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach, TaskScheduler.Default);
}
