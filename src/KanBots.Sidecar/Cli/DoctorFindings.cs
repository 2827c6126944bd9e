using System.Globalization;
using KanBots.Sidecar.Engine;
using KanBots.Sidecar.Git;
using KanBots.Sidecar.Processes;
using KanBots.Sidecar.Serving;

namespace KanBots.Sidecar.Cli;

/// <summary>Something that was left over.</summary>
/// <param name="What">With the next step.</param>
/// <param name="Would">What the fix does, in one sentence; null when only a person can decide.</param>
/// <param name="Fix">Touches only what is provably ours and holds no work.</param>
internal sealed record Finding(string What, string? Would = null, Func<Task>? Fix = null);

/// <summary>Looks for left-overs without a serve, and without disturbing one.</summary>
internal static class DoctorFindings
{
    internal static async Task<IReadOnlyList<Finding>> FindAsync(GitRunner git, Paths paths)
    {
        var findings = new List<Finding>();
        findings.AddRange(DeadServe(paths));
        findings.AddRange(Processes(paths));
        findings.AddRange(await TreesAsync(git, paths.Repository));
        findings.AddRange(Unfinished(paths));
        findings.AddRange(BrokenDatabases(paths));
        return findings;
    }

    /// <summary>The kernel has let go of a dead serve's locks; what stays is its socket and the file that names it.</summary>
    private static IEnumerable<Finding> DeadServe(Paths paths)
    {
        var address = ServeAddress.Of(paths.State);
        if (File.Exists(address) && WithoutServe(paths, () => true))
        {
            yield return new Finding(
                $"the sidecar of this board was killed and has left its socket {address}. The next command takes it over.",
                "remove the socket and serve.json",
                () => WithoutServe(paths, () => Forget(paths, address)) ? Task.CompletedTask : throw new IOException("A sidecar serves the board by now."));
        }
    }

    private static bool Forget(Paths paths, string address)
    {
        LocalSocket.Forget(address);
        File.Delete(Path.Combine(paths.State, "serve.json"));
        return true;
    }

    /// <returns>False when a serve lives; no other can start meanwhile.</returns>
    private static bool WithoutServe(Paths paths, Func<bool> work)
    {
        var path = Path.Combine(paths.State, "lock");
        if (!File.Exists(path))
        {
            return work();
        }

        using var only = FileLock.TryTake(path);
        return only is not null && work();
    }

    private static IEnumerable<Finding> Processes(Paths paths)
    {
        foreach (var (card, run, token, pids) in Leftovers.Find(paths))
        {
            yield return new Finding(
                $"run {run} of card #{card} has left {pids.Count} {(pids.Count == 1 ? "process" : "processes")} running ({string.Join(", ", pids)}). End them: kanbots-sidecar stop {card}",
                $"end {(pids.Count == 1 ? "it" : "them")}: only what carries the launch's token, whose host is gone",
                () => ProcessTree.KillAll(token, new HashSet<int>(), new HashSet<int>()) is { Count: > 0 } alive ? throw new IOException($"{alive.Count} of them live on.") : Task.CompletedTask);
        }
    }

    private static async Task<List<Finding>> TreesAsync(GitRunner git, Repository repository)
    {
        var findings = new List<Finding>();
        var listed = await Worktrees.ListAsync(git, repository.IsBare ? repository.CommonFolder : repository.Root, CancellationToken.None);
        var ours = listed.Where(tree => RunIds.Of(tree.Path) is var run and > 0 && tree.Branch is { } branch && RunIds.Of(branch) == run).ToList();
        foreach (var tree in ours.Where(tree => tree.IsMissing))
        {
            findings.Add(new Finding(
                $"the worktree {tree.Path} is gone from the disk. Its branch {tree.Branch} is kept. If you moved it, run `git worktree repair <its new folder>` first; else forget it with `git worktree prune`.",
                "let git forget this one worktree, if nothing was staged in it; the branch stays",
                () => Worktrees.ForgetMissingAsync(git, repository, tree, CancellationToken.None)));
        }

        var folder = Path.Combine(repository.Root, Worktrees.FolderName) + Path.DirectorySeparatorChar;
        if (!repository.IsBare && ours.Any(tree => tree.Path.StartsWith(folder, StringComparison.Ordinal)) && !Worktrees.IsExcluded(repository))
        {
            findings.Add(new Finding(
                $"git shows {Worktrees.FolderName}/ as untracked: our line in info/exclude is gone. The next dispatch writes it again.",
                "write the line again",
                () =>
                {
                    Worktrees.Exclude(repository);
                    return Task.CompletedTask;
                }));
        }

        return findings;
    }

    /// <summary>Files that a killed process of ours was writing under another name. They are named by its pid.</summary>
    private static IEnumerable<Finding> Unfinished(Paths paths)
    {
        var scratch = Directory.Exists(paths.Scratch) && WithoutServe(paths, () => true) ? Directory.EnumerateFiles(paths.Scratch) : [];
        var torn = Directory.EnumerateFiles(paths.State, "*.tmp", SearchOption.AllDirectories).Where(file => Path.GetFileName(file).Split('.') is [.., var pid, "tmp"] && int.TryParse(pid, NumberStyles.None, CultureInfo.InvariantCulture, out var id) && ProcessIdentity.Of(id) is null);
        var files = scratch.Concat(torn).ToList();
        if (files.Count > 0)
        {
            yield return new Finding(
                $"{files.Count} unfinished {(files.Count == 1 ? "file was" : "files were")} left by processes of ours that were killed, the first is {files[0]}. They do no harm.",
                "remove them",
                () =>
                {
                    files.ForEach(File.Delete);
                    return Task.CompletedTask;
                });
        }
    }

    private static IEnumerable<Finding> BrokenDatabases(Paths paths)
    {
        var kept = Directory.EnumerateFiles(paths.State, $"{Path.GetFileName(paths.Database)}.broken-*").Where(file => !file.EndsWith("-wal", StringComparison.Ordinal) && !file.EndsWith("-shm", StringComparison.Ordinal));
        return kept.Select(file => new Finding($"the board was rebuilt, and its broken database is kept as {file}. Look whether cards are missing; when none is, delete the file and those beside it that begin with its name."));
    }
}
