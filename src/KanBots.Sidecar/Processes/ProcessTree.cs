using System.Globalization;
using System.Text;

namespace KanBots.Sidecar.Processes;

/// <summary>Finds and ends what belongs to a launch: what carries its token in the environment, and what descends from that or from
/// the given roots. What merely stands in the worktree belongs to somebody else and is never touched.</summary>
internal static class ProcessTree
{
    internal const string TokenName = "KANBOTS_LAUNCH";

    /// <summary>Rounds of a sweep. A tree that forks in a loop was seen to need 7; the limit is a guard against living for ever.</summary>
    internal const int RoundsMax = 60;

    /// <summary>The roots themselves are not in the answer.</summary>
    internal static IReadOnlyList<ProcessIdentity> Find(string token, IReadOnlySet<int> roots, IReadOnlySet<int> except)
    {
        var needle = Encoding.ASCII.GetBytes($"{TokenName}={token}");
        var parents = new Dictionary<int, (int Parent, string Start)>();
        var found = new HashSet<int>();
        foreach (var pid in Pids())
        {
            if (pid == Environment.ProcessId || ProcessIdentity.Stat(pid) is not { } stat)
            {
                continue;
            }

            parents[pid] = (stat.Parent, stat.Start);
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

    /// <summary>Ends the tree. Each round first stops all and then kills all, so that a fork bomb cannot outrun it.</summary>
    /// <returns>What is still alive; empty when the tree is confirmed gone.</returns>
    internal static IReadOnlyList<ProcessIdentity> KillAll(string token, IReadOnlySet<int> roots, IReadOnlySet<int> except)
    {
        IReadOnlyList<ProcessIdentity> left = [];
        for (var round = 0; round < RoundsMax; round++)
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

    /// <summary>The launch token of the process or of its nearest ancestor that has one, else null. Used to refuse an agent that
    /// would answer its own question; a process that sheds its environment is not recognised, which the README says.</summary>
    internal static string? TokenAbove(int pid)
    {
        var needle = Encoding.ASCII.GetBytes($"{TokenName}=");
        for (var depth = 0; pid > 1 && depth < 128; depth++)
        {
            if (ReadEnvironment(pid) is { } environment)
            {
                foreach (var entry in SplitEntries(environment))
                {
                    if (entry.AsSpan().StartsWith(needle))
                    {
                        return Encoding.ASCII.GetString(entry.AsSpan(needle.Length));
                    }
                }
            }

            pid = ProcessIdentity.Stat(pid)?.Parent ?? 0;
        }

        return null;
    }

    private static IEnumerable<byte[]> SplitEntries(byte[] environment)
    {
        for (var start = 0; start < environment.Length;)
        {
            var length = Array.IndexOf(environment, (byte)0, start) is var end && end < 0 ? environment.Length - start : end - start;
            yield return environment[start..(start + length)];
            start += length + 1;
        }
    }

    private static bool EnvironmentHas(int pid, byte[] needle) =>
        ReadEnvironment(pid) is { } environment && SplitEntries(environment).Any(entry => entry.AsSpan().SequenceEqual(needle));

    private static byte[]? ReadEnvironment(int pid)
    {
        try
        {
            return File.ReadAllBytes($"/proc/{pid}/environ");
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static IEnumerable<int> Pids()
    {
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var pid))
            {
                yield return pid;
            }
        }
    }
}
