using KanBots.Sidecar.Git;

namespace KanBots.Sidecar.Tests.Git;

/// <summary>Whatever state an agent leaves its worktree in: what is reviewed is what lies there, what lands is what was reviewed, and
/// neither touches the agent's or the user's. Plain git, in an index and in clones of its own, is the witness.</summary>
public sealed class AgentStatesTests(AgentStates states) : IClassFixture<AgentStates>
{
    public static TheoryData<string> Names => [.. AgentState.All.Keys];

    /// <summary>The large file lands in one way only: it is the same file in each.</summary>
    public static TheoryData<string, string> Ways
    {
        get
        {
            var ways = new TheoryData<string, string>();
            foreach (var (name, strategy) in AgentState.All.SelectMany(state => Enum.GetValues<LandingStrategy>().Where(strategy => state.Value.Big == 0 || strategy == LandingStrategy.Squash).Select(strategy => (state.Key, strategy))))
            {
                ways.Add(name, strategy.ToString());
            }

            return ways;
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task What_is_reviewed_is_what_lies_there(string name)
    {
        var made = await states.OfAsync(name);
        Assert.Equal(made.Looks.Before, made.Looks.After);
        Assert.Equal(made.State.Left, made.Checkpoint.Left.Order(StringComparer.Ordinal));
        if (made.State.Left.Length == 0)
        {
            Assert.Equal(made.TreeByGit(), made.Checkpoint.Tree);
        }
        else
        {
            Assert.Equal(made.EntriesByFile(), made.Entries(made.Checkpoint.Tree)); // git itself would take in nothing
        }
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task What_lands_is_what_was_reviewed(string name, string how)
    {
        var (made, strategy) = (await states.OfAsync(name), Enum.Parse<LandingStrategy>(how));
        var (fresh, next) = ($"fresh-{how}", $"next-{how}");
        made.Repository.Git("branch", next, "next");
        var before = made.Look(fresh, next);
        var (onNothing, onAnother) = (await made.LandAsync(fresh, strategy), await made.LandAsync(next, strategy));
        Assert.Equal(before, made.Look(fresh, next));

        Assert.Equal(made.Checkpoint.Tree, made.Tree(onNothing));
        Assert.Equal(made.Both, made.Tree(onAnother));
        Assert.Equal(0, TestRepository.TryGit(made.Repository.Folder, "merge-base", "--is-ancestor", "next", onAnother).Code);
        Assert.True(strategy != LandingStrategy.Merge || TestRepository.TryGit(made.Repository.Folder, "merge-base", "--is-ancestor", made.Head, onNothing).Code == 0);

        var checkedOut = WorkedState.Files(made.Clone($"clone-{how}", "-b", fresh));
        Assert.All(made.State.Unseen, path => Assert.True(checkedOut.Remove(path), path));
        string[] rewritten = made.State.Rewritten;
        Assert.Equal(WorkedState.Files(made.Worktree).Where(file => !rewritten.Contains(file.Key)), checkedOut.Where(file => !rewritten.Contains(file.Key)));
    }

    [Theory]
    [InlineData("large files", "a.bin", "version https://git-lfs.github.com/spec/v1\n")]
    [InlineData("a filter of its user's", "c.rot", "ybbfr\n")]
    [InlineData("line endings", "crlf.txt", "one\nthree\n")]
    public async Task Filters_have_been_at_work(string name, string path, string held)
    {
        var made = await states.OfAsync(name);
        Assert.StartsWith(held, made.Repository.Git("cat-file", "blob", $"{made.Checkpoint.Tree}:{path}"));
    }

    /// <summary>What is in it stays in its own store: whoever lands it must publish that too.</summary>
    [Theory]
    [InlineData("a nested repository with commits", "nested")]
    [InlineData("a submodule with a commit of its own", "libs/one")]
    public async Task A_repository_within_is_held_by_the_commit_on_which_it_stands(string name, string path)
    {
        var made = await states.OfAsync(name);
        var commit = TestRepository.PlainGit(Path.Combine(made.Worktree, path), "rev-parse", "HEAD").Trim();
        Assert.Equal($"160000 {commit}", made.Entries(made.Checkpoint.Tree)[path]);
        Assert.NotEqual(0, TestRepository.TryGit(made.Repository.Folder, "cat-file", "-e", commit).Code);
    }
}
