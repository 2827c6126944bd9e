using KanBots.Sidecar.Engine;
using KanBots.Sidecar.Git;
using KanBots.Sidecar.Processes;
using KanBots.Sidecar.Serving;

namespace KanBots.Sidecar.Cli;

/// <summary><c>uninstall</c>: shows everything of ours, and removes it after a yes. Worktrees and branches hold an agent's work: they
/// are listed and never removed here, which is git's own task and the person's own decision.</summary>
internal static class Uninstall
{
    internal static async Task<int> RunAsync(string folder, bool yes)
    {
        var git = new GitRunner(TimeProvider.System);
        var paths = new Paths(await Repository.FindAsync(git, folder, CancellationToken.None));
        using var only = Directory.Exists(paths.State) ? FileLock.TryTake(Path.Combine(paths.State, "lock")) : null;
        if (Directory.Exists(paths.State) && only is null)
        {
            Console.Error.WriteLine("kanbots-sidecar: the board is in use. Stop its runs and close its clients; the sidecar ends a minute later.");
            return 1;
        }

        var trees = (await Worktrees.ListAsync(git, paths.Repository.IsBare ? paths.Repository.CommonFolder : paths.Repository.Root, CancellationToken.None)).Where(tree => RunIds.Of(tree.Path) > 0).ToList();
        var (discarded, checkpoints) = (Discarded(paths), await CheckpointsAsync(git, paths));
        var usedElsewhere = Executables.RunningFrom(Build.CacheFolder);
        var ours = new[] { paths.State, usedElsewhere == 0 ? Build.CacheFolder : "" }.Where(Directory.Exists).ToList();
        foreach (var place in ours)
        {
            Console.Out.WriteLine($"will be removed: {place} ({Directory.EnumerateFiles(place, "*", SearchOption.AllDirectories).Sum(file => new FileInfo(file).Length) / 1024} KiB)");
        }

        if (usedElsewhere > 0)
        {
            Console.Out.WriteLine($"is kept, since {usedElsewhere} processes run from it: {Build.CacheFolder} (uninstall again when the boards of other repositories are closed)");
        }

        if (trees.Count == 0 && Worktrees.IsExcluded(paths.Repository))
        {
            Console.Out.WriteLine("will be removed: our line in info/exclude, and the empty .kanbots folder");
        }

        foreach (var tree in trees.Where(tree => !discarded.Contains(tree.Path)))
        {
            Console.Out.WriteLine($"is kept, since it holds work: {tree.Path} on {tree.Branch} (remove it with `git worktree remove`)");
        }

        foreach (var place in discarded)
        {
            Console.Out.WriteLine($"is kept, since it holds work that was discarded: {place} (delete the folder, then `git worktree prune`)");
        }

        if (checkpoints > 0)
        {
            Console.Out.WriteLine($"are kept, since they hold work: {checkpoints} refs below refs/kanbots (`git for-each-ref --format='delete %(refname)' refs/kanbots | git update-ref --stdin` deletes them)");
        }

        if (ours.Count == 0)
        {
            Console.Out.WriteLine("There is nothing of ours to remove.");
            return 0;
        }

        if (!yes)
        {
            Console.Out.Write("Remove it? Type yes: ");
            if (Console.In.ReadLine() != "yes")
            {
                Console.Out.WriteLine("Nothing was removed.");
                return 1;
            }
        }

        foreach (var place in ours)
        {
            Delete(place, discarded);
        }

        LocalSocket.Forget(ServeAddress.Of(paths.State));
        if (trees.Count == 0)
        {
            Worktrees.Forget(paths.Repository);
        }

        Console.Out.WriteLine("Removed.");
        return 0;
    }

    private static IReadOnlyList<string> Discarded(Paths paths) => Directory.Exists(paths.TrashFolder) ? [.. Directory.EnumerateDirectories(paths.TrashFolder)] : [];

    private static async Task<int> CheckpointsAsync(GitRunner git, Paths paths) =>
        (await git.RunAsync(new GitCommand("for-each-ref", paths.Repository.Root, [.. Base.At(paths.Repository), "for-each-ref", "--format=%(refname)", "refs/kanbots"]), CancellationToken.None)).Text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length;

    /// <summary>All but the folders that are kept, and those in which they lie.</summary>
    private static void Delete(string folder, IReadOnlyList<string> kept)
    {
        if (!kept.Any(place => place.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal)))
        {
            PrivateFiles.DeleteFolder(folder);
            return;
        }

        foreach (var file in Directory.EnumerateFiles(folder))
        {
            File.Delete(file);
        }

        foreach (var inner in Directory.EnumerateDirectories(folder).Where(inner => !kept.Contains(inner)))
        {
            Delete(inner, kept);
        }
    }
}
