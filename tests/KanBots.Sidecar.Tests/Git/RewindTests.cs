using KanBots.Sidecar.Git;

namespace KanBots.Sidecar.Tests.Git;

/// <summary>Files that are taken back, and those that may not be touched.</summary>
public sealed class RewindTests : IDisposable
{
    private readonly TestRepository _repository = new();
    private readonly string _scratch = Directory.CreateTempSubdirectory("kb-scratch-").FullName;

    public void Dispose()
    {
        Assert.Empty(Directory.EnumerateFileSystemEntries(_scratch));
        Directory.Delete(_scratch);
        _repository.Dispose();
    }

    private async Task<string> TreeAsync(string worktree) => (await Checkpoint.WriteAsync(_repository.Runner, worktree, [], _scratch, CancellationToken.None)).Tree;

    private static void Write(string worktree, string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(worktree, path))!);
        File.WriteAllText(Path.Combine(worktree, path), text);
    }

    [Fact]
    public async Task Files_are_as_they_were_and_head_index_and_what_is_ignored_are_as_they_are()
    {
        _repository.Write(".gitignore", "ignored\n");
        _repository.Commit("ignore");
        var worktree = await _repository.AddAsync(7, 1);
        Write(worktree, "readme.txt", "then\n");
        Write(worktree, "gone later.txt", "then\n");
        Write(worktree, "folder/file", "then\n");
        var then = await TreeAsync(worktree);
        Write(worktree, "readme.txt", "now\n");
        File.Delete(Path.Combine(worktree, "gone later.txt"));
        Directory.Delete(Path.Combine(worktree, "folder"), recursive: true);
        Write(worktree, "folder", "a file now\n");
        Write(worktree, "new.txt", "now\n");
        TestRepository.PlainGit(worktree, "add", "new.txt");
        TestRepository.PlainGit(worktree, "commit", "-q", "-m", "the agent's");
        Write(worktree, "ignored", "precious\n");
        var (head, staged, now) = (TestRepository.PlainGit(worktree, "rev-parse", "HEAD"), TestRepository.PlainGit(worktree, "ls-files", "--stage"), await TreeAsync(worktree));
        await Rewind.ToAsync(_repository.Runner, worktree, now, then, _scratch, CancellationToken.None);
        Assert.Equal(then, await TreeAsync(worktree));
        Assert.Equal(("then\n", "then\n", "then\n", false), (File.ReadAllText(Path.Combine(worktree, "readme.txt")), File.ReadAllText(Path.Combine(worktree, "gone later.txt")), File.ReadAllText(Path.Combine(worktree, "folder/file")), File.Exists(Path.Combine(worktree, "new.txt"))));
        Assert.Equal((head, staged, "precious\n"), (TestRepository.PlainGit(worktree, "rev-parse", "HEAD"), TestRepository.PlainGit(worktree, "ls-files", "--stage"), File.ReadAllText(Path.Combine(worktree, "ignored"))));
        await Rewind.ToAsync(_repository.Runner, worktree, then, now, _scratch, CancellationToken.None);
        Assert.Equal(now, await TreeAsync(worktree));
    }

    [Fact]
    public async Task What_is_in_the_way_stops_it_before_it_writes()
    {
        var worktree = await _repository.AddAsync(7, 1);
        Write(worktree, "a.txt", "then\n");
        Write(worktree, "cache", "then\n");
        var then = await TreeAsync(worktree);
        File.Delete(Path.Combine(worktree, "cache"));
        Write(worktree, "a.txt", "now\n");
        Write(worktree, ".gitignore", "cache\n");
        var now = await TreeAsync(worktree);
        Write(worktree, "cache", "ignored now, and precious\n");
        Assert.Equal("folderExists", (await Assert.ThrowsAsync<GitFailure>(() => Rewind.ToAsync(_repository.Runner, worktree, now, then, _scratch, CancellationToken.None))).Kind);
        File.Delete(Path.Combine(worktree, "cache"));
        Write(worktree, "a.txt", "written since\n");
        await Assert.ThrowsAsync<GitFailure>(() => Rewind.ToAsync(_repository.Runner, worktree, now, then, _scratch, CancellationToken.None));
        Assert.Equal(("written since\n", true, false), (File.ReadAllText(Path.Combine(worktree, "a.txt")), File.Exists(Path.Combine(worktree, ".gitignore")), File.Exists(Path.Combine(worktree, "cache"))));
    }
}
