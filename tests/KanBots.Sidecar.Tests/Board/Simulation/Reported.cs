using KanBots.Sidecar.Board;

namespace KanBots.Sidecar.Tests.Board.Simulation;

/// <summary>What serve has read of a launch so far.</summary>
internal sealed class Reported
{
    /// <summary>What no exact cost has confirmed yet; it counts when the launch ends so. Micro-dollars.</summary>
    internal long Estimate { get; private set; }

    internal bool InTurn { get; private set; }

    internal bool HasResult { get; private set; }

    internal int Tasks { get; private set; }

    internal HashSet<string> Pending { get; } = [];

    internal HashSet<string> Told { get; } = [];

    internal HashSet<string> Echoed { get; } = [];

    internal void Hear(Input.Report report)
    {
        switch (report)
        {
            case Input.CostEstimated estimate:
                Estimate = estimate.MicroUsd;
                break;
            case Input.CostAdded:
                Estimate = 0;
                break;
            case Input.TurnStarted:
                InTurn = true;
                break;
            case Input.TurnEnded:
                InTurn = false;
                HasResult = true;
                break;
            case Input.BackgroundTasksChanged tasks:
                Tasks = tasks.Count;
                break;
            case Input.DecisionAsked asked:
                _ = Pending.Add(asked.AgentRequestId);
                break;
            case Input.DecisionWithdrawn withdrawn:
                _ = Pending.Remove(withdrawn.AgentRequestId);
                break;
            case Input.MessageEchoed echoed:
                _ = Echoed.Add(echoed.MessageId);
                break;
        }
    }

    /// <returns>0 when it is about no launch.</returns>
    internal static int LaunchOf(Input.Report report) => report switch
    {
        Input.LaunchFailed one => one.Launch,
        Input.TurnStarted one => one.Launch,
        Input.TurnEnded one => one.Launch,
        Input.ModelsUsed one => one.Launch,
        Input.CostEstimated one => one.Launch,
        Input.DecisionAsked one => one.Launch,
        Input.DecisionWithdrawn one => one.Launch,
        Input.MessageEchoed one => one.Launch,
        Input.BackgroundTasksChanged one => one.Launch,
        Input.LaunchEnded one => one.Launch,
        _ => 0,
    };
}
