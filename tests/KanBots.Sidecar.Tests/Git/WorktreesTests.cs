using System.Text;
using KanBots.Sidecar.Git;

namespace KanBots.Sidecar.Tests.Git;

public sealed class WorktreesTests : IDisposable
{
    private readonly TestRepository _repository = new();

    public void Dispose() => _repository.Dispose();

    [Fact]
    public async Task A_run_gets_its_own_folder_and_branch_at_the_commit_and_nothing_else_changes()
    {
        _repository.AddOrigin();
        _repository.Git("config", "branch.autoSetupMerge", "always");
        _repository.Git("config", "branch.autoSetupRebase", "always");
        var first = _repository.Head;
        _repository.Commit("second");
        var config = File.ReadAllBytes(Path.Combine(_repository.Folder, ".git", "config"));

        var path = await _repository.AddAsync(88, 7, commit: first);

        Assert.Equal(Path.Combine(_repository.Folder, ".kanbots", "worktrees", "issue-88-7"), path);
        _repository.AssertMade(path, 88, 7, first);
        Assert.Equal(config, File.ReadAllBytes(Path.Combine(_repository.Folder, ".git", "config")));
        Assert.NotEqual(0, TestRepository.TryGit(path, "rev-parse", "--verify", "-q", "@{upstream}").Code);
        Assert.Equal("", _repository.Status);
    }

    [Fact]
    public async Task The_exclude_file_has_our_line_once_and_keeps_every_other_byte()
    {
        var exclude = Path.Combine(_repository.Folder, ".git", "info", "exclude");
        byte[] before = [0xEF, 0xBB, 0xBF, .. "# caf"u8, 0xE9, .. "\r\n*.bak"u8];
        File.WriteAllBytes(exclude, before);
        await _repository.AddAsync(1, 1);
        await _repository.AddAsync(1, 2);
        Assert.Equal([.. before, .. "\n/.kanbots/\n"u8], File.ReadAllBytes(exclude));

        Worktrees.Forget(await _repository.FindAsync());
        Assert.Equal([.. before, .. "\n"u8], File.ReadAllBytes(exclude));
    }

    [Fact]
    public async Task A_branch_that_is_checked_out_elsewhere_is_not_shared()
    {
        var elsewhere = Path.Combine(_repository.Root, "elsewhere");
        _repository.Git("worktree", "add", "-q", "-b", "kanbots/issue-1-1", elsewhere);
        var failure = await _repository.AddFailsAsync(1, 1);
        Assert.Equal("branchExists", failure.Kind);
        Assert.Contains(elsewhere, failure.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(await _repository.PathOfAsync(1, 1)));
    }

    [Fact]
    public async Task A_branch_with_other_commits_is_named_and_kept()
    {
        _repository.Git("branch", "kanbots/issue-1-1");
        var before = _repository.Head;
        _repository.Commit("second");
        var failure = await _repository.AddFailsAsync(1, 1);
        Assert.Equal("branchExists", failure.Kind);
        Assert.Contains("kanbots/issue-1-1", failure.Message, StringComparison.Ordinal);
        Assert.Equal(before, _repository.Git("rev-parse", "kanbots/issue-1-1").Trim());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_branch_named_kanbots_is_named_as_what_is_in_the_way(bool packed)
    {
        _repository.Git("branch", "kanbots");
        if (packed)
        {
            _repository.Git("pack-refs", "--all");
        }

        var failure = await _repository.AddFailsAsync(1, 1);
        Assert.Equal("branchNamespaceTaken", failure.Kind);
        Assert.Contains("git branch -m kanbots", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_branch_below_ours_is_named_at_once_and_not_taken_for_a_lock()
    {
        _repository.Git("branch", "kanbots/issue-1-1/mine");
        var time = new HurriedTime();
        var failure = await _repository.AddFailsAsync(1, 1, new GitRunner(time));
        Assert.Equal("branchNamespaceTaken", failure.Kind);
        Assert.Contains("kanbots/issue-1-1/mine", failure.Message, StringComparison.Ordinal);
        Assert.Empty(time.Waits);
    }

    [Fact]
    public async Task A_tracked_folder_of_our_name_is_refused_by_name_unless_the_root_is_elsewhere()
    {
        _repository.Write(".kanbots/theirs.txt", "x\n");
        _repository.Commit("theirs");
        var failure = await _repository.AddFailsAsync(1, 1);
        Assert.Equal("kanbotsFolderTracked", failure.Kind);
        Assert.Contains("worktree.root", failure.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(_repository.Folder, ".kanbots", "worktrees")));

        _repository.AssertMade(await _repository.AddAsync(1, 1, root: Path.Combine(_repository.Root, "other")), 1, 1);
    }

    [Theory]
    [InlineData("link")]
    [InlineData("dangling")]
    [InlineData("file")]
    public async Task A_link_or_file_of_our_name_is_refused_by_name_unless_the_root_is_elsewhere(string what)
    {
        var place = Path.Combine(_repository.Folder, ".kanbots");
        var target = Directory.CreateDirectory(Path.Combine(_repository.Root, "target")).FullName;
        if (what == "file")
        {
            File.WriteAllText(place, "");
        }
        else
        {
            File.CreateSymbolicLink(place, what == "link" ? target : target + "-gone");
        }

        var failure = await _repository.AddFailsAsync(1, 1);
        Assert.Equal("kanbotsFolderForeign", failure.Kind);
        Assert.Contains(place, failure.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(target));

        _repository.AssertMade(await _repository.AddAsync(1, 1, root: "../other"), 1, 1);
    }

    [Fact]
    public async Task The_root_can_be_elsewhere_absolute_or_relative_to_the_main_tree()
    {
        var absolute = Path.Combine(_repository.Root, "a 'b'\nc");
        var path = await _repository.AddAsync(1, 1, root: absolute);
        Assert.Equal(Path.Combine(absolute, "issue-1-1"), path);
        Assert.Equal("kanbots/issue-1-1", TestRepository.PlainGit(path, "branch", "--show-current").Trim());
        path = await _repository.AddAsync(1, 2, root: "../beside");
        Assert.Equal(Path.Combine(_repository.Root, "beside", "issue-1-2"), path);
        _repository.AssertMade(path, 1, 2);
        Assert.Equal("", _repository.Status);
    }

    [Fact]
    public async Task A_root_behind_links_is_found_again()
    {
        var real = Directory.CreateDirectory(Path.Combine(_repository.Root, "real", "deep")).FullName;
        File.CreateSymbolicLink(Path.Combine(_repository.Root, "inner"), Path.Combine(_repository.Root, "real"));
        var link = Path.Combine(_repository.Root, "link");
        File.CreateSymbolicLink(link, Path.Combine("inner", "deep"));

        var path = await _repository.AddAsync(1, 1, root: link);
        _repository.AssertMade(path, 1, 1);
        Assert.True(Directory.Exists(Path.Combine(real, "issue-1-1")));
        File.WriteAllText(Path.Combine(path, "work.txt"), "precious");
        Assert.Equal(path, await _repository.AddAsync(1, 1, root: link));
        Assert.True(File.Exists(Path.Combine(path, "work.txt")));
    }

    [Fact]
    public async Task A_bare_repository_has_its_worktrees_beside_it()
    {
        _repository.AddOrigin();
        var bare = await _repository.FindAsync(Path.Combine(_repository.Root, "origin.git"));
        var path = Worktrees.PathOf(bare, null, 1, 1);
        Assert.Equal(Path.Combine(_repository.Root, ".kanbots", "worktrees", "issue-1-1"), path);
        for (var time = 0; time < 2; time++)
        {
            await Worktrees.AddAsync(_repository.Runner, bare, path, "kanbots/issue-1-1", _repository.Head, CancellationToken.None);
        }

        Assert.Equal("kanbots/issue-1-1", TestRepository.PlainGit(path, "branch", "--show-current").Trim());
    }

    [Fact]
    public void The_list_is_read_whatever_stands_in_a_path_or_a_reason()
    {
        var text = new StringBuilder()
            .Append("worktree /a\nb\0bare\0\0")
            .Append("worktree /c d\0HEAD 12\0branch refs/heads/x y\0locked\0\0")
            .Append("worktree /e\0HEAD 34\0detached\0locked a\nreason\0prunable gone\0\0")
            .Append("worktree /f\0HEAD 56\0branch refs/heads/z\0locked initializing\0\0");
        Assert.Equal(
            [
                new Worktree("/a\nb", null, null, false, false),
                new Worktree("/c d", "12", "x y", false, false, true),
                new Worktree("/e", "34", null, true, false, true),
                new Worktree("/f", "56", "z", false, true, true),
            ],
            Worktrees.Parse(Encoding.UTF8.GetBytes(text.ToString()), null));
        Assert.Equal(["/c d", "/f"], Worktrees.Parse(Encoding.UTF8.GetBytes(text.ToString()), ["worktree /f"u8.ToArray(), "branch refs/heads/x y"u8.ToArray(), "worktree /a"u8.ToArray()]).Select(tree => tree.Path));
    }
}
