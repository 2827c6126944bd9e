namespace KanBots.Sidecar.Tests.Git;

/// <summary>The guard in repositories of real git-lfs, husky and pre-commit: what they need still runs, the user's own push too, and an
/// agent's does not.</summary>
public sealed class GuardMatrixTests
{
    private const string Work = "echo work >> work.txt; git add -A; git commit -q -m work";

    private static readonly string[] Pushes =
    [
        "git push origin kanbots/issue-1-1", "git push origin HEAD", "git push origin HEAD:other", "git push --no-verify origin HEAD", "git push --no-verify \"$ORIGIN\" HEAD",
        "sh -c 'git push origin HEAD:x'", "npm exec --no -c 'git push origin HEAD'",
    ];

    private static readonly string Husky = RepositoryRoot.Of("tests", "guard", "node_modules", "husky");

    private static string Marker(TestRepository repository) => Path.Combine(repository.Root, "hook-ran");

    private static void SetUp(TestRepository repository, string kind, bool pushUrl)
    {
        switch (kind)
        {
            case "git-lfs":
                repository.Git("lfs", "install", "--local");
                repository.Git("lfs", "track", "*.bin");
                repository.Write("large.bin", new string('x', 5000));
                break;
            case "husky":
                Assert.True(Directory.Exists(Husky), $"{Husky} is missing: run ./test.sh, which installs it.");
                repository.Write(".husky/pre-commit", $"echo ran >> '{Marker(repository)}'\n");
                repository.Write(".husky/pre-push", $"echo pushed >> '{Marker(repository)}'\n");
                repository.Write("package.json", "{}");
                Sh(repository, $"node -e \"import('{Husky}/index.js').then(husky => process.stdout.write(husky.default()))\"");
                Assert.Equal(".husky/_", repository.Git("config", "core.hooksPath").Trim());
                break;
            case "pre-commit":
                repository.Write(".pre-commit-config.yaml", $"repos:\n- repo: local\n  hooks:\n  - {{id: mark, name: mark, language: system, entry: sh -c \"echo ran >> '{Marker(repository)}'\", pass_filenames: false, always_run: true}}\n");
                Sh(repository, $"git add -A && HOME='{repository.Root}' pre-commit install");
                break;
        }

        repository.Commit(kind);
        if (pushUrl)
        {
            TestRepository.PlainGit(repository.Root, "clone", "-q", "--bare", repository.Folder, Path.Combine(repository.Root, "pushed.git"));
            repository.Git("config", "remote.origin.pushurl", Path.Combine(repository.Root, "pushed.git"));
        }
    }

    private static void Sh(TestRepository repository, string script)
    {
        using var process = TestRepository.Start(repository.Folder, "sh", "-c", script);
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{script}: {output}{error.GetAwaiter().GetResult()}");
    }

    [Theory]
    [InlineData("plain", false)]
    [InlineData("plain", true)]
    [InlineData("git-lfs", false)]
    [InlineData("git-lfs", true)]
    [InlineData("husky", false)]
    [InlineData("husky", true)]
    [InlineData("pre-commit", false)]
    [InlineData("pre-commit", true)]
    public void No_push_of_an_agent_goes_through_and_the_users_hooks_and_pushes_do(string kind, bool pushUrl)
    {
        using var shell = new AgentShell(repository => SetUp(repository, kind, pushUrl));
        if (kind == "husky")
        {
            // What `npm ci` does in a worktree with husky's prepare script; its folder of hooks is not in git.
            shell.Ok($"node -e \"import('{Husky}/index.js').then(husky => process.stdout.write(husky.default()))\"");
        }

        File.Delete(Marker(shell.Repository));
        shell.Ok(Work);
        Assert.Equal(kind is "husky" or "pre-commit", File.Exists(Marker(shell.Repository)));
        if (kind == "git-lfs")
        {
            Assert.Contains("large.bin", shell.Ok("git lfs ls-files"), StringComparison.Ordinal);
            Assert.StartsWith("version https://git-lfs", shell.Ok("git cat-file -p HEAD:large.bin"), StringComparison.Ordinal);
            Assert.Equal(5000, new FileInfo(Path.Combine(shell.Worktree, "large.bin")).Length);
        }

        var witness = Path.Combine(shell.Repository.Root, pushUrl ? "pushed.git" : "origin.git");
        var before = TestRepository.PlainGit(witness, "for-each-ref");
        foreach (var push in Pushes)
        {
            Assert.Contains("agents do not push", shell.Refused($"ORIGIN='{witness}'; {push}"), StringComparison.Ordinal);
            Assert.Equal(before, TestRepository.PlainGit(witness, "for-each-ref"));
        }

        shell.Repository.Git("push", "-q", "origin", "main:users");
        Assert.Contains("refs/heads/users", TestRepository.PlainGit(witness, "for-each-ref"), StringComparison.Ordinal);
        Assert.Equal(kind == "husky", File.Exists(Marker(shell.Repository)) && File.ReadAllText(Marker(shell.Repository)).Contains("pushed", StringComparison.Ordinal));
    }

    [Fact]
    public void A_hook_that_refuses_still_refuses_and_a_reference_transaction_hook_of_the_user_still_hears()
    {
        using var shell = new AgentShell(repository =>
        {
            foreach (var (name, text) in new[] { ("commit-msg", "grep -q good \"$1\""), ("reference-transaction", $"echo \"$1\" >> '{Marker(repository)}'; cat >> '{Marker(repository)}'") })
            {
                var hook = Path.Combine(repository.Folder, ".git", "hooks", name);
                File.WriteAllText(hook, $"#!/bin/sh\n{text}\n");
                TestRepository.Chmod("+x", hook);
            }
        });
        File.Delete(Marker(shell.Repository));
        Assert.NotEqual(0, shell.Run("git commit -q --allow-empty -m bad").Code);
        shell.Ok("git commit -q --allow-empty -m good");
        var heard = File.ReadAllText(Marker(shell.Repository));
        Assert.Matches("prepared\n[0-9a-f]{40} [0-9a-f]{40} HEAD\n[0-9a-f]{40} [0-9a-f]{40} refs/heads/kanbots/issue-1-1\ncommitted\n", heard);
    }
}
