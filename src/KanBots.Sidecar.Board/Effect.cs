using System.Collections.Immutable;

namespace KanBots.Sidecar.Board;

/// <summary>What is to be done in the world. Every effect may be asked for again after a crash and must then do nothing twice.</summary>
public abstract record Effect
{
    public sealed record Prepare(long RunId) : Effect;

    /// <summary>Start the launch that the run's record describes. <see cref="Resume"/> says whether the session exists already.</summary>
    public sealed record StartLaunch(long RunId, int Launch, bool Resume, ImmutableArray<Message> Messages) : Effect;

    public sealed record SendMessage(long RunId, int Launch, Message Message) : Effect;

    public sealed record SendVerdict(long RunId, int Launch, string DecisionId, Verdict Verdict) : Effect;

    /// <summary>Interrupt the turn and end the launch with its whole tree.</summary>
    public sealed record StopLaunch(long RunId, int Launch) : Effect;

    /// <summary>After a short grace, in which a turn that nobody asked for may still begin.</summary>
    public sealed record CloseInput(long RunId, int Launch) : Effect;

    /// <summary>The close that was ordered shall not happen, if it has not yet.</summary>
    public sealed record KeepInput(long RunId, int Launch) : Effect;

    /// <summary>Which of the launch's two time limits counts now.</summary>
    public sealed record SetWaiting(long RunId, int Launch, bool Waiting) : Effect;

    /// <summary>End what it left running, then put the worktree and its branch aside.</summary>
    public sealed record Discard(long RunId) : Effect;

    public sealed record Restore(long RunId) : Effect;

    /// <summary>Delete for good what was put aside.</summary>
    public sealed record Free(long RunId) : Effect;

    /// <summary>Take the files back to the checkpoint that was ordered.</summary>
    public sealed record Rewind(long RunId) : Effect;

    /// <summary>Land what was ordered, if it is still what was reviewed.</summary>
    public sealed record Promote(long RunId) : Effect;

    /// <summary>Keep what lies in the worktree now.</summary>
    public sealed record TakeCheckpoint(long RunId, string Why) : Effect;

    /// <summary>End what the last launch left running, before the worktree gets a new one.</summary>
    public sealed record EndLeftovers(long RunId) : Effect;
}
