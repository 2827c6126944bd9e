using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace KanBots.FakeAgent;

/// <summary>The agent's side of the stream: lines out, lines in. What comes in is sorted by a reader thread, since an interrupt must be
/// heard in the middle of a step.</summary>
internal sealed class Wire
{
    private readonly Stream _out = Console.OpenStandardOutput();
    private readonly Lock _gate = new();
    private int _requests;

    internal BlockingCollection<JsonObject?> Messages { get; } = new();

    internal ConcurrentDictionary<string, JsonObject> Replies { get; } = new();

    internal volatile bool Interrupted;

    internal Func<decimal> Cost { get; set; } = () => 0;

    internal void Start() => new Thread(Read) { IsBackground = true }.Start();

    internal void Send(JsonObject line) => SendBytes([.. Encoding.UTF8.GetBytes(line.ToJsonString()), (byte)'\n']);

    internal void SendBytes(ReadOnlySpan<byte> bytes)
    {
        lock (_gate)
        {
            _out.Write(bytes);
            _out.Flush();
        }
    }

    internal string Ask(JsonObject request)
    {
        var id = $"fake-request-{Environment.ProcessId}-{Interlocked.Increment(ref _requests)}";
        Send(new JsonObject { ["type"] = "control_request", ["request_id"] = id, ["request"] = request });
        return id;
    }

    private void Read()
    {
        using var input = new StreamReader(Console.OpenStandardInput(), new UTF8Encoding(false));
        while (input.ReadLine() is { } line)
        {
            JsonObject message;
            try
            {
                message = JsonNode.Parse(line)!.AsObject();
            }
            catch (JsonException)
            {
                // As the real one: a line that is not JSON ends the process.
                Console.Error.WriteLine("Error parsing streaming input line");
                Environment.Exit(1);
                return;
            }

            switch ((string?)message["type"])
            {
                case "user":
                    Messages.Add(message);
                    break;
                case "control_response":
                    Replies[(string)message["response"]!["request_id"]!] = message["response"]!.AsObject();
                    break;
                case "control_request":
                    Serve((string)message["request_id"]!, message["request"]!.AsObject());
                    break;
            }
        }

        Messages.Add(null);
    }

    private void Serve(string id, JsonObject request)
    {
        JsonNode response = new JsonObject();
        switch ((string?)request["subtype"])
        {
            case "interrupt":
                Interrupted = true;
                break;
            case "get_usage":
                response = new JsonObject { ["session"] = new JsonObject { ["total_cost_usd"] = Cost() } };
                break;
        }

        Send(new JsonObject { ["type"] = "control_response", ["response"] = new JsonObject { ["subtype"] = "success", ["request_id"] = id, ["response"] = response } });
    }
}
