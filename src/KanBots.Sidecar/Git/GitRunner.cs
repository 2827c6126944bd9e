using KanBots.Sidecar.Processes;

namespace KanBots.Sidecar.Git;

/// <summary>The only place that starts git. One per repository: it lets one writing command in at a time and tries again, a bounded
/// number of times, when somebody else's git holds a lock.</summary>
internal sealed class GitRunner(TimeProvider time)
{
    internal const int LockRetriesMax = 8;
    private static readonly TimeSpan LockRetryStep = TimeSpan.FromMilliseconds(25);

    /// <summary>Variables that would point git at another repository, index or configuration than the one that we name.</summary>
    private static readonly string[] Scrubbed = ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_NAMESPACE", "GIT_PREFIX", "GIT_CEILING_DIRECTORIES", "GIT_EDITOR", "GIT_SEQUENCE_EDITOR"];

    private readonly SemaphoreSlim _writing = new(1, 1);

    /// <exception cref="GitFailure">git is missing, or ended with a code that is not a result.</exception>
    internal async Task<CommandResult> RunAsync(GitCommand command, CancellationToken cancellation)
    {
        if (!command.Writes)
        {
            return await RetryAsync(command, cancellation); // `worktree list` fails while another process adds one
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

    private async Task<CommandResult> RetryAsync(GitCommand command, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await RunOnceAsync(command, cancellation);
            }
            catch (GitFailure failure) when (failure.IsLock && attempt <= LockRetriesMax)
            {
                await Task.Delay(LockRetryStep * attempt * attempt, time, cancellation);
            }
        }
    }

    private static async Task<CommandResult> RunOnceAsync(GitCommand command, CancellationToken cancellation)
    {
        var environment = Scrubbed.ToDictionary(name => name, _ => (string?)null);
        environment["LC_ALL"] = "C";
        environment["GIT_TERMINAL_PROMPT"] = "0";
        environment["GIT_OPTIONAL_LOCKS"] = command.Writes ? null : "0";
        if (command.IndexFile is not null)
        {
            environment["GIT_INDEX_FILE"] = command.IndexFile;
        }

        CommandResult result;
        try
        {
            result = await ShortCommand.RunAsync("git", ["-c", "core.quotePath=false", "-c", "gc.auto=0", "-c", "maintenance.auto=false", .. command.Arguments], command.Folder, environment, command.Input, CommandLimits.Default, cancellation);
        }
        catch (CommandMissingException)
        {
            throw Directory.Exists(command.Folder)
                ? GitFailure.Named("gitNotFound", "git was not found. Install git 2.30 or later and put it on PATH.")
                : GitFailure.Named("folderMissing", $"The folder {command.Folder} is not there any more.");
        }

        return result.ExitCode == 0 || command.ExitCodes?.Contains(result.ExitCode) == true ? result : throw GitFailure.Of(command, result);
    }
}
