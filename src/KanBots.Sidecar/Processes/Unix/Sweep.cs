using System.Runtime.Versioning;
using System.Text;

namespace KanBots.Sidecar.Processes.Unix;

/// <summary>The tree of a launch by its token in the environment and by descent.</summary>
[UnsupportedOSPlatform("windows")]
internal static class Sweep
{
    /// <summary>For all of a tree together, in milliseconds, to put away what would stay behind.</summary>
    private const int PutAwayMs = 300;

    /// <summary>How often it is looked who has ended, in milliseconds.</summary>
    private const int LookMs = 5;

    internal static IReadOnlyList<ProcessIdentity> Find(string token, IReadOnlySet<int> roots, IReadOnlySet<int> except) =>
        Below(roots, except, Encoding.ASCII.GetBytes($"{ProcessTree.TokenName}={token}"));

    /// <param name="needle">The entry of the environment by which more roots are known.</param>
    private static IReadOnlyList<ProcessIdentity> Below(IReadOnlySet<int> roots, IReadOnlySet<int> except, byte[]? needle)
    {
        var parents = new Dictionary<int, (int Parent, string Start)>();
        var found = new HashSet<int>();
        foreach (var pid in ProcessTable.Pids())
        {
            if (pid == Environment.ProcessId || ProcessTable.Facts(pid) is not { } facts)
            {
                continue;
            }

            parents[pid] = (facts.Parent, facts.Start);
            if (needle is not null && EnvironmentHas(pid, needle))
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

    /// <summary>Each round first stops all and then kills all, so that a fork bomb cannot outrun it. Before that, whoever wants to may
    /// put away what it holds.</summary>
    /// <param name="unasked">The one that is not to do anything any more; 0 for none.</param>
    internal static IReadOnlyList<ProcessIdentity> KillAll(string token, IReadOnlySet<int> roots, IReadOnlySet<int> except, int unasked) =>
        KillAll(() => Find(token, roots, except), unasked);

    /// <summary>The same for a process and what descends from it.</summary>
    internal static void KillFrom(ProcessIdentity root)
    {
        var known = new HashSet<ProcessIdentity> { root }; // what has lost its parent is still of it
        var nobody = new HashSet<int>();
        _ = KillAll(
            () =>
            {
                known.RemoveWhere(process => !process.IsAlive);
                known.UnionWith(Below(known.Select(process => process.Pid).ToHashSet(), nobody, null));
                return [.. known];
            },
            unasked: 0);
    }

    private static IReadOnlyList<ProcessIdentity> KillAll(Func<IReadOnlyList<ProcessIdentity>> find, int unasked)
    {
        using var locks = new HeldLocks();
        LetPutAway(find, unasked, locks);
        IReadOnlyList<ProcessIdentity> left = [];
        for (var round = 0; round < ProcessTree.RoundsMax; round++)
        {
            left = find();
            if (left.Count == 0)
            {
                locks.Remove();
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

    /// <summary>A git that is killed leaves its locks in the user's repository, and from then on nobody's gc, discard or landing goes
    /// through; one that is asked to end removes them. All are stopped, so that none of them starts anything more; who has a handler is
    /// asked and goes on. What those start themselves may run: it is how a script puts away.</summary>
    private static void LetPutAway(Func<IReadOnlyList<ProcessIdentity>> find, int unasked, HeldLocks locks)
    {
        var until = Environment.TickCount64 + PutAwayMs;
        var stopped = new HashSet<ProcessIdentity>();
        var asked = new HashSet<ProcessIdentity>();
        for (var isNew = true; (isNew || asked.Any(process => process.IsAlive)) && Environment.TickCount64 < until;)
        {
            if (!isNew)
            {
                Thread.Sleep(LookMs);
            }

            isNew = false; // whoever was not there yet may have started one more before it stood still
            foreach (var process in find())
            {
                if (!stopped.Contains(process) && !(IsOfOne(asked, process) && !ProcessTable.CatchesTerm(process.Pid)))
                {
                    _ = LibC.kill(process.Pid, LibC.SIGSTOP);
                    isNew = stopped.Add(process);
                }
            }

            foreach (var process in stopped.Where(process => !asked.Contains(process)))
            {
                locks.Note(process.Pid);
                if (process.Pid != unasked && ProcessTable.CatchesTerm(process.Pid))
                {
                    asked.Add(process);
                    _ = LibC.kill(process.Pid, LibC.SIGTERM);
                    _ = LibC.kill(process.Pid, LibC.SIGCONT);
                }
            }
        }
    }

    private static bool IsOfOne(HashSet<ProcessIdentity> parents, ProcessIdentity process) =>
        parents.Count > 0 && ProcessTable.Facts(process.Pid) is { } facts && parents.Any(parent => parent.Pid == facts.Parent);

    private static bool EnvironmentHas(int pid, byte[] needle) =>
        ProcessTable.Environment(pid) is { } environment && ProcessTree.SplitEntries(environment).Any(entry => entry.AsSpan().SequenceEqual(needle));
}
