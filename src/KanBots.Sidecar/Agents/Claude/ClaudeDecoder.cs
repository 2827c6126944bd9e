using System.Collections.Immutable;
using System.Text;
using System.Text.Json;

namespace KanBots.Sidecar.Agents.Claude;

/// <summary>Reads one line of `claude --output-format stream-json`, versions 2.1.197 to 2.1.330 and what lies between. Total: any
/// bytes give an answer. Keys come in any order, unknown types are kept as they are, nothing is sniffed by prefix.</summary>
internal static class ClaudeDecoder
{
    /// <summary>A longer line is kept and shown by its range, but not parsed. The longest seen from the CLI was 1.7 MB.</summary>
    internal const int LineBytesMax = 32 * 1024 * 1024;

    internal const int SummaryLengthMax = 200;

    internal static (AgentLine Line, ClaudeState State) Decode(ReadOnlyMemory<byte> line, ClaudeState state)
    {
        if (line.Length > LineBytesMax)
        {
            return (new AgentLine([], [TooLong(line.Length)]), state);
        }

        try
        {
            using var document = JsonDocument.Parse(line);
            var reading = new Reading(document.RootElement, state);
            reading.Read();
            return (reading.ToLine(line), reading.State);
        }
        catch (Exception unreadable) when (unreadable is JsonException or InvalidOperationException or FormatException or OverflowException)
        {
            return (Raw(Encoding.UTF8.GetString(line.Span), "notUnderstood"), state);
        }
    }

    /// <summary>What stands for a line that is too long to be read.</summary>
    internal static AgentItem TooLong(long length) => new(ItemKind.Raw, $"A line of {length} bytes.", "tooLong");

    private static AgentLine Raw(string text, string why) => new([], [new AgentItem(ItemKind.Raw, text, why)]);

    /// <summary>The one-line summary of a tool use: what a person would want to read of its input.</summary>
    internal static string Summarise(string tool, JsonElement input)
    {
        string? said = null;
        if (input.ValueKind == JsonValueKind.Object)
        {
            said = new[] { "command", "file_path", "path", "pattern", "url", "query", "description", "prompt" }.Select(name => Text(input, name)).FirstOrDefault(text => !string.IsNullOrEmpty(text));
        }

        var line = (said ?? "").ReplaceLineEndings(" ").Trim();
        line = line.Length > SummaryLengthMax ? string.Concat(line.AsSpan(0, SummaryLengthMax), "…") : line;
        return line.Length == 0 ? tool : $"{tool} {line}";
    }

    internal static string? Text(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private sealed class Reading(JsonElement root, ClaudeState state)
    {
        private readonly ImmutableArray<AgentSignal>.Builder _signals = ImmutableArray.CreateBuilder<AgentSignal>();
        private readonly ImmutableArray<AgentItem>.Builder _items = ImmutableArray.CreateBuilder<AgentItem>();
        private readonly string? _parent = Text(root, "parent_tool_use_id");

        internal ClaudeState State { get; private set; } = state;

        internal AgentLine ToLine(ReadOnlyMemory<byte> line)
        {
            if (_items.Count == 0)
            {
                _items.Add(new AgentItem(ItemKind.Raw, Encoding.UTF8.GetString(line.Span), "unknownType", Parent: _parent));
            }

            return new AgentLine(_signals.ToImmutable(), _items.ToImmutable());
        }

        internal void Read()
        {
            switch (Text(root, "type"))
            {
                case "system":
                    System(Text(root, "subtype") ?? "");
                    break;
                case "assistant":
                    Assistant();
                    break;
                case "user":
                    User();
                    break;
                case "result":
                    Result();
                    break;
                case "control_request":
                    Request();
                    break;
                case "control_response":
                    Response();
                    break;
                case "control_cancel_request" when Text(root, "request_id") is { } id:
                    _signals.Add(new AgentSignal.Withdrawn(id));
                    Notice("withdrawn", "The question was withdrawn.");
                    break;
                case "rate_limit_event":
                    Notice("rateLimit", RateLimit());
                    break;
                case "command_lifecycle":
                    Notice("message", $"Message {Text(root, "state")}.");
                    break;
            }
        }

        private void Notice(string topic, string message) => _items.Add(new AgentItem(ItemKind.Notice, message, topic, Parent: _parent));

        private void System(string subtype)
        {
            switch (subtype)
            {
                case "init":
                    _signals.Add(new AgentSignal.TurnStarted(Text(root, "session_id"), Text(root, "model"), Text(root, "claude_code_version")));
                    _items.Add(new AgentItem(ItemKind.System, $"Claude Code {Text(root, "claude_code_version")}, {Text(root, "model")}", subtype, Text(root, "session_id"), Json: Text(root, "model")));
                    break;
                case "api_retry":
                    Notice("apiRetry", $"The model did not answer ({Text(root, "error") ?? Number(root, "error_status")}); attempt {Number(root, "attempt")} of {Number(root, "max_retries")} follows.");
                    break;
                case "compact_boundary":
                    Notice("compaction", "The conversation was compacted.");
                    break;
                case "background_tasks_changed":
                    var count = root.TryGetProperty("tasks", out var tasks) && tasks.ValueKind == JsonValueKind.Array ? tasks.GetArrayLength() : 0;
                    _signals.Add(new AgentSignal.BackgroundTasks(count));
                    Notice("backgroundTasks", count == 0 ? "No background task runs." : $"{count} background tasks run.");
                    break;
                default:
                    var said = Text(root, "message") ?? Text(root, "summary") ?? Text(root, "description") ?? Text(root, "status") ?? subtype;
                    _items.Add(new AgentItem(ItemKind.System, said, subtype, Parent: _parent));
                    break;
            }
        }

        private static string Number(JsonElement element, string name) => element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetRawText() : "?";

        private string RateLimit()
        {
            var info = root.TryGetProperty("rate_limit_info", out var value) ? value : root;
            return $"Rate limit {Text(info, "rateLimitType")}: {Text(info, "status")}.";
        }

        private IEnumerable<JsonElement> Blocks()
        {
            if (!root.TryGetProperty("message", out var message) || message.ValueKind != JsonValueKind.Object || !message.TryGetProperty("content", out var content))
            {
                return [];
            }

            return content.ValueKind == JsonValueKind.Array ? content.EnumerateArray().ToArray() : [content];
        }

        private void Assistant()
        {
            // A top-level error marks the CLI's own synthetic message; the result that follows only has its text.
            State = State with { LastError = Text(root, "error") };
            _signals.Add(new AgentSignal.Spent());
            foreach (var block in Blocks())
            {
                switch (Text(block, "type"))
                {
                    case "text":
                        _items.Add(new AgentItem(ItemKind.Text, Text(block, "text") ?? "", Parent: _parent));
                        break;
                    case "thinking":
                        _items.Add(new AgentItem(ItemKind.Thinking, Text(block, "thinking") ?? "", Parent: _parent));
                        break;
                    case "tool_use":
                        ToolUse(block);
                        break;
                    case { } other:
                        _items.Add(new AgentItem(ItemKind.Raw, block.GetRawText(), other, Parent: _parent));
                        break;
                }
            }
        }

        private void ToolUse(JsonElement block)
        {
            var name = Text(block, "name") ?? "tool";
            var input = block.TryGetProperty("input", out var value) ? value : default;
            var summary = Summarise(name, input);
            if (_parent is null)
            {
                _signals.Add(new AgentSignal.Tool(summary));
            }

            _items.Add(new AgentItem(ItemKind.ToolUse, summary, name, Text(block, "id"), _parent, input.ValueKind == JsonValueKind.Undefined ? null : input.GetRawText()));
        }

        private void User()
        {
            var replayed = root.TryGetProperty("isReplay", out var replay) && replay.ValueKind == JsonValueKind.True;
            var id = Text(root, "uuid");
            if (replayed && id is not null)
            {
                _signals.Add(new AgentSignal.Echoed(id));
            }

            foreach (var block in Blocks())
            {
                if (block.ValueKind == JsonValueKind.String)
                {
                    _items.Add(new AgentItem(ItemKind.UserMessage, block.GetString() ?? "", Id: replayed ? id : null, Parent: _parent));
                }
                else if (Text(block, "type") == "tool_result")
                {
                    if (_parent is null)
                    {
                        _signals.Add(new AgentSignal.Tool(null));
                    }

                    _signals.Add(new AgentSignal.Spent());
                    var failed = block.TryGetProperty("is_error", out var error) && error.ValueKind == JsonValueKind.True;
                    _items.Add(Answers() is { } answers
                        ? new AgentItem(ItemKind.Answer, answers, Id: Text(block, "tool_use_id"), Parent: _parent)
                        : new AgentItem(ItemKind.ToolResult, ContentText(block), Id: Text(block, "tool_use_id"), Parent: _parent, IsError: failed));
                }
                else
                {
                    _items.Add(new AgentItem(ItemKind.UserMessage, Text(block, "text") ?? block.GetRawText(), Id: replayed ? id : null, Parent: _parent));
                }
            }
        }

        /// <summary>The result of a question, which is the person's answer; null for every other tool's.</summary>
        private string? Answers()
        {
            if (!root.TryGetProperty("tool_use_result", out var result) || result.ValueKind != JsonValueKind.Object
                || !result.TryGetProperty("questions", out var questions) || questions.ValueKind != JsonValueKind.Array
                || !result.TryGetProperty("answers", out var answers) || answers.ValueKind != JsonValueKind.Object)
            {
                return null;
            }

            var lines = answers.EnumerateObject().Select(answer => $"{answer.Name} {(answer.Value.ValueKind == JsonValueKind.String ? answer.Value.GetString() : answer.Value.GetRawText())}").ToList();
            return lines.Count == 0 ? "Not answered." : string.Join("\n", lines);
        }

        private static string ContentText(JsonElement block)
        {
            if (!block.TryGetProperty("content", out var content))
            {
                return "";
            }

            return content.ValueKind switch
            {
                JsonValueKind.String => content.GetString() ?? "",
                JsonValueKind.Array => string.Join("\n", content.EnumerateArray().Select(part => Text(part, "text") ?? $"[{Text(part, "type")}]")),
                _ => content.GetRawText(),
            };
        }

        private void Result()
        {
            var isError = root.TryGetProperty("is_error", out var error) && error.ValueKind == JsonValueKind.True;
            var terminal = Text(root, "terminal_reason") ?? "";
            var interrupted = isError && terminal.StartsWith("aborted", StringComparison.Ordinal);
            var text = Text(root, "result") ?? Errors();
            var (kind, message) = isError && !interrupted ? ClaudeFailure.OfResult(Text(root, "subtype") ?? "", State.LastError, text) : (null, null);
            var turns = root.TryGetProperty("num_turns", out var count) && count.TryGetInt32(out var number) ? number : 0;
            var micro = TakeCost();
            if (micro > 0)
            {
                _signals.Add(new AgentSignal.CostAdded(micro));
            }

            _signals.Add(new AgentSignal.Tool(null));
            _signals.Add(new AgentSignal.TurnEnded(isError, interrupted, kind, message, turns));
            var duration = root.TryGetProperty("duration_ms", out var ms) && ms.TryGetInt64(out var milliseconds) ? milliseconds : 0;
            _items.Add(new AgentItem(ItemKind.Result, text, interrupted ? "interrupted" : kind ?? "success", IsError: isError, MicroUsd: micro, Turns: turns, DurationMs: duration));
        }

        private string Errors() => root.TryGetProperty("errors", out var errors) && errors.ValueKind == JsonValueKind.Array
            ? string.Join("\n", errors.EnumerateArray().Select(error => error.ValueKind == JsonValueKind.String ? error.GetString() : error.GetRawText()))
            : Text(root, "subtype") ?? "";

        /// <summary>What this result adds. 2.1.330 counts its total over the whole session, across resumes, and says what is new since
        /// the last result; 2.1.197 counts from 0 in each process.</summary>
        private long TakeCost()
        {
            var before = State.Exact;
            var total = root.TryGetProperty("total_cost_usd", out var cost) && cost.TryGetDecimal(out var dollars) ? dollars : (decimal?)null;
            decimal added = 0;
            if (root.TryGetProperty("model_usage_since_last_result", out var since) && since.ValueKind == JsonValueKind.Object)
            {
                foreach (var model in since.EnumerateObject())
                {
                    added += model.Value.TryGetProperty("costUSD", out var usd) && usd.TryGetDecimal(out var value) ? value : 0;
                }
            }
            else if (total is { } now)
            {
                added = now - before;
            }

            State = State with { Exact = before + Math.Max(0, added), Baseline = total ?? State.Baseline };
            return Micro(State.Exact) - Micro(before);
        }

        private static long Micro(decimal dollars) => (long)decimal.Round(dollars * 1_000_000m, MidpointRounding.AwayFromZero);

        private void Request()
        {
            if (Text(root, "request_id") is not { } id || !root.TryGetProperty("request", out var request) || Text(request, "subtype") != "can_use_tool")
            {
                return;
            }

            var tool = Text(request, "tool_name") ?? "tool";
            var input = request.TryGetProperty("input", out var value) ? value : default;
            var kind = tool switch { "AskUserQuestion" => AskKind.Question, "ExitPlanMode" => AskKind.Plan, _ => AskKind.Permission };
            var questions = kind == AskKind.Question ? Questions(input) : [];
            var description = kind == AskKind.Plan ? Text(input, "plan") : Text(request, "description");
            _signals.Add(new AgentSignal.Asked(id, kind, Text(request, "tool_use_id"), tool, input.ValueKind == JsonValueKind.Undefined ? "{}" : input.GetRawText(), description, questions));
            var said = kind == AskKind.Question ? string.Join("\n", questions.Select(question => question.Text)) : Summarise(tool, input);
            _items.Add(new AgentItem(ItemKind.Question, said, Text(request, "tool_use_id"), id, _parent));
        }

        private static ImmutableArray<AgentQuestion> Questions(JsonElement input)
        {
            if (input.ValueKind != JsonValueKind.Object || !input.TryGetProperty("questions", out var list) || list.ValueKind != JsonValueKind.Array)
            {
                return [];
            }

            return [.. list.EnumerateArray().Select(question => new AgentQuestion(
                Text(question, "question") ?? "",
                Text(question, "header"),
                question.TryGetProperty("options", out var options) && options.ValueKind == JsonValueKind.Array ? [.. options.EnumerateArray().Select(option => new AgentOption(Text(option, "label") ?? "", Text(option, "description")))] : [],
                question.TryGetProperty("multiSelect", out var multi) && multi.ValueKind == JsonValueKind.True))];
        }

        private void Response()
        {
            if (!root.TryGetProperty("response", out var envelope))
            {
                return;
            }

            if (Text(envelope, "request_id")?.StartsWith(ClaudeControl.UsagePrefix, StringComparison.Ordinal) == true
                && envelope.TryGetProperty("response", out var response) && response.ValueKind == JsonValueKind.Object
                && response.TryGetProperty("session", out var session) && session.ValueKind == JsonValueKind.Object
                && session.TryGetProperty("total_cost_usd", out var cost) && cost.TryGetDecimal(out var total))
            {
                // The first figure of a resumed session, asked for before its first model call, holds what earlier launches cost.
                State = State with { Baseline = State.Baseline ?? total };
                _signals.Add(new AgentSignal.CostEstimated(Micro(Math.Max(0, total - State.Baseline.Value))));
            }

            Notice("control", Text(envelope, "error") ?? "The agent heard us.");
        }
    }
}
