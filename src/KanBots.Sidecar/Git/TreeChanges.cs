using System.Globalization;

namespace KanBots.Sidecar.Git;

internal enum FileStatus { Added, Deleted, Modified, Renamed, TypeChanged }

/// <summary>One file that differs between two trees.</summary>
/// <param name="Path">In the newer tree, or in the older one when it was deleted; from the top, with slashes.</param>
/// <param name="PreviousPath">Of a renamed file.</param>
/// <param name="Insertions">Lines; 0 for a binary file.</param>
/// <param name="Mode">As git writes it, such as 100644, 120000 for a link, 160000 for a nested repository's commit; 000000 where there is none.</param>
/// <param name="Blob">Object id in the newer tree; zeros where there is none.</param>
internal sealed record FileChange(string Path, string? PreviousPath, FileStatus Status, int Insertions, int Deletions, bool IsBinary, string PreviousMode, string Mode, string PreviousBlob, string Blob);

/// <summary>What differs between two trees, by git's own account.</summary>
internal static class TreeChanges
{
    private static readonly string[] Told = ["-r", "-z", "--raw", "--numstat", "--find-renames", "--no-ext-diff", "--no-textconv"];

    internal static async Task<IReadOnlyList<FileChange>> BetweenAsync(GitRunner git, string folder, string from, string to, CancellationToken cancellation) =>
        Parse((await git.RunAsync(new GitCommand("diff-tree", folder, ["diff-tree", .. Told, from, to, "--"]), cancellation)).Text);

    /// <summary>Only which; of a renamed file both names.</summary>
    internal static async Task<string[]> PathsAsync(GitRunner git, string folder, string from, string to, CancellationToken cancellation) =>
        (await git.RunAsync(new GitCommand("diff-tree", folder, ["diff-tree", "-r", "-z", "--name-only", "--no-renames", from, to, "--"]), cancellation)).Text.Split('\0', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>As between two trees; of the newer one there is an index, and it need not be written for that.</summary>
    internal static async Task<IReadOnlyList<FileChange>> ToIndexAsync(GitRunner git, string folder, string from, string index, CancellationToken cancellation) =>
        Parse((await git.RunAsync(new GitCommand("diff-index", folder, ["diff-index", "--cached", .. Told, from, "--"], IndexFile: index), cancellation)).Text);

    /// <summary>First all files with their modes and blobs, then all with their lines, in the same order.</summary>
    internal static IReadOnlyList<FileChange> Parse(string output)
    {
        var fields = output.Split('\0');
        var files = new List<FileChange>();
        var at = 0;
        for (; at < fields.Length && fields[at].StartsWith(':'); at++)
        {
            var words = fields[at][1..].Split(' ');
            var status = words[4][0];
            var previous = status == 'R' ? fields[++at] : null;
            files.Add(new FileChange(fields[++at], previous, StatusOf(status), 0, 0, false, words[0], words[1], words[2], words[3]));
        }

        for (var i = 0; at < fields.Length && fields[at].Length > 0; at++, i++)
        {
            var words = fields[at].Split('\t', 3);
            if (words[2].Length == 0)
            {
                at += 2; // of a renamed file both names follow
            }

            files[i] = files[i] with { Insertions = Lines(words[0]), Deletions = Lines(words[1]), IsBinary = words[0] == "-" };
        }

        return files;
    }

    private static FileStatus StatusOf(char status) => status switch
    {
        'A' => FileStatus.Added,
        'D' => FileStatus.Deleted,
        'R' => FileStatus.Renamed,
        'T' => FileStatus.TypeChanged,
        _ => FileStatus.Modified,
    };

    private static int Lines(string count) => int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var lines) ? lines : 0;
}
