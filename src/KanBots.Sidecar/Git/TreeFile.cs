using System.Globalization;
using System.Text;

namespace KanBots.Sidecar.Git;

/// <summary>One file as a tree has it, before any filter that git applies in a working tree.</summary>
/// <param name="Mode">As git writes it: 100644, 100755, 120000 for a link (its content is its target), 160000 for a nested repository's
/// commit (its content is a sentence, as git's diff has it).</param>
/// <param name="Size">Bytes.</param>
/// <param name="Content">Null when it is larger than was asked for.</param>
internal sealed record TreeFile(string Mode, string Blob, long Size, ReadOnlyMemory<byte>? Content)
{
    private const string Commit = "160000";

    /// <param name="treeish">A tree, a commit, or a name of one.</param>
    /// <param name="path">From the top, with slashes.</param>
    /// <returns>Null when the tree has no such file.</returns>
    internal static async Task<TreeFile?> ReadAsync(GitRunner git, string folder, string treeish, string path, long bytesMax, CancellationToken cancellation)
    {
        if (path.Split('/').Any(part => part is "" or "." or ".."))
        {
            return null; // git would take it for a path in the working tree
        }

        var listed = (await git.RunAsync(new GitCommand("ls-tree", folder, ["--literal-pathspecs", "ls-tree", "-z", "--long", "--full-tree", treeish, "--", path]), cancellation)).Text;
        if (listed.Split('\t', 2)[0].Split(' ', StringSplitOptions.RemoveEmptyEntries) is not [var mode, var type, var id, var length] || type == "tree" || listed.Split('\t', 2)[1].TrimEnd('\0') != path)
        {
            return null;
        }

        if (mode == Commit)
        {
            var sentence = Encoding.UTF8.GetBytes($"Subproject commit {id}\n");
            return new TreeFile(mode, id, sentence.Length, sentence);
        }

        var size = long.Parse(length, CultureInfo.InvariantCulture);
        return new TreeFile(mode, id, size, size > bytesMax ? default(ReadOnlyMemory<byte>?) : (await git.RunAsync(new GitCommand("cat-file", folder, ["cat-file", "blob", id]), cancellation)).StandardOutput);
    }

    /// <returns>Bytes of each blob that is there.</returns>
    internal static Task<IReadOnlyDictionary<string, long>> SizesAsync(GitRunner git, string folder, IEnumerable<string> blobs, CancellationToken cancellation) => AskAsync(git, folder, blobs.Distinct(), null, cancellation);

    /// <returns>Bytes of the blobs that an index has at these paths.</returns>
    internal static Task<IReadOnlyDictionary<string, long>> SizesInIndexAsync(GitRunner git, string folder, IEnumerable<string> paths, string index, CancellationToken cancellation) =>
        AskAsync(git, folder, paths.Where(path => !path.Contains('\n', StringComparison.Ordinal)).Select(path => $":{path}"), index, cancellation);

    private static async Task<IReadOnlyDictionary<string, long>> AskAsync(GitRunner git, string folder, IEnumerable<string> names, string? index, CancellationToken cancellation)
    {
        var asked = Encoding.UTF8.GetBytes(string.Concat(names.Select(name => $"{name}\n")));
        var said = asked.Length == 0 ? "" : (await git.RunAsync(new GitCommand("cat-file", folder, ["cat-file", "--batch-check=%(objectname) %(objecttype) %(objectsize)"], IndexFile: index, Input: asked), cancellation)).Text;
        var sizes = new Dictionary<string, long>();
        foreach (var words in said.Split('\n').Select(line => line.Split(' ')))
        {
            // What is not there is named as it was asked for, and a path may look like anything.
            if (words is [var blob, "blob", var size] && blob.All(char.IsAsciiHexDigit) && long.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out var bytes))
            {
                sizes[blob] = bytes;
            }
        }

        return sizes;
    }
}
