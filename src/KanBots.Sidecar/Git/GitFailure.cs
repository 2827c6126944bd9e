using KanBots.Sidecar.Processes;

namespace KanBots.Sidecar.Git;

/// <summary>A git command that failed, with the kind that git's prose stands for. This file is the only one that reads the prose;
/// git runs with LC_ALL=C so that it is always English.</summary>
internal sealed class GitFailure : Exception
{
    private static readonly (string Prose, string Kind, string Sentence)[] Table =
    [
        ("not a git repository", "notAGitRepository", "This folder is not in a git repository. Open a repository, or run `git init`."),
        ("detected dubious ownership", "dubiousOwnership", "The repository belongs to another user. Run the `git config --global --add safe.directory` that git names."),
        ("failed to read", "worktreeBeingMade", "Another git process is making a worktree. Try again."),
        ("cannot lock ref", "refLocked", "A git reference is locked by another git process. Wait for it, or remove the stale .lock file that git names."),
        ("index.lock", "indexLocked", "The index is locked by another git process. Wait for it, or remove the stale index.lock."),
        ("could not lock config file", "configLocked", "The git configuration is locked by another git process. Try again."),
        ("Unable to create", "locked", "A git lock file is in the way. Wait for the other git process, or remove the stale lock."),
        ("No space left on device", "diskFull", "The disk is full. Free some space and try again."),
        ("Permission denied", "permissionDenied", "git may not write here. Check who owns the repository and its folders."),
        ("Read-only file system", "readOnly", "The file system is read-only."),
        ("cannot create branch", "branchNamespaceTaken", "A branch named `kanbots` is in the way of every `kanbots/…` branch. Rename it."),
        ("already exists", "branchExists", "A branch or folder of that name exists already."),
        ("invalid reference", "unknownRevision", "git does not know this branch or commit."),
        ("unknown revision", "unknownRevision", "git does not know this branch or commit."),
        ("Needed a single revision", "unknownRevision", "git does not know this branch or commit."),
        ("ambiguous argument", "unknownRevision", "git does not know this branch or commit."),
    ];

    private GitFailure(string kind, string message)
        : base(message) => Kind = kind;

    /// <summary>For the wire and for retries.</summary>
    internal string Kind { get; }

    /// <summary>Another git process holds a lock, or stands in the middle of something: worth another try.</summary>
    internal bool IsLock => Kind is "worktreeBeingMade" or "refLocked" or "indexLocked" or "configLocked" or "locked";

    internal static GitFailure Named(string kind, string message) => new(kind, message);

    internal static GitFailure Of(GitCommand command, CommandResult result)
    {
        var prose = result.StandardError;
        foreach (var (part, kind, sentence) in Table)
        {
            if (prose.Contains(part, StringComparison.OrdinalIgnoreCase))
            {
                return new GitFailure(kind, $"{sentence} (git {command.Name}: {FirstLine(prose)})");
            }
        }

        return new GitFailure("gitFailed", $"git {command.Name} failed with code {result.ExitCode}: {FirstLine(prose)}");
    }

    private static string FirstLine(string prose) => prose.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).FirstOrDefault(line => !line.StartsWith("Preparing", StringComparison.Ordinal)) ?? "no message";
}
