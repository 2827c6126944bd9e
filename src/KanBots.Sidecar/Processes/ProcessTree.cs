using System.Text;
using KanBots.Sidecar.Processes.Unix;
using KanBots.Sidecar.Processes.Windows;

namespace KanBots.Sidecar.Processes;

/// <summary>Finds and ends what belongs to a launch: what carries its token in the environment, and what descends from that or from
/// the given roots; on Windows, what is in the job named after the token. What merely stands in the worktree belongs to somebody else
/// and is never touched.</summary>
internal static class ProcessTree
{
    internal const string TokenName = "KANBOTS_LAUNCH";

    /// <summary>Rounds of a sweep. A tree that forks in a loop was seen to need 7; the limit is a guard against living for ever.</summary>
    internal const int RoundsMax = 60;

    /// <summary>The roots themselves are not in the answer.</summary>
    internal static IReadOnlyList<ProcessIdentity> Find(string token, IReadOnlySet<int> roots, IReadOnlySet<int> except) =>
        OperatingSystem.IsWindows() ? Job.MembersOf(token) : Sweep.Find(token, roots, except);

    /// <summary>Ends the tree, again and again until none is left or the rounds are used up. Who has a handler for SIGTERM is asked first.</summary>
    /// <param name="unasked">The one that is ended without being asked; 0 for none.</param>
    /// <returns>What is still alive; empty when the tree is confirmed gone.</returns>
    internal static IReadOnlyList<ProcessIdentity> KillAll(string token, IReadOnlySet<int> roots, IReadOnlySet<int> except, int unasked = 0) =>
        OperatingSystem.IsWindows() ? Job.KillAll(token) : Sweep.KillAll(token, roots, except, unasked);

    /// <summary>Ends a child of this process with all that descends from it, in the same way.</summary>
    internal static void KillFrom(System.Diagnostics.Process child)
    {
        if (OperatingSystem.IsWindows())
        {
            child.Kill(entireProcessTree: true);
        }
        else if (ProcessIdentity.Of(child.Id) is { } root)
        {
            Sweep.KillFrom(root);
        }
    }

    /// <summary>The launch token of the process or of its nearest ancestor that has one, else null. Used to refuse an agent that
    /// would answer its own question; a process that sheds its environment is not recognised, which the README says, and on Windows
    /// only the calling process's own environment is.</summary>
    internal static string? TokenAbove(int pid)
    {
        var needle = Encoding.ASCII.GetBytes($"{TokenName}=");
        for (var depth = 0; pid > 1 && depth < 128; depth++)
        {
            if (ProcessTable.Environment(pid) is { } environment)
            {
                foreach (var entry in SplitEntries(environment))
                {
                    if (entry.AsSpan().StartsWith(needle))
                    {
                        return Encoding.ASCII.GetString(entry.AsSpan(needle.Length));
                    }
                }
            }

            pid = ProcessTable.Facts(pid)?.Parent ?? 0;
        }

        return null;
    }

    internal static IEnumerable<byte[]> SplitEntries(byte[] environment)
    {
        for (var start = 0; start < environment.Length;)
        {
            var length = Array.IndexOf(environment, (byte)0, start) is var end && end < 0 ? environment.Length - start : end - start;
            yield return environment[start..(start + length)];
            start += length + 1;
        }
    }
}
