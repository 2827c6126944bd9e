using System.Globalization;
using KanBots.Sidecar.Processes;

namespace KanBots.Sidecar.Git;

/// <summary>What lies in a worktree that nothing else has.</summary>
/// <param name="Changed">Tracked files that differ from HEAD.</param>
/// <param name="Untracked">Files and folders that git does not know.</param>
/// <param name="Ignored">Files and folders that git ignores.</param>
/// <param name="Commits">That no branch, tag or remote-tracking branch has.</param>
internal sealed record WorktreeContent(int Changed, int Untracked, int Ignored, int Commits)
{
    /// <summary>Files and folders of one worktree that are counted; of a larger one the size is at least what was counted.</summary>
    internal const int EntriesMax = 2_000_000;

    /// <param name="isHeld">HEAD is held by a branch that stays.</param>
    internal static async Task<WorktreeContent> ReadAsync(GitRunner git, string worktree, bool isHeld, CancellationToken cancellation)
    {
        var status = await git.RunAsync(new GitCommand("status", worktree, ["status", "--porcelain", "-z", "--no-renames", "--untracked-files=normal", "--ignored=traditional", "--ignore-submodules=none"]), cancellation);
        var lines = status.Text.Split('\0', StringSplitOptions.RemoveEmptyEntries);
        var commits = isHeld ? 0 : await CommitsAsync(git, worktree, "HEAD", cancellation);
        return new WorktreeContent(lines.Count(line => line[0] is not ('?' or '!')), lines.Count(line => line[0] == '?'), lines.Count(line => line[0] == '!'), commits);
    }

    /// <returns>How many commits of a ref no branch, tag or remote-tracking branch has; 0 when there is no such ref.</returns>
    internal static async Task<int> CommitsAsync(GitRunner git, string folder, string name, CancellationToken cancellation)
    {
        var count = await git.RunAsync(new GitCommand("rev-list", folder, ["rev-list", "--count", name, "--not", "--branches", "--tags", "--remotes"], ExitCodes: [128]), cancellation);
        return int.TryParse(count.Text.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var commits) ? commits : 0;
    }

    /// <returns>Bytes of all files, as long as they are; links are not followed, and what may not be read counts nothing.</returns>
    internal static long SizeOf(string folder, CancellationToken cancellation)
    {
        var (bytes, entries) = (0L, 0);
        var options = new EnumerationOptions { IgnoreInaccessible = true, AttributesToSkip = 0 };
        var folders = new Stack<DirectoryInfo>([new DirectoryInfo(folder)]);
        while (folders.TryPop(out var next) && entries < EntriesMax)
        {
            cancellation.ThrowIfCancellationRequested();
            if (!next.Exists)
            {
                continue;
            }

            foreach (var entry in next.EnumerateFileSystemInfos("*", options))
            {
                entries++;
                if (entry is FileInfo file)
                {
                    bytes += file.LinkTarget is null ? file.Length : 0;
                }
                else if (entry is DirectoryInfo inner && inner.LinkTarget is null)
                {
                    folders.Push(inner);
                }
            }
        }

        return bytes;
    }
}
