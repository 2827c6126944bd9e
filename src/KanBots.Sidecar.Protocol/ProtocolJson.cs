using System.Text.Json;
using System.Text.Json.Serialization;

namespace KanBots.Sidecar.Protocol;

/// <summary>Every type of the wire, source-generated: strict about what must be there, silent about what is not known.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    AllowOutOfOrderMetadataProperties = true,
    Converters = [typeof(UtcTimeConverter)],
    GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(ErrorData))]
[JsonSerializable(typeof(InitializeParams))]
[JsonSerializable(typeof(InitializeResult))]
[JsonSerializable(typeof(DidChangeTrustParams))]
[JsonSerializable(typeof(Nothing))]
[JsonSerializable(typeof(CancelParams))]
[JsonSerializable(typeof(ProgressParams))]
[JsonSerializable(typeof(CardSource))]
[JsonSerializable(typeof(Card))]
[JsonSerializable(typeof(Spend))]
[JsonSerializable(typeof(BoardSnapshot))]
[JsonSerializable(typeof(Removed))]
[JsonSerializable(typeof(BoardDidChangeParams))]
[JsonSerializable(typeof(CardCreateParams))]
[JsonSerializable(typeof(CardUpdateParams))]
[JsonSerializable(typeof(CardMoveParams))]
[JsonSerializable(typeof(CardArchiveParams))]
[JsonSerializable(typeof(CardDeleteParams))]
[JsonSerializable(typeof(CardResult))]
[JsonSerializable(typeof(Budget))]
[JsonSerializable(typeof(BudgetWarning))]
[JsonSerializable(typeof(DiffStat))]
[JsonSerializable(typeof(RunReason))]
[JsonSerializable(typeof(Run))]
[JsonSerializable(typeof(RunDispatchParams))]
[JsonSerializable(typeof(RunResult))]
[JsonSerializable(typeof(UndeliveredMessage))]
[JsonSerializable(typeof(RunStopParams))]
[JsonSerializable(typeof(RunResumeParams))]
[JsonSerializable(typeof(RunReplyParams))]
[JsonSerializable(typeof(RunReplyResult))]
[JsonSerializable(typeof(RunEventsParams))]
[JsonSerializable(typeof(RunEventsResult))]
[JsonSerializable(typeof(RunSubscribeParams))]
[JsonSerializable(typeof(RunUnsubscribeParams))]
[JsonSerializable(typeof(RunDidAppendParams))]
[JsonSerializable(typeof(ByteRange))]
[JsonSerializable(typeof(CutText))]
[JsonSerializable(typeof(ThreadItem))]
[JsonSerializable(typeof(QuestionOption))]
[JsonSerializable(typeof(Question))]
[JsonSerializable(typeof(DecisionTool))]
[JsonSerializable(typeof(Decision))]
[JsonSerializable(typeof(DecisionListResult))]
[JsonSerializable(typeof(QuestionAnswer))]
[JsonSerializable(typeof(DecisionAnswerParams))]
[JsonSerializable(typeof(DecisionDismissParams))]
[JsonSerializable(typeof(DecisionResult))]
[JsonSerializable(typeof(DecisionDidRequestParams))]
[JsonSerializable(typeof(DecisionDidWithdrawParams))]
[JsonSerializable(typeof(AgentInfo))]
[JsonSerializable(typeof(AgentListResult))]
[JsonSerializable(typeof(ConfigGetResult))]
[JsonSerializable(typeof(ConfigSetParams))]
[JsonSerializable(typeof(ConfigSetResult))]
[JsonSerializable(typeof(ClientStatus))]
[JsonSerializable(typeof(RunStatus))]
[JsonSerializable(typeof(SidecarStatusResult))]
[JsonSerializable(typeof(LogDidAppendParams))]
public sealed partial class ProtocolJson : JsonSerializerContext;
