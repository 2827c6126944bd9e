using KanBots.Sidecar.Git;

namespace KanBots.Sidecar.Tests.Git;

/// <summary>The witnesses are the real Node.js and npm, which say what they find from within a worktree.</summary>
public sealed class NodeModulesTests : IDisposable
{
    private readonly TestRepository _repository = new();

    public NodeModulesTests()
    {
        _repository.Write(".gitignore", "node_modules/\n");
        _repository.Write("package.json", """{"name":"app","version":"1.0.0","scripts":{"tool":"tool"}}""");
        _repository.Write("package-lock.json", """{"name":"app","version":"1.0.0","lockfileVersion":3,"requires":true,"packages":{"":{"name":"app","version":"1.0.0"}}}""");
        _repository.Commit("app");
        _repository.Write("node_modules/dep/index.js", "module.exports = 'from above';\n");
        _repository.Write("node_modules/dep/package.json", """{"name":"dep","version":"1.0.0"}""");
        _repository.Write("node_modules/@scope/inner/index.js", "module.exports = 'scoped';\n");
        _repository.Write("node_modules/.package-lock.json", "{}");
        _repository.Write("node_modules/dep/tool.js", "#!/usr/bin/env node\nconsole.log('tool says ' + require('dep'));\n");
        TestRepository.Chmod("+x", Path.Combine(_repository.Folder, "node_modules", "dep", "tool.js"));
        Directory.CreateDirectory(Path.Combine(_repository.Folder, "node_modules", ".bin"));
        File.CreateSymbolicLink(Path.Combine(_repository.Folder, "node_modules", ".bin", "tool"), "../dep/tool.js");
    }

    public void Dispose() => _repository.Dispose();

    private async Task<NodeModules?> ChooseAsync(string? wanted = null, bool hasSetup = false, string? commit = null, string? worktree = null)
    {
        var repository = await _repository.FindAsync();
        return await NodeModules.ChooseAsync(_repository.Runner, repository, worktree ?? Worktrees.PathOf(repository, null, 1, 1), commit ?? _repository.Head, wanted, hasSetup, CancellationToken.None);
    }

    private static (int Code, string Output) Run(string folder, string file, params string[] arguments)
    {
        using var process = TestRepository.Start(folder, file, arguments);
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + error.Result);
    }

    [Fact]
    public async Task Equal_lock_files_inherit_and_node_and_npm_find_packages_and_programs_above()
    {
        Assert.Equal(NodeModules.Inherit, (await ChooseAsync(hasSetup: true))!.Strategy);
        var worktree = await _repository.AddAsync(1, 1);
        Assert.Equal((0, "from above scoped\n"), Run(worktree, "node", "-e", "console.log(require('dep'), require('@scope/inner'))"));
        Assert.Contains("tool says from above", Run(worktree, "npm", "run", "--silent", "tool").Output, StringComparison.Ordinal);
        Assert.Contains("tool says from above", Run(worktree, "npx", "--no-install", "--offline", "tool").Output, StringComparison.Ordinal);
        Assert.Equal("", TestRepository.PlainGit(worktree, "status", "--porcelain", "--ignored"));
    }

    [Fact]
    public async Task Another_lock_file_own_packages_or_a_worktree_elsewhere_need_the_setup_and_without_one_it_is_said()
    {
        var same = _repository.Head;
        var elsewhere = await ChooseAsync(hasSetup: true, worktree: "/elsewhere/issue-1-1");
        Assert.Equal(NodeModules.Setup, elsewhere!.Strategy);
        Assert.Contains("does not lie below", elsewhere.Reason, StringComparison.Ordinal);

        _repository.Write("package-lock.json", "{}\n"); // uncommitted, in the main working tree
        Assert.Equal(NodeModules.Setup, (await ChooseAsync(hasSetup: true))!.Strategy);
        var none = await ChooseAsync();
        Assert.Equal(NodeModules.Nobody, none!.Strategy);
        Assert.Equal("package-lock.json of the run's base is not that of the main working tree. Set worktree.setup, for example to [\"npm\", \"ci\"], or worktree.nodeModules.", none.Reason);
        Assert.Equal(NodeModules.Inherit, (await ChooseAsync("inherit"))!.Strategy); // as told, with a word of warning
        Assert.Contains("Beware: package-lock.json", (await ChooseAsync("inherit"))!.Reason, StringComparison.Ordinal);
        Assert.Equal(NodeModules.Nobody, (await ChooseAsync("setup"))!.Strategy);

        _repository.Git("checkout", "-q", "--", "package-lock.json");
        _repository.Write("package.json", """{"name":"app","workspaces":["packages/*"]}""");
        Assert.Contains("packages of its own", (await ChooseAsync(commit: _repository.Commit("workspaces")))!.Reason, StringComparison.Ordinal);
        _repository.Write("package.json", """{"name":"app","devDependencies":{"x":"file:../x"}}""");
        Assert.Contains("packages of its own", (await ChooseAsync(commit: _repository.Commit("file")))!.Reason, StringComparison.Ordinal);
        Assert.Equal(NodeModules.Inherit, (await ChooseAsync(commit: same))!.Strategy);
        _repository.Git("rm", "-q", "package.json");
        Assert.Null(await ChooseAsync(commit: _repository.Commit("no project")));
    }

    [Fact]
    public async Task Links_show_in_no_status_and_neither_npm_ci_nor_the_removal_of_the_worktree_follows_them()
    {
        var worktree = await _repository.AddAsync(1, 1, root: Path.Combine(_repository.Root, "apart"));
        Assert.NotEqual(0, Run(worktree, "node", "-e", "require('dep')").Code);
        var repository = await _repository.FindAsync();
        var exclude = File.ReadAllText(Path.Combine(_repository.Folder, ".git", "info", "exclude"));
        Assert.Equal(3, await NodeModules.LinkAsync(_repository.Runner, repository, worktree, CancellationToken.None));
        Assert.Equal(3, await NodeModules.LinkAsync(_repository.Runner, repository, worktree, CancellationToken.None)); // asked again after a crash

        Assert.Equal((0, "from above scoped\n"), Run(worktree, "node", "-e", "console.log(require('dep'), require('@scope/inner'))"));
        Assert.Contains("tool says from above", Run(worktree, "npm", "run", "--silent", "tool").Output, StringComparison.Ordinal);
        Assert.Equal("", TestRepository.PlainGit(worktree, "status", "--porcelain", "--untracked-files=all"));
        Assert.Equal("", _repository.Status);
        Assert.Equal(exclude, File.ReadAllText(Path.Combine(_repository.Folder, ".git", "info", "exclude")));
        Assert.False(File.Exists(Path.Combine(worktree, "node_modules", ".package-lock.json")));

        var before = Everything();
        var (code, output) = Run(worktree, "npm", "ci", "--offline", "--no-audit", "--no-fund");
        Assert.True(code == 0, output);
        Assert.False(File.Exists(Path.Combine(worktree, "node_modules", "dep", "index.js")));
        Assert.Equal(before, Everything());
        Assert.Equal(3, await NodeModules.LinkAsync(_repository.Runner, repository, worktree, CancellationToken.None));
        _repository.Git("worktree", "remove", worktree);
        Assert.False(Directory.Exists(worktree));
        Assert.Equal(before, Everything());
    }

    [Fact]
    public async Task Links_that_would_show_as_changes_are_not_made()
    {
        _repository.Git("rm", "-q", ".gitignore");
        var commit = _repository.Head;
        _repository.Git("commit", "-q", "-m", "no rules");
        var worktree = await _repository.AddAsync(1, 1);
        Assert.Null(await NodeModules.LinkAsync(_repository.Runner, await _repository.FindAsync(), worktree, CancellationToken.None));
        Assert.Equal("", TestRepository.PlainGit(worktree, "status", "--porcelain"));
        Assert.NotEqual(commit, _repository.Head);
    }

    private List<string> Everything() => [.. Directory.EnumerateFileSystemEntries(Path.Combine(_repository.Folder, "node_modules"), "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];
}
