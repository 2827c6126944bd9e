using System.Globalization;
using System.Text.RegularExpressions;
using KanBots.Sidecar.Processes;

namespace KanBots.Sidecar.Git;

/// <summary>The only place that starts git. One per repository: it lets one writing command in at a time and tries again, a bounded
/// number of times, when somebody else's git holds a lock.</summary>
internal sealed partial class GitRunner(TimeProvider time, CommandLimits? limits = null)
{
    internal const int LockRetriesMax = 8;
    private static readonly TimeSpan LockRetryStep = TimeSpan.FromMilliseconds(25);

    /// <summary>Variables that would point git at another repository, index or configuration than the one that we name, or change what
    /// a path or a revision means. An editor that was started from a git hook or alias hands them on.</summary>
    internal static IReadOnlyList<string> Scrubbed { get; } =
    [
        "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_NAMESPACE", "GIT_PREFIX",
        "GIT_CEILING_DIRECTORIES", "GIT_EDITOR", "GIT_SEQUENCE_EDITOR", "GIT_CONFIG", "GIT_CONFIG_PARAMETERS", "GIT_IMPLICIT_WORK_TREE", "GIT_INTERNAL_SUPER_PREFIX",
        "GIT_GRAFT_FILE", "GIT_SHALLOW_FILE", "GIT_NO_REPLACE_OBJECTS", "GIT_REPLACE_REF_BASE", "GIT_QUARANTINE_PATH", "GIT_DIFF_OPTS",
        "GIT_LITERAL_PATHSPECS", "GIT_GLOB_PATHSPECS", "GIT_NOGLOB_PATHSPECS", "GIT_ICASE_PATHSPECS",
    ];

    private readonly SemaphoreSlim _writing = new(1, 1);

    private readonly CommandLimits _limits = limits ?? CommandLimits.Default;

    /// <summary>Runs git to its end. A writing command that has begun is not cut off by the cancellation: a killed git leaves its locks
    /// and half a worktree in the user's repository.</summary>
    /// <exception cref="GitFailure">git is missing, did not end in time, said too much, or ended with a code that is not a result.</exception>
    internal async Task<CommandResult> RunAsync(GitCommand command, CancellationToken cancellation)
    {
        if (!command.Writes)
        {
            return await RetryAsync(command, cancellation); // `worktree list` fails while another process adds one
        }

        if (command.InputLater is { } later)
        {
            return await RunWithTurnAsync(command, later, cancellation);
        }

        await _writing.WaitAsync(cancellation);
        try
        {
            return await RetryAsync(command, cancellation);
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>Does something to files while no writing git of ours is under way, which would meet it half done.</summary>
    internal async Task AloneAsync(Action work, CancellationToken cancellation)
    {
        await _writing.WaitAsync(cancellation);
        try
        {
            work();
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>Nobody is kept from writing while it waits for its input.</summary>
    private async Task<CommandResult> RunWithTurnAsync(GitCommand command, Task<ReadOnlyMemory<byte>> later, CancellationToken cancellation)
    {
        var hasTurn = false;
        var input = InputAsync();
        try
        {
            return await RetryAsync(command with { InputLater = input }, cancellation);
        }
        finally
        {
            await ((Task)input).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // git may end before it has it
            if (hasTurn)
            {
                _writing.Release();
            }
        }

        async Task<ReadOnlyMemory<byte>> InputAsync()
        {
            var known = await later;
            await _writing.WaitAsync(cancellation);
            hasTurn = true;
            return known;
        }
    }

    /// <summary>What is relied on here came with it: merges without a checkout, NUL-separated lists of worktrees.</summary>
    internal static Version Floor { get; } = new(2, 39);

    private volatile bool _isRecent;

    /// <returns>What git says of itself.</returns>
    /// <exception cref="GitFailure">It is older than <see cref="Floor"/>, or missing. Asked once, and again only while it is not so.</exception>
    internal async Task<string> RequireRecentAsync(CancellationToken cancellation)
    {
        if (_isRecent)
        {
            return "";
        }

        var said = (await RunAsync(new GitCommand("version", Path.GetTempPath(), ["version"]), cancellation)).Text.Trim();
        _isRecent = VersionOf(said) is not { } version || version >= Floor;
        return _isRecent ? said : throw GitFailure.Named("gitTooOld", $"{said} is too old: {Floor} or later is needed. Update git, then try again.");
    }

    /// <summary>Null when it is not said: then nothing speaks against it.</summary>
    internal static Version? VersionOf(string said) =>
        Numbers().Match(said) is { Success: true } match ? new Version(int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture), int.Parse(match.Groups[2].ValueSpan, CultureInfo.InvariantCulture)) : null;

    [GeneratedRegex(@"\Agit version ([0-9]{1,4})\.([0-9]{1,4})")]
    private static partial Regex Numbers();

    private async Task<CommandResult> RetryAsync(GitCommand command, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await RunOnceAsync(command, command.Writes ? CancellationToken.None : cancellation);
            }
            catch (GitFailure failure) when (failure.IsLock && attempt <= LockRetriesMax)
            {
                await PauseAsync(LockRetryStep * attempt * attempt, cancellation);
            }
        }
    }

    /// <summary>Waits by the clock of this runner.</summary>
    internal Task PauseAsync(TimeSpan span, CancellationToken cancellation) => Task.Delay(span, time, cancellation);

    private async Task<CommandResult> RunOnceAsync(GitCommand command, CancellationToken cancellation)
    {
        var environment = (command.Environment ?? []).Select(line => line.Split('=', 2)).Where(parts => parts.Length == 2 && parts[0].Length > 0).GroupBy(parts => parts[0]).ToDictionary(same => same.Key, same => (string?)same.Last()[1]);
        foreach (var name in Scrubbed)
        {
            environment[name] = null;
        }

        environment["LC_ALL"] = "C";
        environment["GIT_TERMINAL_PROMPT"] = "0";
        environment["GIT_OPTIONAL_LOCKS"] = command.Writes ? null : "0";
        if (command.IndexFile is not null)
        {
            environment["GIT_INDEX_FILE"] = command.IndexFile;
        }

        // An index of ours shares nothing: git would put what it shares beside the index that it is a copy of.
        string[] whole = command.IndexFile is null ? [] : ["-c", "core.splitIndex=false"];
        CommandResult result;
        try
        {
            result = await ShortCommand.RunAsync("git", ["-c", "core.quotePath=false", "-c", "gc.auto=0", "-c", "maintenance.auto=false", .. whole, .. command.Arguments], command.Folder, environment, command.Input, _limits, cancellation, command.InputLater);
        }
        catch (CommandMissingException refused) when (!refused.IsAbsent)
        {
            throw GitFailure.Named("gitNotStarted", $"{refused.Message}. The machine is short of files, processes or memory: close what is not needed, or raise the limits of this user (`ulimit -n`), then dispatch again.");
        }
        catch (CommandMissingException)
        {
            throw Directory.Exists(command.Folder)
                ? GitFailure.Named("gitNotFound", "git was not found. Install git 2.39 or later and put it on PATH.")
                : GitFailure.Named("folderMissing", $"The folder {command.Folder} is not there any more.");
        }
        catch (TimeoutException)
        {
            throw GitFailure.Named("gitTimedOut", $"git {command.Name} did not end within {_limits.Timeout.TotalSeconds:0} s and was ended. Look for a slow disk, hook or filter, then try again.");
        }

        if (result.OutputWasCut)
        {
            throw GitFailure.Named("outputTooLong", $"git {command.Name} answered with more than {_limits.OutputBytesMax} bytes.");
        }

        return result.ExitCode == 0 || command.ExitCodes?.Contains(result.ExitCode) == true ? result : throw GitFailure.Of(command, result);
    }
}
