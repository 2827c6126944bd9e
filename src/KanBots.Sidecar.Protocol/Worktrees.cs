using System.Text.Json;
using System.Text.Json.Serialization;

namespace KanBots.Sidecar.Protocol;

/// <summary>What a worktree is. Ours: live (its run is), merged (its target has all of it, also after a squash), inReview, dirty (a run that ended otherwise
/// has changes there), clean, trash (discarded). Then main (the main working tree), missing (its folder is gone), locked, and foreign (somebody else's).</summary>
[JsonConverter(typeof(CamelCaseEnumConverter<WorktreeClass>))]
public enum WorktreeClass { Main, Live, InReview, Merged, Dirty, Clean, Trash, Missing, Locked, Foreign }

/// <summary>What removing does: nothing; discard (put aside, restorable); free (deletes what was discarded); forget (git's record of a folder that is
/// gone); remove (a clean worktree of somebody else's, its branch stays).</summary>
[JsonConverter(typeof(CamelCaseEnumConverter<WorktreeRemoval>))]
public enum WorktreeRemoval { Nothing, Discard, Free, Forget, Remove }

/// <param name="Removal">What <c>worktree/remove</c> would do with it.</param>
/// <param name="Bytes">Of its files, links not followed.</param>
/// <param name="Loses">What would be gone for good then: sentences; empty when nothing would.</param>
/// <param name="MergedInto">The branch that has all of it.</param>
/// <param name="RestorableUntil">Of what lies in the trash.</param>
/// <param name="Why">Why it is not removed.</param>
public sealed record WorktreeItem(
    string Path,
    WorktreeClass Class,
    WorktreeRemoval Removal,
    long Bytes,
    IReadOnlyList<string> Loses,
    string? Branch = null,
    string? Commit = null,
    long? RunId = null,
    int? CardNumber = null,
    string? MergedInto = null,
    DateTimeOffset? RestorableUntil = null,
    string? Why = null);

/// <param name="ProgressToken">To be told how far it is by <c>$/progress</c>.</param>
public sealed record WorktreeListParams(JsonElement? ProgressToken = null);

/// <param name="TrashBytes">What deleting all that was discarded would free.</param>
public sealed record WorktreeListResult(IReadOnlyList<WorktreeItem> Worktrees, long TrashBytes);

/// <summary>Without a plan it only says what it would do; with the plan of that answer it does it, unless something has changed since (<c>worktreeChanged</c>).</summary>
/// <param name="Paths">As in <c>worktree/list</c>.</param>
/// <param name="Foreign">True to remove worktrees that are not of the sidecar's making; they are refused otherwise.</param>
public sealed record WorktreeRemoveParams(string RequestId, IReadOnlyList<string> Paths, string? Plan = null, bool? Foreign = null);

/// <param name="Bytes">What it frees.</param>
/// <param name="Done">False in a dry run, and where it was refused or failed.</param>
/// <param name="Why">Why it is not removed; absent when it is, or would be.</param>
public sealed record RemovedWorktree(string Path, WorktreeClass Class, WorktreeRemoval Removal, long Bytes, IReadOnlyList<string> Loses, bool Done, string? Why = null);

/// <param name="Plan">Names what was shown; absent after it was done.</param>
public sealed record WorktreeRemoveResult(IReadOnlyList<RemovedWorktree> Worktrees, string? Plan = null);
