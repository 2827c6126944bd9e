using KanBots.Sidecar.Protocol;
using KanBots.Sidecar.Serving;

namespace KanBots.Sidecar.Cli;

/// <summary><c>board</c>: redraws on a terminal; prints what changed, as plain lines, when its output goes elsewhere.</summary>
internal static class BoardVerb
{
    private static readonly TimeSpan Refresh = TimeSpan.FromSeconds(1);

    /// <param name="untilIdle">Ends when no run lives and nothing is queued.</param>
    internal static async Task<int> RunAsync(Client client, bool once, bool untilIdle)
    {
        var terminal = !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("TERM") is not (null or "dumb");
        var colour = terminal && Environment.GetEnvironmentVariable("NO_COLOR") is null;
        using var stop = new CancellationTokenSource();
        Console.CancelKeyPress += (_, pressed) =>
        {
            pressed.Cancel = true; // leave the terminal as we found it
            stop.Cancel();
        };
        var shown = new HashSet<string>();
        var drawn = 0;
        while (!stop.IsCancellationRequested && !client.Ended.IsCompleted)
        {
            var changed = client.Changed;
            var board = await client.BoardAsync();
            var style = new BoardStyle(colour, terminal ? Math.Max(40, Console.WindowWidth) : 120);
            var lines = BoardText.Render(board, style, TimeProvider.System.GetUtcNow());
            if (terminal && !once)
            {
                Redraw(lines, drawn);
                drawn = lines.Count;
            }
            else
            {
                Print(lines, shown);
            }

            if (once || (untilIdle && board.Runs.All(run => run.State is not (RunState.Queued or RunState.Preparing or RunState.Running or RunState.AwaitingDecision))))
            {
                return 0;
            }

            await Task.WhenAny(changed, Task.Delay(Refresh, stop.Token), client.Ended);
        }

        return client.Ended.IsCompleted ? Relay.ServeDied : 0;
    }

    /// <summary>Moves up over what was drawn, writes each line and clears the rest of it.</summary>
    private static void Redraw(IReadOnlyList<string> lines, int drawn)
    {
        var height = Math.Max(5, Console.WindowHeight - 1);
        var text = drawn > 0 ? $"\u001b[{Math.Min(drawn, height)}A\r" : "";
        text += string.Concat(lines.Take(height).Select(line => $"{line}\u001b[K\n")) + "\u001b[J";
        Console.Out.Write(text);
        Console.Out.Flush();
    }

    /// <summary>Without times, which change all the while: a line that was said is not said again.</summary>
    private static void Print(IReadOnlyList<string> lines, HashSet<string> shown)
    {
        foreach (var line in lines)
        {
            var stable = System.Text.RegularExpressions.Regex.Replace(line, @"  (\d+ h )?(\d+ min )?\d+ s$", "");
            if (shown.Add(stable))
            {
                Console.Out.WriteLine(stable);
            }
        }

        Console.Out.Flush();
    }
}
