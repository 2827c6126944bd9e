using KanBots.Sidecar.Git;

namespace KanBots.Sidecar.Tests.Git;

public sealed class RepositoryTests : IDisposable
{
    private readonly TestRepository _repository = new();

    public void Dispose() => _repository.Dispose();

    [Fact]
    public async Task Every_folder_and_every_worktree_of_a_repository_leads_to_one_state_folder()
    {
        var linked = Path.Combine(_repository.Root, "linked");
        _repository.Git("worktree", "add", "-q", "-b", "x", linked);
        _repository.Write("a/b c/d.txt", "x");
        Directory.CreateDirectory(Path.Combine(linked, "sub"));
        File.CreateSymbolicLink(Path.Combine(_repository.Root, "to"), "linked");
        File.CreateSymbolicLink(Path.Combine(_repository.Root, "far"), Path.Combine("to", "sub"));

        var main = new Repository(Path.Combine(_repository.Folder, ".git"), _repository.Folder, false);
        string[] folders =
        [
            _repository.Folder, _repository.Folder + "/", Path.Combine(_repository.Folder, "a", "b c"), Path.Combine(_repository.Folder, ".git"),
            linked, Path.Combine(linked, "sub"), Path.Combine(_repository.Root, "to"), Path.Combine(_repository.Root, "far"),
        ];
        foreach (var folder in folders)
        {
            Assert.Equal(main, await _repository.FindAsync(folder));
        }

        Assert.Equal(Path.Combine(_repository.Folder, ".git", "kanbots"), main.StateFolder);
    }

    [Theory]
    [InlineData("a b")]
    [InlineData("Größe 漢字 🦊")]
    [InlineData("it's \"quoted\" $(x) `y`; #z")]
    [InlineData("two\nlines\n")]
    [InlineData("back\\slash\ttab")]
    [InlineData("-dash")]
    public async Task A_repository_may_have_any_name_and_worktrees_are_made_in_it(string name)
    {
        using var strange = new TestRepository($"x{Path.DirectorySeparatorChar}{name}");
        var found = await strange.FindAsync();
        Assert.Equal(new Repository(Path.Combine(strange.Folder, ".git"), strange.Folder, false), found);
        var path = await strange.AddAsync(1, 1);
        Assert.Equal(path, await strange.AddAsync(1, 1));
        Assert.Equal("kanbots/issue-1-1", TestRepository.PlainGit(path, "branch", "--show-current").Trim());
        Assert.Equal(found, await strange.FindAsync(path));
    }

    [Fact]
    public async Task A_bare_repository_is_the_same_from_each_of_its_worktrees()
    {
        _repository.AddOrigin();
        var folder = Path.Combine(_repository.Root, "origin.git");
        var linked = Path.Combine(_repository.Root, "linked");
        TestRepository.PlainGit(folder, "worktree", "add", "-q", linked, "main");
        var bare = new Repository(folder, _repository.Root, true);
        Assert.Equal(bare, await _repository.FindAsync(folder));
        Assert.Equal(bare, await _repository.FindAsync(linked));
    }

    [Theory]
    [InlineData("lib")]
    [InlineData("a;b#c \"d")]
    public async Task A_submodule_is_a_repository_of_its_own_with_its_tree_in_the_outer_one(string name)
    {
        var outer = Path.Combine(_repository.Root, "outer");
        TestRepository.PlainGit(_repository.Root, "init", "-q", "-b", "main", outer);
        TestRepository.PlainGit(outer, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "--name", "inner", _repository.Folder, name);
        var tree = Path.Combine(outer, name);
        var expected = new Repository(Path.Combine(outer, ".git", "modules", "inner"), tree, false);
        Assert.Equal(expected, await _repository.FindAsync(tree));

        var path = Worktrees.PathOf(expected, null, 1, 1);
        await Worktrees.AddAsync(_repository.Runner, expected, path, "kanbots/issue-1-1", _repository.Head, CancellationToken.None);
        Assert.StartsWith(tree, path, StringComparison.Ordinal);
        Assert.Equal(expected, await _repository.FindAsync(path));
        Assert.Equal("", TestRepository.PlainGit(tree, "status", "--porcelain"));
    }

    [Fact]
    public async Task A_git_folder_that_lies_apart_still_has_its_main_tree()
    {
        var tree = Path.Combine(_repository.Root, "tree");
        var apart = Path.Combine(_repository.Root, "apart", "real.git");
        Directory.CreateDirectory(Path.GetDirectoryName(apart)!);
        TestRepository.PlainGit(_repository.Root, "clone", "-q", "--separate-git-dir", apart, _repository.Folder, tree);
        var expected = new Repository(apart, tree, false);
        Assert.True(File.Exists(Path.Combine(tree, ".git")));
        Assert.Equal(expected, await _repository.FindAsync(tree));

        var path = Worktrees.PathOf(expected, null, 1, 1);
        for (var time = 0; time < 2; time++)
        {
            await Worktrees.AddAsync(_repository.Runner, expected, path, "kanbots/issue-1-1", _repository.Head, CancellationToken.None);
        }

        Assert.Equal("", TestRepository.PlainGit(tree, "status", "--porcelain"));

        // From a linked worktree nothing names the main tree; the state is the same one, and worktrees can be made.
        var other = await _repository.FindAsync(path);
        Assert.Equal(expected.StateFolder, other.StateFolder);
        var second = Worktrees.PathOf(other, null, 1, 2);
        await Worktrees.AddAsync(_repository.Runner, other, second, "kanbots/issue-1-2", _repository.Head, CancellationToken.None);
        Assert.Equal("kanbots/issue-1-2", TestRepository.PlainGit(second, "branch", "--show-current").Trim());
    }

    [Fact]
    public async Task A_folder_in_no_repository_a_missing_one_and_a_file_are_said()
    {
        var failure = await Assert.ThrowsAsync<GitFailure>(() => _repository.FindAsync(_repository.Root));
        Assert.Equal("notAGitRepository", failure.Kind);
        Assert.Contains("git init", failure.Message, StringComparison.Ordinal);
        foreach (var gone in new[] { Path.Combine(_repository.Root, "gone"), Path.Combine(_repository.Folder, "readme.txt") })
        {
            failure = await Assert.ThrowsAsync<GitFailure>(() => _repository.FindAsync(gone));
            Assert.Equal("folderMissing", failure.Kind);
            Assert.Contains(gone, failure.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_repository_of_another_user_is_refused_with_the_command_that_helps()
    {
        // Only root can give files away; the repository is then another user's for the product, which runs as root here.
        using (var give = TestRepository.Start("/", "chown", "-R", "65534", _repository.Folder))
        {
            give.WaitForExit();
            Assert.True(give.ExitCode == 0, "This test gives a repository to another user, which needs root.");
        }

        var (code, _, error) = TestRepository.TryGit(_repository.Folder, "status");
        Assert.Equal(128, code);
        Assert.Contains("dubious ownership", error, StringComparison.Ordinal);

        var failure = await Assert.ThrowsAsync<GitFailure>(() => _repository.FindAsync());
        Assert.Equal("dubiousOwnership", failure.Kind);
        Assert.Contains("safe.directory", failure.Message, StringComparison.Ordinal);
        Assert.Contains(_repository.Folder, failure.Message, StringComparison.Ordinal);
    }
}
