using System.Globalization;
using KanBots.Sidecar.Git;
using Xunit.Abstractions;

namespace KanBots.Sidecar.Tests.Git;

/// <summary>Whatever an agent, a person and git's own housekeeping do: what lay in a worktree at a checkpoint, or when it was discarded, is
/// still to be had, and of the person's nothing has changed that nobody asked for. Plain git and plain files say so.</summary>
public sealed class NothingLostTests(ITestOutputHelper output)
{
    private const int Seed = 20261127;
    private const int Steps = 14;

    private static readonly int Sequences = Environment.GetEnvironmentVariable("KANBOTS_LONG") == "1" ? 2_000 : 100;

    private static readonly string[] Names = ["a.txt", "b/c.txt", "b/d e.txt", "ü.txt", "two\nlines", "-n", "ignored/x", "b", "deep/er/file", "*.txt"];

    [Fact]
    public async Task What_was_kept_is_to_be_had_after_any_sequence()
    {
        for (var number = 0; number < Sequences; number++)
        {
            var sequence = new Sequence(Seed + number);
            try
            {
                await sequence.RunAsync();
            }
            catch (Exception failure)
            {
                throw new InvalidOperationException($"Seed {Seed + number}: {string.Join(", ", sequence.Done)}", failure);
            }
            finally
            {
                sequence.Dispose();
            }
        }

        output.WriteLine($"{Sequences} sequences of {Steps} steps from seed {Seed} on");
    }

    private sealed class Sequence : IDisposable
    {
        private const string Branch = "kanbots/issue-7-1";

        private readonly TestRepository _repository = new();
        private readonly string _scratch = Directory.CreateTempSubdirectory("kb-scratch-").FullName;
        private readonly Random _random;
        private readonly List<(string Tree, SortedDictionary<string, string> Files)> _kept = [];
        private readonly List<string> _landed = [];
        private Repository _found = null!;
        private string _worktree = "";
        private bool _discarded;
        private (string, string, string, string, string) _persons;

        internal Sequence(int seed)
        {
            _random = new Random(seed);
            _repository.Git("config", "user.name", "Una");
            _repository.Git("config", "user.email", "una@example.com");
        }

        internal List<string> Done { get; } = [];

        private string Place => Path.Combine(_repository.Folder, ".git", "kanbots", "trash", "issue-7-1");

        internal async Task RunAsync()
        {
            _repository.Write(".gitignore", "ignored/\n");
            _repository.Write("a.txt", "start\n");
            _repository.Commit("start");
            _repository.Write("mine.txt", "stashed\n");
            _repository.Git("add", "mine.txt");
            _repository.Git("stash");
            _found = await _repository.FindAsync();
            _worktree = await _repository.AddAsync(7, 1);
            _repository.Write("readme.txt", "the person is at it\n");
            _persons = Persons();
            for (var step = 0; step < Steps; step++)
            {
                await StepAsync(_random.Next(14));
            }

            if (_discarded)
            {
                await RestoreAsync();
            }

            Check();
        }

        private async Task StepAsync(int what)
        {
            switch (what)
            {
                case < 4 when !_discarded:
                    Write();
                    break;
                case 4 when !_discarded:
                    Note("remove", () => Remove(Path.Combine(_worktree, Names[_random.Next(Names.Length)])));
                    break;
                case 5 when !_discarded:
                    Agent("add -A");
                    Agent("commit -q --allow-empty -m agent");
                    break;
                case 6 when !_discarded:
                    Agent(_random.Next(4) switch { 0 => "reset -q --hard HEAD~1", 1 => "commit -q --amend --allow-empty -m amended", 2 => "clean -fdq", _ => "checkout -q --detach" });
                    break;
                case 7 when !_discarded:
                    Agent(_random.Next(2) == 0 ? $"checkout -q -B {Branch}" : "checkout -q -B agents-own");
                    break;
                case 8 or 9 when !_discarded:
                    await KeepAsync();
                    break;
                case 10:
                    await (_discarded ? RestoreAsync() : DiscardAsync());
                    break;
                case 11 when !_discarded:
                    await PromoteAsync();
                    break;
                default:
                    Housekeeping();
                    break;
            }
        }

        private void Note(string what, Action work)
        {
            Done.Add(what);
            work();
        }

        private void Write()
        {
            var (name, text) = (Names[_random.Next(Names.Length)], $"{_random.Next()}\n");
            Done.Add($"write {name.ReplaceLineEndings("\\n")}");
            var path = Path.Combine(_worktree, name);
            for (var folder = Path.GetDirectoryName(path)!; folder != _worktree; folder = Path.GetDirectoryName(folder)!)
            {
                if (File.Exists(folder))
                {
                    File.Delete(folder);
                }
            }

            Remove(path);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, text);
        }

        private static void Remove(string path)
        {
            if (Directory.Exists(path))
            {
                Directory.Delete(path, recursive: true);
            }

            if (File.Exists(path))
            {
                File.Delete(path);
            }
        }

        /// <summary>What cannot be, such as a reset beyond the first commit, changes nothing.</summary>
        private void Agent(string command) => Note($"agent: {command}", () => _ = TestRepository.TryGit(_worktree, command.Split(' ')));

        private async Task<Checkpoint> KeepAsync()
        {
            Done.Add("checkpoint");
            var taken = await Checkpoint.WriteAsync(_repository.Runner, _worktree, [], _scratch, CancellationToken.None);
            Assert.Empty(taken.Left);
            await _repository.KeepAsync(_worktree, 7, 1, string.Create(CultureInfo.InvariantCulture, $"{_kept.Count}-{taken.Tree[..8]}"), taken.Tree);
            _kept.Add((taken.Tree, Files(ignored: false)));
            return taken;
        }

        private async Task DiscardAsync()
        {
            Done.Add("discard");
            var whole = Files(ignored: true);
            Assert.Equal(Place, await Trash.PutAsync(_repository.Runner, _found, _worktree, Branch, Place, Trash.RefOf(7, 1), CancellationToken.None));
            _discarded = true;
            _atDiscard = whole;
        }

        private SortedDictionary<string, string> _atDiscard = [];

        private async Task RestoreAsync()
        {
            Done.Add("restore");
            await Trash.RestoreAsync(_repository.Runner, _found, _worktree, Branch, Place, Trash.RefOf(7, 1), CancellationToken.None);
            _discarded = false;
            Assert.Equal(_atDiscard, Files(ignored: true));
        }

        private async Task PromoteAsync()
        {
            var taken = await KeepAsync();
            Done.Add("promote");
            var head = TestRepository.TryGit(_worktree, "rev-parse", "--verify", "--quiet", "HEAD^{commit}");
            var wish = new LandingWish($"landed-{_landed.Count}", (LandingStrategy)_random.Next(3), _repository.Head, head.Code == 0 ? head.Output.Trim() : null, taken.Tree, "landed", null);
            try
            {
                var landing = await new LandingMaker(_repository.Runner, _found, _scratch, CancellationToken.None).MakeAsync(wish);
                await Checkout.LandAsync(_repository.Runner, _found, landing, CancellationToken.None);
                Assert.Equal(taken.Tree, _repository.Git("rev-parse", $"{landing.Commit}^{{tree}}").Trim());
                _landed.Add(landing.Commit);
            }
            catch (GitFailure nothing) when (nothing.Kind == "nothingToLand")
            {
                Assert.Equal(taken.Tree, _repository.Git("rev-parse", "HEAD^{tree}").Trim());
            }
        }

        private void Housekeeping()
        {
            var command = _random.Next(5) switch { 0 => "gc -q --prune=now", 1 => "worktree prune --expire now", 2 => "reflog expire --expire=now --expire-unreachable=now --all", 3 => "prune --expire now", _ => "pack-refs --all" };
            Note(command, () => _repository.Git(command.Split(' ')));
        }

        /// <summary>Every file with its content, but git's own.</summary>
        private SortedDictionary<string, string> Files(bool ignored)
        {
            var files = new SortedDictionary<string, string>(StringComparer.Ordinal);
            foreach (var path in Directory.EnumerateFiles(_worktree, "*", SearchOption.AllDirectories))
            {
                var name = Path.GetRelativePath(_worktree, path);
                if (name != ".git" && (ignored || !name.StartsWith("ignored/", StringComparison.Ordinal) || !File.Exists(Path.Combine(_worktree, ".gitignore"))))
                {
                    files[name] = File.ReadAllText(path);
                }
            }

            return files;
        }

        private (string, string, string, string, string) Persons() => (
            _repository.Git("status", "--porcelain", "--", ":!.kanbots"),
            _repository.Git("ls-files", "--stage"),
            _repository.Git("show", "--stat", "--format=%s", "refs/stash"),
            File.ReadAllText(Path.Combine(_repository.Folder, ".git/config")),
            string.Concat(_repository.Git("for-each-ref", "--format=%(refname) %(objectname)", "refs/heads/main", "refs/tags", "refs/stash")));

        private void Check()
        {
            Assert.Equal(_persons, Persons());
            Assert.Equal("the person is at it\n", File.ReadAllText(Path.Combine(_repository.Folder, "readme.txt")));
            _repository.Git("fsck", "--connectivity-only");
            foreach (var (tree, files) in _kept)
            {
                var there = new SortedDictionary<string, string>(StringComparer.Ordinal);
                foreach (var entry in _repository.Git("ls-tree", "-r", "-z", tree).Split('\0', StringSplitOptions.RemoveEmptyEntries))
                {
                    there[entry.Split('\t', 2)[1]] = _repository.Git("cat-file", "blob", entry.Split('\t', 2)[0].Split(' ')[2]);
                }

                Assert.Equal(files, there);
            }

            Assert.All(_landed, commit => Assert.Equal("commit", _repository.Git("cat-file", "-t", commit).Trim()));
        }

        public void Dispose()
        {
            Directory.Delete(_scratch, recursive: true);
            _repository.Dispose();
        }
    }
}
