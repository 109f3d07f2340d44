namespace Consensus.Hosting;

/// <summary>The lines in the console log of the resource <c>consensus</c>: who comes and goes, each run, and what came of it.</summary>
internal static class ClusterLog
{
    /// <summary>The lines for what changed since the last view.</summary>
    public static IEnumerable<string> LinesOf(ClusterView? last, ClusterView view)
    {
        if (last?.Presence != view.Presence)
        {
            yield return view.Presence;
        }

        if (view.Run is not { } run)
        {
            if (last?.Run is not null)
            {
                yield return "The agents were reset";
            }

            yield break;
        }

        var name = ClusterView.NameOf(run);
        if (last?.Run != run)
        {
            var initiator = view.Initiator is { } agent ? $" at {agent}" : "";
            yield return $"{name} began{initiator}{(view.Options is { } options ? $": {options}" : "")}";
        }

        if (view.IsOver && (last?.Run != run || last.Outcome != view.Outcome))
        {
            yield return $"{name}: {view.Outcome}";
        }
    }
}
