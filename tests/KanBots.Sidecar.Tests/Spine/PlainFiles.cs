using KanBots.Sidecar.Tests.Git;

namespace KanBots.Sidecar.Tests.Spine;

/// <summary>Files as the file system has them and as plain git has them in a tree, in one form: a link says where it points, and what can be
/// executed says so.</summary>
internal static class PlainFiles
{
    internal static SortedDictionary<string, string> Empty() => new(StringComparer.Ordinal);

    /// <param name="without">What is not looked at, from the top.</param>
    internal static SortedDictionary<string, string> Of(string folder, params string[] without)
    {
        var files = Empty();
        Add(files, folder, "", without);
        return files;
    }

    private static void Add(SortedDictionary<string, string> files, string folder, string prefix, string[] without)
    {
        foreach (var entry in new DirectoryInfo(folder).EnumerateFileSystemInfos())
        {
            var name = prefix + entry.Name;
            if (without.Contains(name))
            {
                continue;
            }

            if (entry.LinkTarget is null && entry is DirectoryInfo)
            {
                Add(files, entry.FullName, $"{name}/", without);
                continue;
            }

            files[name] = entry.LinkTarget is { } target ? $"link to {target}" : (entry.UnixFileMode.HasFlag(UnixFileMode.UserExecute) ? "executable " : "") + File.ReadAllText(entry.FullName);
        }
    }

    internal static SortedDictionary<string, string> OfTree(string repository, string tree)
    {
        var entries = TestRepository.PlainGit(repository, "ls-tree", "-r", "-z", "--full-tree", tree).Split('\0', StringSplitOptions.RemoveEmptyEntries).Select(entry => (Mode: entry[..6], Name: entry.Split('\t', 2)[1])).ToList();
        var files = Empty();
        foreach (var (entry, content) in entries.Zip(Contents(repository, entries.Select(entry => (tree, entry.Name)))))
        {
            files[entry.Name] = entry.Mode switch { "120000" => "link to ", "100755" => "executable ", _ => "" } + content;
        }

        return files;
    }

    /// <summary>Each is read from its tree, all by one git.</summary>
    internal static void AssertReadable(string repository, IEnumerable<(string Tree, SortedDictionary<string, string> Files)> kept)
    {
        var wanted = kept.SelectMany(one => one.Files.Select(file => (one.Tree, Name: file.Key, Text: file.Value))).ToList();
        var there = Contents(repository, wanted.Select(file => (file.Tree, file.Name)));
        Assert.Equal(wanted.Count, there.Count);
        foreach (var (file, content) in wanted.Zip(there))
        {
            Assert.True(file.Text.EndsWith(content, StringComparison.Ordinal) && (content.Length == file.Text.Length || file.Text[..^content.Length] is "link to " or "executable "), $"{file.Name} of {file.Tree} is '{content}' and was '{file.Text}'");
        }
    }

    private static List<string> Contents(string repository, IEnumerable<(string Tree, string Name)> files)
    {
        var names = Path.GetTempFileName();
        try
        {
            File.WriteAllText(names, string.Concat(files.Select(file => $"{file.Tree}:{file.Name}\0")));
            using var git = TestRepository.Start(repository, "/bin/sh", "-c", "exec git cat-file --batch -z < \"$0\"", names);
            var said = git.StandardOutput.ReadToEnd();
            var contents = new List<string>();
            for (var at = 0; at < said.Length;)
            {
                var end = said.IndexOf('\n', at);
                var header = said[at..end].Split(' ');
                Assert.True(header is [_, "blob", _], $"git cat-file: {said[at..end]}");
                var size = int.Parse(header[2]);
                contents.Add(said.Substring(end + 1, size));
                at = end + 1 + size + 1;
            }

            return contents;
        }
        finally
        {
            File.Delete(names);
        }
    }
}
