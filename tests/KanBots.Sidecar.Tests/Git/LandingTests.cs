using KanBots.Sidecar.Git;

namespace KanBots.Sidecar.Tests.Git;

/// <summary>Work that lands on a branch, against what git makes of the same in a clone, and against what it may not touch.</summary>
public sealed class LandingTests : IDisposable
{
    private readonly TestRepository _repository = new();
    private readonly string _scratch = Directory.CreateTempSubdirectory("kb-scratch-").FullName;

    public LandingTests()
    {
        _repository.Git("config", "user.name", "Una User");
        _repository.Git("config", "user.email", "una@example.com");
        _repository.Write("shared.txt", "top\n\n\n\nmiddle\n\n\n\nbottom\n");
        _repository.Commit("shared");
    }

    public void Dispose()
    {
        Assert.Empty(Directory.EnumerateFileSystemEntries(_scratch));
        Directory.Delete(_scratch);
        _repository.Dispose();
    }

    private async Task<LandingWish> WishAsync(string worktree, string branch, LandingStrategy strategy = LandingStrategy.Squash, params string[] paths) => new(
        branch,
        strategy,
        _repository.Git("merge-base", "main", TestRepository.PlainGit(worktree, "rev-parse", "HEAD").Trim()).Trim(),
        TestRepository.PlainGit(worktree, "rev-parse", "HEAD").Trim(),
        (await Checkpoint.WriteAsync(_repository.Runner, worktree, [], _scratch, CancellationToken.None)).Tree,
        "Land it\n\nWith a body.",
        paths.Length == 0 ? null : paths);

    private async Task<Landing> MakeAsync(LandingWish wish) => await new LandingMaker(_repository.Runner, await _repository.FindAsync(), _scratch, CancellationToken.None).MakeAsync(wish);

    private async Task<string> LandAsync(LandingWish wish)
    {
        var landing = await MakeAsync(wish);
        await Checkout.LandAsync(_repository.Runner, await _repository.FindAsync(), landing, CancellationToken.None);
        return landing.Commit;
    }

    /// <summary>A worktree with two commits, a change that is not committed, and a new file.</summary>
    private async Task<string> WorkedAsync(long run = 1)
    {
        var worktree = await _repository.AddAsync(7, run);
        foreach (var (name, text) in new[] { ("one.txt", "one\n"), ("two.txt", "two\n") })
        {
            File.WriteAllText(Path.Combine(worktree, name), text);
            TestRepository.PlainGit(worktree, "add", "-A");
            TestRepository.PlainGit(worktree, "commit", "-q", "-m", $"the agent's {name}");
        }

        File.WriteAllText(Path.Combine(worktree, "shared.txt"), "top\n\n\n\nmiddle\n\n\n\nbottom, by the agent\n");
        File.WriteAllText(Path.Combine(worktree, "loose.txt"), "loose\n");
        return worktree;
    }

    private string Show(string format, string commit) => _repository.Git("log", "-1", $"--format={format}", commit).Trim();

    private string Tree(string commit) => _repository.Git("rev-parse", $"{commit}^{{tree}}").Trim();

    private (string, string, string, string) Untouched => (_repository.Status, _repository.Git("stash", "list"), _repository.Git("ls-files", "--stage"), _repository.Git("symbolic-ref", "HEAD"));

    [Fact]
    public async Task A_new_branch_has_one_commit_with_exactly_what_was_reviewed_by_its_user()
    {
        var wish = await WishAsync(await WorkedAsync(), "fix/login");
        var untouched = Untouched;
        var commit = await LandAsync(wish);
        Assert.Equal(commit, _repository.Git("rev-parse", "refs/heads/fix/login").Trim());
        Assert.Equal((wish.Tree, wish.Base), (Tree(commit), Show("%P", commit)));
        Assert.Equal("Una User <una@example.com> Una User <una@example.com> Land it", Show("%an <%ae> %cn <%ce> %s", commit));
        Assert.Equal(untouched, Untouched);
    }

    [Theory]
    [InlineData("Squash")]
    [InlineData("Merge")]
    [InlineData("Rebase")]
    public async Task On_a_branch_that_has_gone_on_it_is_what_git_makes_of_both(string how)
    {
        var strategy = Enum.Parse<LandingStrategy>(how);
        var wish = await WishAsync(await WorkedAsync(), "next", strategy);
        _repository.Git("branch", "next");
        var other = Path.Combine(_repository.Root, "other");
        TestRepository.PlainGit(_repository.Root, "clone", "-q", "-b", "next", _repository.Folder, other);
        File.WriteAllText(Path.Combine(other, "shared.txt"), "top, by another\n\n\n\nmiddle\n\n\n\nbottom\n");
        TestRepository.PlainGit(other, "commit", "-qam", "another's");
        TestRepository.PlainGit(other, "push", "-q", "origin", "next");
        var before = _repository.Git("rev-parse", "next").Trim();

        var untouched = Untouched;
        var commit = await LandAsync(wish);
        Assert.Equal(untouched, Untouched);

        // By plain git: the reviewed tree as a commit on the agent's, merged into the branch.
        var work = _repository.Git("commit-tree", wish.Tree, "-p", wish.Head!, "-m", "work").Trim();
        TestRepository.PlainGit(other, "fetch", "-q", "origin", work);
        TestRepository.PlainGit(other, "merge", "-q", "--no-edit", work);
        Assert.Equal(TestRepository.PlainGit(other, "rev-parse", "HEAD^{tree}").Trim(), Tree(commit));
        var subjects = _repository.Git("log", "--first-parent", "--format=%s", $"{before}..{commit}").Trim();
        Assert.Equal(strategy == LandingStrategy.Rebase ? "Land it\nthe agent's two.txt\nthe agent's one.txt" : "Land it", subjects);
        Assert.Equal(strategy == LandingStrategy.Merge ? 2 : 1, Show("%P", commit).Split(' ').Length);
        Assert.Equal(before, _repository.Git("merge-base", before, commit).Trim());
    }

    [Theory]
    [InlineData("Squash")]
    [InlineData("Merge")]
    [InlineData("Rebase")]
    public async Task What_conflicts_is_named_and_changes_nothing(string how)
    {
        var worktree = await WorkedAsync();
        File.WriteAllText(Path.Combine(worktree, "naïve \"name\".txt"), "the agent's\n");
        var wish = await WishAsync(worktree, "main", Enum.Parse<LandingStrategy>(how));
        _repository.Write("shared.txt", "top\n\n\n\nmiddle\n\n\n\nbottom, by another\n");
        _repository.Write("naïve \"name\".txt", "another's\n");
        _repository.Commit("another's");
        var (untouched, refs) = (Untouched, _repository.Git("for-each-ref"));
        var conflict = await Assert.ThrowsAsync<MergeConflictException>(() => LandAsync(wish));
        Assert.Equal(["naïve \"name\".txt", "shared.txt"], conflict.Paths.Order(StringComparer.Ordinal));
        Assert.Equal((untouched, refs), (Untouched, _repository.Git("for-each-ref")));
    }

    [Fact]
    public async Task Merge_attributes_and_drivers_are_the_targets()
    {
        _repository.Write(".gitattributes", "*.log merge=union\n");
        _repository.Write("deep/er/.gitattributes", "*.pick merge=mine\n");
        _repository.Write("a.log", "start\n");
        _repository.Write("deep/er/a.pick", "start\n");
        _repository.Commit("attributes");
        _repository.Git("config", "merge.mine.driver", "echo driven > %A");
        var worktree = await _repository.AddAsync(7, 1);
        File.WriteAllText(Path.Combine(worktree, "a.log"), "start\nthe agent's\n");
        File.WriteAllText(Path.Combine(worktree, "deep/er/a.pick"), "the agent's\n");
        File.Delete(Path.Combine(worktree, ".gitattributes"));
        var wish = (await WishAsync(worktree, "next")) with { Paths = ["a.log", "deep/er/a.pick"] };
        _repository.Git("checkout", "-q", "-b", "next");
        _repository.Write("a.log", "start\nanother's\n");
        _repository.Write("deep/er/a.pick", "another's\n");
        _repository.Commit("another's");
        _repository.Git("checkout", "-q", "main");
        var commit = await LandAsync(wish);
        Assert.Equal("driven\n", _repository.Git("show", $"{commit}:deep/er/a.pick"));
        Assert.Equal(["another's", "start", "the agent's"], _repository.Git("show", $"{commit}:a.log").Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Chosen_files_land_alone_and_a_renamed_one_leaves_its_old_name()
    {
        var worktree = await WorkedAsync();
        File.Move(Path.Combine(worktree, "readme.txt"), Path.Combine(worktree, "guide.txt"));
        var commit = await LandAsync(await WishAsync(worktree, "part", LandingStrategy.Squash, "one.txt", "guide.txt"));
        Assert.Equal("A\tone.txt\nR100\treadme.txt\tguide.txt", string.Join('\n', _repository.Git("diff", "--name-status", "-M", $"{commit}^", commit).Trim().Split('\n').Order(StringComparer.Ordinal)));
        Assert.Equal("pathUnknown", (await Assert.ThrowsAsync<GitFailure>(async () => await LandAsync(await WishAsync(worktree, "part2", LandingStrategy.Squash, "one.txt", "readme.md")))).Kind);
    }

    [Fact]
    public async Task A_checkout_of_the_branch_moves_with_it_and_keeps_what_its_user_has_changed_elsewhere()
    {
        var wish = await WishAsync(await WorkedAsync(), "main");
        _repository.Write("readme.txt", "the user is at it\n");
        _repository.Write("mine.txt", "untracked\n");
        var commit = await LandAsync(wish);
        Assert.Equal(commit, _repository.Head);
        Assert.Equal(" M readme.txt\n?? mine.txt\n", _repository.Git("status", "--porcelain", "--untracked-files=all", "--", ":!.kanbots"));
        Assert.Equal(("loose\n", "the user is at it\n"), (File.ReadAllText(Path.Combine(_repository.Folder, "loose.txt")), File.ReadAllText(Path.Combine(_repository.Folder, "readme.txt"))));
    }

    [Theory]
    [InlineData("changed", "shared.txt")]
    [InlineData("staged", "shared.txt")]
    [InlineData("deleted", "shared.txt")]
    [InlineData("untracked", "loose.txt")]
    [InlineData("ignored", "loose.txt")]
    [InlineData("folder", "loose.txt/inside")]
    [InlineData("ignored folder", "loose.txt/inside")]
    public async Task What_the_user_would_lose_in_a_checkout_is_named_and_nothing_moves(string how, string named)
    {
        var wish = await WishAsync(await WorkedAsync(), "main");
        switch (how)
        {
            case "changed" or "staged":
                _repository.Write("shared.txt", "the user's\n");
                break;
            case "deleted":
                File.Delete(Path.Combine(_repository.Folder, "shared.txt"));
                break;
            case "untracked" or "ignored":
                _repository.Write("loose.txt", "the user's\n");
                break;
            default:
                _repository.Write("loose.txt/inside", "the user's\n");
                break;
        }

        if (how == "staged")
        {
            _repository.Git("add", "shared.txt");
        }

        if (how.StartsWith("ignored", StringComparison.Ordinal))
        {
            File.AppendAllText(Path.Combine(_repository.Folder, ".git/info/exclude"), "loose.txt\n");
        }

        var (untouched, head) = (Untouched, _repository.Head);
        var files = Directory.EnumerateFiles(_repository.Folder, "*.txt").Order().Select(file => (file, File.ReadAllText(file))).ToList();
        var dirty = await Assert.ThrowsAsync<CheckoutDirtyException>(() => LandAsync(wish));
        Assert.Equal([named], dirty.Paths);
        Assert.Equal((untouched, head), (Untouched, _repository.Head));
        Assert.Equal(files, Directory.EnumerateFiles(_repository.Folder, "*.txt").Order().Select(file => (file, File.ReadAllText(file))));
    }

    [Fact]
    public async Task A_branch_that_moves_in_between_is_not_overwritten_and_names_that_are_none_are_refused()
    {
        var wish = await WishAsync(await WorkedAsync(), "next");
        _repository.Git("branch", "next");
        var landing = await MakeAsync(wish);
        _repository.Git("branch", "-f", "next", _repository.Commit("another's"));
        var repository = await _repository.FindAsync();
        await Assert.ThrowsAsync<GitFailure>(() => Checkout.LandAsync(_repository.Runner, repository, landing, CancellationToken.None));
        Assert.Equal(_repository.Head, _repository.Git("rev-parse", "next").Trim());
        foreach (var name in new[] { "", "-f", "a b", "a..b", "@{-1}", "kanbots/issue-7-1", "refs/heads/../x", "x.lock", "HEAD" })
        {
            Assert.Equal("branchInvalid", (await Assert.ThrowsAsync<GitFailure>(() => MakeAsync(wish with { Branch = name }))).Kind);
        }

        _repository.Git("update-ref", "refs/heads/has-it", (await MakeAsync(wish with { Branch = "new" })).Commit);
        Assert.Equal("nothingToLand", (await Assert.ThrowsAsync<GitFailure>(() => MakeAsync(wish with { Branch = "has-it" }))).Kind);
    }
}
