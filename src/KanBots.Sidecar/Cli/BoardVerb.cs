using System.Threading.Channels;
using KanBots.Sidecar.Protocol;
using KanBots.Sidecar.Rpc;
using KanBots.Sidecar.Serving;

namespace KanBots.Sidecar.Cli;

/// <summary><c>board</c>: redraws on a terminal, where questions are answered in it too; prints what changed, as plain lines, when its
/// output goes elsewhere.</summary>
internal static class BoardVerb
{
    private const int KeysMax = 1024;
    private static readonly TimeSpan Refresh = TimeSpan.FromSeconds(1);

    /// <param name="untilIdle">Ends when no run lives and nothing is queued.</param>
    internal static async Task<int> RunAsync(Client client, bool once, bool untilIdle)
    {
        var terminal = !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("TERM") is not (null or "dumb");
        var colour = terminal && Environment.GetEnvironmentVariable("NO_COLOR") is null;
        if (!terminal || once)
        {
            return await PrintAsync(client, new BoardStyle(colour, terminal ? Width() : 120), once, untilIdle);
        }

        var keys = Console.IsInputRedirected ? null : ReadKeys();
        using var stop = new CancellationTokenSource();
        Console.CancelKeyPress += (_, pressed) =>
        {
            pressed.Cancel = true; // leave the terminal as we found it
            stop.Cancel();
        };
        var left = await DrawAsync(client, keys, colour, untilIdle, stop.Token);
        Console.Out.WriteLine();
        return left;
    }

    private static async Task<int> DrawAsync(Client client, ChannelReader<ConsoleKeyInfo>? keys, bool colour, bool untilIdle, CancellationToken stop)
    {
        var line = new AnswerLine();
        var rows = 0;
        Task? answering = null;
        var typed = keys?.WaitToReadAsync(stop).AsTask() ?? new TaskCompletionSource<bool>().Task;
        while (!stop.IsCancellationRequested && !client.Ended.IsCompleted)
        {
            var changed = client.Changed;
            var board = await client.BoardAsync();
            line = line.On(board.Decisions);
            var style = new BoardStyle(colour, Width(), Answerable: keys is not null);
            rows = Redraw(Lines(board, style, line), rows);
            if (untilIdle && IsIdle(board))
            {
                return 0;
            }

            // Keys are shown at once; the board is asked for again when it changed, and every second for its clocks.
            var pause = Task.WhenAny(changed, Task.Delay(Refresh, stop), client.Ended);
            while (await Task.WhenAny(pause, answering ?? typed) != pause)
            {
                line = answering is null ? line : line with { Said = Refused(answering) };
                answering = null;
                while (answering is null && keys!.TryRead(out var key))
                {
                    (line, var request) = line.Press(key, Verbs.NewId());
                    answering = request is null ? null : client.RequestAsync(Methods.DecisionAnswer, request, ProtocolJson.Default.DecisionAnswerParams, ProtocolJson.Default.DecisionResult);
                }

                typed = typed.IsCompleted ? keys!.WaitToReadAsync(stop).AsTask() : typed;
                rows = Redraw(Lines(board, style, line), rows);
            }

            await pause;
        }

        return client.Ended.IsCompleted ? Relay.ServeDied : 0;
    }

    private static string? Refused(Task answering) => answering.Exception?.InnerException is RpcException refused ? refused.Message : null;

    private static List<string> Lines(BoardSnapshot board, BoardStyle style, AnswerLine line) =>
        [.. BoardText.Render(board, style, TimeProvider.System.GetUtcNow()), .. style.Answerable && line.Show(style.Width) is { } typed ? [typed] : Array.Empty<string>()];

    private static bool IsIdle(BoardSnapshot board) => board.Runs.All(run => run.State is not (RunState.Queued or RunState.Preparing or RunState.Running or RunState.AwaitingDecision));

    /// <summary>A terminal that does not know its size says 0.</summary>
    private static int Width() => Console.WindowWidth is var width and > 0 ? Math.Max(40, width) : 80;

    private static int Height() => Console.WindowHeight is var height and > 0 ? Math.Max(5, height) : 24;

    private static ChannelReader<ConsoleKeyInfo> ReadKeys()
    {
        var keys = Channel.CreateBounded<ConsoleKeyInfo>(new BoundedChannelOptions(KeysMax) { FullMode = BoundedChannelFullMode.DropWrite });
        new Thread(() =>
        {
            while (true)
            {
                keys.Writer.TryWrite(Console.ReadKey(intercept: true));
            }
        }) { IsBackground = true }.Start();
        return keys.Reader;
    }

    /// <summary>Moves up over what was drawn and writes each line over the old one. The cursor stays behind the last line, which is where
    /// a person types. Lines do not wrap meanwhile: a wide letter must not cost a row.</summary>
    /// <returns>The rows drawn.</returns>
    private static int Redraw(List<string> lines, int drawn)
    {
        var height = Height();
        var kept = lines.Count <= height ? lines : [.. lines.Take(height - 1), lines[^1]];
        var up = drawn > 1 ? $"\u001b[{Math.Min(drawn, height) - 1}A" : "";
        Console.Out.Write($"\u001b[?7l{up}\r{string.Join("\u001b[K\n", kept)}\u001b[K\u001b[J\u001b[?7h");
        Console.Out.Flush();
        return kept.Count;
    }

    private static async Task<int> PrintAsync(Client client, BoardStyle style, bool once, bool untilIdle)
    {
        var shown = new HashSet<string>();
        while (!client.Ended.IsCompleted)
        {
            var changed = client.Changed;
            var board = await client.BoardAsync();
            Print(BoardText.Render(board, style, TimeProvider.System.GetUtcNow()), shown);
            if (once || (untilIdle && IsIdle(board)))
            {
                return 0;
            }

            await Task.WhenAny(changed, client.Ended);
        }

        return Relay.ServeDied;
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
