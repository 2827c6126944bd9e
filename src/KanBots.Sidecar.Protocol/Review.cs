using System.Text.Json.Serialization;

namespace KanBots.Sidecar.Protocol;

[JsonConverter(typeof(CamelCaseEnumConverter<FileStatus>))]
public enum FileStatus { Added, Deleted, Modified, Renamed, TypeChanged }

[JsonConverter(typeof(CamelCaseEnumConverter<ReviewSide>))]
public enum ReviewSide { Base, Head }

/// <summary>What lay in a run's worktree at one moment, kept in git.</summary>
/// <param name="Id">Names it in <c>review/changes</c> and <c>review/blob</c>.</param>
/// <param name="Why">"turn" when one ended, "end" of a launch.</param>
/// <param name="Left">How many paths git could not take in; absent when none.</param>
public sealed record Checkpoint(string Id, string Tree, DateTimeOffset At, string Why, int? Left = null);

/// <summary>The files that differ: committed, uncommitted and untracked, not ignored, and nothing that was placed for the agent.</summary>
/// <param name="From">A checkpoint's id or a tree that was shown before, for what has changed since; absent for the commit on which the run began.</param>
/// <param name="To">The same; absent for the worktree as it is now.</param>
/// <param name="After">An opaque cursor, for the next page of the same list.</param>
/// <param name="Limit">Files of a page.</param>
public sealed record ReviewChangesParams(long RunId, string? From = null, string? To = null, string? After = null, int? Limit = null);

/// <summary>One file that differs. Paths are from the top of the repository, with slashes.</summary>
/// <param name="Insertions">Lines; 0 for a binary file.</param>
/// <param name="Blob">Object id of its content, to know it again; absent when it was deleted.</param>
/// <param name="Mode">As git has it: 100644, 100755, 120000 for a link, 160000 for a nested repository; absent when it was deleted.</param>
/// <param name="PreviousMode">Where it is another.</param>
/// <param name="Size">Bytes; absent when it was deleted.</param>
/// <param name="Viewed">Somebody has marked it as seen with this very content.</param>
public sealed record ChangedFile(
    string Path,
    FileStatus Status,
    int Insertions,
    int Deletions,
    bool Binary,
    string? PreviousPath = null,
    string? Blob = null,
    string? Mode = null,
    string? PreviousMode = null,
    long? Size = null,
    bool? Viewed = null);

/// <param name="Base">Object id of the older side: a commit, or a tree.</param>
/// <param name="Tree">Object id of what is shown: to land exactly that, and to ask for what has changed since.</param>
/// <param name="Total">Of all files, not of this page.</param>
/// <param name="Head">The commit on which the worktree stands.</param>
/// <param name="Left">Paths that git could not take in, such as a nested repository without a commit; absent when there are none.</param>
/// <param name="Next">The cursor of the next page; absent on the last.</param>
public sealed record ReviewChangesResult(string Base, string Tree, DiffStat Total, IReadOnlyList<ChangedFile> Files, string? Head = null, IReadOnlyList<string>? Left = null, string? Next = null);

/// <summary>What a client looks at may have changed: it asks for the changes again if it still shows them. Said for five minutes after a client
/// has asked for the worktree as it is now, and once when they are over.</summary>
public sealed record ReviewDidChangeParams(long RunId);

/// <param name="Blob">Its content, as <c>review/changes</c> has shown it; absent for a file that was deleted.</param>
public sealed record ViewedFile(string Path, string? Blob = null);

/// <summary>Remembers which files somebody has seen. One that changes afterwards is not seen any more.</summary>
/// <param name="Viewed">False to forget that they were; true unless it is said.</param>
public sealed record ReviewMarkViewedParams(string RequestId, long RunId, IReadOnlyList<ViewedFile> Files, bool? Viewed = null);

/// <param name="Path">On that side: of a renamed file the base has it under its previous path.</param>
/// <param name="From">As in <c>review/changes</c>.</param>
/// <param name="To">The tree that was shown; absent for the worktree as it is now.</param>
public sealed record ReviewBlobParams(long RunId, string Path, ReviewSide Side, string? From = null, string? To = null);

/// <summary>One side of one file. Content is as git keeps it, before filters; of a link it is the target.</summary>
/// <param name="Missing">There is no such file on that side.</param>
/// <param name="Text">Present when it is UTF-8 text.</param>
/// <param name="Base64">Present when it is not.</param>
/// <param name="TooLarge">True when neither travels, for its size.</param>
public sealed record ReviewBlobResult(bool Missing, long Size, string? Mode = null, string? Blob = null, string? Text = null, string? Base64 = null, bool? TooLarge = null);

/// <summary>A draft on one line of a run's changes. It waits, also over restarts, until all are sent.</summary>
/// <param name="Line">From 1; 0 for the file as a whole.</param>
/// <param name="Tree">What was shown when it was written.</param>
public sealed record ReviewComment(string Id, string Path, int Line, ReviewSide Side, string Text, DateTimeOffset At, string? Tree = null);

/// <summary>Writes a draft, changes it, or takes it away.</summary>
/// <param name="Text">Empty to take it away.</param>
/// <param name="CommentId">Of the draft that is changed; absent for a new one.</param>
/// <param name="Tree">What is shown.</param>
public sealed record ReviewCommentParams(string RequestId, long RunId, string Path, int Line, ReviewSide Side, string Text, string? CommentId = null, string? Tree = null);

/// <param name="Comments">All drafts of the run.</param>
public sealed record ReviewCommentResult(string CommentId, IReadOnlyList<ReviewComment> Comments);

/// <summary>Sends all drafts of a run to its agent as one message, in its own session and worktree.</summary>
/// <param name="Text">What is to stand before them.</param>
public sealed record ReviewSubmitParams(string RequestId, long RunId, string? Text = null);
