using KanBots.Sidecar.Processes;

namespace KanBots.Sidecar.Git;

/// <summary>A hook of the user's that did not let the work through.</summary>
internal sealed class HookFailedException(string message) : Exception(message);

/// <summary>Runs the hooks that git would run for a commit of the user's: those of the main working tree, never the agent's version of them, in a
/// checkout of its own that has the target as HEAD and what is landing as index and files. Nobody's checkout is touched.</summary>
/// <param name="place">Where that checkout is made for as long as they run.</param>
/// <param name="environment">Of whose hooks they are.</param>
internal sealed class CommitHooks(GitRunner git, Repository repository, string place, IReadOnlyList<string>? environment, CancellationToken cancellation)
{
    /// <summary>A hook that takes longer is ended.</summary>
    internal static CommandLimits HookLimits { get; } = CommandLimits.Default with { Timeout = TimeSpan.FromMinutes(15) };

    private const string PreCommit = "pre-commit", PreMerge = "pre-merge-commit", Prepare = "prepare-commit-msg", Message = "commit-msg", PostCommit = "post-commit", PreRebase = "pre-rebase";

    /// <summary>Characters of what a hook has said that are passed on: its end, where the reason mostly stands.</summary>
    private const int SaidMax = 2_000;

    /// <summary>By which our checkout is known from somebody's worktree that happens to be there.</summary>
    private const string Ours = "kanbots: hooks of a landing";

    private static readonly int[] AnyExit = [.. Enumerable.Range(1, 255)];
    private static readonly string[] Silent = ["-c", "core.hooksPath=/dev/null"];

    private string _folder = "";
    private HashSet<string> _names = [];
    private string? _tree; // what the checkout has; null while there is none

    /// <summary>What hooks there are: of files that may be run, as git has it.</summary>
    internal async Task LookAsync()
    {
        var root = repository.IsBare ? repository.CommonFolder : repository.Root;
        _folder = Line((await git.RunAsync(new GitCommand("rev-parse", root, [.. Base.At(repository), "rev-parse", "--path-format=absolute", "--git-path", "hooks"]), cancellation)).Text);
        _names = [.. new[] { PreCommit, PreMerge, Prepare, Message, PostCommit, PreRebase }.Where(name => Executables.Find(Path.Combine(_folder, name), _folder) is not null)];
        await ForgetAsync(); // of an attempt that was cut off
    }

    /// <returns>The message, which hooks may have changed.</returns>
    /// <exception cref="HookFailedException">One said no, or changed what was reviewed.</exception>
    internal async Task<string> BeforeCommitAsync(string onto, string tree, string message, bool isMerge)
    {
        var first = isMerge ? PreMerge : PreCommit;
        if (!_names.Overlaps([first, Prepare, Message]))
        {
            return message;
        }

        await MakeAsync(onto, tree);
        await RunAsync(first);
        await RequireSameAsync(first, tree);
        var file = Path.Combine(Worktrees.RecordIn(place), "COMMIT_EDITMSG");
        await File.WriteAllTextAsync(file, message, cancellation);
        await RunAsync(Prepare, file, isMerge ? "merge" : "message");
        await RunAsync(Message, file);
        await RequireSameAsync(Message, tree);
        return await File.ReadAllTextAsync(file, cancellation) is var said && !string.IsNullOrWhiteSpace(said) ? said : throw new HookFailedException($"The hook {Message} left no message to commit with.");
    }

    /// <summary>Before commits are put on top of the target one by one; of them git runs none.</summary>
    internal async Task BeforeRebaseAsync(string onto, string branch)
    {
        if (_names.Contains(PreRebase))
        {
            await MakeAsync(onto, onto);
            await RunAsync(PreRebase, branch);
        }
    }

    /// <summary>The branch has the commit; what the hook makes of it is its own affair.</summary>
    internal async Task AfterCommitAsync(Landing landing)
    {
        if (_names.Contains(PostCommit))
        {
            await MakeAsync(landing.Commit, landing.Commit);
            await HookAsync(PostCommit);
        }
    }

    /// <summary>Takes the checkout away; what hooks left in it goes with it. Whatever else is at its place stays.</summary>
    internal async Task ForgetAsync()
    {
        if (Worktrees.RecordOf(repository, place) is { } record && Path.Combine(record, "locked") is var locked && File.Exists(locked) && (await File.ReadAllTextAsync(locked, CancellationToken.None)).TrimEnd('\n') == Ours)
        {
            await git.RunAsync(new GitCommand("worktree remove", repository.Root, [.. Base.At(repository), "worktree", "remove", "--force", "--force", place], Writes: true), CancellationToken.None);
        }

        _tree = null;
    }

    private async Task MakeAsync(string commit, string tree)
    {
        if (_tree is null)
        {
            await git.RunAsync(new GitCommand("worktree add", repository.Root, [.. Base.At(repository), .. Silent, "worktree", "add", "--quiet", "--detach", "--no-checkout", "--lock", "--reason", Ours, place, commit], Writes: true), cancellation);
        }
        else
        {
            await git.RunAsync(new GitCommand("update-ref", place, [.. Silent, "update-ref", "--no-deref", "HEAD", commit], Writes: true), cancellation);
        }

        if (_tree != tree)
        {
            await git.RunAsync(new GitCommand("read-tree", place, [.. Silent, "read-tree", "--reset", "-u", tree], Writes: true), cancellation);
            _tree = tree;
        }
    }

    private async Task RunAsync(string name, params string[] arguments)
    {
        if (_names.Contains(name) && await HookAsync(name, arguments) is { ExitCode: not 0 } failed)
        {
            var said = failed.StandardError.Trim();
            throw new HookFailedException($"The hook {name} ended with code {failed.ExitCode}, so nothing has landed. Let the agent put it right, then review and promote again.\n{(said.Length <= SaidMax ? said : $"… {said[^SaidMax..]}")}".TrimEnd());
        }
    }

    private Task<CommandResult> HookAsync(string name, params string[] arguments) =>
        git.RunAsync(new GitCommand($"hook {name}", place, ["-c", $"core.hooksPath={_folder}", "hook", "run", "--ignore-missing", name, "--", .. arguments], ExitCodes: AnyExit, Environment: [.. environment ?? [], "GIT_EDITOR=:"]), cancellation);

    private async Task RequireSameAsync(string hook, string tree)
    {
        var staged = await git.RunAsync(new GitCommand("diff-index", place, ["diff-index", "--cached", "-z", "--name-only", tree]), cancellation);
        var loose = await git.RunAsync(new GitCommand("diff", place, ["diff", "-z", "--name-only", "--no-ext-diff"]), cancellation);
        var changed = (staged.Text + loose.Text).Split('\0', StringSplitOptions.RemoveEmptyEntries).Distinct().ToList();
        if (changed.Count > 0)
        {
            throw new HookFailedException($"The hook {hook} has changed {string.Join(", ", changed.Take(5))}{(changed.Count > 5 ? $" and {changed.Count - 5} more" : "")}: what would land is not what was reviewed. Run it in the run's worktree, or let the agent, then review and promote again.");
        }
    }

    private static string Line(string text) => text.EndsWith('\n') ? text[..^1] : text;
}
