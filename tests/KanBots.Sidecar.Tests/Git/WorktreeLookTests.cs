using KanBots.Sidecar.Git;

namespace KanBots.Sidecar.Tests.Git;

/// <summary>What is shown of a worktree that is looked at again and again, against what a first look would show.</summary>
public sealed class WorktreeLookTests : IDisposable
{
    private const int Seed = 20261128;

    private static readonly int Steps = Environment.GetEnvironmentVariable("KANBOTS_LONG") == "1" ? 3_000 : 250;

    private static readonly string[] Names = ["a.txt", "b/c.txt", "b/d e.txt", "ü.txt", "two\nlines", "-n", "ignored/x", "x.log", "b", "deep/er/file", "*.txt", "new/sub/folder/f", "link"];

    private readonly TestRepository _repository = new();
    private readonly string _scratch = Directory.CreateTempSubdirectory("kb-scratch-").FullName;
    private readonly Random _random = new(Seed);
    private int _touched;

    public void Dispose()
    {
        Assert.Empty(Directory.EnumerateFileSystemEntries(_scratch));
        Directory.Delete(_scratch);
        _repository.Dispose();
    }

    private async Task<(string Worktree, WorktreeLook Look)> BeginAsync()
    {
        _repository.Write(".gitignore", "ignored/\n*.log\n");
        _repository.Write("a.txt", "start\n");
        _repository.Write("b/c.txt", "start\n");
        _repository.Commit("start");
        var worktree = await _repository.AddAsync(7, 1);
        return (worktree, new WorktreeLook(_repository.Runner, await _repository.FindAsync(), worktree, Path.Combine(_scratch, "look"), () => Interlocked.Increment(ref _touched)));
    }

    private async Task<string> FreshAsync(string worktree) => (await Checkpoint.WriteAsync(_repository.Runner, worktree, [], _scratch, CancellationToken.None)).Tree;

    [Fact]
    public async Task After_any_step_of_an_agent_a_later_look_shows_what_a_first_one_would()
    {
        var (worktree, look) = await BeginAsync();
        using var held = look;
        var done = new List<string>();
        var came = 0;
        for (var step = 0; step < Steps; step++)
        {
            for (var more = _random.Next(4); more >= 0; more--)
            {
                done.Add(Step(worktree));
            }

            var (shown, files) = await look.ReadAsync([], "main", CancellationToken.None);
            Assert.True(await FreshAsync(worktree) == shown.Tree, $"seed {Seed}, after {string.Join(", ", done.TakeLast(12))}");
            Assert.Equal(await TreeChanges.BetweenAsync(_repository.Runner, worktree, "main", shown.Tree, CancellationToken.None), files ?? await TreeChanges.BetweenAsync(_repository.Runner, worktree, "main", shown.Tree, CancellationToken.None));
            came += files is null ? 0 : 1;
            var head = TestRepository.TryGit(worktree, "rev-parse", "--verify", "--quiet", "HEAD^{commit}");
            Assert.Equal(head.Code == 0 ? head.Output.Trim() : null, await look.HeadAsync(CancellationToken.None));
        }

        Assert.InRange(came, Steps / 20, Steps); // else nothing was taken in by name
    }

    private string Step(string worktree)
    {
        var name = Names[_random.Next(Names.Length)];
        var path = Path.Combine(worktree, name);
        switch (_random.Next(16))
        {
            case < 5:
                Clear(worktree, path);
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                File.WriteAllText(path, $"{_random.Next()}\n");
                return $"write {name}";
            case < 7:
                // As most programs write: beside it, then in its place.
                Clear(worktree, path);
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                var beside = Path.Combine(Path.GetTempPath(), $"kb-beside-{Guid.NewGuid():N}");
                File.WriteAllText(beside, $"{_random.Next()}\n");
                File.Move(beside, path);
                return $"move in {name}";
            case 7:
                Clear(worktree, path);
                return $"remove {name}";
            case 8:
                Clear(worktree, path);
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                File.CreateSymbolicLink(path, "a.txt");
                return $"link {name}";
            case 9 when File.Exists(path):
                TestRepository.Chmod(_random.Next(2) == 0 ? "644" : "755", path);
                return $"mode of {name}";
            case 10 when Directory.Exists(Path.Combine(worktree, "b")) && !Directory.Exists(Path.Combine(worktree, "moved")):
                Directory.Move(Path.Combine(worktree, "b"), Path.Combine(worktree, "moved"));
                return "move b";
            case 11 when Directory.Exists(Path.Combine(worktree, "moved")):
                Directory.Delete(Path.Combine(worktree, "moved"), recursive: true);
                return "remove moved";
            case 12:
                File.WriteAllText(Path.Combine(worktree, ".gitignore"), _random.Next(2) == 0 ? "ignored/\n" : "*.log\n");
                return ".gitignore";
            case 13:
                return Agent(worktree, _random.Next(3) switch { 0 => "add -A", 1 => "add -f ignored", _ => "rm -q --cached a.txt" });
            case 14:
                return Agent(worktree, _random.Next(5) switch { 0 => "commit -q --allow-empty -am agent", 1 => "reset -q --hard HEAD~1", 2 => "checkout -q --detach", 3 => "stash -q -u", _ => "clean -fdq" });
            case 15:
                return Agent(worktree, _random.Next(2) == 0 ? "status" : "pack-refs --all");
            default:
                return "nothing";
        }
    }

    private static string Agent(string worktree, string command)
    {
        _ = TestRepository.TryGit(worktree, command.Split(' '));
        return command;
    }

    private static void Clear(string worktree, string path)
    {
        for (var folder = Path.GetDirectoryName(path)!; folder != worktree; folder = Path.GetDirectoryName(folder)!)
        {
            if (File.Exists(folder) || new FileInfo(folder).LinkTarget is not null)
            {
                File.Delete(folder);
            }
        }

        if (Directory.Exists(path) && new DirectoryInfo(path).LinkTarget is null)
        {
            Directory.Delete(path, recursive: true);
        }
        else if (Directory.Exists(Path.GetDirectoryName(path)))
        {
            File.Delete(path);
        }
    }

    [Fact]
    public async Task Who_looks_is_told_of_a_change_and_nobody_is_after_that()
    {
        var (worktree, look) = await BeginAsync();
        var first = await look.ReadAsync([], CancellationToken.None);
        Assert.Same(first, await look.ReadAsync([], CancellationToken.None));
        Directory.CreateDirectory(Path.Combine(worktree, "new/folder"));
        File.WriteAllText(Path.Combine(worktree, "new/folder/f"), "new\n");
        Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref _touched) > 0, TimeSpan.FromSeconds(10)), "nobody was told");
        Assert.NotEqual(first.Tree, (await look.ReadAsync([], CancellationToken.None)).Tree);
        look.Dispose();
        Assert.Equal(await FreshAsync(worktree), (await look.ReadAsync([], CancellationToken.None)).Tree);
    }

    [Fact]
    public async Task What_is_written_into_an_open_file_is_seen_before_it_is_closed()
    {
        var (worktree, look) = await BeginAsync();
        using var held = look;
        await using var file = new FileStream(Path.Combine(worktree, "a.txt"), FileMode.Append);
        Assert.Equal(await FreshAsync(worktree), (await look.ReadAsync([], CancellationToken.None)).Tree);
        file.Write("more\n"u8);
        file.Flush();
        await ToldAsync();
        Assert.Equal(await FreshAsync(worktree), (await look.ReadAsync([], CancellationToken.None)).Tree);
    }

    [Fact]
    public async Task A_change_whose_look_was_cancelled_is_in_the_next()
    {
        var (worktree, look) = await BeginAsync();
        using var held = look;
        await look.ReadAsync([], CancellationToken.None);
        File.WriteAllText(Path.Combine(worktree, "a.txt"), "changed\n");
        await ToldAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => look.ReadAsync([], new CancellationToken(canceled: true)));
        Assert.Equal(await FreshAsync(worktree), (await look.ReadAsync([], CancellationToken.None)).Tree);
    }

    private async Task ToldAsync() => Assert.True(await Task.Run(() => SpinWait.SpinUntil(() => Volatile.Read(ref _touched) > 0, TimeSpan.FromSeconds(60))), "nobody was told");

    [Fact]
    public async Task A_repository_within_is_looked_at_anew_each_time_since_its_commits_are_written_elsewhere()
    {
        var (worktree, look) = await BeginAsync();
        using var held = look;
        var inner = Path.Combine(worktree, "inner");
        TestRepository.PlainGit(worktree, "init", "-q", inner);
        TestRepository.PlainGit(inner, "commit", "-q", "--allow-empty", "-m", "one");
        Assert.Equal(await FreshAsync(worktree), (await look.ReadAsync([], CancellationToken.None)).Tree);
        TestRepository.PlainGit(inner, "commit", "-q", "--allow-empty", "-m", "two");
        Assert.Equal(await FreshAsync(worktree), (await look.ReadAsync([], CancellationToken.None)).Tree);
    }

    [Fact]
    public async Task What_was_placed_is_no_part_of_it_however_it_changes()
    {
        var (worktree, look) = await BeginAsync();
        using var held = look;
        File.WriteAllText(Path.Combine(worktree, "placed"), "one\n");
        var first = (await look.ReadAsync(["placed"], CancellationToken.None)).Tree;
        File.WriteAllText(Path.Combine(worktree, "placed"), "two\n");
        File.WriteAllText(Path.Combine(worktree, "a.txt"), "two\n");
        var second = (await look.ReadAsync(["placed"], CancellationToken.None)).Tree;
        Assert.Equal("a.txt", TestRepository.PlainGit(worktree, "diff-tree", "-r", "--name-only", first, second).Trim());
    }
}
