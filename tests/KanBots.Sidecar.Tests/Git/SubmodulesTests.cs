using KanBots.Sidecar.Git;

namespace KanBots.Sidecar.Tests.Git;

/// <summary>The submodule's own server is moved away before the worktree is made: what is there came from the main working tree's copies.</summary>
public sealed class SubmodulesTests : IDisposable
{
    private readonly TestRepository _repository = new();
    private readonly TestRepository _inner = new("inner");
    private readonly TestRepository _library = new("library");

    public SubmodulesTests()
    {
        _library.Git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", _inner.Folder, "deep/inner");
        _library.Commit("inner");
        _repository.Git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "--name", "lib name", _library.Folder, "libs/one");
        _repository.Git("-c", "protocol.file.allow=always", "submodule", "--quiet", "update", "--init", "--recursive");
        _repository.Commit("library");
    }

    public void Dispose()
    {
        _repository.Dispose();
        _inner.Dispose();
        _library.Dispose();
    }

    private static void Hide(TestRepository server) => Directory.Move(server.Folder, server.Folder + " away");

    private async Task<IReadOnlyList<string>> FillAsync(string worktree, params string[] environment) => await Submodules.FillAsync(_repository.Runner, await _repository.FindAsync(), worktree, environment, CancellationToken.None);

    [Fact]
    public async Task They_come_from_the_main_working_trees_copies_without_any_server()
    {
        Hide(_library);
        Hide(_inner);
        var worktree = await _repository.AddAsync(1, 1);
        var config = File.ReadAllBytes(Path.Combine(_repository.Folder, ".git", "config"));
        Assert.Empty(await FillAsync(worktree));
        Assert.Empty(await FillAsync(worktree)); // asked again after a crash

        var (one, inner) = (Path.Combine(worktree, "libs", "one"), Path.Combine(worktree, "libs", "one", "deep", "inner"));
        Assert.Equal("one\ntwo\n", File.ReadAllText(Path.Combine(inner, "readme.txt")));
        Assert.Equal(_library.Folder, TestRepository.PlainGit(one, "remote", "get-url", "origin").Trim());
        Assert.Equal(_inner.Folder, TestRepository.PlainGit(inner, "remote", "get-url", "origin").Trim());
        Assert.Equal("", TestRepository.PlainGit(worktree, "status", "--porcelain"));
        Assert.DoesNotContain(TestRepository.PlainGit(worktree, "submodule", "status", "--recursive").Split('\n', StringSplitOptions.RemoveEmptyEntries), line => line[0] != ' ');
        Assert.Equal(config, File.ReadAllBytes(Path.Combine(_repository.Folder, ".git", "config")));
        Assert.Equal("", _repository.Status);

        // A copy of its own: a commit in there is not in the main working tree's.
        File.WriteAllText(Path.Combine(one, "new.txt"), "1\n");
        TestRepository.PlainGit(one, "add", "-A");
        TestRepository.PlainGit(one, "commit", "-q", "-m", "of the agent");
        Assert.NotEqual(TestRepository.PlainGit(one, "rev-parse", "HEAD"), TestRepository.PlainGit(Path.Combine(_repository.Folder, "libs", "one"), "rev-parse", "HEAD"));
    }

    [Fact]
    public async Task A_commit_that_nobody_here_has_is_said_and_what_the_main_working_tree_has_not_is_left_alone()
    {
        _library.Write("later.txt", "1\n");
        var later = _library.Commit("later");
        _repository.Git("update-index", "--cacheinfo", $"160000,{later},libs/one");
        _repository.Git("commit", "-q", "-m", "ahead");
        Hide(_library);
        var worktree = await _repository.AddAsync(1, 1);
        var said = Assert.Single(await FillAsync(worktree));
        Assert.StartsWith("The submodule libs/one is missing: ", said);
        Assert.EndsWith("Run `git submodule update --init --recursive` in the worktree.", said);

        _repository.Git("submodule", "--quiet", "deinit", "-f", "libs/one");
        var second = await _repository.AddAsync(2, 2);
        Assert.Empty(await FillAsync(second));
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(second, "libs", "one")));
    }

    [Fact]
    public async Task A_commit_that_only_the_server_has_is_fetched_from_there()
    {
        _library.Write("later.txt", "1\n");
        var later = _library.Commit("later");
        _repository.Git("update-index", "--cacheinfo", $"160000,{later},libs/one");
        _repository.Git("commit", "-q", "-m", "ahead");
        var worktree = await _repository.AddAsync(1, 1);
        Assert.Empty(await FillAsync(worktree, "GIT_ALLOW_PROTOCOL=file")); // a person's own choice: ours is for the local copy alone
        Assert.True(File.Exists(Path.Combine(worktree, "libs", "one", "later.txt")));
    }
}
