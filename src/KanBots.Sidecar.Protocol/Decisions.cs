using System.Text.Json;
using System.Text.Json.Serialization;

namespace KanBots.Sidecar.Protocol;

[JsonConverter(typeof(CamelCaseEnumConverter<DecisionKind>))]
public enum DecisionKind { Question, Permission, Plan, Budget }

[JsonConverter(typeof(CamelCaseEnumConverter<DecisionState>))]
public enum DecisionState { Open, Answered, Withdrawn, Expired }

[JsonConverter(typeof(CamelCaseEnumConverter<Remember>))]
public enum Remember { Once, Card }

public sealed record QuestionOption(string Label, string? Description = null);

public sealed record Question(string Id, string Text, IReadOnlyList<QuestionOption> Options, bool MultiSelect, string? Header = null);

/// <summary>The tool that asks for permission, its input as the agent gave it.</summary>
public sealed record DecisionTool(string Name, JsonElement? Input = null, string? Description = null);

/// <summary>Something that a person must decide. It pauses its own run and no other.</summary>
public sealed record Decision(
    string Id,
    long RunId,
    int CardNumber,
    DecisionKind Kind,
    DecisionState State,
    DateTimeOffset AskedAt,
    IReadOnlyList<Question> Questions,
    DateTimeOffset? AnsweredAt = null,
    string? AnsweredBy = null,
    DecisionTool? Tool = null);

public sealed record DecisionListResult(IReadOnlyList<Decision> Decisions);

/// <summary>Values are option labels or free text; several where the question allows several.</summary>
public sealed record QuestionAnswer(string QuestionId, IReadOnlyList<string> Values);

public sealed record DecisionAnswerParams(
    string RequestId,
    string DecisionId,
    IReadOnlyList<QuestionAnswer>? Answers = null,
    bool? Allow = null,
    Remember? Remember = null,
    string? Reason = null);

/// <summary>Tells the agent that the person will not answer; the agent goes on as it sees fit.</summary>
public sealed record DecisionDismissParams(string RequestId, string DecisionId, string? Reason = null);

public sealed record DecisionResult(Decision Decision);

public sealed record DecisionDidRequestParams(Decision Decision);

public sealed record DecisionDidWithdrawParams(string DecisionId, DecisionState State);
