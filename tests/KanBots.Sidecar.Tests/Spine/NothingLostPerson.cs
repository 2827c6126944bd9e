using KanBots.Sidecar.Tests.Git;

namespace KanBots.Sidecar.Tests.Spine;

/// <summary>The user of the repository: a main checkout with work of its own, branches, a stash. All of it is written down as plain git and
/// plain files say it, and is compared whenever somebody comes in: between two of the user's own steps it changes by a landing only, and
/// then exactly by what has landed.</summary>
internal sealed class NothingLostPerson
{
    private static readonly string[] Names = ["readme.txt", "a.txt", "b/c.txt", "mine.txt", "deep/er/f"];

    private readonly string _folder;
    private readonly Lock _gate = new();
    private SortedDictionary<string, string> _facts;

    internal NothingLostPerson(string folder)
    {
        _folder = folder;
        Git("config", "user.name", "Una User");
        Git("config", "user.email", "una@example.com");
        Git("config", "gc.auto", "0");
        File.AppendAllText(Path.Combine(folder, ".git", "info", "exclude"), "ignored/\n");
        Write("a.txt", "start\n");
        Git("add", "-A");
        Git("commit", "-qm", "start");
        Git("branch", "other");
        Git("branch", "next");
        Write("mine.txt", "stashed\n");
        Git("stash", "-qu");
        Write("ignored/mine", "ignored\n");
        Write("readme.txt", "the user is at it\n");
        _facts = Facts();
    }

    private string Git(params string[] arguments) => TestRepository.PlainGit(_folder, arguments);

    private void Write(string name, string text)
    {
        var path = Path.Combine(_folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.Delete(path); // a link may have landed there
        File.WriteAllText(path, text);
    }

    /// <summary>What is the runs' own, or was asked for as a new branch, is not the user's.</summary>
    private SortedDictionary<string, string> Facts()
    {
        var facts = PlainFiles.Empty();
        foreach (var (name, content) in PlainFiles.Of(_folder, ".git", ".kanbots"))
        {
            facts[$"file {name}"] = content;
        }

        foreach (var line in Git("for-each-ref", "--format=%(refname) %(objectname)").Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!new[] { "refs/kanbots/", "refs/heads/kanbots/", "refs/heads/landed/", "refs/heads/agents/" }.Any(ours => line.StartsWith(ours, StringComparison.Ordinal)))
            {
                facts[line.Split(' ')[0]] = line.Split(' ')[1];
            }
        }

        foreach (var entry in Git("ls-files", "--stage", "-z").Split('\0', StringSplitOptions.RemoveEmptyEntries))
        {
            facts[$"index {entry.Split('\t', 2)[1]}"] = entry.Split('\t', 2)[0];
        }

        facts["HEAD"] = File.ReadAllText(Path.Combine(_folder, ".git", "HEAD"));
        facts["stash"] = Git("stash", "list", "--format=%H");
        facts["config"] = File.ReadAllText(Path.Combine(_folder, ".git", "config"));
        return facts;
    }

    /// <summary>Nothing has changed since it was written down.</summary>
    internal void Check()
    {
        lock (_gate)
        {
            AssertSame(_facts, Facts());
        }
    }

    private static void AssertSame(SortedDictionary<string, string> expected, SortedDictionary<string, string> actual)
    {
        var differing = expected.Keys.Union(actual.Keys).Where(key => expected.GetValueOrDefault(key) != actual.GetValueOrDefault(key)).Select(key => $"{key} is '{actual.GetValueOrDefault(key)}' and not '{expected.GetValueOrDefault(key)}'");
        Assert.True(!differing.Any(), $"The user's: {string.Join("; ", differing)}");
    }

    /// <returns>What was done.</returns>
    internal string Work(Random random)
    {
        lock (_gate)
        {
            AssertSame(_facts, Facts());
            var name = Names[random.Next(Names.Length)];
            string[] command = random.Next(8) switch
            {
                0 => ["stash", "-q"],
                1 => ["stash", "-qu"],
                2 => ["checkout", "-q", "main"],
                3 => ["checkout", "-q", "other"],
                4 => ["commit", "-qam", "the user's"],
                5 => ["add", "-A"],
                _ => [],
            };
            if (command.Length > 0)
            {
                _ = TestRepository.TryGit(_folder, command); // nothing to stash, or a file in the way: then nothing is done
            }
            else if (!Directory.Exists(Path.Combine(_folder, name)) && !(name.Contains('/') && File.Exists(Path.Combine(_folder, name.Split('/')[0]))))
            {
                Write(name, $"the user's {random.Next()}\n");
            }

            _facts = Facts();
            return command.Length > 0 ? $"user: {string.Join(' ', command)}" : $"user: edit {name}";
        }
    }

    /// <summary>Whatever git does not track goes, and nothing else.</summary>
    internal void Clean()
    {
        lock (_gate)
        {
            AssertSame(_facts, Facts());
            Git("clean", "-ffdxq");
            foreach (var gone in _facts.Keys.Where(key => key.StartsWith("file ", StringComparison.Ordinal) && !_facts.ContainsKey($"index {key[5..]}")).ToList())
            {
                _facts.Remove(gone);
            }

            AssertSame(_facts, Facts());
        }
    }

    /// <param name="landing">Lands on the branch and gives the commit; null when it was refused.</param>
    internal void Lands(string branch, Func<string?> landing)
    {
        lock (_gate)
        {
            AssertSame(_facts, Facts());
            if (landing() is not { } commit)
            {
                AssertSame(_facts, Facts());
                return;
            }

            var before = _facts[$"refs/heads/{branch}"];
            Git("merge-base", "--is-ancestor", before, commit);
            var expected = new SortedDictionary<string, string>(_facts, StringComparer.Ordinal) { [$"refs/heads/{branch}"] = commit };
            if (_facts["HEAD"] == $"ref: refs/heads/{branch}\n")
            {
                var landed = PlainFiles.OfTree(_folder, commit);
                var fields = Git("diff-tree", "-r", "-z", "--no-renames", before, commit).Split('\0', StringSplitOptions.RemoveEmptyEntries);
                foreach (var (raw, name) in fields.Chunk(2).Select(pair => (pair[0].Split(' '), pair[1])))
                {
                    expected.Remove($"file {name}");
                    expected.Remove($"index {name}");
                    if (raw[4] != "D")
                    {
                        (expected[$"file {name}"], expected[$"index {name}"]) = (landed[name], $"{raw[1]} {raw[3]} 0");
                    }
                }
            }

            AssertSame(expected, Facts());
            _facts = expected;
        }
    }
}
