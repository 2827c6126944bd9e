using System.Diagnostics;
using KanBots.Sidecar.Git;
using KanBots.Sidecar.Processes;
using KanBots.Sidecar.Tests.Git;
using KanBots.Sidecar.Tests.Spine;

namespace KanBots.Sidecar.Tests.Processes;

/// <summary>What a tree holds when it is ended: a git that is killed leaves its locks in the repository of the user.</summary>
public sealed class PutAwayTests : IDisposable
{
    private static readonly HashSet<int> Nobody = [];

    private readonly TestRepository _repository = new();
    private readonly string _token = $"{Guid.NewGuid():N}";

    public PutAwayTests()
    {
        _repository.Git("update-ref", "refs/remotes/origin/gone", "HEAD");
        _repository.Git("pack-refs", "--all");
    }

    public void Dispose()
    {
        ProcessTree.KillAll(_token, Nobody, Nobody);
        _repository.Dispose();
    }

    /// <summary>Holds packed-refs.lock and the lock of a ref until its input ends.</summary>
    private const string Holder = "(printf 'start\\ndelete refs/remotes/origin/gone\\nprepare\\n'; exec sleep 600) | git update-ref --stdin";

    private string At(string name) => Path.Combine(_repository.Root, name);

    private string[] Locks => Directory.GetFiles(Path.Combine(_repository.Folder, ".git"), "*.lock", SearchOption.AllDirectories);

    private int Start(string script) =>
        Spawn.Start(new SpawnRequest("/bin/sh", ["/bin/sh", "-c", script], [.. Spawn.OwnEnvironment(), $"{ProcessTree.TokenName}={_token}"], _repository.Folder, new Redirect.Null(), new Redirect.Null(), new Redirect.Null(), NewSession: true));

    private void Hold(string script = Holder)
    {
        Start(script);
        Place.Until("git holds its locks", () => Locks.Length == 2);
    }

    private void AssertPutAway()
    {
        Assert.Empty(ProcessTree.Find(_token, Nobody, Nobody));
        Assert.Empty(Locks);
        _repository.Git("pack-refs", "--all");
        _repository.Git("update-ref", "-d", "refs/remotes/origin/gone");
    }

    [Fact]
    public void The_obstacle_is_real_a_killed_git_leaves_its_locks_and_nobody_gets_past_them()
    {
        Hold();
        var all = ProcessTree.Find(_token, Nobody, Nobody).ToList();
        all.ForEach(process => Place.Signal(process.Pid, "STOP")); // or git would see the end of its input, and end as it should
        all.ForEach(process => process.Kill());
        Place.Until("all are gone", () => ProcessTree.Find(_token, Nobody, Nobody).Count == 0);
        Assert.Equal(2, Locks.Length);
        Assert.NotEqual(0, TestRepository.TryGit(_repository.Folder, "pack-refs", "--all").Code);
    }

    [Theory]
    [InlineData(Holder)]
    [InlineData($"setsid sh -c \"{Holder}\"")]
    public void A_git_of_a_tree_that_is_ended_leaves_no_lock(string script)
    {
        Hold(script);
        Assert.Empty(ProcessTree.KillAll(_token, Nobody, Nobody));
        AssertPutAway();
    }

    [Fact]
    public void A_git_that_stands_still_leaves_no_lock_either()
    {
        Hold();
        foreach (var process in ProcessTree.Find(_token, Nobody, Nobody))
        {
            Place.Signal(process.Pid, "STOP");
        }

        Assert.Empty(ProcessTree.KillAll(_token, Nobody, Nobody));
        AssertPutAway();
    }

    /// <summary>A shell that starts one git after the other: whichever is at work when the end comes, and none after it.</summary>
    [Fact]
    public void No_git_is_begun_once_the_tree_is_being_ended()
    {
        for (var round = 0; round < (Environment.GetEnvironmentVariable("KANBOTS_LONG") is null ? 20 : 300); round++)
        {
            Start("while :; do git pack-refs --all; git update-ref refs/heads/one HEAD; git update-ref -d refs/heads/one; done");
            Place.Until("it is at work", () => ProcessTree.Find(_token, Nobody, Nobody).Count > 1);
            Place.Moment(round * 3 % 60);
            Assert.Empty(ProcessTree.KillAll(_token, Nobody, Nobody));
            Assert.Empty(Locks);
        }
    }

    [Fact]
    public void What_is_started_by_one_that_was_asked_is_ended_with_it()
    {
        Start($"trap 'for i in 1 2 3 4 5; do setsid sh -c \"echo x >> {At("forked")}; exec sleep 600\" & done' TERM; echo > {At("ready")}; sleep 600 & wait; wait");
        Place.Until("it is ready", () => File.Exists(At("ready")));
        Assert.Empty(ProcessTree.KillAll(_token, Nobody, Nobody));
        Assert.True(File.Exists(At("forked")), "it never forked: the test proves nothing");
        Assert.Empty(ProcessTree.Find(_token, Nobody, Nobody));
    }

    /// <summary>The trap's rm is a process of its own, without a handler, which may run; the sleep that was there before stands still.</summary>
    [Fact]
    public void A_script_puts_away_by_commands_of_its_own()
    {
        File.WriteAllText(At("held"), "");
        Start($"trap 'rm {At("held")}; exit' TERM; echo > {At("ready")}; sleep 600 & wait");
        Place.Until("it is ready", () => File.Exists(At("ready")));
        Assert.Empty(ProcessTree.KillAll(_token, Nobody, Nobody));
        Assert.False(File.Exists(At("held")));
    }

    [Fact]
    public void Who_does_not_end_when_asked_costs_a_moment_and_who_ignores_it_none()
    {
        var deaf = TimeSpan.MaxValue;
        for (var attempt = 0; attempt < 5; attempt++) // the best of some: the machine has other work too
        {
            Start($"trap '' TERM; echo > {At("deaf")}; exec sleep 600");
            Place.Until("it is ready", () => File.Exists(At("deaf")));
            File.Delete(At("deaf"));
            deaf = TimeSpan.FromTicks(Math.Min(deaf.Ticks, Ended().Ticks));
        }

        Start($"trap : TERM; echo > {At("stays")}; while :; do sleep 600 & wait; done");
        Place.Until("it is ready", () => File.Exists(At("stays")));
        var stays = Ended();
        Assert.True(stays.TotalSeconds > 0.29, $"one that stays had {stays.TotalSeconds:0.00} s only");
        Assert.True(deaf < stays, $"one that ignores it took {deaf.TotalSeconds:0.00} s, as if it had been waited for ({stays.TotalSeconds:0.00} s)");
    }

    private TimeSpan Ended()
    {
        var clock = Stopwatch.StartNew();
        Assert.Empty(ProcessTree.KillAll(_token, Nobody, Nobody));
        return clock.Elapsed;
    }

    [Fact]
    public void Who_is_to_say_nothing_more_is_not_asked()
    {
        var silent = Start($"trap 'echo > {At("said")}; exit' TERM; echo > {At("ready")}; sleep 600 & wait");
        Place.Until("it is ready", () => File.Exists(At("ready")));
        Assert.Empty(ProcessTree.KillAll(_token, Nobody, Nobody, unasked: silent));
        Assert.False(File.Exists(At("said")));
    }

    /// <summary>Our own git, when nobody waits for it any more or a hook keeps it for too long.</summary>
    [Fact]
    public async Task A_git_of_ours_that_is_ended_leaves_no_lock_and_no_hook()
    {
        var hook = Path.Combine(_repository.Folder, ".git", "hooks", "pre-commit");
        Directory.CreateDirectory(Path.GetDirectoryName(hook)!);
        File.WriteAllText(hook, $"#!/bin/sh\nls .git/*.lock > '{At("locks")}'\necho $$ > '{At("hook.part")}'\nmv '{At("hook.part")}' '{At("hook")}'\nexec sleep 600\n");
        Process.Start("/bin/chmod", ["755", hook]).WaitForExit();
        _repository.Write("readme.txt", "changed\n");
        using var stop = new CancellationTokenSource();
        var running = _repository.Runner.RunAsync(new GitCommand("commit", _repository.Folder, ["-c", "user.name=T", "-c", "user.email=t@example.com", "commit", "-q", "-a", "-m", "slow"]), stop.Token);
        Place.Until("the hook runs", () => File.Exists(At("hook")));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        Assert.Contains("index.lock", File.ReadAllText(At("locks")), StringComparison.Ordinal);
        Assert.False(Place.IsAlive(int.Parse(File.ReadAllText(At("hook")))));
        Assert.Empty(Locks);
    }
}
