using KanBots.Sidecar.Git;

namespace KanBots.Sidecar.Tests.Git;

public sealed class BaseTests : IDisposable
{
    private readonly TestRepository _repository = new();

    public void Dispose() => _repository.Dispose();

    [Fact]
    public async Task The_default_branch_of_origin_wins_over_the_setting_and_over_work_in_progress()
    {
        var published = _repository.Head;
        _repository.AddOrigin();
        _repository.Git("switch", "-q", "-c", "wip");
        var wip = _repository.Commit("half a thought");

        Assert.NotEqual(published, wip);
        Assert.Equal(new Base("origin/main", published), await _repository.BaseAsync(configured: "wip"));
    }

    [Fact]
    public async Task A_tag_or_branch_with_the_name_of_the_remote_branch_is_not_taken_for_it()
    {
        var published = _repository.Head;
        _repository.AddOrigin();
        _repository.Commit("second");
        _repository.Git("branch", "origin/main");
        _repository.Git("tag", "origin/main");

        Assert.Equal(published, (await _repository.BaseAsync()).Commit);
    }

    [Fact]
    public async Task Without_origin_the_setting_names_the_base()
    {
        var first = _repository.Head;
        _repository.Git("branch", "develop");
        _repository.Commit("second");

        Assert.Equal(new Base("develop", first), await _repository.BaseAsync(configured: "develop"));
    }

    [Fact]
    public async Task A_setting_that_names_nothing_is_said_instead_of_taking_what_is_checked_out()
    {
        var failure = await Assert.ThrowsAsync<GitFailure>(() => _repository.BaseAsync(configured: "develpo"));
        Assert.Equal("unknownRevision", failure.Kind);
        Assert.Contains("'develpo'", failure.Message, StringComparison.Ordinal);
        Assert.Contains("worktree.baseRef", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_origin_and_setting_the_current_branch_is_the_base()
    {
        _repository.Git("switch", "-q", "-c", "topic/ä");
        var head = _repository.Commit("second");
        Assert.Equal(new Base("topic/ä", head), await _repository.BaseAsync());
    }

    [Fact]
    public async Task A_detached_head_is_called_so()
    {
        _repository.Git("checkout", "-q", "--detach");
        Assert.Equal(new Base("HEAD (detached)", _repository.Head), await _repository.BaseAsync());
    }

    [Fact]
    public async Task A_default_branch_of_origin_that_is_gone_is_passed_over()
    {
        _repository.AddOrigin();
        _repository.Git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/gone");
        Assert.Equal(new Base("main", _repository.Head), await _repository.BaseAsync());
    }

    [Fact]
    public async Task A_branch_a_tag_a_commit_and_a_remote_branch_can_be_named_at_dispatch()
    {
        var first = _repository.Head;
        _repository.AddOrigin();
        _repository.Git("branch", "side");
        _repository.Git("tag", "light");
        _repository.Git("tag", "-a", "-m", "annotated", "heavy");
        _repository.Commit("second");

        Assert.NotEqual(first, _repository.Git("rev-parse", "heavy").Trim());
        foreach (var name in new[] { "side", "light", "heavy", "origin/main", "refs/heads/side", first, first[..10], "HEAD~1" })
        {
            Assert.Equal(new Base(name, first), await _repository.BaseAsync(wanted: name, configured: "main"));
        }
    }

    [Theory]
    [InlineData("nowhere")]
    [InlineData("")]
    [InlineData("-x")]
    [InlineData("--all")]
    [InlineData("--git-dir")]
    [InlineData("--end-of-options")]
    [InlineData("^main")]
    [InlineData("main..main")]
    [InlineData("main:readme.txt")]
    [InlineData("main@{999}")]
    [InlineData("$(touch planted)")]
    [InlineData("two\nlines")]
    [InlineData("0123456789012345678901234567890123456789")]
    public async Task What_git_does_not_know_is_said_by_kind_and_sentence_and_is_no_option(string name)
    {
        var failure = await Assert.ThrowsAsync<GitFailure>(() => _repository.BaseAsync(wanted: name));
        Assert.Equal("unknownRevision", failure.Kind);
        Assert.Equal($"git does not know the base '{name}'. Name a branch, a tag or a commit.", failure.Message);
        Assert.Equal("", _repository.Status);
    }

    [Fact]
    public async Task A_branch_whose_name_begins_with_a_dash_is_a_branch()
    {
        _repository.Git("update-ref", "refs/heads/--all", "HEAD");
        foreach (var name in new[] { "refs/heads/--all", "--all" })
        {
            Assert.Equal(new Base(name, _repository.Head), await _repository.BaseAsync(wanted: name));
        }
    }

    [Fact]
    public async Task A_repository_without_a_commit_asks_for_the_first_one()
    {
        using var empty = new TestRepository(empty: true);
        var failure = await Assert.ThrowsAsync<GitFailure>(() => empty.BaseAsync());
        Assert.Equal("unbornHead", failure.Kind);
        Assert.Contains("first commit", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bare_repository_has_a_base_too()
    {
        _repository.AddOrigin();
        var bare = await _repository.FindAsync(Path.Combine(_repository.Root, "origin.git"));
        Assert.Equal(new Base("main", _repository.Head), await Base.ChooseAsync(_repository.Runner, bare, null, null, CancellationToken.None));
    }
}
