using System.Text;
using KanBots.Sidecar.Git;

namespace KanBots.Sidecar.Tests.Git;

/// <summary>What a checkpoint holds, against what lies in the worktree, by plain git and plain files.</summary>
public sealed class CheckpointTests : IDisposable
{
    private readonly TestRepository _repository = new();
    private readonly string _scratch = Directory.CreateTempSubdirectory("kb-scratch-").FullName;

    public void Dispose()
    {
        Assert.Empty(Directory.EnumerateFileSystemEntries(_scratch));
        Directory.Delete(_scratch);
        _repository.Dispose();
    }

    private Task<Checkpoint> WriteAsync(string worktree, params string[] placed) => Checkpoint.WriteAsync(_repository.Runner, worktree, placed, _scratch, CancellationToken.None);

    /// <summary>Path, mode and content of every file of a tree.</summary>
    private SortedDictionary<string, string> Tree(string tree)
    {
        var files = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var entry in _repository.Git("ls-tree", "-r", "-z", tree).Split('\0', StringSplitOptions.RemoveEmptyEntries))
        {
            var (words, path) = (entry.Split('\t', 2)[0].Split(' '), entry.Split('\t', 2)[1]);
            files[path] = $"{words[0]} {(words[1] == "commit" ? words[2] : _repository.Git("cat-file", "blob", words[2]))}";
        }

        return files;
    }

    /// <summary>The same of the files that lie there, but git's own.</summary>
    private static SortedDictionary<string, string> Files(string folder, params string[] without)
    {
        var files = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var file in new DirectoryInfo(folder).EnumerateFileSystemInfos("*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None, ReturnSpecialDirectories = false }))
        {
            var path = Path.GetRelativePath(folder, file.FullName);
            if (path == ".git" || path.StartsWith(".git/", StringComparison.Ordinal) || without.Any(other => path == other || path.StartsWith($"{other}/", StringComparison.Ordinal)))
            {
                continue;
            }

            if (file.LinkTarget is { } target)
            {
                files[path] = $"120000 {target}";
            }
            else if (file is FileInfo)
            {
                files[path] = $"{((file.UnixFileMode & UnixFileMode.UserExecute) == 0 ? "100644" : "100755")} {File.ReadAllText(file.FullName)}";
            }
        }

        return files;
    }

    private static string IndexOf(string worktree) => TestRepository.PlainGit(worktree, "rev-parse", "--path-format=absolute", "--git-path", "index").Trim();

    private static void Write(string worktree, string path, string text)
    {
        var full = Path.Combine(worktree, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, text);
    }

    [Fact]
    public async Task It_holds_every_file_that_is_not_ignored_as_it_lies_there_and_touches_nothing()
    {
        foreach (var path in new[] { "kept.txt", "edited.txt", "staged.txt", "gone.txt", "gone staged.txt", "script.sh", "becomes a link", "folder/deep.txt", "becomes a folder" })
        {
            _repository.Write(path, $"{path}\n");
        }

        _repository.Write(".gitignore", "ignored/\n*.log\n");
        _repository.Commit("files");
        var worktree = await _repository.AddAsync(7, 1);
        Write(worktree, "committed.txt", "by the agent\n");
        TestRepository.PlainGit(worktree, "add", "-A");
        TestRepository.PlainGit(worktree, "commit", "-q", "-m", "the agent's");
        Write(worktree, "edited.txt", "edited\n");
        Write(worktree, "staged.txt", "staged\n");
        Write(worktree, "staged and new.txt", "new\n");
        TestRepository.PlainGit(worktree, "add", "staged.txt", "staged and new.txt");
        Write(worktree, "staged.txt", "edited after it was staged\n");
        File.Delete(Path.Combine(worktree, "gone.txt"));
        TestRepository.PlainGit(worktree, "rm", "-q", "gone staged.txt");
        TestRepository.Chmod("755", Path.Combine(worktree, "script.sh"));
        File.Delete(Path.Combine(worktree, "becomes a link"));
        File.CreateSymbolicLink(Path.Combine(worktree, "becomes a link"), "folder/deep.txt");
        File.Delete(Path.Combine(worktree, "becomes a folder"));
        Write(worktree, "becomes a folder/inside.txt", "inside\n");
        Write(worktree, "new/naïve – ü 世界.txt", "unicode\n");
        Write(worktree, "a \"quoted\" name\nof two lines\\.txt", "odd\n");
        Write(worktree, ":(top)*", "magic\n");
        Write(worktree, "-n", "an option\n");
        Write(worktree, "empty", "");
        TestRepository.PlainGit(worktree, "add", "-N", "empty");
        Write(worktree, "ignored/secret", "s\n");
        Write(worktree, "a.log", "l\n");

        var (index, head, status) = (File.ReadAllBytes(IndexOf(worktree)), TestRepository.PlainGit(worktree, "rev-parse", "HEAD"), TestRepository.PlainGit(worktree, "status", "--porcelain"));
        var refs = _repository.Git("for-each-ref");
        var times = Directory.EnumerateFiles(worktree, "*", SearchOption.AllDirectories).ToDictionary(file => file, File.GetLastWriteTimeUtc);
        var checkpoint = await WriteAsync(worktree);

        Assert.Empty(checkpoint.Left);
        Assert.Equal(Files(worktree, "ignored", "a.log"), Tree(checkpoint.Tree));
        Assert.Equal(index, File.ReadAllBytes(IndexOf(worktree)));
        Assert.Equal(head, TestRepository.PlainGit(worktree, "rev-parse", "HEAD"));
        Assert.Equal(refs, _repository.Git("for-each-ref"));
        Assert.Equal(times, Directory.EnumerateFiles(worktree, "*", SearchOption.AllDirectories).ToDictionary(file => file, File.GetLastWriteTimeUtc));
        Assert.Equal(status, TestRepository.PlainGit(worktree, "status", "--porcelain"));
        Assert.Equal(checkpoint.Tree, (await WriteAsync(worktree)).Tree);
    }

    [Fact]
    public async Task What_we_placed_is_not_in_it_whatever_the_agent_did_with_it()
    {
        var worktree = await _repository.AddAsync(7, 1);
        Write(worktree, "committed.env", "secret\n");
        TestRepository.PlainGit(worktree, "add", "committed.env");
        TestRepository.PlainGit(worktree, "commit", "-q", "-m", "oh no");
        Write(worktree, "staged.env", "secret\n");
        TestRepository.PlainGit(worktree, "add", "staged.env");
        Write(worktree, "lies there.env", "secret\n");
        Write(worktree, "[a]*.env", "secret\n");
        Directory.CreateDirectory(Path.Combine(worktree, "node_modules"));
        File.CreateSymbolicLink(Path.Combine(worktree, "node_modules", "left-pad"), "/nowhere");
        File.CreateSymbolicLink(Path.Combine(worktree, "modules"), "/nowhere");
        Write(worktree, "a1.env", "the agent's\n");
        Write(worktree, "node_modules.txt", "the agent's\n");
        string[] placed = ["committed.env", "staged.env", "lies there.env", "[a]*.env", "node_modules", "modules", "never there"];
        var checkpoint = await WriteAsync(worktree, placed);
        Assert.Empty(checkpoint.Left);
        Assert.Equal(["a1.env", "node_modules.txt", "readme.txt"], Tree(checkpoint.Tree).Keys);
    }

    /// <summary>`git add -A` takes in nothing at all when there is one repository without a commit.</summary>
    [Fact]
    public async Task What_git_cannot_take_in_is_named_and_keeps_nothing_else_out()
    {
        var worktree = await _repository.AddAsync(7, 1);
        foreach (var name in new[] { "empty one", "deep/empty two", "with a commit" })
        {
            Directory.CreateDirectory(Path.Combine(worktree, name));
            TestRepository.PlainGit(worktree, "init", "-q", name);
            Write(worktree, $"{name}/inner.txt", "inner\n");
        }

        var inner = Path.Combine(worktree, "with a commit");
        TestRepository.PlainGit(inner, "add", "-A");
        TestRepository.PlainGit(inner, "commit", "-q", "-m", "inner");
        for (var i = 0; i < 30; i++)
        {
            Write(worktree, $"deep/{i}.txt", $"{i}\n");
        }

        var checkpoint = await WriteAsync(worktree);
        Assert.Equal(["deep/empty two/", "empty one/"], checkpoint.Left.Order(StringComparer.Ordinal));
        var expected = Files(worktree, "empty one", "deep/empty two", "with a commit");
        expected["with a commit"] = $"160000 {TestRepository.PlainGit(inner, "rev-parse", "HEAD").Trim()}";
        Assert.Equal(expected, Tree(checkpoint.Tree));
    }

    [Fact]
    public async Task A_name_that_is_no_text_is_taken_in_beside_what_git_cannot_take_in()
    {
        var worktree = await _repository.AddAsync(7, 1);
        WorkedState.Run(worktree, """echo x >"$(printf 'caf\351.txt')"; echo x >beside.txt; mkdir "$(printf 'f\351')"; echo x >"$(printf 'f\351')/in.txt"; git init -q nested""");
        var checkpoint = await WriteAsync(worktree);
        WorkedState.Run(worktree, """rm -r "$(printf 'caf\351.txt')" "$(printf 'f\351')" """);
        Assert.Equal(["nested/"], checkpoint.Left);
        Assert.Equal(["\"caf\\351.txt\"", "\"f\\351/in.txt\"", "beside.txt", "readme.txt"], _repository.Git("ls-tree", "-r", "--name-only", checkpoint.Tree).Trim().Split('\n').Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_filter_that_fails_keeps_only_its_own_files_out()
    {
        _repository.Write(".gitattributes", "*.bad filter=bad\n");
        _repository.Commit("attributes");
        _repository.Git("config", "filter.bad.clean", "false");
        _repository.Git("config", "filter.bad.required", "true");
        var worktree = await _repository.AddAsync(7, 1);
        foreach (var name in new[] { "a.txt", "b.bad", "c.txt", "d/e.bad", "d/f.txt" })
        {
            Write(worktree, name, name);
        }

        var checkpoint = await WriteAsync(worktree);
        Assert.Equal(["b.bad", "d/e.bad"], checkpoint.Left.Order(StringComparer.Ordinal));
        Assert.Equal(Files(worktree, "b.bad", "d/e.bad"), Tree(checkpoint.Tree));
    }

    [Fact]
    public async Task In_the_middle_of_a_merge_it_holds_the_files_with_their_marks()
    {
        var worktree = await _repository.AddAsync(7, 1);
        Write(worktree, "readme.txt", "ours\n");
        TestRepository.PlainGit(worktree, "commit", "-qam", "ours");
        _repository.Write("readme.txt", "theirs\n");
        _repository.Commit("theirs");
        Assert.Equal(1, TestRepository.TryGit(worktree, "merge", "main").Code);
        var index = File.ReadAllBytes(IndexOf(worktree));
        var checkpoint = await WriteAsync(worktree);
        Assert.Contains("<<<<<<<", Tree(checkpoint.Tree)["readme.txt"], StringComparison.Ordinal);
        Assert.Equal(index, File.ReadAllBytes(IndexOf(worktree)));
    }

    [Fact]
    public async Task Of_a_sparse_checkout_it_holds_what_is_checked_out_and_what_is_not()
    {
        _repository.Write("in/a.txt", "a\n");
        _repository.Write("out/b.txt", "b\n");
        _repository.Commit("two folders");
        var worktree = await _repository.AddAsync(7, 1);
        TestRepository.PlainGit(worktree, "sparse-checkout", "set", "in");
        Assert.False(File.Exists(Path.Combine(worktree, "out/b.txt")));
        Write(worktree, "in/a.txt", "edited\n");
        Write(worktree, "out/new.txt", "outside\n");
        var checkpoint = await WriteAsync(worktree);
        Assert.Empty(checkpoint.Left);
        Assert.Equal(["100644 edited\n", "100644 b\n", "100644 outside\n", "100644 one\ntwo\n"], Tree(checkpoint.Tree).Values);
    }

    [Fact]
    public async Task Filters_and_line_endings_are_those_of_a_commit_and_strict_settings_keep_no_file_out()
    {
        _repository.Write(".gitattributes", "*.txt text\n*.up filter=up\n");
        _repository.Commit("attributes");
        _repository.Git("config", "filter.up.clean", "tr a-z A-Z");
        _repository.Git("config", "core.safecrlf", "true");
        _repository.Git("config", "core.autocrlf", "input");
        var worktree = await _repository.AddAsync(7, 1);
        Write(worktree, "dos.txt", "one\r\ntwo\r\n");
        Write(worktree, "mixed.txt", "one\r\ntwo\n");
        Write(worktree, "word.up", "word\n");
        var checkpoint = await WriteAsync(worktree);
        Assert.Empty(checkpoint.Left);
        var tree = Tree(checkpoint.Tree);
        Assert.Equal(("100644 one\ntwo\n", "100644 one\ntwo\n", "100644 WORD\n"), (tree["dos.txt"], tree["mixed.txt"], tree["word.up"]));
    }

    [Theory]
    [InlineData(0, "+0000")]
    [InlineData(345, "+0545")]
    [InlineData(-210, "-0330")]
    public async Task What_keeps_a_checkpoint_is_a_sound_commit_of_ours_with_tree_parents_and_time(int minutes, string offset)
    {
        var worktree = await _repository.AddAsync(7, 1);
        Write(worktree, "new.txt", "new\n");
        var tree = (await WriteAsync(worktree)).Tree;
        var clock = new Clock(new DateTimeOffset(2026, 1, 2, 3, 4, 5, 678, TimeSpan.Zero), TimeZoneInfo.CreateCustomTimeZone("there", TimeSpan.FromMinutes(minutes), null, null));
        string Ref(string name) => _repository.Git("rev-parse", name).Trim();
        string[] before = [];
        foreach (var id in new[] { "1-00000000", "2-00000000" })
        {
            await using (var keeping = new CheckpointKeeping(_repository.Runner, worktree, clock, CancellationToken.None))
            {
                await keeping.KeepAsync(7, 1, id, tree, await CheckpointRefs.ParentsAsync(_repository.Runner, worktree, 7, 1, CancellationToken.None));
            }

            var commit = Ref("refs/kanbots/runs/issue-7-1");
            string[] said = [$"tree {tree}", $"parent {_repository.Head}", .. before, $"author KanBots <kanbots@localhost> 1767323045 {offset}", $"committer KanBots <kanbots@localhost> 1767323045 {offset}", "", $"checkpoint {id}", ""];
            Assert.Equal(string.Join('\n', said), _repository.Git("cat-file", "commit", commit));
            Assert.Equal(tree, Ref($"refs/kanbots/trees/issue-7-1/{id}"));
            before = [$"parent {commit}"];
        }

        Assert.Equal("", _repository.Git("fsck", "--strict", "--no-dangling"));
    }

    private sealed class Clock(DateTimeOffset now, TimeZoneInfo zone) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;

        public override TimeZoneInfo LocalTimeZone => zone;
    }

    [Fact]
    public async Task What_was_begun_to_keep_a_checkpoint_and_is_told_nothing_ends_and_has_changed_nothing()
    {
        var worktree = await _repository.AddAsync(7, 1);
        var before = (_repository.Git("for-each-ref"), _repository.Git("count-objects"));
        await using (new CheckpointKeeping(_repository.Runner, worktree, TimeProvider.System, CancellationToken.None))
        {
            await _repository.Runner.RunAsync(new GitCommand("tag", worktree, ["tag", "written"], Writes: true), CancellationToken.None); // nobody is kept from it
            _repository.Git("tag", "-d", "written");
        }

        Assert.Equal(before, (_repository.Git("for-each-ref"), _repository.Git("count-objects")));
        Assert.DoesNotContain(Directory.EnumerateDirectories("/proc").Select(folder => new FileInfo(Path.Combine(folder, "cwd"))), folder => LinkOf(folder) == worktree);
    }

    private static string? LinkOf(FileInfo link)
    {
        try
        {
            return link.LinkTarget;
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    [Fact]
    public async Task A_commit_that_the_agent_has_rewritten_stays_when_git_cleans_up()
    {
        var worktree = await _repository.AddAsync(7, 1);
        TestRepository.PlainGit(worktree, "commit", "-q", "--allow-empty", "-m", "before it was rewritten");
        var commit = TestRepository.PlainGit(worktree, "rev-parse", "HEAD").Trim();
        foreach (var id in new[] { "1-00000000", "2-00000000" })
        {
            await _repository.KeepAsync(worktree, 7, 1, id, (await WriteAsync(worktree)).Tree);
            TestRepository.PlainGit(worktree, "commit", "-q", "--amend", "--allow-empty", "-m", "rewritten");
        }

        _repository.Git("reflog", "expire", "--expire=now", "--all");
        _repository.Git("gc", "-q", "--prune=now");
        Assert.Equal("commit", _repository.Git("cat-file", "-t", commit).Trim());
    }

    [Fact]
    public async Task A_file_of_a_tree_is_read_as_it_is_there()
    {
        var worktree = await _repository.AddAsync(7, 1);
        File.WriteAllBytes(Path.Combine(worktree, "bytes"), [0, 1, 255, 10]);
        Write(worktree, "name\nof two lines*.txt", "odd\n");
        File.CreateSymbolicLink(Path.Combine(worktree, "link"), "readme.txt");
        Write(worktree, "folder/file", "x");
        var tree = (await WriteAsync(worktree)).Tree;
        Task<TreeFile?> ReadAsync(string path, long bytesMax = 100) => TreeFile.ReadAsync(_repository.Runner, worktree, tree, path, bytesMax, CancellationToken.None);
        Assert.Equal([0, 1, 255, 10], (await ReadAsync("bytes"))!.Content!.Value.ToArray());
        Assert.Equal("odd\n", Encoding.UTF8.GetString((await ReadAsync("name\nof two lines*.txt"))!.Content!.Value.Span));
        Assert.Equal(("120000", "readme.txt"), ((await ReadAsync("link"))!.Mode, Encoding.UTF8.GetString((await ReadAsync("link"))!.Content!.Value.Span)));
        Assert.Null((await ReadAsync("bytes", 3))!.Content);
        Assert.Equal(4, (await ReadAsync("bytes", 3))!.Size);
        foreach (var none in new[] { "folder", "folder/", "not there", "*", "../readme.txt", ":(top)readme.txt" })
        {
            Assert.Null(await ReadAsync(none));
        }
    }
}
