using KanBots.Sidecar.Processes;

namespace KanBots.Sidecar.Git;

/// <summary>A git command that failed, with the kind that git's prose stands for. This file is the only one that reads the prose;
/// git runs with LC_ALL=C so that it is always English.</summary>
internal sealed class GitFailure : Exception
{
    /// <summary>Begin, middle and end of one line, each empty when anything may stand there. The names of a user's branches and folders
    /// stand inside git's lines too, so a word is looked for only where git itself writes it, and rows that know how a line begins come
    /// before those that know only how it ends.</summary>
    private static readonly (string Begin, string Middle, string End, string Kind, string Sentence)[] Table =
    [
        ("not a git repository", "", "", "notAGitRepository", "This folder is not in a git repository. Open a repository, or run `git init`."),
        ("detected dubious ownership", "", "", "dubiousOwnership", "The repository belongs to another user. Run the `git config --global --add safe.directory` that git names."),
        ("failed to read ", "/worktrees/", "", "worktreeBeingMade", "Another git process is making a worktree: try again. If none is, a crash left it broken: move away the folder below .git/worktrees that git names."),
        ("cannot lock ref '", "' exists; cannot create '", "", "branchNamespaceTaken", "A branch is in the way: the name of one cannot be the folder of the other. Rename it."),
        ("a branch named '", "", "' already exists", "branchExists", "A branch of that name exists already. Rename or delete it."),
        ("'", "", "' already exists", "folderExists", "A folder of that name exists already. Move it away."),
        ("invalid reference: ", "", "", "unknownRevision", Unknown),
        ("invalid object name '", "", "", "unknownRevision", Unknown),
        ("ambiguous argument '", "", "", "unknownRevision", Unknown),
        ("bad object ", "", "", "unknownRevision", Unknown),
        ("Needed a single revision", "", "", "unknownRevision", Unknown),
        ("unable to auto-detect email address", "", "", "identityUnknown", Nobody),
        ("empty ident name", "", "", "identityUnknown", Nobody),
        ("cannot update ref '", "couldn't write '", ".lock'", "diskFull", DiskFull),
        ("", ": smudge filter ", " failed", "filterFailed", "A filter, such as that of Git LFS, could not bring the content of a file. Look whether it is installed and its server can be reached."),
        ("", "", ": No space left on device", "diskFull", DiskFull),
        ("", "", ": Read-only file system", "readOnly", "The file system is read-only. Make it writable, or open the repository elsewhere."),
        ("", "", ": Permission denied", "permissionDenied", NotWritable),
        ("cannot lock ref '", "': unable to create directory for ", "", "permissionDenied", NotWritable),
        ("could not lock config file ", "", ": File exists", "configLocked", "The git configuration is locked by another git process. Wait for it, or remove the stale config.lock."),
        ("", "Unable to create '", "/index.lock': File exists.", "indexLocked", "The index is locked by another git process. Wait for it, or remove the stale index.lock."),
        ("cannot lock ref '", "Unable to create '", ".lock': File exists.", "refLocked", RefLocked),
        ("could not delete reference", "Unable to create '", ".lock': File exists.", "refLocked", RefLocked),
        ("", "Unable to create '", "/packed-refs.lock': File exists.", "refLocked", RefLocked),
        ("", "Unable to create '", ".lock': File exists.", "locked", "A git lock file is in the way. Wait for the other git process, or remove the stale lock that git names."),
    ];

    private const string Unknown = "git does not know this branch or commit. Name one that `git log` shows.";
    private const string Nobody = "git does not know who you are. Set `git config --global user.name` and `git config --global user.email`, then try again.";
    private const string DiskFull = "The disk is full. Free some space and try again.";
    private const string NotWritable = "git may not write here. Check who owns the repository and its folders, and whether the disk is read-only or full; `worktree.root` can name a folder elsewhere.";
    private const string RefLocked = "A git reference is locked by another git process. Wait for it, or remove the stale .lock file that git names.";

    private GitFailure(string kind, string message)
        : base(message) => Kind = kind;

    /// <summary>For the wire and for retries.</summary>
    internal string Kind { get; }

    /// <summary>Another git process holds a lock, or stands in the middle of something: worth another try.</summary>
    internal bool IsLock => Kind is "worktreeBeingMade" or "refLocked" or "indexLocked" or "configLocked" or "locked";

    internal static GitFailure Named(string kind, string message) => new(kind, message);

    internal static GitFailure Of(GitCommand command, CommandResult result)
    {
        var said = Said(result.StandardError).ToList();
        foreach (var (begin, middle, end, kind, sentence) in Table)
        {
            if (said.Find(line => line.StartsWith(begin, StringComparison.Ordinal) && line.EndsWith(end, StringComparison.Ordinal) && line.Contains(middle, StringComparison.Ordinal)) is { } line)
            {
                return new GitFailure(kind, $"{sentence} (git {command.Name}: {line})");
            }
        }

        return new GitFailure("gitFailed", $"git {command.Name} failed with code {result.ExitCode}: {said.FirstOrDefault() ?? FirstLine(result.StandardError)}");
    }

    /// <summary>The lines by which git says why it failed, without their first word. Warnings, hints and what hooks print are not among them.</summary>
    private static IEnumerable<string> Said(string prose) =>
        from line in prose.Split('\n')
        from word in new[] { "fatal: ", "error: " }
        where line.StartsWith(word, StringComparison.Ordinal)
        select line[word.Length..].TrimEnd();

    private static string FirstLine(string prose) => prose.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).FirstOrDefault() ?? "no message";
}
