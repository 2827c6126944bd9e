using System.Globalization;
using KanBots.Sidecar.Git;

namespace KanBots.Sidecar.Tests.Git;

/// <summary>The witness is another road to the same numbers: plain git stages everything in an index and an object folder of its own.</summary>
public sealed class ChangesTests : IDisposable
{
    private readonly TestRepository _repository = new();
    private readonly string _base;

    public ChangesTests()
    {
        _repository.Write(".gitignore", "ignored/\n*.log\n");
        _repository.Write("gone.txt", "1\n2\n3\n");
        _repository.Write("moved.txt", "a\nb\n");
        _repository.Write("tool.sh", "#!/bin/sh\n");
        _repository.Write("deep/kept.txt", "k\n");
        _base = _repository.Commit("base");
    }

    public void Dispose() => _repository.Dispose();

    private string Scratch => Directory.CreateDirectory(Path.Combine(_repository.Root, "scratch")).FullName;

    private Task<Changes> CountAsync(string? folder = null, string? from = null) => Changes.CountAsync(_repository.Runner, folder ?? _repository.Folder, from ?? _base, Scratch, CancellationToken.None);

    private Changes Witness()
    {
        var index = Path.Combine(_repository.Root, "witness-index");
        File.Delete(index);
        var objects = Directory.CreateDirectory(Path.Combine(_repository.Root, "witness-objects")).FullName;
        string[] own = [$"GIT_INDEX_FILE={index}", $"GIT_OBJECT_DIRECTORY={objects}", $"GIT_ALTERNATE_OBJECT_DIRECTORIES={Path.Combine(_repository.Folder, ".git", "objects")}", "git"];
        Env([.. own, "add", "-A"]);
        var lines = Env([.. own, "diff", "--cached", "--numstat", "--no-renames", _base]).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t')).ToList();
        static int Number(string text) => text == "-" ? 0 : int.Parse(text, CultureInfo.InvariantCulture);
        return new Changes(lines.Count, lines.Sum(line => Number(line[0])), lines.Sum(line => Number(line[1])));
    }

    private string Env(string[] arguments)
    {
        using var process = TestRepository.Start(_repository.Folder, "env", arguments);
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, error.Result);
        return output;
    }

    [Fact]
    public async Task Nothing_done_is_nothing_counted()
    {
        Assert.Equal(new Changes(0, 0, 0), await CountAsync());
        Assert.True((await CountAsync()).IsEmpty);
    }

    [Fact]
    public async Task Committed_staged_unstaged_and_untracked_work_counts_and_ignored_files_do_not()
    {
        _repository.Write("committed.txt", "1\n");
        _repository.Commit("one");
        _repository.Write("staged.txt", "1\n2\n");
        _repository.Git("add", "staged.txt");
        _repository.Write("readme.txt", "one\nand a half\ntwo\n");
        _repository.Write("new/untracked.txt", "1\n2\n3\n");
        _repository.Write("ignored/x", "x\n");
        _repository.Write("x.log", "x\n");

        Assert.Equal(new Changes(4, 7, 0), await CountAsync());
        Assert.Equal(Witness(), await CountAsync());
    }

    [Fact]
    public async Task Deletions_renames_modes_binaries_and_links_count_as_git_counts_them()
    {
        File.Delete(Path.Combine(_repository.Folder, "gone.txt"));
        File.Move(Path.Combine(_repository.Folder, "moved.txt"), Path.Combine(_repository.Folder, "elsewhere.txt"));
        TestRepository.Chmod("+x", Path.Combine(_repository.Folder, "tool.sh"));
        File.WriteAllBytes(Path.Combine(_repository.Folder, "picture.png"), [0, 1, 2, 0, 255]);
        File.CreateSymbolicLink(Path.Combine(_repository.Folder, "link"), "readme.txt");
        _repository.Write("Größe\n\"x\"\t漢.txt", "1\n");
        _repository.Write("empty.txt", "");

        // gone -3, moved -2, elsewhere +2, tool.sh by its mode, picture, link +1, the strange name +1, empty
        Assert.Equal(new Changes(8, 4, 5), await CountAsync());
        Assert.Equal(Witness(), await CountAsync());
    }

    [Fact]
    public async Task The_agents_index_stays_byte_for_byte_and_no_content_is_stored()
    {
        _repository.Write("staged.txt", "1\n");
        _repository.Git("add", "staged.txt");
        _repository.Write("staged.txt", "2\n");
        _repository.Write("untracked.txt", "some words of its own\n");
        var index = Path.Combine(_repository.Folder, ".git", "index");
        var bytes = File.ReadAllBytes(index);
        var written = File.GetLastWriteTimeUtc(index);
        var objects = Objects();

        Assert.Equal(new Changes(2, 2, 0), await CountAsync());
        Assert.Equal(bytes, File.ReadAllBytes(index));
        Assert.Equal(written, File.GetLastWriteTimeUtc(index));

        // The empty blob is the one object that git may write.
        Assert.Subset(new HashSet<string> { Path.Combine("e6", "9de29bb2d1d6434b8b29ae775ad8c2e48c5391") }, Objects().Except(objects).ToHashSet());
        Assert.Equal("AM staged.txt\n?? untracked.txt\n", _repository.Status);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Scratch));
    }

    private List<string> Objects()
    {
        var folder = Path.Combine(_repository.Folder, ".git", "objects");
        return [.. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(folder, file))];
    }

    [Fact]
    public async Task An_agent_that_holds_its_index_lock_does_not_stop_the_count()
    {
        File.WriteAllText(Path.Combine(_repository.Folder, ".git", "index.lock"), "");
        _repository.Write("new.txt", "1\n");
        Assert.Equal(new Changes(1, 1, 0), await CountAsync());
    }

    [Fact]
    public async Task A_nested_repository_without_a_commit_hides_nothing_and_one_with_a_commit_is_one_link()
    {
        TestRepository.PlainGit(_repository.Folder, "init", "-q", "-b", "main", "nested");
        _repository.Write("nested/inside.txt", "1\n");
        _repository.Write("a.txt", "1\n");
        _repository.Write("z.txt", "1\n");
        _repository.Write("readme.txt", "one\n");
        Assert.NotEqual(0, TestRepository.TryGit(_repository.Folder, "add", "-A", "-n").Code);
        Assert.Equal(new Changes(3, 2, 1), await CountAsync());

        var nested = Path.Combine(_repository.Folder, "nested");
        TestRepository.PlainGit(nested, "add", "-A");
        TestRepository.PlainGit(nested, "commit", "-q", "-m", "inner");
        Assert.Equal(new Changes(4, 3, 1), await CountAsync());
    }

    [Fact]
    public async Task A_merge_that_stands_in_conflict_is_counted_as_it_lies_there()
    {
        _repository.Git("switch", "-q", "-c", "theirs");
        _repository.Write("readme.txt", "theirs\n");
        _repository.Commit("theirs");
        _repository.Git("switch", "-q", "main");
        _repository.Write("readme.txt", "ours\n");
        _repository.Commit("ours");
        Assert.NotEqual(0, TestRepository.TryGit(_repository.Folder, "merge", "theirs").Code);
        Assert.Equal(new Changes(1, 5, 2), await CountAsync());
        Assert.Equal("UU readme.txt\n", _repository.Status);
    }

    [Fact]
    public async Task A_sparse_checkout_has_not_deleted_what_it_does_not_show()
    {
        _repository.Git("sparse-checkout", "set", "--no-cone", "/readme.txt");
        Assert.False(File.Exists(Path.Combine(_repository.Folder, "deep", "kept.txt")));
        Assert.Equal(new Changes(0, 0, 0), await CountAsync());
        _repository.Write("readme.txt", "one\n");
        Assert.Equal(new Changes(1, 0, 1), await CountAsync());
    }

    [Fact]
    public async Task A_submodule_with_changes_inside_is_one_file()
    {
        using var other = new TestRepository("other");
        _repository.Git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", other.Folder, "lib");
        var with = _repository.Commit("lib");
        Assert.True((await CountAsync(from: with)).IsEmpty);
        _repository.Write("lib/readme.txt", "changed\n");
        Assert.Equal(1, (await CountAsync(from: with)).Files);
    }

    [Fact]
    public async Task A_file_too_large_to_diff_counts_as_a_file_without_lines()
    {
        using (var huge = File.Create(Path.Combine(_repository.Folder, "huge.bin")))
        {
            huge.SetLength(600L * 1024 * 1024); // above core.bigFileThreshold; it takes no room on the disk
        }

        Assert.Equal(new Changes(1, 0, 0), await CountAsync());
    }

    [Fact]
    public async Task A_file_with_the_name_of_the_base_does_not_confuse_git()
    {
        _repository.Write(_base, "1\n");
        Assert.Equal(new Changes(1, 1, 0), await CountAsync());
    }

    [Fact]
    public async Task The_users_diff_settings_do_not_change_the_count()
    {
        (string Name, string Value)[] settings =
        [
            ("diff.external", "false"), ("diff.renames", "copies"), ("diff.noprefix", "true"), ("diff.mnemonicPrefix", "true"), ("diff.relative", "true"), ("color.ui", "always"),
            ("core.quotePath", "true"), ("status.showUntrackedFiles", "no"), ("core.safecrlf", "true"), ("core.autocrlf", "input"), ("core.splitIndex", "true"),
        ];
        foreach (var (name, value) in settings)
        {
            _repository.Git("config", name, value);
        }

        File.Move(Path.Combine(_repository.Folder, "gone.txt"), Path.Combine(_repository.Folder, "größer.txt"));
        Assert.Equal(new Changes(2, 3, 3), await CountAsync());
    }

    [Fact]
    public async Task A_linked_worktree_is_counted_by_its_own_index()
    {
        var path = await _repository.AddAsync(1, 1);
        File.WriteAllText(Path.Combine(path, "new.txt"), "1\n2\n");
        _repository.Write("not-mine.txt", "1\n");
        Assert.Equal(new Changes(1, 2, 0), await CountAsync(path));
    }

    [Fact]
    public async Task A_branch_without_a_commit_is_counted_and_a_base_that_is_gone_is_said()
    {
        _repository.Git("checkout", "-q", "--orphan", "unborn");
        _repository.Git("rm", "-r", "-q", "--cached", ".");
        Assert.True((await CountAsync()).IsEmpty);

        var failure = await Assert.ThrowsAsync<GitFailure>(() => CountAsync(from: "0123456789012345678901234567890123456789"));
        Assert.Equal("unknownRevision", failure.Kind);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Scratch));
    }
}
