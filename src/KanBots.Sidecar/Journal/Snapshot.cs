using System.Collections.Immutable;
using System.Text.Json;
using KanBots.Sidecar.Board;

namespace KanBots.Sidecar.Journal;

internal sealed record DaySpend(string Day, long MicroUsd);

internal sealed record DayTurns(string Day, DayUse Use);

internal sealed record PastEntry(long CardId, PastRuns Past);

internal sealed record ServedEntry(string RequestId, ServedRequest Served);

/// <summary>The folded state in lists, as JSON can hold it. Not the truth: the journal is, and a snapshot that cannot be read is left.</summary>
internal sealed record Snapshot(
    long Revision,
    long NextCardId,
    long NextRunId,
    ImmutableArray<Card> Cards,
    ImmutableArray<Run> Runs,
    ImmutableArray<Decision> Decisions,
    Settings Settings,
    ImmutableArray<DaySpend> Spend,
    ImmutableArray<ServedEntry> Served,
    ImmutableArray<DayTurns> Days,
    ImmutableArray<Hold> Holds,
    ImmutableArray<PastEntry> Past,
    DayWarning? DayWarning = null)
{
    internal static byte[] Write(BoardState state) => JsonSerializer.SerializeToUtf8Bytes(
        new Snapshot(
            state.Revision,
            state.NextCardId,
            state.NextRunId,
            [.. state.Cards.Values],
            [.. state.Runs.Values],
            [.. state.Decisions.Values],
            state.Settings,
            [.. state.SpendByDay.Select(day => new DaySpend(day.Key, day.Value))],
            [.. state.Served.Select(entry => new ServedEntry(entry.Key, entry.Value))],
            [.. state.Days.Select(day => new DayTurns(day.Key, day.Value))],
            [.. state.Holds.Values],
            [.. state.Past.Select(entry => new PastEntry(entry.Key, entry.Value))],
            state.DayWarning),
        JournalJson.Default.Snapshot);

    /// <summary>Null when it is damaged.</summary>
    internal static BoardState? Read(ReadOnlySpan<byte> json, string epoch)
    {
        try
        {
            return JsonSerializer.Deserialize(json, JournalJson.Default.Snapshot) is { } kept
                ? BoardState.Empty(epoch) with
                {
                    Revision = kept.Revision,
                    NextCardId = kept.NextCardId,
                    NextRunId = kept.NextRunId,
                    Cards = kept.Cards.ToImmutableSortedDictionary(card => card.Id, card => card),
                    Runs = kept.Runs.ToImmutableSortedDictionary(run => run.Id, run => run),
                    Decisions = kept.Decisions.ToImmutableSortedDictionary(decision => decision.Id, decision => decision, StringComparer.Ordinal),
                    Settings = kept.Settings,
                    SpendByDay = kept.Spend.ToImmutableSortedDictionary(day => day.Day, day => day.MicroUsd, StringComparer.Ordinal),
                    Served = kept.Served.ToImmutableSortedDictionary(entry => entry.RequestId, entry => entry.Served, StringComparer.Ordinal),
                    Days = kept.Days.ToImmutableSortedDictionary(day => day.Day, day => day.Use, StringComparer.Ordinal),
                    Holds = kept.Holds.ToImmutableSortedDictionary(hold => hold.Agent, hold => hold, StringComparer.Ordinal),
                    DayWarning = kept.DayWarning,
                    Past = kept.Past.ToImmutableSortedDictionary(entry => entry.CardId, entry => entry.Past),
                }
                : null;
        }
        catch (Exception damaged) when (damaged is JsonException or NullReferenceException or InvalidOperationException or ArgumentException)
        {
            // Well-formed JSON can lack a list or hold an id twice: no reason not to start, since the journal says it all.
            return null;
        }
    }
}
