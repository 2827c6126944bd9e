using System.Diagnostics;
using KanBots.Sidecar.Git;

namespace KanBots.Sidecar.Tests.Git;

/// <summary>The worktree is asked for again, after a crash at each of the steps in which it is made.</summary>
public sealed class WorktreeCrashTests : IDisposable
{
    private readonly TestRepository _repository = new();

    public void Dispose() => _repository.Dispose();

    [Fact]
    public async Task Asked_again_nothing_is_done_twice_and_an_agents_work_stays()
    {
        var start = _repository.Head;
        var path = await _repository.AddAsync(1, 1);
        File.WriteAllText(Path.Combine(path, "work.txt"), "precious");
        TestRepository.PlainGit(path, "add", "-A");
        TestRepository.PlainGit(path, "commit", "-q", "-m", "work");
        File.WriteAllText(Path.Combine(path, "more.txt"), "precious");
        var tip = TestRepository.PlainGit(path, "rev-parse", "HEAD");

        Assert.Equal(path, await _repository.AddAsync(1, 1, commit: start));
        Assert.Equal(tip, TestRepository.PlainGit(path, "rev-parse", "HEAD"));
        Assert.Equal("?? more.txt\n", TestRepository.PlainGit(path, "status", "--porcelain"));
    }

    [Fact]
    public async Task A_branch_without_its_worktree_is_taken_up()
    {
        _repository.Git("branch", "kanbots/issue-1-1");
        _repository.AssertMade(await _repository.AddAsync(1, 1), 1, 1);
    }

    [Fact]
    public async Task A_worktree_whose_folder_is_gone_is_made_again_with_or_without_its_branch()
    {
        Directory.Delete(await _repository.AddAsync(1, 1), recursive: true);
        _repository.AssertMade(await _repository.AddAsync(1, 1), 1, 1);

        Directory.Delete(await _repository.AddAsync(1, 2), recursive: true);
        _repository.Git("update-ref", "-d", "refs/heads/kanbots/issue-1-2");
        _repository.AssertMade(await _repository.AddAsync(1, 2), 1, 2);
    }

    [Fact]
    public async Task A_worktree_whose_folder_is_gone_after_commits_is_not_reset()
    {
        var start = _repository.Head;
        var path = await _repository.AddAsync(1, 1);
        TestRepository.PlainGit(path, "commit", "-q", "--allow-empty", "-m", "work");
        var tip = _repository.Git("rev-parse", "kanbots/issue-1-1");
        Directory.Delete(path, recursive: true);

        Assert.Equal(start, _repository.Head);
        Assert.Equal("branchExists", (await _repository.AddFailsAsync(1, 1)).Kind);
        Assert.Equal(tip, _repository.Git("rev-parse", "kanbots/issue-1-1"));
    }

    [Fact]
    public async Task A_folder_that_git_does_not_know_is_named_and_kept_and_no_branch_is_left()
    {
        var path = await _repository.PathOfAsync(1, 1);
        Directory.CreateDirectory(path);
        File.WriteAllText(Path.Combine(path, "mine.txt"), "precious");

        var failure = await _repository.AddFailsAsync(1, 1);
        Assert.Equal("folderExists", failure.Kind);
        Assert.Contains(path, failure.Message, StringComparison.Ordinal);
        Assert.Equal("precious", File.ReadAllText(Path.Combine(path, "mine.txt")));
        Assert.Equal("", _repository.Git("branch", "--list", "kanbots/*"));

        File.Delete(Path.Combine(path, "mine.txt"));
        _repository.AssertMade(await _repository.AddAsync(1, 1), 1, 1);
    }

    [Fact]
    public async Task A_worktree_that_a_killed_git_left_half_made_is_made_again()
    {
        using (var git = StartSlowAdd())
        {
            git.Kill(entireProcessTree: true);
            git.WaitForExit();
        }

        var path = await _repository.PathOfAsync(1, 1);
        Assert.Contains("locked initializing", _repository.Git("worktree", "list", "--porcelain"), StringComparison.Ordinal);
        Assert.NotEqual("", TestRepository.PlainGit(path, "status", "--porcelain"));

        File.WriteAllText(Path.Combine(_repository.Root, "go"), "");
        var time = new HurriedTime();
        _repository.AssertMade(await _repository.AddAsync(1, 1, runner: new GitRunner(time)), 1, 1);
        Assert.Equal(Worktrees.HalfMadeMax, TimeSpan.FromTicks(time.Waits.Sum(wait => wait.Ticks)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_half_made_worktree_whose_folder_is_empty_or_gone_is_made_again(bool empty)
    {
        var path = await _repository.AddAsync(1, 1);
        File.WriteAllText(Path.Combine(_repository.Folder, ".git", "worktrees", "issue-1-1", "locked"), "initializing");
        Directory.Delete(path, recursive: true);
        if (empty)
        {
            Directory.CreateDirectory(path);
        }

        _repository.AssertMade(await _repository.AddAsync(1, 1, runner: new GitRunner(new HurriedTime())), 1, 1);
    }

    [Fact]
    public async Task A_git_that_outlived_its_serve_is_waited_for_instead_of_being_disturbed()
    {
        using var git = StartSlowAdd();
        var again = _repository.AddAsync(1, 1);
        Assert.False(again.IsCompleted);
        File.WriteAllText(Path.Combine(_repository.Root, "go"), "");
        _repository.AssertMade(await again, 1, 1);
        git.WaitForExit();
        Assert.Equal(0, git.ExitCode);
        Assert.Equal("x", File.ReadAllText(Path.Combine(_repository.Root, "begun")));
    }

    [Fact]
    public async Task A_cancelled_serve_leaves_no_worktree_half_made()
    {
        MakeCheckoutsSlow();
        using var stop = new CancellationTokenSource();
        var adding = _repository.AddAsync(1, 1, cancellation: stop.Token);
        Spine.Place.Until("git is in the middle of its checkout", () => File.Exists(Path.Combine(_repository.Root, "begun")));
        await stop.CancelAsync();
        Assert.False(adding.IsCompleted);
        File.WriteAllText(Path.Combine(_repository.Root, "go"), "");
        _repository.AssertMade(await adding, 1, 1);
    }

    [Fact]
    public async Task A_worktree_that_a_crash_left_without_its_commondir_is_named_after_a_bounded_number_of_tries()
    {
        await _repository.AddAsync(1, 1);
        File.WriteAllText(Path.Combine(_repository.Folder, ".git", "worktrees", "issue-1-1", "commondir"), "");
        var time = new HurriedTime();
        var failure = await Assert.ThrowsAsync<GitFailure>(() => Worktrees.ListAsync(new GitRunner(time), _repository.Folder, CancellationToken.None));
        Assert.Equal("worktreeBeingMade", failure.Kind);
        Assert.Contains("worktrees/issue-1-1/commondir", failure.Message, StringComparison.Ordinal);
        Assert.Contains("move away the folder", failure.Message, StringComparison.Ordinal);
        Assert.Equal(GitRunner.LockRetriesMax, time.Waits.Count);
    }

    /// <summary>Plain git that makes the worktree of run 1 and stands in the middle of its checkout until there is a file "go".</summary>
    private Process StartSlowAdd()
    {
        MakeCheckoutsSlow();
        var path = Path.Combine(_repository.Folder, ".kanbots", "worktrees", "issue-1-1");
        var git = TestRepository.Start(_repository.Folder, "git", "worktree", "add", "-q", "--no-track", "-b", "kanbots/issue-1-1", path, "HEAD");
        Spine.Place.Until("git is in the middle of its checkout", () => File.Exists(Path.Combine(_repository.Root, "begun")));
        return git;
    }

    private void MakeCheckoutsSlow()
    {
        _repository.Write(".gitattributes", "slow filter=slow\n");
        _repository.Write("a.txt", "a\n");
        _repository.Write("slow", "slow\n");
        _repository.Commit("slow");
        _repository.Git("config", "filter.slow.smudge", $"printf x >> '{_repository.Root}/begun'; while [ ! -e '{_repository.Root}/go' ]; do sleep 0.05; done; cat");
    }
}
