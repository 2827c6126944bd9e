using System.Globalization;

namespace KanBots.Sidecar.Board;

/// <summary>A day's money. What is spent is gone; what a run that is not over may still spend is reserved, so that runs that each keep
/// to their own budget cannot overshoot the day together. A run that ends gives back what it did not spend.</summary>
/// <param name="SpentMicroUsd">Today, with what the turns under way are estimated to cost.</param>
/// <param name="ReservedMicroUsd">What live runs may spend on top.</param>
public readonly record struct Purse(long DayMicroUsd, long SpentMicroUsd, long ReservedMicroUsd)
{
    /// <summary>What no run has spent.</summary>
    public long UnspentMicroUsd => Math.Max(0, DayMicroUsd - SpentMicroUsd);

    /// <summary>What no run has spent and none may: negative when more is promised than there is, after a lowered budget or a new day.</summary>
    public long FreeMicroUsd => DayMicroUsd - SpentMicroUsd - ReservedMicroUsd;

    public bool IsSpent => SpentMicroUsd >= DayMicroUsd;

    public static string DayOf(DateTimeOffset now) => now.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    public static Purse Of(BoardState state, DateTimeOffset now)
    {
        long underWay = 0, reserved = 0;
        foreach (var run in state.Runs.Values)
        {
            underWay += run.EstimateMicroUsd;
            reserved += run.IsLive ? run.RemainingMicroUsd : 0;
        }

        return new Purse(state.Settings.DayBudgetMicroUsd, state.SpendByDay.GetValueOrDefault(DayOf(now)) + underWay, reserved);
    }

    /// <summary>As people read it. Less than a dollar has four places: a turn often costs less than a cent.</summary>
    public static string Say(long microUsd) => microUsd is 0 or >= 1_000_000 or <= -1_000_000
        ? FormattableString.Invariant($"${microUsd / 1_000_000m:0.00}")
        : FormattableString.Invariant($"${microUsd / 1_000_000m:0.0000}");
}
