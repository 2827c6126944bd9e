using System.Diagnostics;
using KanBots.Sidecar.Git;

namespace KanBots.Sidecar.Tests.Git;

public sealed class WorktreeLocksTests : IDisposable
{
    private const int Many = 32;
    private readonly TestRepository _repository = new();

    public void Dispose() => _repository.Dispose();

    private string GitFolder => Path.Combine(_repository.Folder, ".git");

    [Fact]
    public async Task Thirty_two_at_once_are_all_made_from_the_remote_branch()
    {
        _repository.AddOrigin();
        _repository.Git("config", "branch.autoSetupMerge", "always");
        await MakeAllAsync(_ => _repository.Runner);
    }

    [Fact]
    public async Task Thirty_two_at_once_from_two_runners_are_all_made_while_others_take_every_lock()
    {
        using var over = new CancellationTokenSource();
        var locks = Task.WhenAll(HoldNowAndThenAsync("config.lock", over.Token), HoldNowAndThenAsync("packed-refs.lock", over.Token), HoldNowAndThenAsync("index.lock", over.Token));
        var plain = Task.Run(() =>
        {
            var rounds = 0;
            for (; !over.IsCancellationRequested; rounds++)
            {
                TestRepository.TryGit(_repository.Folder, "config", "test.round", $"{rounds}");
                TestRepository.TryGit(_repository.Folder, "branch", "-f", "churn", "HEAD");
                TestRepository.TryGit(_repository.Folder, "pack-refs", "--all");
            }

            return rounds;
        });
        GitRunner[] runners = [new(TimeProvider.System), new(TimeProvider.System)];
        try
        {
            await MakeAllAsync(number => runners[number % 2]);
        }
        finally
        {
            await over.CancelAsync();
            await locks;
            Assert.True(await plain > 0);
        }
    }

    private async Task MakeAllAsync(Func<int, GitRunner> runner)
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var head = _repository.Head;
        var found = await _repository.FindAsync();
        var all = Enumerable.Range(1, Many).Select(number => Task.Run(async () =>
        {
            await gate.Task;
            var path = Worktrees.PathOf(found, null, number, number);
            await Worktrees.AddAsync(runner(number), found, path, $"kanbots/issue-{number}-{number}", head, CancellationToken.None);
            return path;
        })).ToList();
        gate.SetResult();
        var paths = await Task.WhenAll(all);
        Assert.All(paths, path => Assert.Equal("one\ntwo\n", File.ReadAllText(Path.Combine(path, "readme.txt"))));
        Assert.Equal(Many, _repository.Git("branch", "--list", "kanbots/*").Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Equal(Many + 1, _repository.Git("worktree", "list").Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Single(File.ReadAllLines(Path.Combine(GitFolder, "info", "exclude")), line => line == "/.kanbots/");
    }

    /// <summary>As another git would: made exclusively, held for a while, removed.</summary>
    private async Task HoldNowAndThenAsync(string name, CancellationToken over)
    {
        var path = Path.Combine(GitFolder, name);
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(40));
        while (!over.IsCancellationRequested)
        {
            try
            {
                using var file = new FileStream(path, FileMode.CreateNew);
            }
            catch (IOException)
            {
                await pace.WaitForNextTickAsync(CancellationToken.None);
                continue;
            }

            await pace.WaitForNextTickAsync(CancellationToken.None);
            File.Delete(path);
            await pace.WaitForNextTickAsync(CancellationToken.None);
        }
    }

    [Fact]
    public async Task A_lock_that_is_let_go_in_time_is_waited_out()
    {
        var path = LockOfRun1();
        var clock = Stopwatch.StartNew();
        var adding = _repository.AddAsync(1, 1);
        Spine.Place.Until("git was refused a few times", () => clock.Elapsed > TimeSpan.FromMilliseconds(400));
        Assert.False(adding.IsCompleted);
        File.Delete(path);
        _repository.AssertMade(await adding, 1, 1);
    }

    [Fact]
    public async Task A_lock_that_is_never_let_go_is_named_with_the_next_step_after_a_bounded_number_of_tries()
    {
        var path = LockOfRun1();
        var time = new HurriedTime();
        var failure = await _repository.AddFailsAsync(1, 1, new GitRunner(time));
        Assert.Equal("refLocked", failure.Kind);
        Assert.Contains("remove the stale .lock file", failure.Message, StringComparison.Ordinal);
        Assert.Contains(path, failure.Message, StringComparison.Ordinal);
        Assert.Equal(GitRunner.LockRetriesMax, time.Waits.Count);
        Assert.InRange(time.Waits.Sum(wait => wait.TotalSeconds), 2, 10);
        Assert.True(File.Exists(path));
    }

    [Fact]
    public async Task A_wait_for_a_lock_can_be_cancelled()
    {
        LockOfRun1();
        using var stop = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));
        var clock = Stopwatch.StartNew();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _repository.AddAsync(1, 1, cancellation: stop.Token));
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(4), $"{clock.Elapsed}");
    }

    private string LockOfRun1()
    {
        var path = Path.Combine(GitFolder, "refs", "heads", "kanbots", "issue-1-1.lock");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, "");
        return path;
    }
}
