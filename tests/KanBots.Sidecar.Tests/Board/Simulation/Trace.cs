using KanBots.Sidecar.Board;

namespace KanBots.Sidecar.Tests.Board.Simulation;

/// <summary>The last steps, written out only when somebody must read them.</summary>
internal sealed class Trace
{
    private const int LinesMax = 30;
    private const int LengthMax = 160;
    private readonly Queue<(int Step, Func<string> Say)> _lines = new();

    internal IEnumerable<string> Lines => _lines.Select(line => $"  {line.Step,4} {line.Say()}");

    internal void Add(int step, Input input, Decided decided) => Add(step, () =>
        $"{Say(input)} → {string.Join(' ', decided.Events.Select(Say))} | {string.Join(' ', decided.Effects.Select(Say))}{decided.Refusal?.Kind}");

    internal void Add(int step, string line) => Add(step, () => line);

    private void Add(int step, Func<string> say)
    {
        if (_lines.Count == LinesMax)
        {
            _ = _lines.Dequeue();
        }

        _lines.Enqueue((step, say));
    }

    private static string Say(Input input) => input is Input.Recovered recovered
        ? $"Recovered({string.Join(", ", recovered.Launches.Select(launch => $"{launch.RunId}/{launch.Launch} {launch.Kind}"))})"
        : Cut(input.ToString());

    private static string Say(Effect effect) => effect is Effect.StartLaunch start ? $"StartLaunch({start.RunId}/{start.Launch}, {start.Messages.Length} messages)" : Cut(effect.ToString());

    private static string Say(Event happened) => happened switch
    {
        Event.RunQueued queued => $"RunQueued({queued.Run.Id})",
        Event.CardChanged changed => $"CardChanged({changed.Card.Id}, {changed.Card.Column})",
        Event.DecisionOpened opened => $"DecisionOpened({opened.Decision.Id})",
        Event.DecisionClosed closed => $"DecisionClosed({closed.DecisionId}, {closed.State})",
        Event.RequestServed => "Served",
        _ => Cut(happened.ToString()),
    };

    private static string Cut(string text) => text.Length <= LengthMax ? text : string.Concat(text.AsSpan(0, LengthMax), "…");
}
