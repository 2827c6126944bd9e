using System.Security.Cryptography;
using KanBots.Sidecar.Git;

namespace KanBots.Sidecar.Tests.Git;

/// <summary>A worktree that was put aside and brought back is the worktree that it was, by plain git and plain files.</summary>
public sealed class TrashTests : IDisposable
{
    private const string Branch = "kanbots/issue-7-1";
    private static readonly string Kept = Trash.RefOf(7, 1);

    private readonly TestRepository _repository = new();

    public void Dispose() => _repository.Dispose();

    private string Place => Path.Combine(_repository.Folder, ".git", "kanbots", "trash", "issue-7-1");

    private async Task<string> PutAsync(string worktree) => await Trash.PutAsync(_repository.Runner, await _repository.FindAsync(), worktree, Branch, Place, Kept, CancellationToken.None);

    private async Task RestoreAsync(string worktree, string? place = null) => await Trash.RestoreAsync(_repository.Runner, await _repository.FindAsync(), worktree, Branch, place ?? Place, Kept, CancellationToken.None);

    /// <summary>With work of every kind in it.</summary>
    private async Task<string> WorkedAsync()
    {
        _repository.Write(".gitignore", "ignored/\n");
        _repository.Commit("ignore");
        var worktree = await _repository.AddAsync(7, 1);
        void Write(string path, string text)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(worktree, path))!);
            File.WriteAllText(Path.Combine(worktree, path), text);
        }

        Write("committed.txt", "committed\n");
        TestRepository.PlainGit(worktree, "add", "-A");
        TestRepository.PlainGit(worktree, "commit", "-q", "-m", "the agent's");
        Write("staged.txt", "staged\n");
        TestRepository.PlainGit(worktree, "add", "-A");
        Write("readme.txt", "edited\n");
        Write("loose \n name.txt", "loose\n");
        Write("ignored/precious", "not in git\n");
        File.CreateSymbolicLink(Path.Combine(worktree, "link"), "readme.txt");
        TestRepository.PlainGit(worktree, "init", "-q", "nested");
        Write("nested/inner.txt", "inner\n");
        TestRepository.PlainGit(worktree, "init", "-q", "nested with a commit");
        Write("nested with a commit/inner.txt", "inner\n");
        TestRepository.PlainGit(Path.Combine(worktree, "nested with a commit"), "add", "-A");
        TestRepository.PlainGit(Path.Combine(worktree, "nested with a commit"), "commit", "-q", "-m", "inner");
        return worktree;
    }

    /// <summary>`git worktree repair` goes through all worktrees: of two that were discarded at once, one failed where the other moved away under it.</summary>
    [Fact]
    public async Task Nothing_moves_while_another_git_of_ours_writes()
    {
        var worktree = await WorkedAsync();
        var repository = await _repository.FindAsync();
        var gate = Path.Combine(_repository.Root, "gate");
        var other = _repository.Runner.RunAsync(new GitCommand("wait", _repository.Folder, ["-c", $"alias.wait-for-it=!touch '{gate}-begun'; while [ ! -e '{gate}' ]; do sleep 0.02; done", "wait-for-it"], Writes: true), CancellationToken.None);
        Spine.Place.Until("the other git writes", () => File.Exists($"{gate}-begun"));
        var put = Trash.PutAsync(_repository.Runner, repository, worktree, Branch, Place, Kept, CancellationToken.None);
        Assert.True(Directory.Exists(worktree) && !put.IsCompleted, "it moved while another git wrote");
        File.WriteAllText(gate, "");
        await other;
        Assert.Equal(Place, await put);
        Assert.False(Directory.Exists(worktree));
    }

    [Theory]
    [InlineData("")]
    [InlineData(".git")]
    [InlineData(".git,committed.txt,ignored/precious")]
    [InlineData("committed.txt,nested/inner.txt")]
    [InlineData("*")]
    public async Task What_was_put_aside_is_deleted_for_good_also_where_that_was_cut_off(string gone)
    {
        var worktree = await WorkedAsync();
        var others = (_repository.Git("for-each-ref", "refs/heads/main"), _repository.Status);
        await PutAsync(worktree);
        foreach (var path in gone == "*" ? [] : gone.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            File.Delete(Path.Combine(Place, path));
        }

        if (gone == "*")
        {
            Directory.Delete(Place, recursive: true);
        }

        for (var again = 0; again < 2; again++)
        {
            await Trash.FreeAsync(_repository.Runner, await _repository.FindAsync(), Place, Kept, CancellationToken.None);
            Assert.False(Directory.Exists(Place));
            Assert.Single(_repository.Git("worktree", "list").Trim().Split('\n'));
            Assert.Equal("", _repository.Git("for-each-ref", Kept, $"refs/heads/{Branch}"));
            Assert.False(Directory.Exists(Path.Combine(_repository.Folder, ".git", "worktrees")));
        }

        Assert.Equal(others, (_repository.Git("for-each-ref", "refs/heads/main"), _repository.Status));
    }

    [Fact]
    public async Task What_somebody_else_has_put_there_is_not_deleted()
    {
        await PutAsync(await WorkedAsync());
        File.WriteAllText(Path.Combine(Place, ".git"), $"gitdir: {_repository.Folder}/.git\n");
        Assert.Equal(Worktrees.Foreign, (await Assert.ThrowsAsync<GitFailure>(async () => await Trash.FreeAsync(_repository.Runner, await _repository.FindAsync(), Place, Kept, CancellationToken.None))).Kind);
        Assert.True(File.Exists(Path.Combine(Place, "committed.txt")));
    }

    /// <summary>All files with what is in them, and all that git says.</summary>
    private static List<string> Whole(string worktree) =>
    [
        .. Directory.EnumerateFileSystemEntries(worktree, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None }).Order(StringComparer.Ordinal)
            .Select(path => $"{Path.GetRelativePath(worktree, path)} {(File.ResolveLinkTarget(path, false) is { } target ? target.ToString() : File.Exists(path) ? Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(path))) : "folder")}"),
        TestRepository.PlainGit(worktree, "status", "--porcelain=v2", "--branch", "--ignored"),
        TestRepository.PlainGit(worktree, "ls-files", "--stage"),
        TestRepository.PlainGit(worktree, "log", "--format=%H %s"),
        TestRepository.PlainGit(worktree, "reflog", "--format=%H %gs"),
        TestRepository.PlainGit(worktree, "rev-parse", "--git-dir"),
    ];

    private string Others => string.Concat(_repository.Git("for-each-ref").Split('\n').Where(line => !line.Contains("kanbots", StringComparison.Ordinal)));

    [Fact]
    public async Task All_of_it_goes_with_its_branch_and_all_of_it_comes_back_whatever_git_cleans_meanwhile()
    {
        var worktree = await WorkedAsync();
        var (whole, others, status) = (Whole(worktree), Others, _repository.Status);
        Assert.Equal(Place, await PutAsync(worktree));
        Assert.False(Directory.Exists(worktree));
        Assert.DoesNotContain("kanbots", _repository.Git("branch", "--list", "--all"), StringComparison.Ordinal);
        Assert.Equal((others, status), (Others, _repository.Status));

        foreach (var command in new[] { "worktree prune --expire now", "gc -q --prune=now", "clean -ffdxq" })
        {
            _repository.Git(command.Split(' '));
        }

        await RestoreAsync(worktree);
        // But for the log of where HEAD was: its entries are of long ago here, and gone as git's housekeeping has it.
        Assert.Equal(whole.Where((_, at) => at != whole.Count - 2), Whole(worktree).Where((_, at) => at != whole.Count - 2));
        Assert.False(Directory.Exists(Place));
        Assert.Equal("", _repository.Git("for-each-ref", Trash.Refs));
        _repository.Git("fsck", "--full");
        Assert.Contains($"worktree {worktree}\n", _repository.Git("worktree", "list", "--porcelain"), StringComparison.Ordinal);
        TestRepository.PlainGit(worktree, "commit", "-q", "-m", "it goes on");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Cut_off_after_any_step_it_goes_on_where_it_was(int steps)
    {
        var worktree = await WorkedAsync();
        var whole = Whole(worktree);
        var commit = _repository.Git("rev-parse", Branch).Trim();
        Action[] putting =
        [
            () => Directory.CreateDirectory(Path.GetDirectoryName(Place)!),
            () => Directory.Move(worktree, Place),
            () => _repository.Git("worktree", "repair", Place),
            () =>
            {
                _repository.Git("update-ref", Kept, commit);
                _repository.Git("update-ref", "-d", $"refs/heads/{Branch}");
            },
        ];
        foreach (var step in putting[..(steps + 1)])
        {
            step();
        }

        Assert.Equal(Place, await PutAsync(worktree));
        Assert.Equal(commit, _repository.Git("rev-parse", Kept).Trim());
        Action[] restoring =
        [
            () => Directory.Move(Place, worktree),
            () => _repository.Git("worktree", "repair", worktree),
            () => _repository.Git("update-ref", $"refs/heads/{Branch}", commit),
            () => _repository.Git("update-ref", "-d", Kept),
        ];
        foreach (var step in restoring[..(steps + 1)])
        {
            step();
        }

        await RestoreAsync(worktree);
        Assert.Equal(whole, Whole(worktree));
        Assert.Equal("", _repository.Git("for-each-ref", Trash.Refs));
    }

    [Fact]
    public async Task What_cannot_be_done_leaves_all_as_it_was()
    {
        var worktree = await WorkedAsync();
        var whole = Whole(worktree);
        var runner = new GitRunner(new HurriedTime());
        var repository = await _repository.FindAsync();
        var locked = Path.Combine(_repository.Folder, ".git", "refs", "heads", $"{Branch}.lock");
        File.WriteAllText(locked, "");
        Assert.Equal("refLocked", (await Assert.ThrowsAsync<GitFailure>(() => Trash.PutAsync(runner, repository, worktree, Branch, Place, Kept, CancellationToken.None))).Kind);
        File.Delete(locked);
        Assert.Equal(whole, Whole(worktree));
        Assert.False(Directory.Exists(Place));

        await PutAsync(worktree);
        Directory.CreateDirectory(worktree);
        Assert.Equal("folderExists", (await Assert.ThrowsAsync<GitFailure>(() => RestoreAsync(worktree))).Kind);
        Directory.Delete(worktree);
        _repository.Git("branch", Branch, "main");
        Assert.Equal("branchExists", (await Assert.ThrowsAsync<GitFailure>(() => RestoreAsync(worktree))).Kind);
        _repository.Git("update-ref", "-d", $"refs/heads/{Branch}");
        Directory.CreateDirectory(Path.GetDirectoryName(locked)!); // git removes it when it is empty
        File.WriteAllText(locked, "");
        Assert.Equal("refLocked", (await Assert.ThrowsAsync<GitFailure>(() => Trash.RestoreAsync(runner, repository, worktree, Branch, Place, Kept, CancellationToken.None))).Kind);
        File.Delete(locked);
        Assert.False(Directory.Exists(worktree));
        await RestoreAsync(worktree);
        Assert.Equal(whole, Whole(worktree));
    }

    /// <summary>git would write the new place into whatever record the `.git` names.</summary>
    [Fact]
    public async Task What_an_agent_has_put_in_place_of_its_worktree_is_put_aside_and_no_other_repository_is_written_to()
    {
        using var other = new TestRepository();
        var theirs = await other.AddAsync(7, 1);
        var record = Path.Combine(other.Folder, ".git", "worktrees", "issue-7-1", "gitdir");
        var before = File.ReadAllText(record);
        var worktree = await _repository.AddAsync(7, 1);
        File.WriteAllText(Path.Combine(worktree, ".git"), $"gitdir: {Path.GetDirectoryName(record)}\n");
        await PutAsync(worktree);
        Assert.True(File.Exists(Path.Combine(Place, "readme.txt")));
        await RestoreAsync(worktree);
        Assert.True(File.Exists(Path.Combine(worktree, "readme.txt")));
        Assert.Equal(before, File.ReadAllText(record));
        Assert.Equal("", TestRepository.PlainGit(theirs, "status", "--porcelain"));
    }

    [Fact]
    public async Task A_worktree_that_is_gone_leaves_its_branch_to_be_put_aside()
    {
        var worktree = await WorkedAsync();
        var commit = _repository.Git("rev-parse", Branch).Trim();
        Directory.Delete(worktree, recursive: true);
        Assert.Equal("", await PutAsync(worktree));
        Assert.Equal(commit, _repository.Git("rev-parse", Kept).Trim());
        await RestoreAsync(worktree, "");
        Assert.Equal(commit, _repository.Git("rev-parse", Branch).Trim());
    }

    [Fact]
    public async Task The_commits_of_a_submodule_come_back_too()
    {
        var library = Path.Combine(_repository.Root, "library");
        TestRepository.PlainGit(_repository.Root, "clone", "-q", _repository.Folder, library);
        _repository.Git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", library, "sub");
        _repository.Commit("a submodule");
        var worktree = await _repository.AddAsync(7, 1);
        TestRepository.PlainGit(worktree, "-c", "protocol.file.allow=always", "submodule", "--quiet", "update", "--init");
        File.WriteAllText(Path.Combine(worktree, "sub", "own.txt"), "own\n");
        TestRepository.PlainGit(Path.Combine(worktree, "sub"), "add", "-A");
        TestRepository.PlainGit(Path.Combine(worktree, "sub"), "commit", "-q", "-m", "only here");
        var commit = TestRepository.PlainGit(Path.Combine(worktree, "sub"), "rev-parse", "HEAD");
        var status = TestRepository.PlainGit(worktree, "status", "--porcelain=v2");
        await PutAsync(worktree);
        _repository.Git("gc", "-q", "--prune=now");
        await RestoreAsync(worktree);
        Assert.Equal(commit, TestRepository.PlainGit(Path.Combine(worktree, "sub"), "rev-parse", "HEAD"));
        Assert.Equal("own\n", TestRepository.PlainGit(Path.Combine(worktree, "sub"), "show", "HEAD:own.txt"));
        Assert.Equal(status, TestRepository.PlainGit(worktree, "status", "--porcelain=v2"));
    }
}
