using System.Text.Json;

namespace KanBots.Sidecar.Agents.Claude;

/// <summary>What was written to a launch, read again: its command line and its input. For a board that has lost its own record.</summary>
/// <param name="Messages">By id, in order.</param>
/// <param name="Answered">Ids of the agent's requests that were answered.</param>
internal sealed record ClaudePast(IReadOnlyList<(string Id, string Text)> Messages, IReadOnlyList<string> Answered)
{
    /// <summary>Complete lines only; what is no line of ours is left out.</summary>
    internal static ClaudePast Of(ReadOnlyMemory<byte> stdin)
    {
        var messages = new List<(string, string)>();
        var answered = new List<string>();
        for (int start = 0, length; (length = stdin.Span[start..].IndexOf((byte)'\n')) >= 0; start += length + 1)
        {
            try
            {
                using var parsed = StreamLine.Parse(stdin.Slice(start, length), ClaudeDecoder.DepthMax);
                var line = parsed.Root;
                if (line.Text("type") == "user" && line.Text("uuid") is { } id && line.Member("message").Text("content") is { } text)
                {
                    messages.Add((id, text));
                }
                else if (line.Text("type") == "control_response" && line.Member("response").Text("request_id") is { } request)
                {
                    answered.Add(request);
                }
            }
            catch (JsonException)
            {
                // The other lines may be whole.
            }
        }

        return new ClaudePast(messages, answered);
    }

    /// <summary>The value behind an option of <see cref="ClaudeLaunch.ToArgv"/>; null when it is not there.</summary>
    internal static string? Option(IReadOnlyList<string> argv, string name)
    {
        for (var i = 0; i + 1 < argv.Count; i++)
        {
            if (argv[i] == name)
            {
                return argv[i + 1];
            }
        }

        return null;
    }
}
