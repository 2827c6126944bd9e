using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;

namespace KanBots.Sidecar.Agents.Claude;

/// <summary>One line while it is read: what it says, and what it changes in the decoder's state.</summary>
internal sealed class ClaudeReading(StreamValue root, ClaudeState state)
{
    /// <summary>Tools at work at once that are known by name.</summary>
    private const int ToolsMax = 64;

    private readonly ImmutableArray<AgentSignal>.Builder _signals = ImmutableArray.CreateBuilder<AgentSignal>(1);
    private readonly ImmutableArray<AgentItem>.Builder _items = ImmutableArray.CreateBuilder<AgentItem>(1);
    private readonly string? _parent = root.Text("parent_tool_use_id");

    internal ClaudeState State { get; private set; } = state;

    internal AgentLine ToLine()
    {
        if (_items.Count == 0)
        {
            _items.Add(new AgentItem(ItemKind.Raw, root.RawText, "unknownType", Parent: _parent));
        }

        return new AgentLine(_signals.DrainToImmutable(), _items.DrainToImmutable());
    }

    internal void Read()
    {
        switch (root.Text("type"))
        {
            case "system":
                System(root.Text("subtype") ?? "");
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
            case "control_cancel_request" when root.Text("request_id") is { } id:
                _signals.Add(new AgentSignal.Withdrawn(id));
                Notice("withdrawn", "The question was withdrawn.");
                break;
            case "rate_limit_event":
                RateLimit();
                break;
            case "command_lifecycle":
                Notice("message", $"Message {root.Text("state")}.");
                break;
            case "stream_event":
                Notice("partial", Partial());
                break;
        }
    }

    /// <summary>A session id stands on the command line of the next launch: it must not be read as an option or a path there.</summary>
    private static bool IsName(string id) => id.Length is > 0 and <= 100 && id[0] != '-' && id.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_');

    private void Notice(string topic, string message) => _items.Add(new AgentItem(ItemKind.Notice, message, topic, Parent: _parent));

    private void Raw(StreamValue what, string why) => _items.Add(new AgentItem(ItemKind.Raw, what.RawText, why, Parent: _parent));

    private void System(string subtype)
    {
        switch (subtype)
        {
            case "init":
                _signals.Add(new AgentSignal.TurnStarted(root.Text("session_id") is { } session && IsName(session) ? session : null, root.Text("model"), root.Text("claude_code_version")));
                _items.Add(new AgentItem(ItemKind.System, $"Claude Code {root.Text("claude_code_version")}, {root.Text("model")}", subtype, root.Text("session_id"), Model: root.Text("model")));
                return;
            case "api_retry":
                Notice("apiRetry", $"The model did not answer ({root.Text("error") ?? Number("error_status")}); attempt {Number("attempt")} of {Number("max_retries")} follows.");
                return;
            case "compact_boundary":
                Notice("compaction", "The conversation was compacted.");
                return;
            case "background_tasks_changed":
                var count = root.Member("tasks").Count;
                State = State with { TellsTasks = true, Tasks = null };
                _signals.Add(new AgentSignal.BackgroundTasks(count));
                Notice("backgroundTasks", count switch { 0 => "No background task runs.", 1 => "1 background task runs.", _ => $"{count} background tasks run." });
                return;
            case "task_notification":
                TaskEnded();
                break;
            case "task_updated" when root.Member("patch").Text("status") is "completed" or "failed" or "killed" or "stopped":
                TaskEnded();
                break;
        }

        var said = root.Text("message") ?? root.Text("summary") ?? root.Text("description") ?? root.Text("status") ?? subtype;
        _items.Add(new AgentItem(ItemKind.System, said, subtype, Parent: _parent));
    }

    /// <summary>2.1.197 does not say which background tasks run. It ends them five seconds after the end of its input, and else wakes
    /// when one ends and begins another turn: so they are counted here, from the tool result that names one to its notification.</summary>
    private void TaskBegan(string task) => Count([.. State.Tasks ?? [], task]);

    private void TaskEnded()
    {
        if (root.Text("task_id") is { } task && State.Tasks?.Contains(task) == true)
        {
            Count([.. State.Tasks.Where(other => other != task)]);
        }
    }

    private void Count(string[] tasks)
    {
        State = State with { Tasks = tasks.Length == 0 ? null : tasks };
        _signals.Add(new AgentSignal.BackgroundTasks(tasks.Length));
    }

    private string Number(string name) => root.Member(name) is { ValueKind: JsonValueKind.Number } value ? value.RawText : "?";

    private void RateLimit()
    {
        var info = root.Member("rate_limit_info") is { ValueKind: JsonValueKind.Object } value ? value : root;
        var (limit, status, resets) = (info.Text("rateLimitType"), info.Text("status"), info.Whole("resetsAt"));
        DateTimeOffset? until = resets is > 0 and < 253_402_300_800 ? DateTimeOffset.FromUnixTimeSeconds(resets) : null;
        if (status == "rejected" && !info.IsTrue("isUsingOverage"))
        {
            _signals.Add(new AgentSignal.RateLimited(limit, until));
        }
        else if (status is "allowed" or "allowed_warning")
        {
            _signals.Add(new AgentSignal.RateAllowed(limit));
        }

        Notice("rateLimit", $"Rate limit {limit}: {status}{(until is { } at ? $", until {at.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)} UTC" : "")}.");
    }

    /// <summary>A piece of what a whole message repeats afterwards, so that it is kept in brief: its words, or the name of its event.</summary>
    private string Partial()
    {
        var part = root.Member("event");
        var delta = part.Member("delta");
        return delta.Text("text") ?? delta.Text("thinking") ?? delta.Text("partial_json") ?? part.Text("type") ?? "stream_event";
    }

    private IEnumerable<StreamValue> Blocks() => root.Member("message").Member("content") switch
    {
        { ValueKind: JsonValueKind.Array } blocks => blocks.Elements(),
        { ValueKind: JsonValueKind.Undefined } => [],
        var content => [content],
    };

    private void Assistant()
    {
        if (_parent is null)
        {
            // A top-level error marks the CLI's own synthetic message; the result that follows only has its text.
            State = State with { LastError = root.Text("error") };
        }

        _signals.Add(new AgentSignal.Spent());
        foreach (var block in Blocks())
        {
            switch (block.Text("type"))
            {
                case null when block.Said() is { } text:
                    _items.Add(new AgentItem(ItemKind.Text, text, Parent: _parent));
                    break;
                case "text" when block.Member("text").Said() is { } text:
                    _items.Add(new AgentItem(ItemKind.Text, text, Parent: _parent));
                    break;
                case "thinking" when block.Member("thinking").Said() is { } thought:
                    _items.Add(new AgentItem(ItemKind.Thinking, thought, Parent: _parent));
                    break;
                case "tool_use":
                    ToolUse(block);
                    break;
                case var other:
                    Raw(block, other ?? "unknownBlock");
                    break;
            }
        }
    }

    private void ToolUse(StreamValue block)
    {
        var name = block.Text("name") ?? "tool";
        var input = block.Member("input");
        var summary = ClaudeDecoder.Summarise(name, input);
        if (_parent is null)
        {
            State = State with { Tools = [.. (State.Tools ?? []).TakeLast(ToolsMax - 1), new OpenTool(block.Text("id") ?? "", summary)] };
            _signals.Add(new AgentSignal.Tool(summary));
        }

        var shown = input.ValueKind != JsonValueKind.Undefined && input.Depth() <= ClaudeDecoder.InputDepthMax;
        _items.Add(new AgentItem(ItemKind.ToolUse, summary, name, block.Text("id"), _parent, Input: shown ? input.Json() : default));
    }

    private void User()
    {
        var id = root.IsTrue("isReplay") ? root.Text("uuid") : null;
        if (id is not null)
        {
            _signals.Add(new AgentSignal.Echoed(id));
        }

        foreach (var block in Blocks())
        {
            if ((block.Said() ?? block.Member("text").Said()) is { } said)
            {
                _items.Add(new AgentItem(ItemKind.UserMessage, said, Id: id, Parent: _parent));
            }
            else if (block.Text("type") == "tool_result")
            {
                ToolResult(block);
            }
            else
            {
                Raw(block, block.Text("type") ?? "unknownBlock");
            }
        }
    }

    private void ToolResult(StreamValue block)
    {
        if (_parent is null)
        {
            // Of several that run at once one result ends one.
            var id = block.Text("tool_use_id") ?? "";
            State = State with { Tools = State.Tools?.Where(tool => tool.Id != id).ToArray() is { Length: > 0 } left ? left : null };
            _signals.Add(new AgentSignal.Tool(State.Tool));
        }

        _signals.Add(new AgentSignal.Spent());
        var result = root.Member("tool_use_result");
        if (!State.TellsTasks && result.Text("backgroundTaskId") is { } task && State.Tasks?.Contains(task) != true)
        {
            TaskBegan(task);
        }

        _items.Add(Answers(result) is { } answers
            ? new AgentItem(ItemKind.Answer, answers, Id: block.Text("tool_use_id"), Parent: _parent)
            : new AgentItem(ItemKind.ToolResult, ContentText(block.Member("content")), Id: block.Text("tool_use_id"), Parent: _parent, IsError: block.IsTrue("is_error")));
    }

    /// <summary>The result of a question, which is the person's answer; null for every other tool's.</summary>
    private static string? Answers(StreamValue result)
    {
        if (result.Member("questions").ValueKind != JsonValueKind.Array || result.Member("answers") is not { ValueKind: JsonValueKind.Object } answers)
        {
            return null;
        }

        var lines = answers.Members().Select(answer => $"{answer.Name} {answer.Value.AsText() ?? answer.Value.RawText}").ToList();
        return lines.Count == 0 ? "Not answered." : string.Join("\n", lines);
    }

    private AgentText ContentText(StreamValue content) => content.ValueKind switch
    {
        JsonValueKind.Undefined or JsonValueKind.Null => "",
        JsonValueKind.Array when content.Count == 1 && (content[0].Said() ?? content[0].Member("text").Said()) is { } only => only,
        JsonValueKind.Array => string.Join("\n", content.Elements().Select(part => part.AsText() ?? part.Text("text") ?? $"[{part.Text("type") ?? "unknown"}]")),
        _ => content.Said() ?? content.RawText,
    };

    private void Result()
    {
        var isError = root.IsTrue("is_error");
        var interrupted = isError && root.Text("terminal_reason")?.StartsWith("aborted", StringComparison.Ordinal) == true;
        var text = root.Text("result") ?? Errors();
        var (kind, message) = isError && !interrupted ? ClaudeFailure.OfResult(root.Text("subtype") ?? "", State.LastError, text) : (null, null);
        var turns = (int)Math.Clamp(root.Whole("num_turns"), 0, int.MaxValue);
        (var micro, State) = ClaudeCost.OfResult(root, State with { LastError = null, Tools = null });
        if (micro > 0)
        {
            _signals.Add(new AgentSignal.CostAdded(micro));
        }

        (var models, State) = ClaudeUsage.OfResult(root, State);
        var unpriced = models.Any(model => model.MicroUsd is null) || (models.IsEmpty && root.Decimal("total_cost_usd") is null) ? turns : 0;
        if (!models.IsEmpty || unpriced > 0)
        {
            _signals.Add(new AgentSignal.Used(models, unpriced));
        }

        if (kind == "rateLimited" || (isError && root.Whole("api_error_status") == 429))
        {
            _signals.Add(new AgentSignal.RateLimited(null, null)); // an event before it may have said until when
        }

        _signals.Add(new AgentSignal.Tool(null));
        _signals.Add(new AgentSignal.TurnEnded(isError, interrupted, kind, message, turns));
        _items.Add(new AgentItem(ItemKind.Result, text, interrupted ? "interrupted" : kind ?? "success", IsError: isError, MicroUsd: micro, Turns: turns, DurationMs: root.Whole("duration_ms")));
    }

    private string Errors() => root.Member("errors") is { ValueKind: JsonValueKind.Array } errors
        ? string.Join("\n", errors.Elements().Select(error => error.AsText() ?? error.RawText))
        : root.Text("subtype") ?? "";

    private void Request()
    {
        if (root.Text("request_id") is not { } id)
        {
            return;
        }

        var request = root.Member("request");
        var input = request.Member("input");
        if (request.Text("subtype") != "can_use_tool" || input.Depth() > ClaudeDecoder.InputDepthMax)
        {
            // The CLI waits for an answer to each of its requests, for ever.
            _signals.Add(new AgentSignal.Unserved(id, request.Text("subtype") ?? "unknown"));
            return;
        }

        var tool = request.Text("tool_name") ?? "tool";
        var toolUse = request.Text("tool_use_id");
        var questions = tool == "AskUserQuestion" ? ClaudeQuestions.Of(input) : [];
        // Without a question there is nothing to answer, but it can be allowed or denied like any other tool.
        var kind = questions.Length > 0 ? AskKind.Question : tool == "ExitPlanMode" ? AskKind.Plan : AskKind.Permission;
        var description = kind == AskKind.Plan ? input.Text("plan") : request.Text("description");
        _signals.Add(new AgentSignal.Asked(id, kind, toolUse, tool, input.ValueKind == JsonValueKind.Object ? input.RawText : "{}", description, questions));
        var said = kind == AskKind.Question ? string.Join("\n", questions.Select(question => question.Text)) : ClaudeDecoder.Summarise(tool, input);
        _items.Add(new AgentItem(ItemKind.Question, said, toolUse, id, _parent));
    }

    private void Response()
    {
        var envelope = root.Member("response");
        if (envelope.ValueKind != JsonValueKind.Object)
        {
            return;
        }

        if (envelope.Text("request_id")?.StartsWith(ClaudeControl.UsagePrefix, StringComparison.Ordinal) == true)
        {
            (var micro, State) = ClaudeCost.OfUsage(envelope.Member("response").Member("session"), State);
            if (micro is { } estimate)
            {
                _signals.Add(new AgentSignal.CostEstimated(estimate));
            }
        }

        Notice("control", envelope.Text("error") ?? "The agent heard us.");
    }
}
