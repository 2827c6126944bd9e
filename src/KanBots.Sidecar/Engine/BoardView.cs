using System.Collections.Immutable;
using KanBots.Sidecar.Board;

namespace KanBots.Sidecar.Engine;

/// <summary>Something about the board as a whole that a person should know: a kind to branch on, a sentence with the next step.</summary>
internal sealed record Notice(string Kind, string Message);

/// <summary>What clients see at one moment: the state, and what is too fleeting to be journaled.</summary>
/// <param name="Epoch">Of this serve over this database.</param>
/// <param name="Revision">Counts every change that a client can see.</param>
/// <param name="Tools">The tool that each run uses now, in one line.</param>
internal sealed record BoardView(string Epoch, long Revision, BoardState State, ImmutableDictionary<long, string> Tools, ImmutableArray<Notice> Notices)
{
    /// <summary>No run is queued or live.</summary>
    internal bool IsIdle => State.Runs.Values.All(run => run.IsOver);
}
