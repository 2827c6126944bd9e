using KanBots.Sidecar.Git;

namespace KanBots.Sidecar.Tests.Git;

public sealed class SharedStateTests : IDisposable
{
    private readonly TestRepository _repository = new();
    private readonly string _home;
    private readonly List<string> _environment;

    public SharedStateTests()
    {
        _home = Path.Combine(_repository.Root, "home");
        Directory.CreateDirectory(_home);
        _environment = [.. KanBots.Sidecar.Processes.Spawn.OwnEnvironment().Where(line => !line.StartsWith("GIT_CONFIG_GLOBAL=", StringComparison.Ordinal)), $"GIT_CONFIG_GLOBAL={_home}/.gitconfig"];
        File.WriteAllText(Path.Combine(_home, ".gitconfig"), "[user]\n\tname = A Person\n");
        Directory.CreateDirectory(Hooks);
    }

    private string Hooks => Path.Combine(_repository.Folder, ".git", "hooks");

    public void Dispose() => _repository.Dispose();

    [Fact]
    public async Task Nothing_changed_is_nothing_said()
    {
        var before = await ReadAsync();
        _repository.Write("new.txt", "x");
        _repository.Commit("second");
        _repository.Git("switch", "-q", "-c", "topic");
        _repository.Git("config", "branch.topic.remote", "origin");
        _repository.Git("config", "branch.topic.merge", "refs/heads/topic");
        _repository.Git("config", "branch.topic.vscode-merge-base", "origin/main");
        Assert.Empty(SharedState.Compare(before, await ReadAsync()));
    }

    public static TheoryData<string, string, string[]> Changes => new()
    {
        { "git config core.hooksPath .husky", "sharedConfigChanged", ["core.hookspath (new)", "git config --local --unset NAME"] },
        { "git config remote.origin.url https://elsewhere.example/x", "sharedConfigChanged", ["remote.origin.url"] },
        { "git config --unset remote.origin.url", "sharedConfigChanged", ["remote.origin.url (removed)"] },
        { "git config branch.main.pushRemote elsewhere", "sharedConfigChanged", ["branch.main.pushremote (new)"] },
        { "git config branch.main.remote elsewhere", "sharedConfigChanged", ["branch.main.remote"] },
        { "git config --add remote.origin.fetch +refs/x:refs/y", "sharedConfigChanged", ["remote.origin.fetch"] },
        { "echo '#!/bin/sh' >.git/hooks/pre-commit", "sharedHooksChanged", ["pre-commit (new)"] },
        { "chmod +x .git/hooks/post-commit", "sharedHooksChanged", ["post-commit."] },
        { "rm .git/hooks/post-commit", "sharedHooksChanged", ["post-commit (removed)"] },
        { "ln -sf /bin/true .git/hooks/post-commit", "sharedHooksChanged", ["post-commit."] },
        { "ln -sfn /bin/false .git/hooks/commit-msg", "sharedHooksChanged", ["commit-msg."] },
        { "git config --global user.name Nobody", "userConfigChanged", ["user.name", "git config --global --list"] },
        { "echo '* -text' >.git/info/attributes", "sharedFilesChanged", ["info/attributes (new)"] },
        { "git rev-parse HEAD >.git/shallow", "sharedFilesChanged", ["shallow (new)"] },
    };

    [Theory]
    [MemberData(nameof(Changes))]
    public async Task What_changed_is_named(string command, string kind, string[] says)
    {
        _repository.Git("config", "remote.origin.url", "https://person:hunter2@forge.example/x");
        _repository.Git("config", "branch.main.remote", "origin");
        File.WriteAllText(Path.Combine(Hooks, "post-commit"), "#!/bin/sh\n");
        File.CreateSymbolicLink(Path.Combine(Hooks, "commit-msg"), "/bin/true");
        var before = await ReadAsync();
        using (var shell = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("/bin/sh", ["-c", command]) { WorkingDirectory = _repository.Folder, Environment = { ["GIT_CONFIG_GLOBAL"] = $"{_home}/.gitconfig" } })!)
        {
            await shell.WaitForExitAsync();
            Assert.Equal(0, shell.ExitCode);
        }

        var (said, message) = Assert.Single(SharedState.Compare(before, await ReadAsync()));
        Assert.Equal(kind, said);
        Assert.All(says, words => Assert.Contains(words, message, StringComparison.Ordinal));
        Assert.DoesNotContain("hunter2", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_written_holds_no_value_and_is_read_again()
    {
        _repository.Git("config", "http.extraHeader", "Authorization: hunter2");
        var path = Path.Combine(_repository.Root, "shared.json");
        var read = await ReadAsync();
        read.Write(path);
        Assert.DoesNotContain("hunter2", File.ReadAllText(path), StringComparison.Ordinal);
        Assert.Empty(SharedState.Compare(SharedState.Read(path)!, read));
        Assert.NotEmpty(read.Facts);
        File.WriteAllText(path, "{");
        Assert.Null(SharedState.Read(path));
        Assert.Null(SharedState.Read(path + ".none"));
    }

    [Fact]
    public async Task Many_names_are_cut()
    {
        var before = await ReadAsync();
        for (var i = 0; i < SharedState.NamesSaid + 3; i++)
        {
            _repository.Git("config", $"x.n{i}", "1");
        }

        Assert.Contains(" and 3 more", Assert.Single(SharedState.Compare(before, await ReadAsync())).Message, StringComparison.Ordinal);
    }

    private async Task<SharedState> ReadAsync() => await SharedState.ReadAsync(_repository.Runner, await _repository.FindAsync(), _environment, CancellationToken.None);
}
