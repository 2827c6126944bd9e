using KanBots.Sidecar.Git;

namespace KanBots.Sidecar.Tests.Git;

/// <summary>Many pairs asked at once, against a merge of each that plain git makes in the working tree.</summary>
public sealed class ConflictsTests : IDisposable
{
    private readonly TestRepository _repository = new();

    public void Dispose() => _repository.Dispose();

    [Fact]
    public async Task Each_pair_has_the_files_that_a_merge_of_it_leaves_in_conflict()
    {
        var start = _repository.Head;
        string[] strange = ["0", "1", "a\nb", "ü \"x\".txt"];
        var commits = new List<string>();
        foreach (var (name, files) in new[] { ("one", strange), ("two", strange[1..]), ("three", new[] { "alone" }), ("four", ["readme.txt", "a\nb"]), ("five", ["readme.txt"]) })
        {
            _repository.Git("checkout", "-q", "--detach", start);
            foreach (var file in files)
            {
                _repository.Write(file, $"{name}\n");
            }

            commits.Add(_repository.Commit(name));
        }

        _repository.Git("checkout", "-q", "--orphan", "apart");
        commits.Add(_repository.Commit("without a common beginning"));
        var pairs = commits.SelectMany((one, at) => commits.Skip(at + 1).Select(other => (one, other))).ToList();
        var answers = await Conflicts.BetweenAsync(_repository.Runner, _repository.Folder, pairs, CancellationToken.None);
        Assert.Equal(pairs.Count, answers.Count);
        foreach (var ((one, other), answer) in pairs.Zip(answers))
        {
            Assert.Equal(Merged(one, other), answer.Order(StringComparer.Ordinal));
        }

        Assert.Contains(answers, answer => answer.Count == 3);
        Assert.Contains(answers, answer => answer.Count == 0);
        var refused = await Assert.ThrowsAsync<GitFailure>(() => Conflicts.BetweenAsync(_repository.Runner, _repository.Folder, [(commits[0], commits[1]), (commits[0], new string('1', 40)), (commits[1], commits[2])], CancellationToken.None));
        Assert.Equal("gitFailed", refused.Kind);
    }

    private IEnumerable<string> Merged(string one, string other)
    {
        _repository.Git("checkout", "-q", "-f", "--detach", one);
        _ = TestRepository.TryGit(_repository.Folder, "merge", "-q", "--no-commit", "--no-ff", "--allow-unrelated-histories", other);
        var left = _repository.Git("diff", "--name-only", "--diff-filter=U", "-z").Split('\0', StringSplitOptions.RemoveEmptyEntries);
        _repository.Git("reset", "-q", "--hard");
        return left.Order(StringComparer.Ordinal);
    }
}
