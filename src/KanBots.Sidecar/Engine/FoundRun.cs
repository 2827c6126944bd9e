using System.Globalization;
using KanBots.Sidecar.Agents.Claude;
using KanBots.Sidecar.Board;
using KanBots.Sidecar.Git;
using KanBots.Sidecar.RunHost;

namespace KanBots.Sidecar.Engine;

/// <summary>A launch of which there is a folder.</summary>
/// <param name="At">When it began, as well as it can be told.</param>
internal sealed record FoundLaunch(int Number, RunFolder Folder, LaunchFile? File, ClaudePast Past, DateTimeOffset At);

/// <summary>What run folders and git know of a run, without any database.</summary>
/// <param name="WorktreePath">Empty when there is none.</param>
/// <param name="TrashPath">Where its worktree was put aside; empty when it was not.</param>
/// <param name="Checkpoints">From the oldest.</param>
/// <param name="BaseCommit">Where its branch left the default branch; empty when that cannot be told.</param>
internal sealed record FoundRun(int Card, long Id, IReadOnlyList<FoundLaunch> Launches, bool HasBranch, string WorktreePath, string BaseRef, string BaseCommit, Changes? Changes, string TrashPath, IReadOnlyList<CheckpointMark> Checkpoints)
{
    internal string Branch => Run.BranchOf(Card, Id);

    /// <param name="looksInside">Counts what worktrees have changed, for which git runs what the repository's configuration says.</param>
    internal static async Task<IReadOnlyList<FoundRun>> FindAsync(GitRunner git, Paths paths, FileSettings settings, bool looksInside, CancellationToken cancellation)
    {
        var branches = (await RunBranch.ListAsync(git, paths.Repository, cancellation)).ToDictionary(branch => (branch.Card, branch.Run));
        var trees = await Worktrees.ListAsync(git, paths.Repository.IsBare ? paths.Repository.CommonFolder : paths.Repository.Root, cancellation);
        var from = await BaseAsync(git, paths, settings, cancellation);
        var folders = paths.Launches().Where(launch => int.TryParse(Path.GetFileName(launch.Folder.Path), NumberStyles.None, CultureInfo.InvariantCulture, out _)).ToLookup(launch => (launch.Card, launch.Run), launch => launch.Folder);
        var checkpoints = (await CheckpointRefs.ListAsync(git, paths.Repository, cancellation)).ToLookup(one => (one.Card, one.Run), one => new CheckpointMark(one.Id, one.Tree, CheckpointRefs.TimeOf(one.Id), "found", 0));
        var found = new List<FoundRun>();
        foreach (var (card, id) in branches.Keys.Union(folders.Select(group => group.Key)).OrderBy(key => key.Item2))
        {
            IReadOnlyList<FoundLaunch> launches = [.. folders[(card, id)].Select(Read).OrderBy(launch => launch.Number)];
            var branch = Run.BranchOf(card, id);
            var worked = launches.Select(launch => launch.File?.Cwd).LastOrDefault(cwd => cwd is not null);
            var trash = new[] { paths.Trash(card, id), worked is null ? "" : Trash.BesideOf(worked) }.FirstOrDefault(Directory.Exists) ?? "";
            var tree = trees.FirstOrDefault(tree => tree.Branch == branch && !tree.IsMissing && !Trash.IsIn(tree.Path))?.Path ?? (trash.Length > 0 || Directory.Exists(worked) ? worked : null) ?? "";
            var fork = from is not null && branches.ContainsKey((card, id)) ? await RunBranch.ForkAsync(git, paths.Repository, from.Commit, branch, cancellation) : null;
            found.Add(new FoundRun(card, id, launches, branches.ContainsKey((card, id)), tree, from?.Ref ?? "", fork ?? "", looksInside ? await CountAsync(git, paths, tree, fork, cancellation) : null, trash, [.. checkpoints[(card, id)].OrderBy(mark => mark.At)]));
        }

        return found;
    }

    private static async Task<Base?> BaseAsync(GitRunner git, Paths paths, FileSettings settings, CancellationToken cancellation)
    {
        try
        {
            return await Base.ChooseAsync(git, paths.Repository, null, settings.WorktreeBaseRef, cancellation);
        }
        catch (GitFailure)
        {
            return null; // runs are shown without what they changed
        }
    }

    private static async Task<Changes?> CountAsync(GitRunner git, Paths paths, string tree, string? fork, CancellationToken cancellation)
    {
        try
        {
            return tree.Length > 0 && fork is not null && Worktrees.IsOwn(paths.Repository, tree) ? await Changes.CountAsync(git, tree, fork, paths.Scratch, cancellation) : null;
        }
        catch (Exception unreadable) when (unreadable is GitFailure or IOException)
        {
            return null;
        }
    }

    private static FoundLaunch Read(RunFolder folder)
    {
        LaunchFile? file = null;
        try
        {
            file = folder.ReadLaunch();
        }
        catch (IOException)
        {
            // The stream beside it may be whole.
        }

        var past = ClaudePast.Of(File.Exists(folder.Stdin) ? Processes.PrivateFiles.ReadAll(folder.Stdin) : default(ReadOnlyMemory<byte>));
        return new FoundLaunch(int.Parse(Path.GetFileName(folder.Path), CultureInfo.InvariantCulture), folder, file, past, new DateTimeOffset(File.GetLastWriteTimeUtc(File.Exists(folder.Stdout) ? folder.Stdout : folder.Path), TimeSpan.Zero));
    }
}
