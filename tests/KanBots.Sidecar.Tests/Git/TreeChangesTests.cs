using KanBots.Sidecar.Git;

namespace KanBots.Sidecar.Tests.Git;

/// <summary>What differs between two trees, against git's answers to simpler questions.</summary>
public sealed class TreeChangesTests : IDisposable
{
    private readonly TestRepository _repository = new();

    public void Dispose() => _repository.Dispose();

    private Task<IReadOnlyList<FileChange>> BetweenAsync(string from, string to) => TreeChanges.BetweenAsync(_repository.Runner, _repository.Folder, from, to, CancellationToken.None);

    [Fact]
    public async Task Each_kind_of_change_is_what_git_says_it_is()
    {
        var text = string.Concat(Enumerable.Range(0, 40).Select(i => $"line {i}\n"));
        foreach (var path in new[] { "gone", "edited", "moved", "moved\tand\nedited", "script", "link" })
        {
            _repository.Write(path, $"{path}\n{text.Replace("line", path, StringComparison.Ordinal)}");
        }

        File.WriteAllBytes(Path.Combine(_repository.Folder, "picture"), [0, 1, 2, 3]);
        var from = _repository.Commit("before");
        File.Delete(Path.Combine(_repository.Folder, "gone"));
        _repository.Write("edited", $"other\n{text.Replace("line", "edited", StringComparison.Ordinal)}more\n");
        Directory.CreateDirectory(Path.Combine(_repository.Folder, "to"));
        File.Move(Path.Combine(_repository.Folder, "moved"), Path.Combine(_repository.Folder, "to/moved"));
        File.Delete(Path.Combine(_repository.Folder, "moved\tand\nedited"));
        _repository.Write("to/\"new\" näme\n", $"moved and edited\n{text.Replace("line", "moved\tand\nedited", StringComparison.Ordinal)}");
        TestRepository.Chmod("755", Path.Combine(_repository.Folder, "script"));
        File.Delete(Path.Combine(_repository.Folder, "link"));
        File.CreateSymbolicLink(Path.Combine(_repository.Folder, "link"), "edited");
        File.WriteAllBytes(Path.Combine(_repository.Folder, "picture"), [0, 9, 9]);
        _repository.Write("new", "a\nb\n");
        var to = _repository.Commit("after");

        var files = (await BetweenAsync(from, to)).ToDictionary(file => file.Path);
        Assert.Equal(["edited", "gone", "link", "new", "picture", "script", "to/\"new\" näme\n", "to/moved"], files.Keys.Order(StringComparer.Ordinal));
        Assert.Equal((FileStatus.Modified, 2, 1), (files["edited"].Status, files["edited"].Insertions, files["edited"].Deletions));
        Assert.Equal((FileStatus.Deleted, 0, 41, "000000"), (files["gone"].Status, files["gone"].Insertions, files["gone"].Deletions, files["gone"].Mode));
        Assert.Equal((FileStatus.TypeChanged, "100644", "120000"), (files["link"].Status, files["link"].PreviousMode, files["link"].Mode));
        Assert.Equal((FileStatus.Added, 2, 0, "000000", "100644"), (files["new"].Status, files["new"].Insertions, files["new"].Deletions, files["new"].PreviousMode, files["new"].Mode));
        Assert.Equal((FileStatus.Modified, true, 0), (files["picture"].Status, files["picture"].IsBinary, files["picture"].Insertions));
        Assert.Equal((FileStatus.Modified, "100644", "100755", 0), (files["script"].Status, files["script"].PreviousMode, files["script"].Mode, files["script"].Insertions));
        Assert.Equal((FileStatus.Renamed, "moved", 0, 0), (files["to/moved"].Status, files["to/moved"].PreviousPath, files["to/moved"].Insertions, files["to/moved"].Deletions));
        Assert.Equal((FileStatus.Renamed, "moved\tand\nedited", 1, 2), (files["to/\"new\" näme\n"].Status, files["to/\"new\" näme\n"].PreviousPath, files["to/\"new\" näme\n"].Insertions, files["to/\"new\" näme\n"].Deletions));
        Assert.All(files.Values.Where(file => file.Status != FileStatus.Deleted), file => Assert.Equal(_repository.Git("rev-parse", $"{to}:{file.Path}").Trim(), file.Blob));
    }

    [Fact]
    public async Task Equal_trees_have_no_changes_and_settings_of_the_user_change_none()
    {
        Assert.Empty(await BetweenAsync("HEAD", "HEAD^{tree}"));
        var from = _repository.Head;
        _repository.Write("readme.txt", "one\n");
        _repository.Write(".gitattributes", "*.txt diff=mine\n");
        var to = _repository.Commit("shorter");
        foreach (var (name, value) in new[] { ("diff.mine.command", "false"), ("diff.mine.textconv", "false"), ("diff.external", "false"), ("diff.renames", "copies"), ("diff.noprefix", "true"), ("color.ui", "always"), ("diff.ignoreSubmodules", "all"), ("core.quotePath", "true") })
        {
            _repository.Git("config", name, value);
        }

        Assert.Equal([(".gitattributes", 1, 0), ("readme.txt", 0, 1)], (await BetweenAsync(from, to)).Select(file => (file.Path, file.Insertions, file.Deletions)));
    }
}
