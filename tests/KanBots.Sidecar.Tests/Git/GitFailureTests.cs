using KanBots.Sidecar.Git;
using KanBots.Sidecar.Processes;

namespace KanBots.Sidecar.Tests.Git;

/// <summary>Each sentence of the table is said by the real git, in a state that was really made.</summary>
public sealed class GitFailureTests : IDisposable
{
    private static readonly string[] Nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];

    private readonly TestRepository _repository = new();

    public void Dispose() => _repository.Dispose();

    private string GitFolder => Path.Combine(_repository.Folder, ".git");

    private async Task FailsAsync(string kind, string sentence, string[] git, string[]? under = null, string? folder = null)
    {
        string[] argv = [.. under ?? [], "git", .. git];
        var result = await ShortCommand.RunAsync(argv[0], argv[1..], folder ?? _repository.Folder, new Dictionary<string, string?> { ["LC_ALL"] = "C" }, default, CommandLimits.Default, CancellationToken.None);
        Assert.NotEqual(0, result.ExitCode);
        var failure = GitFailure.Of(new GitCommand(git[0], "/", git), result);
        Assert.True(kind == failure.Kind, $"git {string.Join(' ', git)}: {failure.Kind}, not {kind}: {result.StandardError}");
        Assert.StartsWith(sentence, failure.Message, StringComparison.Ordinal);
        Assert.Contains($"git {git[0]}", failure.Message, StringComparison.Ordinal);
    }

    private void Lock(string name)
    {
        var path = Path.Combine(GitFolder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, "");
    }

    [Fact]
    public async Task Locks_of_other_gits_are_told_apart()
    {
        _repository.Git("branch", "packed");
        _repository.Git("pack-refs", "--all");
        Lock("index.lock");
        Lock("config.lock");
        Lock("packed-refs.lock");
        Lock("refs/heads/new.lock");
        Lock("shallow.lock");
        await FailsAsync("indexLocked", "The index is locked", ["add", "readme.txt"]);
        await FailsAsync("configLocked", "The git configuration is locked", ["config", "a.b", "c"]);
        await FailsAsync("refLocked", "A git reference is locked", ["branch", "new"]);
        await FailsAsync("refLocked", "A git reference is locked", ["pack-refs", "--all"]);
        await FailsAsync("refLocked", "A git reference is locked", ["branch", "-D", "packed"]);
        await FailsAsync("locked", "A git lock file is in the way", ["fetch", "-q", "--depth=1", $"file://{_repository.Folder}", "main"]);
    }

    [Fact]
    public async Task What_is_in_the_way_of_a_new_branch_or_folder_is_told_apart()
    {
        _repository.Git("branch", "kanbots");
        _repository.Git("branch", "a/b");
        var taken = Path.Combine(_repository.Root, "taken");
        Directory.CreateDirectory(Path.Combine(taken, "x"));
        await FailsAsync("branchNamespaceTaken", "A branch is in the way", ["branch", "kanbots/issue-1-1"]);
        await FailsAsync("branchNamespaceTaken", "A branch is in the way", ["branch", "a"]);
        await FailsAsync("branchExists", "A branch of that name exists", ["branch", "kanbots"]);
        await FailsAsync("folderExists", "A folder of that name exists", ["worktree", "add", "-q", "--detach", taken]);
    }

    [Fact]
    public async Task What_git_does_not_know_has_one_kind()
    {
        await FailsAsync("unknownRevision", "git does not know", ["worktree", "add", "-q", Path.Combine(_repository.Root, "w"), "nowhere"]);
        await FailsAsync("unknownRevision", "git does not know", ["diff", "nowhere"]);
        await FailsAsync("unknownRevision", "git does not know", ["diff", "nowhere:readme.txt"]);
        await FailsAsync("unknownRevision", "git does not know", ["diff", new string('1', 40)]);
        await FailsAsync("unknownRevision", "git does not know", ["rev-parse", "--verify", "nowhere"]);
        await FailsAsync("notAGitRepository", "This folder is not in a git repository", ["status"], folder: _repository.Root);
    }

    [Fact]
    public async Task An_unknown_failure_is_told_in_gits_own_words()
    {
        await FailsAsync("gitFailed", "git config failed with code 2: key does not contain a section", ["config", "no-section", "x"]);
        await FailsAsync("gitFailed", "git nosuchverb failed with code 1: git: 'nosuchverb' is not a git command", ["nosuchverb"]);
    }

    [Fact]
    public async Task What_another_user_may_not_do_is_a_matter_of_permission()
    {
        TestRepository.Chmod("755", _repository.Root);
        var proof = await ShortCommand.RunAsync(Nobody[0], [.. Nobody[1..], "touch", Path.Combine(GitFolder, "proof")], "/", new Dictionary<string, string?>(), default, CommandLimits.Default, CancellationToken.None);
        Assert.Contains("Permission denied", proof.StandardError, StringComparison.Ordinal);

        await FailsAsync("dubiousOwnership", "The repository belongs to another user", ["status"], Nobody);
        string[][] writing =
        [
            ["add", "readme.txt"], ["config", "a.b", "c"], ["branch", "plain"], ["branch", "kanbots/deep"],
            ["worktree", "add", "-q", "-b", "kanbots/deeper", Path.Combine(_repository.Root, "w"), "HEAD"],
        ];
        foreach (var git in writing)
        {
            await FailsAsync("permissionDenied", "git may not write here", ["-c", "safe.directory=*", .. git], Nobody);
        }
    }

    [Fact]
    public async Task A_read_only_file_system_and_a_full_disk_are_said()
    {
        string[] readOnly = ["unshare", "-rm", "sh", "-c", "mount --bind \"$0\" /mnt && mount -o remount,ro,bind /mnt && cd /mnt && ! touch proof 2>/dev/null && exec \"$@\"", _repository.Folder];
        await FailsAsync("readOnly", "The file system is read-only", ["add", "readme.txt"], readOnly);
        await FailsAsync("readOnly", "The file system is read-only", ["config", "a.b", "c"], readOnly);
        await FailsAsync("readOnly", "The file system is read-only", ["branch", "plain"], readOnly);

        _repository.Write("large.bin", string.Join('\n', Enumerable.Range(0, 40_000)));
        string[] full = ["unshare", "-rm", "sh", "-c", "mount -t tmpfs -o size=2m none /mnt && cp -r \"$0\" /mnt/r && cd /mnt/r && { head -c 4m /dev/zero > fill 2>/dev/null; test -s fill; } && ! sh -c 'echo x > proof' 2>/dev/null && exec \"$@\"", _repository.Folder];
        await FailsAsync("diskFull", "The disk is full", ["add", "large.bin"], full);
        await FailsAsync("diskFull", "The disk is full", ["branch", "kanbots/x"], full);
    }

    [Theory]
    [InlineData("x: No space left on device")]
    [InlineData("x: Permission denied")]
    [InlineData("Unable to create 'index.lock': File exists.")]
    [InlineData("not a git repository")]
    [InlineData("invalid reference: x")]
    [InlineData("x' already exists")]
    public async Task Names_of_branches_and_folders_are_not_taken_for_what_git_says(string name)
    {
        await FailsAsync("unknownRevision", "git does not know", ["worktree", "add", "-q", Path.Combine(_repository.Root, "w"), name]);
        await FailsAsync("unknownRevision", "git does not know", ["diff", name]);

        using var strange = new TestRepository(name);
        var taken = Path.Combine(strange.Root, $"y {name}");
        Directory.CreateDirectory(Path.Combine(taken, "x"));
        await FailsAsync("folderExists", "A folder of that name exists", ["worktree", "add", "-q", "--detach", taken], folder: strange.Folder);
        File.WriteAllText(Path.Combine(strange.Folder, ".git", "index.lock"), "");
        await FailsAsync("indexLocked", "The index is locked", ["add", "readme.txt"], folder: strange.Folder);
    }

    [Fact]
    public async Task What_a_hook_prints_and_what_git_only_warns_of_is_not_why_it_failed()
    {
        var hook = Path.Combine(GitFolder, "hooks", "post-checkout");
        Directory.CreateDirectory(Path.GetDirectoryName(hook)!);
        File.WriteAllText(hook, "#!/bin/sh\necho 'warning: x: Permission denied' >&2\necho 'index.lock already exists' >&2\nexit 1\n");
        TestRepository.Chmod("+x", hook);
        await FailsAsync("gitFailed", "git worktree failed with code 1", ["worktree", "add", "-q", "-b", "x", Path.Combine(_repository.Root, "w"), "HEAD"]);

        // The worktree is whole all the same, and the second try finds it.
        Assert.Equal("gitFailed", (await _repository.AddFailsAsync(1, 1)).Kind);
        _repository.AssertMade(await _repository.AddAsync(1, 1), 1, 1);
    }
}
