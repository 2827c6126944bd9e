using System.Text;
using KanBots.Sidecar.Processes;

namespace KanBots.Sidecar.Git;

/// <summary>Puts a worktree aside as it is, with all that git ignores and all that git cannot take in, and its branch with it; and brings
/// both back. Each step may be asked for again after a crash: it goes on where it was cut off. No git runs in the trash: a worktree with
/// submodules cannot bear it.</summary>
internal static class Trash
{
    internal const string Refs = "refs/kanbots/trash";

    /// <summary>Beside the worktrees, where a rename cannot reach the trash since that is on another file system.</summary>
    internal const string FolderName = ".kanbots-trash";

    /// <summary>git lists what lies there like any other worktree.</summary>
    internal static bool IsIn(string path) => RunIds.Of(path) > 0 && Path.GetDirectoryName(path) is { } folder && (Path.GetFileName(folder) == FolderName || folder.EndsWith(Path.Combine("kanbots", "trash"), StringComparison.Ordinal));

    internal static string BesideOf(string worktree) => Path.Combine(Path.GetDirectoryName(worktree)!, FolderName, Path.GetFileName(worktree));

    internal static string RefOf(int cardNumber, long runId) => FormattableString.Invariant($"{Refs}/issue-{cardNumber}-{runId}");

    /// <returns>Where the worktree lies now; empty when there was none any more.</returns>
    /// <exception cref="GitFailure">It could not be done, and all is as it was.</exception>
    internal static async Task<string> PutAsync(GitRunner git, Repository repository, string worktree, string branch, string trash, string keptRef, CancellationToken cancellation)
    {
        var place = await MovedAsync(git, repository, worktree, trash, cancellation);
        try
        {
            if (IsOfOurs(repository, place))
            {
                await RepairAsync(git, repository, place, cancellation);
                Release(place);
            }

            if (await CommitOfAsync(git, repository, $"refs/heads/{branch}", cancellation) is { } commit)
            {
                await UpdateAsync(git, repository, $"update {keptRef}\0{commit}\0\0delete refs/heads/{branch}\0{commit}\0", cancellation);
            }

            return place;
        }
        catch (GitFailure) when (place.Length > 0)
        {
            await MoveAsync(git, repository, place, worktree, CancellationToken.None);
            if (IsOfOurs(repository, worktree))
            {
                await RepairAsync(git, repository, worktree, cancellation);
                Release(worktree);
            }

            throw;
        }
    }

    /// <exception cref="GitFailure">Something stands in its place, or it could not be done; all is as it was.</exception>
    internal static async Task RestoreAsync(GitRunner git, Repository repository, string worktree, string branch, string trash, string keptRef, CancellationToken cancellation)
    {
        var kept = await CommitOfAsync(git, repository, keptRef, cancellation);
        var there = await CommitOfAsync(git, repository, $"refs/heads/{branch}", cancellation);
        if (kept is not null && there is not null && there != kept)
        {
            throw GitFailure.Named("branchExists", $"A branch {branch} with other commits has been made meanwhile. Rename it, then restore again: `git branch -m {branch} <other>`.");
        }

        var moved = false;
        if (trash.Length > 0 && Directory.Exists(trash))
        {
            if (PrivateFiles.Look(worktree) is not null)
            {
                throw GitFailure.Named("folderExists", $"{worktree} is there already. Move it away, then restore again.");
            }

            Directory.CreateDirectory(Path.GetDirectoryName(worktree)!);
            await MoveAsync(git, repository, trash, worktree, cancellation);
            moved = true;
        }
        else if (trash.Length > 0 && !Worktrees.IsThere(worktree))
        {
            throw GitFailure.Named("worktreeMissing", $"{trash} is not there any more, so that there is nothing to restore. Its checkpoints are still in git.");
        }

        try
        {
            if (IsOfOurs(repository, worktree))
            {
                await RepairAsync(git, repository, worktree, cancellation);
                Release(worktree);
            }

            if (kept is not null)
            {
                await UpdateAsync(git, repository, $"update refs/heads/{branch}\0{kept}\0{there ?? new string('0', kept.Length)}\0delete {keptRef}\0{kept}\0", cancellation);
            }
        }
        catch (GitFailure) when (moved)
        {
            await MoveAsync(git, repository, worktree, trash, CancellationToken.None);
            if (IsOfOurs(repository, trash))
            {
                await RepairAsync(git, repository, trash, cancellation);
                Release(trash);
            }

            throw;
        }
    }

    /// <summary>Deletes what was put aside for good, with git's record of it and the commits that only its branch had.</summary>
    /// <param name="place">Empty when there was no worktree any more.</param>
    /// <exception cref="GitFailure">It is not what was put there, or not all of it could be deleted: the rest can be tried again.</exception>
    internal static async Task FreeAsync(GitRunner git, Repository repository, string place, string keptRef, CancellationToken cancellation)
    {
        var trees = await Worktrees.ListAsync(git, repository.IsBare ? repository.CommonFolder : repository.Root, cancellation);
        if (place.Length > 0 && Worktrees.At(trees, place) is not null && PrivateFiles.Look(place) is { IsFolder: true } && PrivateFiles.Look(Path.Combine(place, ".git")) is null)
        {
            await git.AloneAsync(() => PrivateFiles.DeleteFolder(place), cancellation); // an earlier attempt came so far
        }

        if (place.Length > 0 && PrivateFiles.Look(place) is not null && !IsOfOurs(repository, place))
        {
            throw GitFailure.Named(Worktrees.Foreign, $"{place} is not the worktree that was put there: its .git names something else. Look what it is, and delete it yourself.");
        }

        if (place.Length > 0 && Worktrees.At(trees, place) is not null)
        {
            await git.RunAsync(new GitCommand("worktree remove", repository.Root, [.. Base.At(repository), "worktree", "remove", "--force", "--force", place], Writes: true), cancellation);
        }

        if (await CommitOfAsync(git, repository, keptRef, cancellation) is { } commit)
        {
            await UpdateAsync(git, repository, $"delete {keptRef}\0{commit}\0", cancellation);
        }
    }

    /// <summary>An agent can have put another `.git` there; repaired would then be what it names, in whatever repository.</summary>
    private static bool IsOfOurs(Repository repository, string place)
    {
        try
        {
            return Worktrees.IsThere(place) && Path.GetDirectoryName(Repository.Resolve(Worktrees.RecordIn(place))) == Path.Combine(repository.CommonFolder, "worktrees");
        }
        catch (Exception unread) when (unread is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static async Task<string> MovedAsync(GitRunner git, Repository repository, string worktree, string trash, CancellationToken cancellation)
    {
        foreach (var place in new[] { trash, BesideOf(worktree) })
        {
            if (Directory.Exists(place))
            {
                return place; // an earlier attempt came so far
            }
        }

        if (PrivateFiles.Look(worktree) is null)
        {
            return "";
        }

        PrivateFiles.MakeFolder(Path.GetDirectoryName(trash)!);
        try
        {
            await MoveAsync(git, repository, worktree, trash, cancellation);
            return trash;
        }
        catch (GitFailure) when (Directory.Exists(worktree) && !Directory.Exists(trash))
        {
            PrivateFiles.MakeFolder(Path.GetDirectoryName(BesideOf(worktree))!);
            await MoveAsync(git, repository, worktree, BesideOf(worktree), cancellation);
            return BesideOf(worktree);
        }
    }

    private static ReadOnlySpan<byte> HeldBy => "kanbots: on its way into the trash or out of it"u8;

    private static string LockOf(string worktree) => Path.Combine(Worktrees.RecordIn(worktree), "locked");

    /// <summary>Until git's record of it knows the new place, a `git worktree prune` of the user's would take the record, with the agent's index and
    /// HEAD: git leaves what is locked. Whoever goes on after a crash takes the lock away; one of the user's stays. Done alone, because `git worktree
    /// repair` goes through all worktrees and fails where one of them moves away under it.</summary>
    private static Task MoveAsync(GitRunner git, Repository repository, string from, string to, CancellationToken cancellation) => git.AloneAsync(() => Move(repository, from, to), cancellation);

    private static void Move(Repository repository, string from, string to)
    {
        if (!IsOfOurs(repository, from) || !Directory.Exists(Worktrees.RecordIn(from)))
        {
            Rename(from, to);
            return;
        }

        if (PrivateFiles.Look(LockOf(from)) is null)
        {
            PrivateFiles.Replace(LockOf(from), HeldBy);
        }

        try
        {
            Rename(from, to);
        }
        catch (GitFailure)
        {
            Release(from);
            throw;
        }
    }

    private static void Release(string worktree)
    {
        if (PrivateFiles.Look(LockOf(worktree)) is { IsFolder: false } && PrivateFiles.ReadAll(LockOf(worktree)).AsSpan().SequenceEqual(HeldBy))
        {
            File.Delete(LockOf(worktree));
        }
    }

    private static void Rename(string from, string to)
    {
        try
        {
            Directory.Move(from, to);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw GitFailure.Named("folderNotMoved", $"{from} could not be moved to {to}: {failure.Message} Look who uses it and who owns it, then try again.");
        }
    }

    /// <summary>git's record of a worktree and the worktree find each other again.</summary>
    private static Task<CommandResult> RepairAsync(GitRunner git, Repository repository, string worktree, CancellationToken cancellation) =>
        git.RunAsync(new GitCommand("worktree repair", repository.Root, [.. Base.At(repository), "worktree", "repair", worktree], Writes: true, ExitCodes: [1]), cancellation);

    private static Task<CommandResult> UpdateAsync(GitRunner git, Repository repository, string updates, CancellationToken cancellation) =>
        git.RunAsync(new GitCommand("update-ref", repository.Root, [.. Base.At(repository), "update-ref", "-z", "--stdin"], Writes: true, Input: Encoding.UTF8.GetBytes(updates)), cancellation);

    private static async Task<string?> CommitOfAsync(GitRunner git, Repository repository, string name, CancellationToken cancellation)
    {
        var result = await git.RunAsync(new GitCommand("rev-parse", repository.Root, [.. Base.At(repository), "rev-parse", "--verify", "--quiet", $"{name}^{{commit}}"], ExitCodes: [1, 128]), cancellation);
        return result.ExitCode == 0 ? result.Text.Trim() : null;
    }
}
