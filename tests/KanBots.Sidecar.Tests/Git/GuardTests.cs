using KanBots.Sidecar.Git;

namespace KanBots.Sidecar.Tests.Git;

/// <summary>An agent's git with the guard, by real git in a real worktree.</summary>
public sealed class GuardTests
{
    private const string Work = "echo work >> work.txt; git add -A; git commit -q -m work";

    [Theory]
    [InlineData("git push origin HEAD")]
    [InlineData("git push origin HEAD:other")]
    [InlineData("git push origin kanbots/issue-1-1")]
    [InlineData("git push --no-verify origin HEAD")]
    [InlineData("git push --no-verify origin HEAD:refs/heads/main --force")]
    [InlineData("git push --mirror origin")]
    [InlineData("git push --all origin")]
    [InlineData("git push origin :main")]
    [InlineData("git push \"$ORIGIN\" HEAD")]
    [InlineData("git push --no-verify \"$ORIGIN\" HEAD")]
    [InlineData("git push --no-verify \"file://$ORIGIN\" HEAD")]
    [InlineData("git push --no-verify https://localhost:1/x.git HEAD")]
    [InlineData("git push --no-verify nobody@localhost:x.git HEAD")]
    [InlineData("git -c core.hooksPath=/dev/null push origin HEAD")]
    [InlineData("git remote add other \"$ORIGIN\" && git push --no-verify other HEAD")]
    [InlineData("sh -c 'git push origin HEAD'")]
    [InlineData("cd .. && git -C issue-1-1 push origin HEAD")]
    [InlineData("cd ../../.. && git push --no-verify origin HEAD:fromMain")]
    public void A_push_is_refused_with_the_sentence_and_the_remote_stays(string push)
    {
        using var shell = new AgentShell();
        shell.Ok(Work);
        var text = shell.Refused($"ORIGIN='{shell.OriginFolder}'; {push}");
        Assert.Contains("agents do not push", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_push_from_npm_is_refused()
    {
        using var shell = new AgentShell();
        shell.Ok(Work);
        shell.Ok("""echo '{ "name": "x", "version": "1.0.0", "scripts": { "release": "git push --no-verify origin HEAD" } }' > package.json""");
        Assert.Contains("agents do not push", shell.Refused("npm run release"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_remote_with_a_push_url_of_its_own_is_refused_too_and_still_fetched()
    {
        using var shell = new AgentShell(repository =>
        {
            TestRepository.PlainGit(repository.Root, "clone", "-q", "--bare", repository.Folder, Path.Combine(repository.Root, "pushed.git"));
            repository.Git("config", "remote.origin.pushurl", Path.Combine(repository.Root, "pushed.git"));
        });
        shell.Ok(Work);
        var pushed = Path.Combine(shell.Repository.Root, "pushed.git");
        var before = TestRepository.PlainGit(pushed, "for-each-ref");
        Assert.Contains("agents do not push", shell.Refused("git push --no-verify origin HEAD"), StringComparison.Ordinal);
        Assert.Contains("agents do not push", shell.Refused("git push origin HEAD"), StringComparison.Ordinal);
        Assert.Equal(before, TestRepository.PlainGit(pushed, "for-each-ref"));
        shell.Ok("git fetch -q origin");
    }

    [Fact]
    public void A_push_url_that_fetches_too_is_held_by_the_hook_alone()
    {
        using var shell = new AgentShell(repository => repository.Git("config", "remote.origin.pushurl", Path.Combine(repository.Root, "origin.git")));
        shell.Ok(Work);
        Assert.Contains("agents do not push", shell.Refused("git push origin HEAD"), StringComparison.Ordinal);
        shell.Ok("git fetch -q origin");

        // What README lists as not refusable: with --no-verify git asks no hook, and rewrites no push URL that stands by itself.
        Assert.Equal(0, shell.Run("git push -q --no-verify origin HEAD:through").Code);
        Assert.Contains("refs/heads/through", shell.Origin, StringComparison.Ordinal);
    }

    [Fact]
    public void A_process_that_sheds_its_environment_is_not_held()
    {
        using var shell = new AgentShell();
        shell.Ok(Work);
        Assert.Equal(0, shell.Run("env -i /usr/bin/git push -q origin HEAD:through").Code);
        Assert.Contains("refs/heads/through", shell.Origin, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("git update-ref refs/heads/main HEAD~0", "main")]
    [InlineData("git branch -f main HEAD", "")]
    [InlineData("git branch new", "refs/heads/new")]
    [InlineData("git checkout -q -b new", "refs/heads/new")]
    [InlineData("git switch -q -c kanbots/issue-1-12", "refs/heads/kanbots/issue-1-12")]
    [InlineData("git branch -D victim", "refs/heads/victim")]
    [InlineData("git branch -m victim renamed", "refs/heads")]
    [InlineData("git tag v1", "refs/tags/v1")]
    [InlineData("git tag -d light", "refs/tags/light")]
    [InlineData("echo x >> readme.txt; git stash", "refs/stash")]
    [InlineData("git update-ref refs/kanbots/x HEAD", "refs/kanbots/x")]
    [InlineData("git notes add -m n", "refs/notes/commits")]
    [InlineData("git replace HEAD HEAD^", "refs/replace")]
    [InlineData("git fetch -q --tags origin", "refs/tags/theirs")]
    [InlineData("git fetch -q origin main:main2", "refs/heads/main2")]
    [InlineData("git -C ../../.. checkout -q --detach", "HEAD")]
    [InlineData("git -C ../../.. commit -q --allow-empty -m x", "")]
    [InlineData("git -C ../../.. reset -q --hard HEAD~1", "")]
    [InlineData("git worktree add -q -b w ../w", "refs/heads/w")]
    [InlineData("git worktree add -q --detach ../detached", "HEAD of another one")]
    [InlineData("git push", "no upstream")]
    [InlineData("git gc -q", "refs/heads/main")]
    [InlineData("git pack-refs --all", "refs/heads/main")]
    public void What_is_not_the_runs_own_stays_where_it_is(string command, string named)
    {
        using var shell = new AgentShell(repository =>
        {
            repository.Commit("second");
            repository.Git("branch", "victim");
            repository.Git("tag", "light");
            TestRepository.PlainGit(Path.Combine(repository.Root, "origin.git"), "tag", "theirs");
        });
        shell.Ok(Work);
        var (head, status) = (shell.Repository.Head, shell.Repository.Status);
        Assert.Contains(named, shell.Refused(command), StringComparison.Ordinal);
        Assert.Equal(head, shell.Repository.Head);
        Assert.Equal(status, shell.Repository.Status);
    }

    [Fact]
    public void A_refused_stash_has_taken_nothing()
    {
        using var shell = new AgentShell();
        shell.Ok("echo precious >> readme.txt; echo new > new.txt");
        shell.Refused("git stash --include-untracked");
        Assert.Contains("precious", File.ReadAllText(Path.Combine(shell.Worktree, "readme.txt")), StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(shell.Worktree, "new.txt")));
    }

    [Theory]
    [InlineData("git commit -q --amend -m better")]
    [InlineData("git reset -q --hard HEAD~1")]
    [InlineData("git fetch -q origin && git merge -q origin/ahead -m merged")]
    [InlineData("git fetch -q origin && git rebase -q origin/ahead")]
    [InlineData("git fetch -q origin && git rebase -q --rebase-merges origin/ahead")]
    [InlineData("git pull -q --rebase origin ahead")]
    [InlineData("git cherry-pick origin/main~0 --allow-empty || git cherry-pick --abort || true")]
    [InlineData("git revert --no-edit HEAD")]
    [InlineData("git checkout -q --detach && git commit -q --allow-empty -m d && git checkout -q kanbots/issue-1-1")]
    [InlineData("git bisect start HEAD HEAD~1 && git bisect reset")]
    [InlineData("git fetch -q --prune origin")]
    [InlineData("git -c gc.autoDetach=false maintenance run --auto")]
    [InlineData("git describe --always && git log --oneline && git status && git diff HEAD~1")]
    [InlineData("git init -q -b main inner && cd inner && git commit -q --allow-empty -m i && git branch b && git tag t && git init -q --bare ../bare.git && git push -q ../bare.git main")]
    [InlineData("T=$(mktemp -d) && cd $T && git init -q && git commit -q --allow-empty -m i && git stash list && git tag t")]
    public void An_agents_daily_git_works(string commands)
    {
        using var shell = new AgentShell(repository =>
        {
            var head = repository.Head;
            repository.Git("switch", "-q", "-c", "ahead");
            repository.Write("ahead.txt", "a\n");
            repository.Commit("ahead");
            TestRepository.PlainGit(repository.Folder, "push", "-q", "origin", "ahead");
            TestRepository.PlainGit(Path.Combine(repository.Root, "origin.git"), "tag", "theirs", "ahead");
            repository.Git("switch", "-q", "main");
            repository.Git("branch", "-D", "ahead");
            Assert.Equal(head, repository.Head);
        });
        shell.Ok(Work);
        var before = shell.Shared;
        shell.Ok(commands);
        Assert.Equal(before, shell.Shared);
        Assert.Equal(shell.OriginBefore, shell.Origin);
    }

    [Fact]
    public void The_users_own_settings_come_through_and_nothing_of_theirs_is_changed()
    {
        using var shell = new AgentShell(user: new() { ["GIT_CONFIG_COUNT"] = "1", ["GIT_CONFIG_KEY_0"] = "user.nickname", ["GIT_CONFIG_VALUE_0"] = "tess" });
        var git = Path.Combine(shell.Repository.Folder, ".git");
        var (config, hooks) = (File.ReadAllText(Path.Combine(git, "config")), Directory.GetFiles(Path.Combine(git, "hooks")));
        Assert.Equal("tess\n", shell.Ok("git config user.nickname"));
        shell.Ok(Work);
        shell.Refused("git push origin HEAD");
        Assert.Equal(config, File.ReadAllText(Path.Combine(git, "config")));
        Assert.Equal(hooks, Directory.GetFiles(Path.Combine(git, "hooks")));
    }

    [Fact]
    public void A_submodules_refs_are_the_runs_own_and_its_push_is_refused()
    {
        using var other = new TestRepository("other");
        using var shell = new AgentShell(repository =>
        {
            repository.Git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", other.Folder, "lib");
            repository.Commit("lib");
        });
        shell.Ok("git -c protocol.file.allow=always submodule --quiet update --init && cd lib && git checkout -q -b topic && git commit -q --allow-empty -m in && git tag t");
        var before = other.Git("for-each-ref");
        Assert.Contains("agents do not push", shell.Refused("cd lib && git push --no-verify origin HEAD"), StringComparison.Ordinal);
        Assert.Equal(before, other.Git("for-each-ref"));
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("a 'quoted' \"name\" $(x) `y`")]
    [InlineData("glob [a-z]*? \\ back")]
    [InlineData("two\nlines")]
    [InlineData("漢字 ä")]
    public void It_holds_wherever_the_repository_lies(string name)
    {
        using var shell = new AgentShell(name: name);
        shell.Ok(Work);
        Assert.Contains("agents do not push", shell.Refused("git push origin HEAD"), StringComparison.Ordinal);
        Assert.Contains("agents do not push", shell.Refused("git push --no-verify origin HEAD"), StringComparison.Ordinal);
        Assert.Contains("refs/tags/v1", shell.Refused("git tag v1"), StringComparison.Ordinal);
        shell.Refused("git -C ../../.. commit -q --allow-empty -m x");
    }

    [Fact]
    public void Another_user_of_the_machine_cannot_read_it_and_its_owner_does_not_write_it_by_mistake()
    {
        using var shell = new AgentShell();
        foreach (var path in Directory.EnumerateFileSystemEntries(shell.Guard.Folder, "*", SearchOption.AllDirectories).Append(shell.Guard.Folder))
        {
            Assert.Equal("500", shell.Ok($"stat -c %a '{path}'").Trim());
        }

        shell.Guard.Write(); // asked again after a crash
        shell.Ok(Work);
    }
}
