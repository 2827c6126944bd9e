using System.Collections.Immutable;
using System.Globalization;

namespace KanBots.Sidecar.Board;

/// <summary>The queue: who starts next, and what the others wait for. One walk for both, so that the board never says something else
/// than what happens.</summary>
public static class Waiting
{
    public const string DayBudget = "dayBudget";
    public const string RateLimited = "rateLimited";

    /// <summary>First come, first served, within the parallel limit, the day's money and the limits of providers.</summary>
    public static Run? Next(BoardState state, DateTimeOffset now)
    {
        if (state.Runs.Values.Count(run => run.IsLive) >= state.Settings.MaxParallel)
        {
            return null;
        }

        var queue = InOrder(state);
        if (queue.Count == 0)
        {
            return null;
        }

        var purse = Purse.Of(state, now);
        // A run that cannot begin now, whatever the others give back, steps aside for those that can; no other is overtaken.
        return queue.FirstOrDefault(run => HoldOf(state, run, now) is null && run.RemainingMicroUsd <= purse.UnspentMicroUsd) is { } first && first.RemainingMicroUsd <= purse.FreeMicroUsd ? first : null;
    }

    /// <summary>Why each queued run waits, where it is for something else than one of the parallel places.</summary>
    public static ImmutableSortedDictionary<long, Reason> Reasons(BoardState state, DateTimeOffset now)
    {
        var reasons = ImmutableSortedDictionary.CreateBuilder<long, Reason>();
        var queue = InOrder(state);
        var purse = queue.Count == 0 ? default : Purse.Of(state, now);
        Run? first = null;
        foreach (var run in queue)
        {
            if (HoldOf(state, run, now) is { } hold)
            {
                reasons[run.Id] = new Reason(RateLimited, Held(hold), hold.Until);
            }
            else if (run.RemainingMicroUsd > purse.UnspentMicroUsd)
            {
                reasons[run.Id] = new Reason(DayBudget, TooMuchForToday(run, purse));
            }
            else if (first is null)
            {
                first = run;
                if (run.RemainingMicroUsd > purse.FreeMicroUsd)
                {
                    reasons[run.Id] = new Reason(DayBudget, ReservedByOthers(run, purse));
                }
            }
            else if (reasons.ContainsKey(first.Id))
            {
                reasons[run.Id] = new Reason(DayBudget, $"Waits behind run {first.Id}, which waits for today's budget. Raise runs.budget.dayMicroUsd to start both sooner.");
            }
        }

        return reasons.ToImmutable();
    }

    private static Hold? HoldOf(BoardState state, Run run, DateTimeOffset now) => state.Holds.GetValueOrDefault(run.Agent) is { } hold && hold.Until > now ? hold : null;

    private static string Held(Hold hold)
    {
        var until = hold.Until.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
        return hold.IsGuess
            ? $"Waits until {until} UTC: the provider of {hold.Agent} refuses for its limit and did not say until when. It is tried again then, by itself."
            : $"Waits until {until} UTC for the provider's limit{(hold.Limit is null ? "" : $" ({hold.Limit})")} of {hold.Agent}. It starts by itself then.";
    }

    private static string ReservedByOthers(Run run, Purse purse) =>
        $"Waits for today's budget: of {Purse.Say(purse.DayMicroUsd)}, {Purse.Say(purse.SpentMicroUsd)} is spent and {Purse.Say(purse.ReservedMicroUsd)} is reserved by live runs; "
        + $"this one may spend {Purse.Say(run.RemainingMicroUsd)}. It starts by itself when they leave enough; raise runs.budget.dayMicroUsd to start it now.";

    private static string TooMuchForToday(Run run, Purse purse) => run.RemainingMicroUsd > purse.DayMicroUsd
        ? $"Waits: it may spend {Purse.Say(run.RemainingMicroUsd)}, and a whole day {Purse.Say(purse.DayMicroUsd)}. Raise runs.budget.dayMicroUsd, or stop it and dispatch its card with a smaller budget."
        : $"Waits for tomorrow (UTC): of today's {Purse.Say(purse.DayMicroUsd)}, {Purse.Say(purse.SpentMicroUsd)} is spent, and it may spend {Purse.Say(run.RemainingMicroUsd)}. Raise runs.budget.dayMicroUsd to start it today.";

    /// <summary>Never before those that wait already, though the clock was set back meanwhile.</summary>
    internal static DateTimeOffset EndOfQueue(BoardState state, DateTimeOffset now) =>
        InOrder(state) is [.., var last] && last.QueuedAt > now ? last.QueuedAt.AddTicks(1) : now;

    private static List<Run> InOrder(BoardState state) =>
        [.. state.Runs.Values.Where(run => run.State == RunState.Queued).OrderBy(run => run.QueuedAt).ThenBy(run => run.Id)];
}
