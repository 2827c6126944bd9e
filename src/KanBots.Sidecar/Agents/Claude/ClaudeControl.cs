using System.Text.Json;

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
        writer.WriteRawValue(OnOneLine(toolInput));
    });

    internal static byte[] Deny(string requestId, string reason) => Response(requestId, writer =>
    {
        writer.WriteString("behavior", "deny");
        writer.WriteString("message", reason);
    });

    /// <param name="answers">Values with the text of their question, which is all that the CLI knows a question by: those of two
    /// questions with the same text are given together. Several are joined as the CLI itself does.</param>
    internal static byte[] Answer(string requestId, string toolInput, IEnumerable<(string Question, IReadOnlyList<string> Values)> answers) => Response(requestId, writer =>
    {
        writer.WriteString("behavior", "allow");
        writer.WriteStartObject("updatedInput");
        using var input = JsonDocument.Parse(toolInput, new JsonDocumentOptions { MaxDepth = ClaudeDecoder.DepthMax });
        foreach (var name in input.RootElement.ValueKind == JsonValueKind.Object ? input.RootElement.EnumerateObject().Select(member => member.Name).Where(name => name != "answers").Distinct().ToArray() : [])
        {
            writer.WritePropertyName(name);
            writer.WriteRawValue(OnOneLine(input.RootElement.GetProperty(name).GetRawText()));
        }

        writer.WriteStartObject("answers");
        foreach (var same in answers.GroupBy(answer => answer.Question, answer => answer.Values, StringComparer.Ordinal))
        {
            writer.WriteString(same.Key, string.Join(", ", same.SelectMany(values => values)));
        }

        writer.WriteEndObject();
        writer.WriteEndObject();
    });

    /// <summary>Ends the wait of a request that we do not serve.</summary>
    internal static byte[] Refuse(string requestId, string reason) => Line(writer =>
    {
        writer.WriteString("type", "control_response");
        writer.WriteStartObject("response");
        writer.WriteString("subtype", "error");
        writer.WriteString("request_id", requestId);
        writer.WriteString("error", reason);
        writer.WriteEndObject();
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

    /// <summary>A tool's input is passed on as it came, but pretty-printed JSON would tear the line. In JSON a raw line end is always
    /// white space between values, and a raw U+2028 or U+2029, at which JavaScript may split lines too, always stands in a string.</summary>
    private static string OnOneLine(string json) => json.AsSpan().ContainsAny("\r\n\u2028\u2029")
        ? json.Replace('\n', ' ').Replace('\r', ' ').Replace("\u2028", @"\u2028", StringComparison.Ordinal).Replace("\u2029", @"\u2029", StringComparison.Ordinal)
        : json;

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
        return stream.ToArray();
    }
}
