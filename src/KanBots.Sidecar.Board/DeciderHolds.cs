namespace KanBots.Sidecar.Board;

/// <summary>A provider's limits hold what is queued for it, and nothing else.</summary>
public static partial class Decider
{
    private static void Limited(Plan plan, Run run, Input.RateLimited limited)
    {
        var hold = plan.State.Holds.GetValueOrDefault(run.Agent);
        var holds = hold?.Until > plan.Now;
        if (limited.Until is { } until && until > plan.Now && until - plan.Now <= Limits.HoldMax)
        {
            // Of two limits both must be over; what is known takes the place of a guess.
            if (!holds || hold!.IsGuess || until > hold.Until)
            {
                plan.Record(new Event.HoldSet(new Hold(run.Agent, limited.Limit, plan.Now, until, false, 0)));
            }
        }
        else if (!holds)
        {
            // Runs that live together report one limit many times: only one that comes after the pause makes the next longer.
            var tries = hold is { IsGuess: true } && plan.Now - hold.Until < Limits.HoldForgottenAfter ? hold.Tries + 1 : 1;
            plan.Record(new Event.HoldSet(new Hold(run.Agent, limited.Limit, plan.Now, plan.Now + Pause(tries), true, tries)));
        }
    }

    private static TimeSpan Pause(int tries)
    {
        var pause = Limits.HoldGuess;
        for (var i = 1; i < tries && pause < Limits.HoldGuessMax; i++)
        {
            pause *= 2;
        }

        return pause < Limits.HoldGuessMax ? pause : Limits.HoldGuessMax;
    }

    /// <summary>The same limit is over sooner than was said, for example because somebody paid for more.</summary>
    private static void Allowed(Plan plan, Run run, Input.RateAllowed allowed)
    {
        if (plan.State.Holds.GetValueOrDefault(run.Agent) is { IsGuess: false } hold && hold.Limit == allowed.Limit)
        {
            plan.Record(new Event.HoldLifted(run.Agent));
        }
    }

    /// <summary>A turn that went well after the pause: the next limit is not the same one.</summary>
    private static void ForgetHold(Plan plan, Run run, TurnOutcome outcome)
    {
        if (!outcome.IsError && plan.State.Holds.GetValueOrDefault(run.Agent) is { } hold && hold.Until <= plan.Now)
        {
            plan.Record(new Event.HoldLifted(run.Agent));
        }
    }
}
