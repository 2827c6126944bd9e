using KanBots.Sidecar.Processes;

namespace KanBots.Sidecar.Git;

/// <summary>Files of Git LFS. git itself brings their content into a worktree when git-lfs is installed; here it is only looked whether it did.</summary>
internal static class LargeFiles
{
    private static ReadOnlySpan<byte> Pointer => "version https://git-lfs.github.com/spec/"u8;

    /// <summary>Makes git take the pointers as they are, for a worktree that would not be made otherwise.</summary>
    internal static IReadOnlyList<string> Untouched { get; } = ["-c", "filter.lfs.smudge=", "-c", "filter.lfs.process=", "-c", "filter.lfs.required=false"];

    /// <returns>A sentence, or null when every file has its content.</returns>
    internal static async Task<string?> MissingAsync(GitRunner git, string worktree, CancellationToken cancellation)
    {
        var listed = await git.RunAsync(new GitCommand("ls-files", worktree, ["ls-files", "-z", "--", ":(top,attr:filter=lfs)"]), cancellation);
        var pointers = listed.Text.Split('\0', StringSplitOptions.RemoveEmptyEntries).Where(path => IsPointer(System.IO.Path.Combine(worktree, path))).ToList();
        if (pointers.Count == 0)
        {
            return null;
        }

        var next = Executables.Find("git-lfs", worktree) is null ? "Install git-lfs, then run `git lfs install` and, in the worktree, `git lfs pull`." : "Run `git lfs install` and, in the worktree, `git lfs pull`.";
        return $"{pointers[0]}{(pointers.Count > 1 ? FormattableString.Invariant($" and {pointers.Count - 1} more files") : "")} of Git LFS {(pointers.Count > 1 ? "have" : "has")} no content in the worktree, only a pointer. {next}";
    }

    private static bool IsPointer(string path)
    {
        if (new FileInfo(path) is not { Exists: true, LinkTarget: null, Length: < 1024 })
        {
            return false;
        }

        return PrivateFiles.ReadAll(path).AsSpan().StartsWith(Pointer);
    }
}
