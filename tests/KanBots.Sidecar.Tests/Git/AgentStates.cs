using System.Security.Cryptography;
using KanBots.Sidecar.Git;

namespace KanBots.Sidecar.Tests.Git;

/// <summary>A state in which an agent leaves its worktree, as shell scripts.</summary>
/// <param name="Work">What the agent does there.</param>
internal sealed partial record AgentState(string Work)
{
    /// <summary>What lies in the repository when the run begins; all of it is committed.</summary>
    internal string Begun { get; init; } = "";

    /// <summary>What another commits on `next` meanwhile.</summary>
    internal string Another { get; init; } = "echo another >another.txt";

    /// <summary>The user's configuration, with `{git}` for the repository's git folder; every clone has it too.</summary>
    internal string[] Config { get; init; } = [];

    /// <summary>What git cannot take in.</summary>
    internal string[] Left { get; init; } = [];

    /// <summary>Files that are in the tree and not in the worktree.</summary>
    internal string[] Unseen { get; init; } = [];

    /// <summary>Files that no checkout gives back byte for byte, such as those with line endings of both kinds.</summary>
    internal string[] Rewritten { get; init; } = [];

    /// <summary>Bytes of a file `big.bin` of noise.</summary>
    internal int Big { get; init; }
}

/// <summary>Each state is made once, for all strategies: what lands may not change it.</summary>
public sealed class AgentStates : IDisposable
{
    private readonly Dictionary<string, (WorkedState State, Task Making)> _made = [];

    internal async Task<WorkedState> OfAsync(string name)
    {
        if (!_made.TryGetValue(name, out var made))
        {
            var state = new WorkedState(AgentState.All[name]);
            _made[name] = made = (state, state.MakeAsync());
        }

        await made.Making;
        return made.State;
    }

    public void Dispose()
    {
        foreach (var (state, _) in _made.Values)
        {
            state.Dispose();
        }
    }
}

/// <summary>A repository in whose one worktree an agent has worked, its checkpoint, and what plain git makes of the same.</summary>
internal sealed class WorkedState(AgentState state) : IDisposable
{
    private const int Seed = 20261201;
    private const string User = "Una User";

    private readonly TestRepository _repository = new();
    private readonly string _scratch = Directory.CreateTempSubdirectory("kb-scratch-").FullName;
    private string _base = "";
    private string? _head;
    private string _another = "";

    internal AgentState State => state;

    internal TestRepository Repository => _repository;

    internal string Worktree { get; private set; } = "";

    internal Checkpoint Checkpoint { get; private set; } = new("", []);

    /// <summary>What could be seen before the checkpoint was taken, and after.</summary>
    internal (string Before, string After) Looks { get; private set; }

    /// <summary>The tree of `next` with the work merged, by plain git in a clone.</summary>
    internal string Both { get; private set; } = "";

    internal string Head => _head ?? _base;

    public void Dispose()
    {
        Directory.Delete(_scratch, recursive: true);
        _repository.Dispose();
    }

    internal async Task MakeAsync()
    {
        foreach (var setting in Config.Select(setting => setting.Split('=', 2)))
        {
            _repository.Git("config", setting[0], setting[1]);
        }

        Run(_repository.Folder, """
            mkdir folder; echo ignored/ >.gitignore; echo deep >folder/deep.txt; echo gone >gone.txt
            printf 'top\n\n\n\nmiddle\n\n\n\nbottom\n' >shared.txt
            """);
        Run(_repository.Folder, state.Begun);
        _base = _repository.Commit("begun");
        _another = Clone("another", "--shared");
        Run(_another, $"git checkout -q -b next; {state.Another}\ngit add -A; git commit -q -m another; git push -q origin next");
        Run(_repository.Folder, "echo stashed >stashed.txt; git add stashed.txt; git stash -q; echo at it >>readme.txt; echo staged >staged-by-user.txt; git add staged-by-user.txt; echo loose >loose-of-user.txt");

        Worktree = await _repository.AddAsync(7, 1);
        WriteNoise(Path.Combine(Worktree, "big.bin"), state.Big);
        Run(Worktree, state.Work);
        var before = Look();
        Checkpoint = await Checkpoint.WriteAsync(_repository.Runner, Worktree, [], _scratch, CancellationToken.None);
        await _repository.KeepAsync(Worktree, 7, 1, "1-00000000", Checkpoint.Tree);
        Looks = (before, Look());

        _head = TestRepository.TryGit(Worktree, "rev-parse", "--verify", "--quiet", "HEAD^{commit}") is (0, var said, _) ? said.Trim() : null;
        Both = Merged();
    }

    /// <summary>A commit of the tree on what the agent has committed since the run began, or on what it began on when that is not in its
    /// history any more.</summary>
    private string Merged()
    {
        var parent = TestRepository.TryGit(_repository.Folder, "merge-base", "--is-ancestor", _base, Head).Code == 0 ? Head : _base;
        var work = _repository.Git("commit-tree", Checkpoint.Tree, "-p", parent, "-m", "work").Trim();
        TestRepository.PlainGit(_another, "pull", "-q", "--ff-only", "origin", "next");
        TestRepository.PlainGit(_another, "fetch", "-q", "origin", work);
        TestRepository.PlainGit(_another, "merge", "-q", "--no-edit", work);
        return TestRepository.PlainGit(_another, "rev-parse", "HEAD^{tree}").Trim();
    }

    internal async Task<string> LandAsync(string branch, LandingStrategy strategy)
    {
        var repository = await _repository.FindAsync();
        var landing = await new LandingMaker(_repository.Runner, repository, _scratch, CancellationToken.None).MakeAsync(new LandingWish(branch, strategy, _base, _head, Checkpoint.Tree, "Land it", null));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_scratch));
        await Checkout.LandAsync(_repository.Runner, repository, landing, CancellationToken.None);
        Assert.Equal(landing.Commit, _repository.Git("rev-parse", $"refs/heads/{branch}").Trim());
        return landing.Commit;
    }

    internal string Tree(string commit) => _repository.Git("rev-parse", $"{commit}^{{tree}}").Trim();

    /// <summary>Through a copy of the agent's index, and into a store of its own, so that none of it is there because of this.</summary>
    internal string TreeByGit()
    {
        File.Copy(Path.Combine(Worktrees.RecordIn(Worktree), "index"), Path.Combine(_repository.Root, "index"));
        Directory.CreateDirectory(Path.Combine(_repository.Root, "objects"));
        return Run(Worktree, $"""
            export GIT_INDEX_FILE='{_repository.Root}/index' GIT_OBJECT_DIRECTORY='{_repository.Root}/objects' GIT_ALTERNATE_OBJECT_DIRECTORIES='{_repository.Folder}/.git/objects'
            git add -A --sparse; git write-tree
            """).Trim();
    }

    /// <summary>Path, mode and blob of each file of a tree.</summary>
    internal SortedDictionary<string, string> Entries(string tree) => new(
        _repository.Git("ls-tree", "-r", "-z", tree).Split('\0', StringSplitOptions.RemoveEmptyEntries).Select(entry => entry.Split('\t', 2)).ToDictionary(parts => parts[1], parts => $"{parts[0].Split(' ')[0]} {parts[0].Split(' ')[2]}"), StringComparer.Ordinal);

    /// <summary>The same of what lies in the worktree, each file asked for by itself.</summary>
    internal SortedDictionary<string, string> EntriesByFile()
    {
        var entries = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (path, said) in Files(Worktree))
        {
            entries[path] = $"{said.Split(' ')[0]} {TestRepository.PlainGit(Worktree, "hash-object", $"--path={path}", "--", path).Trim()}";
        }

        return entries;
    }

    internal string Clone(string name, params string[] options)
    {
        var folder = Path.Combine(_repository.Root, name);
        TestRepository.PlainGit(_repository.Root, ["clone", "-q", .. options, .. Config.SelectMany(setting => new[] { "-c", setting }), _repository.Folder, folder]);
        return folder;
    }

    private IEnumerable<string> Config => state.Config.Prepend($"user.name={User}").Prepend("user.email=una@example.com").Select(setting => setting.Replace("{git}", $"{_repository.Folder}/.git", StringComparison.Ordinal));

    /// <summary>Of the agent everything that is its own, of the user everything but the branches that are to be landed on.</summary>
    internal string Look(params string[] targets) => string.Join('\n',
    [
        .. Files(Worktree).Select(file => $"the agent's {file.Key} {file.Value} {new FileInfo(Path.Combine(Worktree, file.Key)).LastWriteTimeUtc:O}"),
        .. Files(Worktrees.RecordIn(Worktree)).Select(file => $"the agent's git folder: {file.Key} {file.Value}"),
        .. Files(_repository.Folder).Select(file => $"the user's {file.Key} {file.Value}"),
        .. Directory.GetFiles(Path.Combine(_repository.Folder, ".git")).Append(Path.Combine(_repository.Folder, ".git", "info", "exclude")).Order(StringComparer.Ordinal).Select(file => $"{file} {Hash(file)}"),
        _repository.Git("--no-optional-locks", "status", "--porcelain", "--untracked-files=all"),
        _repository.Git("stash", "list", "--format=%gd %H"),
        .. _repository.Git("for-each-ref", "--format=%(refname) %(objectname)").Split('\n').Where(line => !line.StartsWith("refs/kanbots/", StringComparison.Ordinal) && !targets.Any(target => line.StartsWith($"refs/heads/{target} ", StringComparison.Ordinal))),
    ]);

    /// <summary>Each file with its mode and what is in it; a link with where it points. Not what git ignores, nor what is a repository of its own.</summary>
    internal static SortedDictionary<string, string> Files(string folder)
    {
        var files = new SortedDictionary<string, string>(StringComparer.Ordinal);
        Add(new DirectoryInfo(folder));
        return files;

        void Add(DirectoryInfo place)
        {
            foreach (var entry in place.EnumerateFileSystemInfos().Where(entry => entry.Name is not (".git" or "ignored")))
            {
                var path = Path.GetRelativePath(folder, entry.FullName);
                if (entry.LinkTarget is { } target)
                {
                    files[path] = $"120000 {target}";
                }
                else if (entry is FileInfo)
                {
                    files[path] = $"{((entry.UnixFileMode & UnixFileMode.UserExecute) == 0 ? "100644" : "100755")} {Hash(entry.FullName)}";
                }
                else if (entry is DirectoryInfo inner && !Path.Exists(Path.Combine(inner.FullName, ".git")))
                {
                    Add(inner);
                }
            }
        }
    }

    private static string Hash(string file)
    {
        using var content = File.OpenRead(file);
        return Convert.ToHexString(SHA256.HashData(content));
    }

    private static void WriteNoise(string path, int bytes)
    {
        var (random, part) = (new Random(Seed), new byte[1 << 20]);
        for (var written = 0; written < bytes; written += part.Length)
        {
            random.NextBytes(part);
            using var file = new FileStream(path, FileMode.Append);
            file.Write(part);
        }
    }

    internal static string Run(string folder, string script)
    {
        using var shell = TestRepository.Start(folder, "/bin/sh", "-ec", script);
        var error = shell.StandardError.ReadToEndAsync();
        var said = shell.StandardOutput.ReadToEnd();
        shell.WaitForExit();
        Assert.True(shell.ExitCode == 0, $"{script}: {shell.ExitCode} {error.Result}");
        return said;
    }
}
