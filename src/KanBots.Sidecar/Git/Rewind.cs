using KanBots.Sidecar.Processes;

namespace KanBots.Sidecar.Git;

/// <summary>Takes the files of a worktree back to a tree that was kept. HEAD, the agent's index and what git ignores stay.</summary>
internal static class Rewind
{
    /// <param name="now">The tree of what lies there.</param>
    /// <exception cref="GitFailure">Something is in the way, or has changed meanwhile: nothing was changed.</exception>
    internal static async Task ToAsync(GitRunner git, string worktree, string now, string to, string scratch, CancellationToken cancellation)
    {
        // git itself writes over what it ignores.
        var changes = await TreeChanges.BetweenAsync(git, worktree, now, to, cancellation);
        var gone = changes.Select(file => file.Status == FileStatus.Deleted ? file.Path : file.PreviousPath).OfType<string>().ToHashSet(StringComparer.Ordinal);
        var places = changes.Where(file => file.Status is FileStatus.Added or FileStatus.Renamed).SelectMany(file => Above(file.Path)).Where(path => !gone.Contains(path));
        if (places.FirstOrDefault(path => PrivateFiles.Look(Path.Combine(worktree, path)) is { IsFolder: false }) is { } taken)
        {
            throw GitFailure.Named("folderExists", $"{taken} is ignored by git and would be written over. Move it away, then go back again.");
        }

        var index = Path.Combine(scratch, $"index-{Guid.NewGuid():N}");
        try
        {
            await git.RunAsync(new GitCommand("read-tree", worktree, ["read-tree", now], IndexFile: index), cancellation);
            await git.RunAsync(new GitCommand("update-index", worktree, ["update-index", "-q", "--refresh"], ExitCodes: [1], IndexFile: index), cancellation);
            // Of the two trees it knows what is to change; a file that is not as the first has it, or not known to it, stops it before it writes.
            await git.RunAsync(new GitCommand("read-tree", worktree, ["read-tree", "-m", "-u", now, to], IndexFile: index, Writes: true), cancellation);
        }
        finally
        {
            File.Delete(index);
        }
    }

    /// <summary>For a worktree in which nobody has worked yet: its files become those of the tree, and what an attempt that was cut off has
    /// written is written over.</summary>
    internal static async Task LayAsync(GitRunner git, string worktree, string tree, string scratch, CancellationToken cancellation)
    {
        var index = Path.Combine(scratch, $"index-{Guid.NewGuid():N}");
        try
        {
            File.Copy(Path.Combine(Worktrees.RecordIn(worktree), "index"), index);
            await git.RunAsync(new GitCommand("read-tree", worktree, ["read-tree", "--reset", "-u", tree], IndexFile: index, Writes: true), cancellation);
        }
        finally
        {
            File.Delete(index);
        }
    }

    /// <summary>The path itself and each folder in which it is to lie.</summary>
    private static IEnumerable<string> Above(string path)
    {
        for (var place = path; place is { Length: > 0 }; place = Path.GetDirectoryName(place))
        {
            yield return place;
        }
    }
}
