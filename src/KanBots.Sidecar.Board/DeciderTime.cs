namespace KanBots.Sidecar.Board;

/// <summary>What time alone brings about, and what is said before it is too late.</summary>
public static partial class Decider
{
    private static void PassTime(Plan plan)
    {
        foreach (var run in plan.State.Runs.Values.Where(run => run.IsLive).ToList())
        {
            Warn(plan, run.Id);
        }
    }

    /// <summary>Once for each crossing. A run that is being stopped, or is over, says why by itself.</summary>
    private static void Warn(Plan plan, long runId)
    {
        var run = plan.Run(runId);
        if (run is { IsLive: true, StopAsked: null })
        {
            foreach (var warning in Nearing.OfRun(plan.State, run, plan.Now))
            {
                plan.Record(new Event.BudgetWarned(run.Id, warning));
            }
        }
    }

    private static void WarnOfDay(Plan plan)
    {
        if (Nearing.OfDay(plan.State, plan.Now) is { } warning)
        {
            plan.Record(new Event.DayWarned(plan.Day, warning));
        }
    }
}
