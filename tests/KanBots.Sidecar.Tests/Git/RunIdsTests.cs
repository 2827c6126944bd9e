using KanBots.Sidecar.Git;

namespace KanBots.Sidecar.Tests.Git;

public sealed class RunIdsTests
{
    [Theory]
    [InlineData("issue-88-7", 7)]
    [InlineData("refs/heads/kanbots/issue-88-7", 7)]
    [InlineData("/a b/.kanbots/worktrees/issue-88-7", 7)]
    [InlineData("/a/issue-88-7/", 7)]
    [InlineData("issue-2147483647-4503599627370496", 1L << 52)]
    [InlineData("issue-88-4503599627370497", 0)]
    [InlineData("issue-88-9223372036854775807", 0)]
    [InlineData("issue-88-99999999999999999999999", 0)]
    [InlineData("tissue-88-7", 0)]
    [InlineData("refs/heads/kanbots/my-issue-88-7", 0)]
    [InlineData("issue-88", 0)]
    [InlineData("issue-88-", 0)]
    [InlineData("issue--7", 0)]
    [InlineData("issue-88-7-fix", 0)]
    [InlineData("issue-88-7x", 0)]
    [InlineData("issue-88-7/x", 0)]
    [InlineData("issue-88-7\n", 0)]
    [InlineData("issue-٨-٧", 0)]
    [InlineData("Issue-88-7", 0)]
    [InlineData("", 0)]
    public void Only_a_name_that_is_exactly_ours_has_a_run_id(string name, long id) => Assert.Equal(id, RunIds.Of(name));

    [Fact]
    public async Task The_highest_of_branches_refs_and_worktrees_counts()
    {
        using var repository = new TestRepository();
        var found = await repository.FindAsync();
        Task<long> Highest() => RunIds.HighestAsync(repository.Runner, found, CancellationToken.None);
        Assert.Equal(0, await Highest());

        repository.Git("branch", "kanbots/issue-1-3");
        Assert.Equal(3, await Highest());

        repository.Git("update-ref", "refs/kanbots/issue-2-10", "HEAD");
        Assert.Equal(10, await Highest());

        // Its folder is gone and its branch is another: git still lists the path.
        var path = Path.Combine(repository.Root, "issue-3-12");
        repository.Git("worktree", "add", "-q", "-b", "other", path);
        Directory.Delete(path, recursive: true);
        Assert.Equal(12, await Highest());

        repository.Git("branch", "issue-4-90");
        repository.Git("branch", "kanbots/tissue-4-91");
        repository.Git("tag", "kanbots/issue-4-92");
        Assert.Equal(12, await Highest());

        repository.Git("branch", "kanbots/issue-1-20");
        repository.Git("pack-refs", "--all");
        Assert.Equal(20, await Highest());
    }

    [Fact]
    public async Task A_bare_repository_remembers_its_run_ids_too()
    {
        using var repository = new TestRepository();
        repository.Git("branch", "kanbots/issue-1-3");
        repository.AddOrigin();
        var bare = await repository.FindAsync(Path.Combine(repository.Root, "origin.git"));
        Assert.Equal(3, await RunIds.HighestAsync(repository.Runner, bare, CancellationToken.None));
    }
}
