using System.Collections.Immutable;
using KanBots.Sidecar.Board;

namespace KanBots.Sidecar.Engine;

/// <summary>Something about the board as a whole that a person should know: a kind to branch on, a sentence with the next step.</summary>
internal sealed record Notice(string Kind, string Message);

/// <summary>What clients see at one moment: the state, and what is too fleeting to be journaled.</summary>
/// <param name="Epoch">Of this serve over this database.</param>
/// <param name="Revision">Counts every change that a client can see.</param>
/// <param name="Tools">The tool that each run uses now, in one line.</param>
/// <param name="Needs">What the worktree of each run that can go on was given.</param>
/// <param name="Setups">Setup commands that wait or run.</param>
/// <param name="Stalls">Runs whose agents have been silent for long.</param>
/// <param name="Conflicts">By run, what it would not go together with.</param>
/// <param name="Waits">Why queued runs wait, where the parallel limit is not the reason.</param>
internal sealed record BoardView(
    string Epoch,
    long Revision,
    BoardState State,
    ImmutableDictionary<long, string> Tools,
    ImmutableSortedDictionary<long, Reason> Waits,
    ImmutableSortedDictionary<long, Stall> Stalls,
    ImmutableArray<Notice> Notices,
    ImmutableDictionary<long, RunNeeds> Needs,
    ImmutableDictionary<long, SetupProgress> Setups,
    ImmutableDictionary<long, ImmutableArray<RunConflict>> Conflicts)
{
    internal static BoardView Of(string epoch, BoardState state) => new(
        epoch,
        state.Revision,
        state,
        ImmutableDictionary<long, string>.Empty,
        ImmutableSortedDictionary<long, Reason>.Empty,
        ImmutableSortedDictionary<long, Stall>.Empty,
        [],
        ImmutableDictionary<long, RunNeeds>.Empty,
        ImmutableDictionary<long, SetupProgress>.Empty,
        ImmutableDictionary<long, ImmutableArray<RunConflict>>.Empty);

    internal bool HasSameFacts(BoardView other) => ReferenceEquals(Tools, other.Tools) && ReferenceEquals(Needs, other.Needs) && ReferenceEquals(Setups, other.Setups) && ReferenceEquals(Conflicts, other.Conflicts);

    /// <summary>What a client sees of one run beside its state is the same.</summary>
    internal bool IsSame(BoardView other, long runId) =>
        Tools.GetValueOrDefault(runId) == other.Tools.GetValueOrDefault(runId) && Stalls.GetValueOrDefault(runId) == other.Stalls.GetValueOrDefault(runId)
        && Waits.GetValueOrDefault(runId) == other.Waits.GetValueOrDefault(runId) && ReferenceEquals(Needs.GetValueOrDefault(runId), other.Needs.GetValueOrDefault(runId)) && Setups.GetValueOrDefault(runId) == other.Setups.GetValueOrDefault(runId)
        && Conflicts.GetValueOrDefault(runId) == other.Conflicts.GetValueOrDefault(runId);

    /// <summary>No run is queued or live.</summary>
    internal bool IsIdle => State.Runs.Values.All(run => run.IsOver);
}
