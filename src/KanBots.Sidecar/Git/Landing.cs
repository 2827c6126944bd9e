using System.Text;
using KanBots.Sidecar.Processes;

namespace KanBots.Sidecar.Git;

internal enum LandingStrategy { Squash, Merge, Rebase }

/// <param name="Branch">Short name of the branch that gets the work; made when there is none.</param>
/// <param name="Base">The commit on which the run began: where a new branch begins, and where the work does when it has no history in common with the target.</param>
/// <param name="Head">The commit on which the worktree stands; null when it has none.</param>
/// <param name="Tree">What was reviewed.</param>
/// <param name="Paths">Files to land, from the top; null for all.</param>
internal sealed record LandingWish(string Branch, LandingStrategy Strategy, string Base, string? Head, string Tree, string Message, IReadOnlyList<string>? Paths);

/// <summary>A commit that is ready to land, and what it is to land on.</summary>
/// <param name="Before">The commit of the branch; null when it is to be made.</param>
internal sealed record Landing(string Branch, string? Before, string Commit);

/// <summary>The work does not go onto the target as it is.</summary>
internal sealed class MergeConflictException(IReadOnlyList<string> paths, string branch)
    : Exception($"It conflicts with {branch} in {string.Join(", ", paths.Take(5))}{(paths.Count > 5 ? $" and {paths.Count - 5} more" : "")}. Let the agent bring {branch} into its work, or do it yourself in the worktree, then review and promote again.")
{
    /// <summary>From the top, with slashes.</summary>
    internal IReadOnlyList<string> Paths { get; } = paths;
}

/// <summary>Makes commits of a run's work on a real branch, in git's store alone: no checkout and no index is used, so that nobody is
/// disturbed. Merge attributes and drivers are those of the target.</summary>
/// <param name="hooks">The user's, where they are to run.</param>
/// <param name="environment">Of the user who lands it: whoever signs commits finds a key by it.</param>
internal sealed class LandingMaker(GitRunner git, Repository repository, string scratch, CancellationToken cancellation, CommitHooks? hooks = null, IReadOnlyList<string>? environment = null)
{
    private bool _signs;
    private readonly string _place = Path.Combine(scratch, $"landing-{Guid.NewGuid():N}");

    /// <exception cref="MergeConflictException">It conflicts.</exception>
    /// <exception cref="GitFailure">The name is none, or git failed.</exception>
    internal async Task<Landing> MakeAsync(LandingWish wish)
    {
        await RequireNameAsync(wish.Branch);
        PrivateFiles.MakeFolder(_place);
        try
        {
            var before = await CommitOfAsync($"refs/heads/{wish.Branch}");
            var onto = before ?? wish.Base;
            // Where the agent has rewritten what it began on, its commits say nothing of what was reviewed: only the files do.
            var head = wish.Head is { } own && (await RunAsync("merge-base", ["merge-base", "--is-ancestor", wish.Base, own], [1])).ExitCode == 0 ? own : wish.Base;
            // Several, where each has merged the other: git takes them together.
            string[] forks = (await RunAsync("merge-base", ["merge-base", "--all", onto, head], [1, 128])).Text.Split('\n', StringSplitOptions.RemoveEmptyEntries) is { Length: > 0 } common ? common : [wish.Base];
            forks = wish.Paths is null ? forks : [forks[0]];
            var tree = wish.Paths is null ? wish.Tree : await ChosenAsync(forks[0], wish.Tree, wish.Paths);
            await ReadTargetAsync(onto);
            _signs = (await RunAsync("config", ["config", "--type=bool", "--get", "commit.gpgSign"], [1])).Text.Trim() == "true";
            var commit = wish.Strategy switch
            {
                LandingStrategy.Merge => await MergeAsync(wish, onto, head, tree),
                LandingStrategy.Rebase => await RebaseAsync(wish, onto, head, forks, tree),
                _ => await SquashAsync(wish, onto, forks, tree),
            };
            return new Landing(wish.Branch, before, commit);
        }
        finally
        {
            PrivateFiles.DeleteFolder(_place); // a merge driver of the user's may have left something there
        }
    }

    private async Task<string> SquashAsync(LandingWish wish, string onto, string[] forks, string tree)
    {
        var merged = await MergedAsync(wish, onto, await CommitAsync(tree, "work", forks));
        return merged == await TreeOfAsync(onto)
            ? throw GitFailure.Named("nothingToLand", $"{wish.Branch} has all of it already.")
            : await LandedAsync(merged, await MessageAsync(wish, onto, merged), onto);
    }

    private async Task<string> MergeAsync(LandingWish wish, string onto, string head, string tree)
    {
        string[] parents = wish.Head is { } own && own != head ? [head, own] : [head];
        var work = parents.Length == 1 && await TreeOfAsync(head) == tree ? head : await CommitAsync(tree, wish.Message, parents);
        var merged = await MergedAsync(wish, onto, work);
        return await LandedAsync(merged, await MessageAsync(wish, onto, merged), onto, work);
    }

    /// <summary>Each commit of the run's on top of the target, merges left out as git's rebase does; then the rest: what was not committed,
    /// what was committed in a merge, and commits that do not go on alone because a later one or a merge has settled what they conflict in.</summary>
    private async Task<string> RebaseAsync(LandingWish wish, string onto, string head, string[] forks, string tree)
    {
        var whole = await MergedAsync(wish, onto, await CommitAsync(tree, "work", forks));
        var tip = onto;
        if (hooks is not null)
        {
            await hooks.BeforeRebaseAsync(onto, wish.Branch);
        }

        foreach (var commit in (await RunAsync("rev-list", ["rev-list", "--reverse", "--topo-order", "--min-parents=1", "--max-parents=1", head, "--not", .. forks])).Text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            try
            {
                tip = await OnTopAsync(wish, tip, await TreeOfAsync($"{commit}^"), await TreeOfAsync(commit), (await RunAsync("log", ["log", "-1", "--format=%B", commit])).Text.Trim());
            }
            catch (MergeConflictException)
            {
                // The whole does not conflict: it lands with the rest.
            }
        }

        return await TreeOfAsync(tip) != whole ? await LandedAsync(whole, await MessageAsync(wish, tip, whole), tip) : tip != onto ? tip : throw GitFailure.Named("nothingToLand", $"{wish.Branch} has all of it already.");
    }

    /// <returns>The tip itself when it has the change already.</returns>
    private async Task<string> OnTopAsync(LandingWish wish, string tip, string from, string to, string message)
    {
        if (from == to)
        {
            return tip;
        }

        // git 2.39 takes a merge's base only from history: three commits that have it.
        var root = await CommitAsync(from, "from");
        var merged = await MergedAsync(wish, await CommitAsync(await TreeOfAsync(tip), "tip", root), await CommitAsync(to, "to", root));
        return merged == await TreeOfAsync(tip) ? tip : await LandedAsync(merged, message, tip);
    }

    /// <returns>The tree of both.</returns>
    private async Task<string> MergedAsync(LandingWish wish, string ours, string theirs)
    {
        var result = await RunAsync("merge-tree", ["merge-tree", "--write-tree", "--name-only", "--no-messages", "-z", ours, theirs], [1]);
        var fields = result.Text.Split('\0', StringSplitOptions.RemoveEmptyEntries);
        return result.ExitCode == 0 ? fields[0].Trim()
            : fields is [var tree, .. var names] && tree.Length >= 40 && names.Length > 0 ? throw new MergeConflictException([.. names.Distinct()], wish.Branch)
            : throw GitFailure.Named("gitFailed", $"git merge-tree failed: {result.StandardError.Trim()}");
    }

    /// <summary>The tree from which the work began, with these files as they were reviewed. A renamed file takes its old name with it.</summary>
    private async Task<string> ChosenAsync(string fork, string tree, IReadOnlyList<string> paths)
    {
        var changed = (await TreeChanges.BetweenAsync(git, repository.CommonFolder, fork, tree, cancellation)).Where(file => paths.Contains(file.Path)).ToList();
        if (paths.FirstOrDefault(path => changed.All(file => file.Path != path)) is { } unknown)
        {
            throw GitFailure.Named("pathUnknown", $"{unknown} is not among the files that have changed. Look at the changes again.");
        }

        await RunAsync("read-tree", ["read-tree", fork]);
        var lines = changed.SelectMany(file => new[] { file.PreviousPath is { } old ? $"0 {new string('0', file.Blob.Length)}\t{old}\0" : "", file.Status == FileStatus.Deleted ? $"0 {new string('0', file.Blob.Length)}\t{file.Path}\0" : $"{file.Mode} {file.Blob}\t{file.Path}\0" });
        await RunAsync("update-index", ["update-index", "-z", "--index-info"], input: Encoding.UTF8.GetBytes(string.Concat(lines)));
        return (await RunAsync("write-tree", ["write-tree"])).Text.Trim();
    }

    /// <summary>merge-tree reads attributes from the files of the folder in which it runs, and from nowhere else.</summary>
    private async Task ReadTargetAsync(string onto)
    {
        await RunAsync("read-tree", ["read-tree", onto]);
        var attributes = (await RunAsync("ls-files", ["ls-files", "-z", "--", ":(glob)**/.gitattributes"])).StandardOutput;
        if (attributes.Length > 0)
        {
            await RunAsync("checkout-index", ["checkout-index", "--force", "-z", "--stdin"], input: attributes);
        }
    }

    private async Task<string> MessageAsync(LandingWish wish, string onto, string tree) =>
        hooks is null ? wish.Message : await hooks.BeforeCommitAsync(onto, tree, wish.Message, wish.Strategy == LandingStrategy.Merge);

    /// <summary>One that stays: signed where its user signs.</summary>
    private async Task<string> LandedAsync(string tree, string message, params string[] parents) =>
        (await RunAsync("commit-tree", ["commit-tree", .. _signs ? new[] { "-S" } : [], .. parents.SelectMany(parent => new[] { "-p", parent }), "-F", "-", tree], input: Encoding.UTF8.GetBytes(message))).Text.Trim();

    private async Task<string> CommitAsync(string tree, string message, params string[] parents) =>
        (await RunAsync("commit-tree", ["commit-tree", .. parents.SelectMany(parent => new[] { "-p", parent }), "-F", "-", tree], input: Encoding.UTF8.GetBytes(message))).Text.Trim();

    private async Task<string> TreeOfAsync(string commit) => (await RunAsync("rev-parse", ["rev-parse", "--verify", "--quiet", $"{commit}^{{tree}}"])).Text.Trim();

    private async Task<string?> CommitOfAsync(string name) => await RunAsync("rev-parse", ["rev-parse", "--verify", "--quiet", $"{name}^{{commit}}"], [1, 128]) is { ExitCode: 0 } found ? found.Text.Trim() : null;

    private async Task RequireNameAsync(string branch)
    {
        if (branch.StartsWith("kanbots/", StringComparison.Ordinal) || (await git.RunAsync(new GitCommand("check-ref-format", repository.CommonFolder, ["check-ref-format", "--branch", branch], ExitCodes: [1, 128, 129]), cancellation)).ExitCode != 0)
        {
            throw GitFailure.Named("branchInvalid", $"'{branch}' is no name for a branch to land on. Take one such as `fix/login`, not below kanbots/.");
        }
    }

    private Task<CommandResult> RunAsync(string name, string[] arguments, IReadOnlyList<int>? exitCodes = null, ReadOnlyMemory<byte> input = default) =>
        git.RunAsync(new GitCommand(name, _place, ["--git-dir", repository.CommonFolder, "--work-tree", _place, .. arguments], ExitCodes: exitCodes, IndexFile: Path.Combine(_place, "index"), Input: input, Environment: environment), cancellation);
}
