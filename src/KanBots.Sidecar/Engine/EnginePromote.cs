using KanBots.Sidecar.Board;
using KanBots.Sidecar.Git;

namespace KanBots.Sidecar.Engine;

/// <summary>Lands a run's work, off the loop. What is about to land is held by a ref before the branch moves: whoever goes on after a crash
/// sees by it whether the branch has it.</summary>
internal sealed partial class BoardEngine
{
    private const string HeldRefs = "refs/kanbots/landing";

    private const string CoAuthor = "Claude <noreply@anthropic.com>";

    /// <param name="client">Whose hooks and signature it gets; null when that client is gone.</param>
    private async Task PromoteAsync(Run run, IReadOnlyList<string>? client)
    {
        var held = HeldOf(run);
        try
        {
            await _git.RequireRecentAsync(_closing.Token);
            var order = run.Promoting!;
            var commit = await LandedBeforeAsync(held, order.Branch) ?? await LandAsync(run, order, held, client);
            await OnLoopAsync(() =>
            {
                Report(new Input.WorkLanded(run.Id, run.Moves, order.Branch, commit));
                return true;
            });
            await ForgetAsync(held);
        }
        catch (OperationCanceledException)
        {
            // serve leaves: the next one goes on
        }
        catch (MergeConflictException conflict)
        {
            await ForgetAsync(held);
            Post(new Input.WorktreeMoveFailed(run.Id, run.Moves, new Reason("mergeConflict", conflict.Message), [.. conflict.Paths]));
        }
        catch (HookFailedException hook)
        {
            await ForgetAsync(held);
            Post(new Input.WorktreeMoveFailed(run.Id, run.Moves, new Reason("hookFailed", hook.Message), []));
        }
        catch (CheckoutDirtyException dirty)
        {
            await ForgetAsync(held);
            Post(new Input.WorktreeMoveFailed(run.Id, run.Moves, new Reason("worktreeDirty", dirty.Message), [.. dirty.Paths]));
        }
        catch (Exception failure)
        {
            await ForgetAsync(held);
            SayNotMoved(run, failure);
        }
    }

    private static string HeldOf(Run run) => FormattableString.Invariant($"{HeldRefs}/issue-{run.CardNumber}-{run.Id}");

    /// <summary>Lets go of what a serve had still held when it was killed, and what no landing needs that is under way.</summary>
    private async Task ForgetHeldAsync()
    {
        var found = (await GitAsync("for-each-ref", ["for-each-ref", "--format=%(refname) %(objectname)", HeldRefs])).Text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ')).ToList();
        if (found.Count > 0)
        {
            // Looked for before: what a landing holds that begins now is another commit, and stays.
            var needed = await OnLoopAsync(() => _state.Runs.Values.Where(run => run.Promoting is not null).Select(HeldOf).ToHashSet());
            foreach (var words in found.Where(words => !needed.Contains(words[0])))
            {
                await ForgetAsync(words[0], words[1]);
            }
        }
    }

    /// <summary>A ref that stays is in nobody's way: the next attempt overwrites it.</summary>
    private async Task ForgetAsync(string held, params string[] commit)
    {
        try
        {
            await GitAsync("update-ref", ["update-ref", "-d", held, .. commit], writes: true);
        }
        catch (Exception failure) when (failure is GitFailure or OperationCanceledException)
        {
            _log.Info($"{held} is still there: {failure.Message}");
        }
    }

    /// <returns>The commit, when an earlier attempt came so far that the branch has it.</returns>
    private async Task<string?> LandedBeforeAsync(string held, string branch)
    {
        var known = await GitAsync("rev-parse", ["rev-parse", "--verify", "--quiet", $"{held}^{{commit}}"], [1, 128]);
        var commit = known.Text.Trim();
        return known.ExitCode == 0 && (await GitAsync("merge-base", ["merge-base", "--is-ancestor", commit, $"refs/heads/{branch}"], [1, 128])).ExitCode == 0 ? commit : null;
    }

    private async Task<string> LandAsync(Run run, PromoteOrder order, string held, IReadOnlyList<string>? client)
    {
        await TakeAsync(run, "promote");
        var shown = await LookingAsync(run, () => WriteTreeAsync(run, _closing.Token));
        if (shown.Tree != order.ExpectedTree)
        {
            throw GitFailure.Named("worktreeChanged", "The worktree is not what was reviewed any more. Look at what has changed since, then promote again.");
        }

        var head = await _git.RunAsync(new GitCommand("rev-parse", run.WorktreePath, ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"], ExitCodes: [1, 128]), _closing.Token);
        var wish = new LandingWish(order.Branch, (Git.LandingStrategy)order.Strategy, run.BaseCommit, head.ExitCode == 0 ? head.Text.Trim() : null, shown.Tree, await MessageAsync(run, order), order.Paths.Length == 0 ? null : order.Paths);
        var hooks = new CommitHooks(_patientGit, _paths.Repository, PlaceOfHooks(run), client, _closing.Token);
        try
        {
            await hooks.LookAsync();
            var landing = await new LandingMaker(_git, _paths.Repository, _paths.Scratch, _closing.Token, hooks, client).MakeAsync(wish);
            await GitAsync("update-ref", ["update-ref", held, landing.Commit], writes: true);
            await Checkout.LandAsync(_patientGit, _paths.Repository, landing, _closing.Token);
            await AtEaseAsync(() => hooks.AfterCommitAsync(landing));
            return landing.Commit;
        }
        finally
        {
            await AtEaseAsync(hooks.ForgetAsync);
        }
    }

    /// <summary>Beside the worktrees, so that hooks find the packages of the main working tree as agents do.</summary>
    private string PlaceOfHooks(Run run) => Path.Combine(Path.GetDirectoryName(Worktrees.PathOf(_paths.Repository, Settings.WorktreeRoot, run.CardNumber, run.Id))!, FormattableString.Invariant($"landing-{run.CardNumber}-{run.Id}"));

    /// <summary>Whether it has landed is not decided by this any more.</summary>
    private async Task AtEaseAsync(Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (Exception failure) when (failure is GitFailure or IOException or UnauthorizedAccessException)
        {
            _log.Info($"after a landing: {failure.Message}");
        }
    }

    /// <summary>The card's title unless somebody wrote one, and where it comes from.</summary>
    private async Task<string> MessageAsync(Run run, PromoteOrder order)
    {
        var message = string.IsNullOrWhiteSpace(order.Message) ? $"{View.State.Cards.GetValueOrDefault(run.CardId)?.Title ?? "Work of an agent"} (#{run.CardNumber})" : order.Message;
        if (Settings.PromoteTrailers is false)
        {
            return message;
        }

        string[] trailers = [FormattableString.Invariant($"KanBots-Run: issue-{run.CardNumber}-{run.Id}"), $"Co-authored-by: {CoAuthor}"];
        var whole = await GitAsync("interpret-trailers", ["interpret-trailers", "--if-exists", "addIfDifferent", .. trailers.SelectMany(trailer => new[] { "--trailer", trailer })], input: System.Text.Encoding.UTF8.GetBytes($"{message.TrimEnd()}\n"));
        return whole.Text;
    }

    private Task<Processes.CommandResult> GitAsync(string name, string[] arguments, IReadOnlyList<int>? exitCodes = null, bool writes = false, ReadOnlyMemory<byte> input = default) =>
        _git.RunAsync(new GitCommand(name, _paths.Repository.Root, [.. Base.At(_paths.Repository), .. arguments], Writes: writes, ExitCodes: exitCodes, Input: input), _closing.Token);
}
