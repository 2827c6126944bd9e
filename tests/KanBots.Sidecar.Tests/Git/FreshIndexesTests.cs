using KanBots.Sidecar.Git;

namespace KanBots.Sidecar.Tests.Git;

/// <summary>A faster copy of an agent's index sees what the index itself would, in whatever moment a file is written.</summary>
public sealed class FreshIndexesTests : IDisposable
{
    private readonly TestRepository _repository = new();
    private readonly string _scratch = Directory.CreateTempSubdirectory("kb-scratch-").FullName;

    public void Dispose()
    {
        Directory.Delete(_scratch, recursive: true);
        _repository.Dispose();
    }

    private async Task<(string Worktree, FreshIndexes Fresh)> LookedThroughAsync()
    {
        for (var i = 0; i < 50; i++)
        {
            _repository.Write($"f{i}", "0\n");
        }

        _repository.Commit("files");
        var worktree = await _repository.AddAsync(7, 1);
        var fresh = new FreshIndexes(_repository.Runner, _scratch);
        Assert.True(await UntilAsync(fresh, worktree), "the index stayed as old as its files");
        return (worktree, fresh);
    }

    /// <summary>Within the same second it is not worth it.</summary>
    private static async Task<bool> UntilAsync(FreshIndexes fresh, string worktree)
    {
        for (var end = DateTime.UtcNow.AddSeconds(10); fresh.Of(worktree) is null && DateTime.UtcNow < end;)
        {
            await fresh.LookThroughAsync(worktree, CancellationToken.None);
        }

        return fresh.Of(worktree) is not null;
    }

    private async Task<string> TreeAsync(string worktree, FreshIndexes? fresh) => (await Checkpoint.WriteAsync(_repository.Runner, worktree, [], _scratch, CancellationToken.None, fresh)).Tree;

    [Fact]
    public async Task A_file_of_the_same_size_that_is_written_at_once_is_seen()
    {
        var (worktree, fresh) = await LookedThroughAsync();
        var own = File.ReadAllBytes(Path.Combine(Worktrees.RecordIn(worktree), "index"));
        for (var i = 0; i < 50; i++)
        {
            File.WriteAllText(Path.Combine(worktree, $"f{i}"), $"{i % 9 + 1}\n");
            Assert.Equal(await TreeAsync(worktree, null), await TreeAsync(worktree, fresh));
        }

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, new FileInfo(fresh.Of(worktree)!).UnixFileMode);
        Assert.Equal(own, File.ReadAllBytes(Path.Combine(Worktrees.RecordIn(worktree), "index")));
    }

    [Fact]
    public async Task Of_an_index_that_the_agent_has_written_since_it_is_no_copy()
    {
        var (worktree, fresh) = await LookedThroughAsync();
        File.WriteAllText(Path.Combine(worktree, "f1"), "staged\n");
        File.WriteAllText(Path.Combine(worktree, "ignored"), "forced\n");
        TestRepository.PlainGit(worktree, "add", "f1", "ignored");
        Assert.Null(fresh.Of(worktree));
        Assert.Equal(await TreeAsync(worktree, null), await TreeAsync(worktree, fresh));
        Assert.True(await UntilAsync(fresh, worktree));
        Assert.Single(Directory.EnumerateFiles(_scratch, "fresh-*"));
        Assert.Equal(await TreeAsync(worktree, null), await TreeAsync(worktree, fresh));
    }
}
