using System.Runtime.Versioning;
using System.Text;

namespace KanBots.Sidecar.Processes.Unix;

/// <summary>The tree of a launch by its token in the environment and by descent.</summary>
[UnsupportedOSPlatform("windows")]
internal static class Sweep
{
    internal static IReadOnlyList<ProcessIdentity> Find(string token, IReadOnlySet<int> roots, IReadOnlySet<int> except)
    {
        var needle = Encoding.ASCII.GetBytes($"{ProcessTree.TokenName}={token}");
        var parents = new Dictionary<int, (int Parent, string Start)>();
        var found = new HashSet<int>();
        foreach (var pid in ProcessTable.Pids())
        {
            if (pid == Environment.ProcessId || ProcessTable.Facts(pid) is not { } facts)
            {
                continue;
            }

            parents[pid] = (facts.Parent, facts.Start);
            if (EnvironmentHas(pid, needle))
            {
                found.Add(pid);
            }
        }

        for (var grew = true; grew;)
        {
            grew = false;
            foreach (var (pid, facts) in parents)
            {
                if (!except.Contains(pid) && (roots.Contains(facts.Parent) || found.Contains(facts.Parent)))
                {
                    grew |= found.Add(pid);
                }
            }
        }

        return [.. found.Where(pid => !roots.Contains(pid) && !except.Contains(pid) && parents.ContainsKey(pid)).Select(pid => new ProcessIdentity(pid, parents[pid].Start))];
    }

    /// <summary>Each round first stops all and then kills all, so that a fork bomb cannot outrun it.</summary>
    internal static IReadOnlyList<ProcessIdentity> KillAll(string token, IReadOnlySet<int> roots, IReadOnlySet<int> except)
    {
        IReadOnlyList<ProcessIdentity> left = [];
        for (var round = 0; round < ProcessTree.RoundsMax; round++)
        {
            left = Find(token, roots, except);
            if (left.Count == 0)
            {
                return left;
            }

            foreach (var process in left)
            {
                _ = LibC.kill(process.Pid, LibC.SIGSTOP);
            }

            foreach (var process in left)
            {
                if (process.IsAlive)
                {
                    _ = LibC.kill(process.Pid, LibC.SIGKILL);
                }
            }

            Thread.Sleep(round < 5 ? 5 : 25); // the kernel needs a moment to turn the killed into zombies
        }

        return left;
    }

    private static bool EnvironmentHas(int pid, byte[] needle) =>
        ProcessTable.Environment(pid) is { } environment && ProcessTree.SplitEntries(environment).Any(entry => entry.AsSpan().SequenceEqual(needle));
}
