using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;

namespace KanBots.Sidecar.Tests.Spine;

/// <summary>A client of the real executable over its stdio, with framing of its own, so that it does not trust ours.</summary>
internal sealed class WireClient : IDisposable
{
    private readonly Process _process;
    private readonly object _gate = new();
    private readonly Dictionary<int, JsonObject> _answers = [];
    private readonly List<JsonObject> _notifications = [];
    private int _next;
    private bool _ended;

    internal WireClient(ProcessStartInfo start)
    {
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        _process = Process.Start(start)!;
        _process.ErrorDataReceived += (_, line) => Errors.AppendLine(line.Data);
        _process.BeginErrorReadLine();
        new Thread(Read) { IsBackground = true }.Start();
    }

    internal StringBuilder Errors { get; } = new();

    internal int Pid => _process.Id;

    internal IReadOnlyList<JsonObject> Notifications(string method)
    {
        lock (_gate)
        {
            return [.. _notifications.Where(note => (string?)note["method"] == method).Select(note => note["params"]!.AsObject())];
        }
    }

    internal JsonObject Call(string method, JsonObject? parameters = null)
    {
        var answer = Answer(Send(method, parameters), method);
        return answer["error"] is { } error ? throw new WireError((string?)error["data"]?["kind"], (int)error["code"]!, (string)error["message"]!) : answer["result"]!.AsObject();
    }

    /// <summary>A call that changes state, with a new request id unless one is given.</summary>
    internal JsonObject Ask(string method, JsonObject parameters)
    {
        parameters["requestId"] ??= Guid.NewGuid().ToString();
        return Call(method, parameters);
    }

    internal void Notify(string method, JsonObject parameters) => Write(new JsonObject { ["jsonrpc"] = "2.0", ["method"] = method, ["params"] = parameters });

    internal int Send(string method, JsonObject? parameters)
    {
        var id = Interlocked.Increment(ref _next);
        Write(new JsonObject { ["jsonrpc"] = "2.0", ["id"] = id, ["method"] = method, ["params"] = parameters ?? [] });
        return id;
    }

    private void Write(JsonObject message)
    {
        var content = Encoding.UTF8.GetBytes(message.ToJsonString());
        var input = _process.StandardInput.BaseStream;
        lock (input)
        {
            input.Write(Encoding.ASCII.GetBytes($"Content-Length: {content.Length}\r\n\r\n"));
            input.Write(content);
            input.Flush();
        }
    }

    internal JsonObject Answer(int id, string what)
    {
        lock (_gate)
        {
            var until = Stopwatch.StartNew();
            while (!_answers.ContainsKey(id))
            {
                if (_ended || until.Elapsed > TimeSpan.FromSeconds(180))
                {
                    throw new InvalidOperationException($"{what}: {(_ended ? "the connection ended" : "no answer in 180 s")}. {Errors}");
                }

                Monitor.Wait(_gate, 1000);
            }

            _answers.Remove(id, out var answer); // a long test asks for the board thousands of times
            return answer!;
        }
    }

    internal bool HasAnswer(int id)
    {
        lock (_gate)
        {
            return _answers.ContainsKey(id);
        }
    }

    internal int WaitForExit() => _process.WaitForExit(60_000) ? _process.ExitCode : throw new InvalidOperationException("The relay lives on.");

    internal void EndInput() => _process.StandardInput.Close();

    /// <summary>A relay that is killed ends anywhere, also inside a frame: that is an end like any other.</summary>
    private void Read()
    {
        try
        {
            ReadFrames(_process.StandardOutput.BaseStream);
        }
        catch (Exception ended) when (ended is IOException or ObjectDisposedException)
        {
            // The callers are told below.
        }

        lock (_gate)
        {
            _ended = true;
            Monitor.PulseAll(_gate);
        }
    }

    private void ReadFrames(Stream output)
    {
        for (; ; )
        {
            var length = 0;
            for (string? line; (line = Line(output)) != "";)
            {
                if (line is null)
                {
                    return;
                }

                length = int.Parse(line.Split(':')[1]);
            }

            var content = new byte[length];
            output.ReadExactly(content);
            var message = JsonNode.Parse(content)!.AsObject();
            lock (_gate)
            {
                if (message.ContainsKey("method"))
                {
                    _notifications.Add(message);
                }
                else
                {
                    _answers[(int)message["id"]!] = message;
                }

                Monitor.PulseAll(_gate);
            }
        }
    }

    private static string? Line(Stream stream)
    {
        var line = new StringBuilder();
        for (int one; (one = stream.ReadByte()) != '\n'; line.Append((char)one))
        {
            if (one < 0)
            {
                return null;
            }
        }

        return line.ToString().TrimEnd('\r');
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        _process.Dispose();
    }
}

internal sealed class WireError(string? kind, int code, string message) : Exception($"{kind} ({code}): {message}")
{
    internal string? Kind { get; } = kind;

    internal int Code { get; } = code;
}
