using System.Globalization;
using KanBots.Sidecar.Processes;

namespace KanBots.Sidecar.Git;

/// <summary>Copies of agents' indexes that git has looked through once. git trusts no entry of an index whose file was written in the same second, and after
/// `git worktree add` those are all files: through a plain copy each checkpoint would read all of them again, as long as the agent runs no git itself.</summary>
internal sealed class FreshIndexes(GitRunner git, string scratch)
{
    /// <summary>Worktrees; of more the oldest is let go.</summary>
    private const int KeptMax = 32;

    private readonly Lock _gate = new();
    private readonly List<(string Worktree, string Stamp, string Path)> _known = [];

    /// <returns>A file to copy in place of the agent's index; null when that has changed since, or was never looked through.</returns>
    internal string? Of(string worktree)
    {
        var stamp = StampOf(worktree);
        lock (_gate)
        {
            return _known.FirstOrDefault(one => one.Worktree == worktree && one.Stamp == stamp).Path is { } path && File.Exists(path) ? path : null;
        }
    }

    /// <summary>Looks through the agent's index, unless that was done or is not worth it: one that is seconds younger than its files is trusted as it is.</summary>
    internal async Task LookThroughAsync(string worktree, CancellationToken cancellation)
    {
        var (stamp, own) = (StampOf(worktree), Path.Combine(Worktrees.RecordIn(worktree), "index"));
        if (Of(worktree) is not null || !File.Exists(own))
        {
            return;
        }

        var path = Path.Combine(scratch, $"fresh-{Guid.NewGuid():N}");
        File.Copy(own, path);
        PrivateFiles.Touch(path);
        // git writes it anew, for whom the umask says, unless it is told.
        await git.RunAsync(new GitCommand("update-index", worktree, ["-c", "core.sharedRepository=0600", "update-index", "-q", "--refresh", "--force-write-index"], ExitCodes: [1], IndexFile: path), cancellation);
        lock (_gate)
        {
            // Written in the same second it would be as little trusted; and of another index it is no copy.
            if (StampOf(worktree) != stamp || Second(path) <= Second(own))
            {
                File.Delete(path);
                return;
            }

            foreach (var (_, _, old) in _known.Where(one => one.Worktree == worktree).Concat(_known.Take(_known.Count - KeptMax + 1)).ToList())
            {
                File.Delete(old);
                _known.RemoveAll(one => one.Path == old);
            }

            _known.Add((worktree, stamp, path));
        }
    }

    private static long Second(string path) => File.GetLastWriteTimeUtc(path).Ticks / TimeSpan.TicksPerSecond;

    private static string StampOf(string worktree) => new FileInfo(Path.Combine(Worktrees.RecordIn(worktree), "index")) is { Exists: true } file
        ? string.Create(CultureInfo.InvariantCulture, $"{file.LastWriteTimeUtc.Ticks} {file.Length}")
        : "none";
}
