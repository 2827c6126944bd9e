using KanBots.Sidecar.Git;

namespace KanBots.Sidecar.Tests.Git;

/// <summary>With the real git-lfs, installed for this repository alone.</summary>
public sealed class LargeFilesTests : IDisposable
{
    private readonly TestRepository _repository = new();

    public LargeFilesTests()
    {
        _repository.Git("lfs", "install", "--local");
        _repository.Git("lfs", "track", "*.bin");
        _repository.Write("big.bin", "content\n");
        _repository.Write("sub/other.bin", "more content\n");
        _repository.Commit("large");
        Assert.StartsWith("version https://git-lfs", _repository.Git("cat-file", "blob", "HEAD:big.bin"));
    }

    public void Dispose() => _repository.Dispose();

    private Task<string?> MissingAsync(string worktree) => LargeFiles.MissingAsync(_repository.Runner, worktree, CancellationToken.None);

    [Fact]
    public async Task A_worktree_gets_their_content()
    {
        var worktree = await _repository.AddAsync(1, 1);
        Assert.Equal("content\n", File.ReadAllText(Path.Combine(worktree, "big.bin")));
        Assert.Null(await MissingAsync(worktree));
        _repository.AssertMade(worktree, 1, 1);
    }

    [Fact]
    public async Task Content_that_cannot_be_had_leaves_pointers_and_is_said()
    {
        Directory.Delete(Path.Combine(_repository.Folder, ".git", "lfs", "objects"), recursive: true);
        var worktree = await _repository.AddAsync(1, 1);
        Assert.StartsWith("version https://git-lfs", File.ReadAllText(Path.Combine(worktree, "big.bin")));
        Assert.Equal("big.bin and 1 more files of Git LFS have no content in the worktree, only a pointer. Run `git lfs install` and, in the worktree, `git lfs pull`.", await MissingAsync(worktree));
        _repository.AssertMade(worktree, 1, 1);
    }

    [Fact]
    public async Task A_git_that_does_not_know_them_or_whose_filter_is_gone_leaves_pointers_and_is_said()
    {
        _repository.Git("config", "filter.lfs.process", "kb-no-such-lfs filter-process");
        _repository.Git("config", "filter.lfs.smudge", "kb-no-such-lfs smudge -- %f");
        var gone = await _repository.AddAsync(1, 1);
        Assert.Contains("only a pointer", await MissingAsync(gone), StringComparison.Ordinal);

        _repository.Git("config", "--remove-section", "filter.lfs");
        var unknown = await _repository.AddAsync(2, 2);
        Assert.Contains("only a pointer", await MissingAsync(unknown), StringComparison.Ordinal);
        _repository.AssertMade(unknown, 2, 2);
    }
}
