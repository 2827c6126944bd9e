using KanBots.Sidecar.Git;
using KanBots.Sidecar.Processes;

namespace KanBots.Sidecar.Tests.Git;

public sealed class GitRunnerTests : IDisposable
{
    private readonly TestRepository _repository = new();

    public void Dispose() => _repository.Dispose();

    private string At(string name) => Path.Combine(_repository.Root, name);

    /// <summary>A git that starts a child, writes down that child's pid, and waits for it.</summary>
    private GitCommand Slow(bool writes) => new("slow", _repository.Folder, ["-c", $"alias.slow=!sleep 300 & echo $! > '{At("pid.part")}'; mv '{At("pid.part")}' '{At("pid")}'; wait", "slow"], writes);

    private int ChildPid()
    {
        Spine.Place.Until("the child has said its pid", () => File.Exists(At("pid")));
        return int.Parse(File.ReadAllText(At("pid")));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_git_that_does_not_end_is_ended_with_its_children_and_named(bool writes)
    {
        var runner = new GitRunner(TimeProvider.System, new CommandLimits(TimeSpan.FromSeconds(2), 1024));
        var failure = await Assert.ThrowsAsync<GitFailure>(() => runner.RunAsync(Slow(writes), CancellationToken.None));
        Assert.Equal("gitTimedOut", failure.Kind);
        Assert.Contains("git slow did not end within 2 s", failure.Message, StringComparison.Ordinal);
        var pid = ChildPid();
        Spine.Place.Until("the child is gone", () => !Spine.Place.IsAlive(pid));
    }

    /// <summary>A git that says that it has begun, and then what it is told.</summary>
    private GitCommand Told(Task<ReadOnlyMemory<byte>> later) => new("told", _repository.Folder, ["-c", $"alias.told=!echo $$ > '{At("pid.part")}'; mv '{At("pid.part")}' '{At("pid")}'; cat", "told"], Writes: true, InputLater: later);

    [Fact]
    public async Task A_git_whose_input_comes_later_is_begun_at_once_and_has_its_turn_when_it_has_the_input()
    {
        var later = new TaskCompletionSource<ReadOnlyMemory<byte>>();
        var runner = _repository.Runner;
        var running = runner.RunAsync(Told(later.Task), CancellationToken.None);
        ChildPid();
        await runner.RunAsync(new GitCommand("branch", _repository.Folder, ["branch", "meanwhile"], Writes: true), CancellationToken.None);
        var other = runner.RunAsync(new GitCommand("slow", _repository.Folder, ["-c", $"alias.slow=!touch '{At("begun")}'; while [ ! -e '{At("go")}' ]; do sleep 0.05; done", "slow"], Writes: true), CancellationToken.None);
        Spine.Place.Until("the other writes", () => File.Exists(At("begun")));
        later.SetResult("said\n"u8.ToArray());
        await runner.RunAsync(new GitCommand("read", _repository.Folder, ["rev-list", "--all"]), CancellationToken.None); // time in which it would have had its turn
        Assert.False(running.IsCompleted); // the other's turn
        File.WriteAllText(At("go"), "");
        await other;
        Assert.Equal("said\n", (await running).Text);
        await runner.RunAsync(new GitCommand("branch", _repository.Folder, ["branch", "after"], Writes: true), CancellationToken.None);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_git_whose_input_does_not_come_is_ended_and_keeps_nobody_from_writing(bool isCancelled)
    {
        var later = new TaskCompletionSource<ReadOnlyMemory<byte>>();
        var running = _repository.Runner.RunAsync(Told(later.Task), CancellationToken.None);
        ChildPid();
        if (isCancelled)
        {
            later.SetCanceled();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        }
        else
        {
            later.SetException(new InvalidDataException("none"));
            await Assert.ThrowsAsync<InvalidDataException>(() => running);
        }

        var pid = ChildPid();
        Spine.Place.Until("it is gone", () => !Spine.Place.IsAlive(pid));
        await _repository.Runner.RunAsync(new GitCommand("branch", _repository.Folder, ["branch", "after"], Writes: true), CancellationToken.None);
    }

    [Fact]
    public async Task A_reading_git_is_ended_by_the_cancellation_with_its_children()
    {
        using var stop = new CancellationTokenSource();
        var running = _repository.Runner.RunAsync(Slow(writes: false), stop.Token);
        var pid = ChildPid();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        Spine.Place.Until("the child is gone", () => !Spine.Place.IsAlive(pid));
    }

    [Fact]
    public async Task A_writing_git_that_has_begun_is_let_finish_and_one_that_waits_is_not_begun()
    {
        using var stop = new CancellationTokenSource();
        var first = _repository.Runner.RunAsync(new GitCommand("slow", _repository.Folder, ["-c", $"alias.slow=!touch '{At("begun")}'; while [ ! -e '{At("go")}' ]; do sleep 0.05; done; echo done", "slow"], Writes: true), stop.Token);
        Spine.Place.Until("the first has begun", () => File.Exists(At("begun")));
        var second = _repository.Runner.RunAsync(new GitCommand("branch", _repository.Folder, ["branch", "second"], Writes: true), stop.Token);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        Assert.False(first.IsCompleted);
        File.WriteAllText(At("go"), "");
        Assert.Equal("done\n", (await first).Text);
        Assert.Equal("", _repository.Git("branch", "--list", "second"));
    }

    [Fact]
    public async Task An_answer_that_is_too_long_is_a_failure_and_never_half_an_answer()
    {
        var runner = new GitRunner(TimeProvider.System, new CommandLimits(TimeSpan.FromMinutes(1), 1024));
        _repository.Write("large.txt", new string('x', 1025));
        _repository.Write("fits.txt", new string('x', 1024));
        _repository.Commit("large");
        Assert.Equal(1024, (await runner.RunAsync(new GitCommand("show", _repository.Folder, ["show", "HEAD:fits.txt"]), CancellationToken.None)).StandardOutput.Length);
        var failure = await Assert.ThrowsAsync<GitFailure>(() => runner.RunAsync(new GitCommand("show", _repository.Folder, ["show", "HEAD:large.txt"]), CancellationToken.None));
        Assert.Equal("outputTooLong", failure.Kind);
        Assert.Contains("git show", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("$(touch planted)")]
    [InlineData("; touch planted")]
    [InlineData("`touch planted` && | > planted")]
    [InlineData("two\nlines\n")]
    [InlineData(" \"quoted\" 'too' \\ * ? ~ %PATH% $HOME ")]
    [InlineData("")]
    public async Task No_shell_sees_an_argument(string value)
    {
        await _repository.Runner.RunAsync(new GitCommand("config", _repository.Folder, ["config", "test.value", value], Writes: true), CancellationToken.None);
        Assert.Equal(value + "\0", _repository.Git("config", "-z", "--get", "test.value"));
        Assert.Equal("", _repository.Status);
    }

    [Fact]
    public async Task Reading_leaves_the_index_as_it_is_where_plain_git_would_write_it()
    {
        var index = Path.Combine(_repository.Folder, ".git", "index");
        File.SetLastWriteTimeUtc(Path.Combine(_repository.Folder, "readme.txt"), DateTime.UnixEpoch.AddSeconds(1_000_000));
        var before = File.ReadAllBytes(index);
        await _repository.Runner.RunAsync(new GitCommand("status", _repository.Folder, ["status", "--porcelain"]), CancellationToken.None);
        Assert.Equal(before, File.ReadAllBytes(index));

        _repository.Git("status", "--porcelain");
        Assert.NotEqual(before, File.ReadAllBytes(index));
    }

    [Fact]
    public async Task Writing_commands_run_one_at_a_time_and_reading_ones_do_not_wait_for_them()
    {
        var log = At("log");
        GitCommand Write(int number) => new("step", _repository.Folder, ["-c", $"alias.step=!echo begin{number} >> '{log}'; until [ -e '{At("go")}' ]; do sleep 0.02; done; sleep 0.02; echo end{number} >> '{log}'", "step"], Writes: true);
        var all = Task.WhenAll(Enumerable.Range(0, 6).Select(number => _repository.Runner.RunAsync(Write(number), CancellationToken.None)));
        await _repository.Runner.RunAsync(new GitCommand("status", _repository.Folder, ["status"]), CancellationToken.None);
        Assert.False(all.IsCompleted);
        File.WriteAllText(At("go"), "");
        await all;
        var lines = File.ReadAllLines(log);
        Assert.Equal(12, lines.Length);
        Assert.All(lines.Chunk(2), pair => Assert.Equal(pair[0].Replace("begin", "end", StringComparison.Ordinal), pair[1]));
    }

    [Fact]
    public async Task A_folder_that_vanished_is_not_taken_for_a_missing_git()
    {
        var failure = await Assert.ThrowsAsync<GitFailure>(() => _repository.Runner.RunAsync(new GitCommand("status", At("gone"), ["status"]), CancellationToken.None));
        Assert.Equal("folderMissing", failure.Kind);
    }

    [Theory]
    [InlineData("git version 2.39.5", "2.39")]
    [InlineData("git version 2.39.5 (Apple Git-154)", "2.39")]
    [InlineData("git version 2.53.0.windows.1", "2.53")]
    [InlineData("git version 2.9.0", "2.9")]
    [InlineData("git version 3.0-rc1", "3.0")]
    [InlineData("something else 2.1", null)]
    public void A_version_is_read_as_git_says_it(string said, string? version) => Assert.Equal(version, GitRunner.VersionOf(said)?.ToString());
}
