namespace KanBots.Sidecar.Board;

/// <summary>What is nearly used up. It is said while a person can still do something about it, and once: before the run is stopped for it.</summary>
public static class Nearing
{
    public const string Money = "money";
    public const string Turns = "turns";
    public const string Minutes = "minutes";
    public const string Day = "day";

    /// <summary>From here on, and not yet reached. In decimals: the product of two large numbers must not overflow.</summary>
    public static bool Is(long used, long budget) => used < budget && used * 100m >= budget * (decimal)Limits.WarnPercent;

    /// <summary>What is to be said of a run and was not.</summary>
    internal static IEnumerable<Reason> OfRun(BoardState state, Run run, DateTimeOffset now)
    {
        if (Is(run.CostMicroUsd, run.Budget.MicroUsd) && !IsSaid(run, Money))
        {
            yield return new Reason(Money, $"{Purse.Say(run.CostMicroUsd)} of its {Purse.Say(run.Budget.MicroUsd)} is spent. At {Purse.Say(run.Budget.MicroUsd)} it is stopped in mid-turn and asks for more.");
        }

        if (Is(run.Turns, run.Budget.Turns) && !IsSaid(run, Turns))
        {
            yield return new Reason(Turns, $"{run.Turns} of its {run.Budget.Turns} turns are used. At {run.Budget.Turns} it is stopped and asks for more.");
        }

        // The work is looked at only where the clock alone does not rule it out: it asks all decisions of the board.
        if (run.LaunchedAt is { } since && (now - since).TotalMinutes * 100 >= run.Budget.Minutes * (double)Limits.WarnPercent && !IsSaid(run, Minutes) && (long)WorkOf(state, run, now).TotalMinutes is var worked && Is(worked, run.Budget.Minutes))
        {
            yield return new Reason(Minutes, $"Launch {run.Launch} has worked {worked} of its {run.Budget.Minutes} minutes. At {run.Budget.Minutes} it is stopped; resuming it gives it as many again.");
        }
    }

    private static bool IsSaid(Run run, string kind) => run.Warnings.Any(warning => warning.Kind == kind);

    /// <summary>What is to be said of the day and was not.</summary>
    internal static Reason? OfDay(BoardState state, DateTimeOffset now)
    {
        if (state.DayWarning?.Day == Purse.DayOf(now))
        {
            return null;
        }

        var purse = Purse.Of(state, now);
        return Is(purse.SpentMicroUsd, purse.DayMicroUsd)
            ? new Reason(Day, $"{Purse.Say(purse.SpentMicroUsd)} of today's {Purse.Say(purse.DayMicroUsd)} is spent. At {Purse.Say(purse.DayMicroUsd)} every run is stopped in mid-turn. Raise runs.budget.dayMicroUsd to go on today.")
            : null;
    }

    /// <summary>The time in which the run's latest launch has worked, and not waited for a person; about as its host counts it.</summary>
    public static TimeSpan WorkOf(BoardState state, Run run, DateTimeOffset now)
    {
        if (run is not { LaunchLive: true, LaunchedAt: { } since })
        {
            return TimeSpan.Zero;
        }

        var (work, from) = (TimeSpan.Zero, since);
        foreach (var asked in state.Decisions.Values.Where(decision => decision.RunId == run.Id && decision.Launch == run.Launch && decision.AgentRequestId is not null).OrderBy(decision => decision.AskedAt))
        {
            work += asked.AskedAt > from ? asked.AskedAt - from : TimeSpan.Zero; // several can wait at once
            var until = asked.AnsweredAt ?? now;
            from = until > from ? until : from;
        }

        return now > from ? work + (now - from) : work;
    }
}
