using System.Collections.Immutable;

namespace KanBots.Sidecar.Agents.Claude;

/// <summary>The questions of AskUserQuestion, as far as they can be read.</summary>
internal static class ClaudeQuestions
{
    /// <summary>Empty when there is nothing to answer.</summary>
    internal static ImmutableArray<AgentQuestion> Of(StreamValue input) => [.. input.Member("questions").Elements().Select(Question).OfType<AgentQuestion>()];

    private static AgentQuestion? Question(StreamValue question) => (question.AsText() ?? question.Text("question") ?? question.Text("header")) is { } text && !string.IsNullOrWhiteSpace(text)
        ? new AgentQuestion(text, question.Text("header"), [.. question.Member("options").Elements().Select(Option).OfType<AgentOption>()], question.IsTrue("multiSelect"))
        : null;

    private static AgentOption? Option(StreamValue option) => (option.AsText() ?? option.Text("label")) is { Length: > 0 } label ? new AgentOption(label, option.Text("description")) : null;
}
