using KanBots.Sidecar.Git;

namespace KanBots.Sidecar.Tests.Git;

/// <summary>The witness is plain git: what was copied is ignored in both trees, and shows in the status of neither.</summary>
public sealed class IgnoredFilesTests : IDisposable
{
    private readonly TestRepository _repository = new();

    public void Dispose() => _repository.Dispose();

    private async Task<(string Worktree, Copied Copied)> CopyAsync(string[] patterns, bool trusted = true, string? worktree = null)
    {
        worktree ??= await _repository.AddAsync(1, 1);
        var scratch = Directory.CreateDirectory(Path.Combine(_repository.Root, "scratch")).FullName;
        var copied = await IgnoredFiles.CopyAsync(_repository.Runner, await _repository.FindAsync(), worktree, patterns, trusted, scratch, CancellationToken.None);
        Assert.Empty(Directory.GetFileSystemEntries(scratch));
        Assert.Equal("", TestRepository.PlainGit(worktree, "status", "--porcelain", "--untracked-files=all"));
        return (worktree, copied);
    }

    [Fact]
    public async Task Only_what_git_ignores_and_does_not_track_is_copied_with_its_mode()
    {
        _repository.Write(".gitignore", ".env*\n/dist/\n*.key\nnode_modules/\n");
        _repository.Write(".env.tracked", "tracked\n");
        _repository.Git("add", "-f", ".env.tracked");
        _repository.Commit("rules");
        _repository.Write(".env", "one\n");
        _repository.Write("Größe \"x\"/.env.local", "two\n");
        _repository.Write("dist/deep/a.js", "three\n");
        _repository.Write("plain.txt", "not ignored\n");
        _repository.Write("secret.key", "not asked for\n");
        _repository.Write("node_modules/p/.env", "of a package\n");
        TestRepository.Chmod("0710", Path.Combine(_repository.Folder, ".env"));

        var (worktree, copied) = await CopyAsync([".env*", "dist/", "plain.txt"]);
        Assert.Equal([".env", "Größe \"x\"/.env.local", "dist/deep/a.js"], copied.Files.Select(file => file.Path));
        Assert.Equal([4L, 4L, 6L], copied.Files.Select(file => file.Bytes));
        Assert.Equal("two\n", File.ReadAllText(Path.Combine(worktree, "Größe \"x\"", ".env.local")));
        Assert.Equal("three\n", File.ReadAllText(Path.Combine(worktree, "dist", "deep", "a.js")));
        Assert.False(File.Exists(Path.Combine(worktree, "plain.txt")) || File.Exists(Path.Combine(worktree, "secret.key")) || Directory.Exists(Path.Combine(worktree, "node_modules")));
        using var stat = TestRepository.Start(worktree, "stat", "-c", "%a", ".env");
        Assert.Equal("710\n", stat.StandardOutput.ReadToEnd());

        // A copy: what is written into the one is not in the other.
        File.WriteAllText(Path.Combine(worktree, ".env"), "of the agent\n");
        Assert.Equal("one\n", File.ReadAllText(Path.Combine(_repository.Folder, ".env")));
        var (_, again) = await CopyAsync([".env*", "dist/"], worktree: worktree);
        Assert.Equal(copied.Files.Select(file => file.Path), again.Files.Select(file => file.Path));
        Assert.Equal("of the agent\n", File.ReadAllText(Path.Combine(worktree, ".env")));
    }

    [Fact]
    public async Task The_list_of_the_working_tree_is_read_when_it_is_trusted_and_a_setting_has_the_last_word()
    {
        _repository.Write(".gitignore", ".env*\n");
        _repository.Write(".worktreeinclude", "# what agents need\n.env*\n");
        _repository.Commit("rules");
        _repository.Write(".env", "1\n");
        _repository.Write(".env.prod", "1\n");

        var worktree = await _repository.AddAsync(1, 1);
        var (_, untrusted) = await CopyAsync([], trusted: false, worktree);
        Assert.Empty(untrusted.Files);
        Assert.Contains("not trusted", Assert.Single(untrusted.Said), StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(worktree, ".env")));

        var (_, trusted) = await CopyAsync(["!.env.prod"], worktree: worktree);
        Assert.Equal([".env"], trusted.Files.Select(file => file.Path));
        Assert.Empty(trusted.Said);

        File.Move(Path.Combine(_repository.Folder, ".worktreeinclude"), Path.Combine(_repository.Root, "elsewhere"));
        File.CreateSymbolicLink(Path.Combine(_repository.Folder, ".worktreeinclude"), Path.Combine(_repository.Root, "elsewhere"));
        var linked = (await CopyAsync([], worktree: worktree)).Copied;
        Assert.Empty(linked.Files);
        Assert.Contains("is a link", Assert.Single(linked.Said), StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_link_leads_out_of_either_tree_and_what_the_base_does_not_ignore_is_left_out()
    {
        var outside = Directory.CreateDirectory(Path.Combine(_repository.Root, "outside")).FullName;
        File.WriteAllText(Path.Combine(outside, "secret"), "secret\n");
        _repository.Write(".gitignore", "*.env\nsub/x\n");
        File.CreateSymbolicLink(Path.Combine(_repository.Folder, "sub"), outside); // committed: a folder of the worktree that leads out
        _repository.Commit("rules");
        _repository.Git("rm", "-q", "--cached", "sub");
        File.Delete(Path.Combine(_repository.Folder, "sub"));
        _repository.Write("sub/x", "through the link\n");
        File.CreateSymbolicLink(Path.Combine(_repository.Folder, "a.env"), Path.Combine(outside, "secret"));
        File.CreateSymbolicLink(Path.Combine(_repository.Folder, "folder.env"), outside);
        _repository.Write("later.txt", "1\n");
        _repository.Write("b.env", "fine\n");

        var (worktree, copied) = await CopyAsync(["*.env", "sub/", "later.txt"]);
        Assert.Equal(["b.env"], copied.Files.Select(file => file.Path));
        Assert.Equal(["secret"], Directory.GetFileSystemEntries(outside).Select(Path.GetFileName));
        Assert.False(File.Exists(Path.Combine(worktree, "a.env")));
        Assert.Contains("a.env", Assert.Single(copied.Said, said => said.Contains("behind one", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Over_the_limits_it_is_said()
    {
        _repository.Write(".gitignore", "/many/\n/huge.bin\n");
        _repository.Commit("rules");
        using (var huge = File.Create(Path.Combine(_repository.Folder, "huge.bin")))
        {
            huge.SetLength(IgnoredFiles.BytesMax + 1); // it takes no room on the disk
        }

        Directory.CreateDirectory(Path.Combine(_repository.Folder, "many"));
        for (var i = 0; i <= IgnoredFiles.FilesMax; i++)
        {
            File.WriteAllText(Path.Combine(_repository.Folder, "many", $"{i:00000}"), "");
        }

        var (worktree, copied) = await CopyAsync(["many/", "huge.bin"]);
        Assert.Equal(IgnoredFiles.FilesMax, copied.Files.Count);
        Assert.False(File.Exists(Path.Combine(worktree, "huge.bin")));
        var said = Assert.Single(copied.Said);
        Assert.StartsWith($"huge.bin, many/{IgnoredFiles.FilesMax:00000}: not copied: at most 5000 files and 256 MiB are.", said);
    }

    [Fact]
    public async Task What_the_base_of_the_run_does_not_ignore_would_show_and_is_said_instead()
    {
        _repository.Write(".gitignore", "");
        var before = _repository.Commit("before");
        _repository.Write(".gitignore", ".env\n");
        _repository.Commit("after");
        _repository.Write(".env", "1\n");
        var worktree = await _repository.AddAsync(1, 1, commit: before);
        var (_, copied) = await CopyAsync([".env"], worktree: worktree);
        Assert.Empty(copied.Files);
        Assert.StartsWith(".env: not copied, because the run's base", Assert.Single(copied.Said));
    }
}
