using System.Text.Json;
using System.Text.Json.Nodes;

namespace KanBots.Sidecar.Agents.Claude;

/// <summary>The lines that are written to the CLI's stdin: strict, each one JSON object ending in one newline. A line that is not
/// JSON ends the process, so they are built from values and never from text.</summary>
internal static class ClaudeControl
{
    internal const string UsagePrefix = "usage-";

    internal static byte[] UserMessage(string id, string text) => Line(writer =>
    {
        writer.WriteString("type", "user");
        writer.WriteStartObject("message");
        writer.WriteString("role", "user");
        writer.WriteString("content", text);
        writer.WriteEndObject();
        writer.WriteNull("parent_tool_use_id");
        writer.WriteString("session_id", "");
        writer.WriteString("uuid", id);
    });

    internal static byte[] Interrupt(string requestId) => Request(requestId, "interrupt");

    internal static byte[] GetUsage(long number) => Request(FormattableString.Invariant($"{UsagePrefix}{number}"), "get_usage");

    internal static byte[] Allow(string requestId, string toolInput) => Response(requestId, writer =>
    {
        writer.WriteString("behavior", "allow");
        writer.WritePropertyName("updatedInput"); // 2.1.197 fails without it
        writer.WriteRawValue(toolInput);
    });

    internal static byte[] Deny(string requestId, string reason) => Response(requestId, writer =>
    {
        writer.WriteString("behavior", "deny");
        writer.WriteString("message", reason);
    });

    /// <param name="answers">Values by the text of the question; several are joined as the CLI itself does.</param>
    internal static byte[] Answer(string requestId, string toolInput, IReadOnlyDictionary<string, IReadOnlyList<string>> answers) => Response(requestId, writer =>
    {
        var input = JsonNode.Parse(toolInput)?.AsObject() ?? [];
        var said = new JsonObject();
        foreach (var (question, values) in answers)
        {
            said[question] = string.Join(", ", values);
        }

        input["answers"] = said;
        writer.WriteString("behavior", "allow");
        writer.WritePropertyName("updatedInput");
        input.WriteTo(writer);
    });

    private static byte[] Request(string id, string subtype) => Line(writer =>
    {
        writer.WriteString("type", "control_request");
        writer.WriteString("request_id", id);
        writer.WriteStartObject("request");
        writer.WriteString("subtype", subtype);
        writer.WriteEndObject();
    });

    private static byte[] Response(string id, Action<Utf8JsonWriter> body) => Line(writer =>
    {
        writer.WriteString("type", "control_response");
        writer.WriteStartObject("response");
        writer.WriteString("subtype", "success");
        writer.WriteString("request_id", id);
        writer.WriteStartObject("response");
        body(writer);
        writer.WriteEndObject();
        writer.WriteEndObject();
    });

    private static byte[] Line(Action<Utf8JsonWriter> body)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            writer.WriteStartObject();
            body(writer);
            writer.WriteEndObject();
        }

        stream.WriteByte((byte)'\n');
        var line = stream.ToArray();
        // A tool's input is passed on as it came; pretty-printed JSON would tear the line.
        return line.AsSpan(0, line.Length - 1).Contains((byte)'\n') ? throw new InvalidOperationException("A line for the agent contains a newline.") : line;
    }
}
