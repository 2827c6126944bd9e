namespace KanBots.Sidecar.Git;

/// <summary>The checkout of a branch is in the way of what is to land on it.</summary>
internal sealed class CheckoutDirtyException(string folder, IReadOnlyList<string> paths)
    : Exception($"{folder} has {string.Join(", ", paths.Take(5))}{(paths.Count > 5 ? $" and {paths.Count - 5} more" : "")} changed or lying there, and landing would write over that. Commit, stash or move it, then promote again. Nothing was changed.")
{
    internal IReadOnlyList<string> Paths { get; } = paths;
}

/// <summary>Moves a branch to a commit that lands on it. Where the branch is checked out, that checkout moves with it, and only when no
/// byte of its user's is lost.</summary>
internal static class Checkout
{
    /// <exception cref="CheckoutDirtyException">Something of the user's is in the way; nothing was changed.</exception>
    /// <exception cref="GitFailure">The branch has moved meanwhile, or git failed.</exception>
    internal static async Task LandAsync(GitRunner git, Repository repository, Landing landing, CancellationToken cancellation)
    {
        var folder = repository.IsBare ? repository.CommonFolder : repository.Root;
        var trees = await Worktrees.ListAsync(git, folder, cancellation);
        if (landing.Before is { } before && trees.FirstOrDefault(tree => tree.Branch == landing.Branch && !tree.IsMissing && Directory.Exists(tree.Path)) is { } checkedOut)
        {
            var inTheWay = await InTheWayAsync(git, checkedOut.Path, before, landing.Commit, cancellation);
            if (inTheWay.Count > 0)
            {
                throw new CheckoutDirtyException(checkedOut.Path, inTheWay);
            }

            // git looks once more itself, and moves index, files and branch together or nothing.
            await git.RunAsync(new GitCommand("merge", checkedOut.Path, ["-c", "merge.autoStash=false", "merge", "--ff-only", "--no-stat", "--quiet", landing.Commit], Writes: true), cancellation);
            return;
        }

        var old = landing.Before ?? new string('0', landing.Commit.Length);
        await git.RunAsync(new GitCommand("update-ref", folder, [.. Base.At(repository), "update-ref", "-m", "kanbots: promote", $"refs/heads/{landing.Branch}", landing.Commit, old], Writes: true), cancellation);
    }

    /// <summary>What landing would write, and the user has changed or has lying there. git itself writes over ignored files without a word.</summary>
    private static async Task<IReadOnlyList<string>> InTheWayAsync(GitRunner git, string checkout, string before, string after, CancellationToken cancellation)
    {
        var written = (await TreeChanges.BetweenAsync(git, checkout, before, after, cancellation)).SelectMany(file => new[] { file.Path, file.PreviousPath }).OfType<string>().ToHashSet(StringComparer.Ordinal);
        var status = await git.RunAsync(new GitCommand("status", checkout, ["status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--ignored=traditional", "--ignore-submodules=none"]), cancellation);
        var own = status.Text.Split('\0', StringSplitOptions.RemoveEmptyEntries).Where(line => line.Length > 3).Select(line => line[3..]).ToList();
        return [.. own.Where(path => path.EndsWith('/')
            ? written.Any(file => file.StartsWith(path, StringComparison.Ordinal) && Exists(checkout, file))
            : written.Contains(path) || written.Any(file => file.StartsWith($"{path}/", StringComparison.Ordinal) || path.StartsWith($"{file}/", StringComparison.Ordinal)))];
    }

    private static bool Exists(string checkout, string path)
    {
        var full = Path.Combine(checkout, path);
        return Processes.PrivateFiles.Look(full) is not null;
    }
}
