using KanBots.Sidecar.Git;

namespace KanBots.Sidecar.Tests.Git;

/// <summary>These change the environment of the test process, so nothing else runs meanwhile.</summary>
[CollectionDefinition(nameof(OwnEnvironment), DisableParallelization = true)]
public sealed class OwnEnvironment;

[Collection(nameof(OwnEnvironment))]
public sealed class GitEnvironmentTests : IDisposable
{
    private readonly TestRepository _repository = new();
    private readonly Dictionary<string, string?> _before = [];

    public void Dispose()
    {
        Restore();
        _repository.Dispose();
    }

    private void Set(string name, string? value)
    {
        _before.TryAdd(name, Environment.GetEnvironmentVariable(name));
        Environment.SetEnvironmentVariable(name, value);
    }

    private void Restore()
    {
        foreach (var (name, value) in _before)
        {
            Environment.SetEnvironmentVariable(name, value);
        }
    }

    [Fact]
    public async Task Every_variable_that_could_mislead_git_is_taken_out_and_others_are_kept()
    {
        foreach (var name in GitRunner.Scrubbed)
        {
            Set(name, $"hostile-{name}");
        }

        Set("GIT_SSL_CAINFO", "kept");
        async Task<string[]> Seen(bool writes) => (await _repository.Runner.RunAsync(new GitCommand("env", _repository.Folder, ["-c", "alias.seen=!env", "seen"], writes), CancellationToken.None)).Text.Split('\n');
        var seen = await Seen(writes: false);
        Assert.DoesNotContain(seen, line => line.Contains("hostile", StringComparison.Ordinal));
        foreach (var line in new[] { "GIT_SSL_CAINFO=kept", "LC_ALL=C", "GIT_TERMINAL_PROMPT=0", "GIT_OPTIONAL_LOCKS=0" })
        {
            Assert.Contains(line, seen);
        }

        Assert.DoesNotContain(await Seen(writes: true), line => line.StartsWith("GIT_OPTIONAL_LOCKS", StringComparison.Ordinal));
    }

    [Fact]
    public void The_list_holds_all_that_git_itself_calls_local_to_a_repository_but_the_users_own_configuration()
    {
        var local = _repository.Git("rev-parse", "--local-env-vars").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["GIT_CONFIG_COUNT"], local.Except(GitRunner.Scrubbed));
    }

    [Fact]
    public async Task An_editor_that_was_started_from_a_hook_of_another_repository_misleads_nobody()
    {
        using var other = new TestRepository("other");
        var commit = _repository.Commit("second");
        Set("GIT_DIR", Path.Combine(other.Folder, ".git"));
        Set("GIT_WORK_TREE", other.Folder);
        Set("GIT_INDEX_FILE", Path.Combine(other.Folder, ".git", "index"));
        Set("GIT_PREFIX", "sub/");

        var found = await _repository.FindAsync();
        var from = await Base.ChooseAsync(_repository.Runner, found, null, null, CancellationToken.None);
        var path = Worktrees.PathOf(found, null, 1, 1);
        await Worktrees.AddAsync(_repository.Runner, found, path, "kanbots/issue-1-1", from.Commit, CancellationToken.None);
        File.WriteAllText(Path.Combine(path, "new.txt"), "1\n");
        var changes = await Changes.CountAsync(_repository.Runner, path, from.Commit, _repository.Root, CancellationToken.None);
        Restore();

        Assert.Equal(new Repository(Path.Combine(_repository.Folder, ".git"), _repository.Folder, false), found);
        Assert.Equal(new Base("main", commit), from);
        Assert.Equal(new Changes(1, 1, 0), changes);
        Assert.Equal("kanbots/issue-1-1", TestRepository.PlainGit(path, "branch", "--show-current").Trim());
        Assert.Equal("", other.Git("branch", "--list", "kanbots/*"));
        Assert.Equal("", other.Status);
    }

    [Fact]
    public async Task Under_a_german_locale_git_is_read_in_english()
    {
        Set("LC_ALL", "C.UTF-8");
        Set("LANG", "C.UTF-8");
        Set("LANGUAGE", "de");
        var (_, _, german) = TestRepository.TryGit(_repository.Root, "status");
        Assert.False(german.Contains("not a git repository", StringComparison.Ordinal), "This git speaks no German: install its translations.");

        var failure = await Assert.ThrowsAsync<GitFailure>(() => _repository.FindAsync(_repository.Root));
        Assert.Equal("notAGitRepository", failure.Kind);
    }

    [Fact]
    public async Task A_missing_git_is_said()
    {
        Set("PATH", _repository.Root);
        var failure = await Assert.ThrowsAsync<GitFailure>(() => _repository.FindAsync());
        Restore();
        Assert.Equal("gitNotFound", failure.Kind);
        Assert.Contains("Install git", failure.Message, StringComparison.Ordinal);
    }
}
