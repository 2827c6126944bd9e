using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using KanBots.Sidecar.Board;

namespace KanBots.Sidecar.Journal;

/// <summary>The journal's form of the core's events: a kind and a JSON object. Kinds are never renamed; unknown fields are ignored,
/// so that a later build's additions do not stop this one.</summary>
internal static class EventJson
{
    private static readonly Dictionary<string, JsonTypeInfo> ByKind = new JsonTypeInfo[]
    {
        Context.CardCreated, Context.CardChanged, Context.CardDeleted, Context.SettingsChanged, Context.RequestServed, Context.RunIdsSeen,
        Context.RunQueued, Context.PreparingStarted, Context.BaseChosen, Context.WorktreePrepared, Context.LaunchOrdered, Context.TurnBegan, Context.TurnFinished,
        Context.CostAdded, Context.ModelsUsed, Context.CostEstimated, Context.BudgetRaised, Context.BudgetWarned, Context.HoldSet, Context.HoldLifted, Context.DayWarned, Context.DecisionOpened, Context.DecisionClosed, Context.MessageAdded,
        Context.LeftoversCounted, Context.InputKept, Context.MessageTold, Context.MessageDropped, Context.InputCloseOrdered, Context.SessionLost, Context.MessageDelivered, Context.BackgroundTasksCounted, Context.StopOrdered, Context.RunEnded, Context.RunNoticed,
        Context.CheckpointTaken, Context.WorktreeMoveOrdered, Context.WorktreeMoveFailed, Context.RunDiscarded, Context.RunRestored,
        Context.CommentKept, Context.CommentDropped, Context.CommentsSent, Context.RewindOrdered, Context.RunRewound, Context.PromoteOrdered, Context.RunPromoted, Context.RunFreed, Context.FilesViewed, Context.CheckpointsPruned, Context.RunArchived, Context.RunRecalled,
    }.ToDictionary(info => info.Type.Name);

    private static JournalJson Context => JournalJson.Default;

    internal static IReadOnlyCollection<string> Kinds => ByKind.Keys;

    internal static (string Kind, byte[] Json) Write(Event happened)
    {
        var kind = happened.GetType().Name;
        return (kind, JsonSerializer.SerializeToUtf8Bytes(happened, ByKind[kind]));
    }

    internal static Event Read(string kind, ReadOnlySpan<byte> json) =>
        ByKind.TryGetValue(kind, out var info) ? (Event)JsonSerializer.Deserialize(json, info)! : throw new InvalidDataException($"The journal holds an event of the unknown kind {kind}.");
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true, IgnoreReadOnlyProperties = true)]
[JsonSerializable(typeof(Event.CardCreated))]
[JsonSerializable(typeof(Event.CardChanged))]
[JsonSerializable(typeof(Event.CardDeleted))]
[JsonSerializable(typeof(Event.SettingsChanged))]
[JsonSerializable(typeof(Event.RequestServed))]
[JsonSerializable(typeof(Event.RunIdsSeen))]
[JsonSerializable(typeof(Event.RunQueued))]
[JsonSerializable(typeof(Event.PreparingStarted))]
[JsonSerializable(typeof(Event.BaseChosen))]
[JsonSerializable(typeof(Event.WorktreePrepared))]
[JsonSerializable(typeof(Event.LaunchOrdered))]
[JsonSerializable(typeof(Event.TurnBegan))]
[JsonSerializable(typeof(Event.TurnFinished))]
[JsonSerializable(typeof(Event.CostAdded))]
[JsonSerializable(typeof(Event.ModelsUsed))]
[JsonSerializable(typeof(Event.CostEstimated))]
[JsonSerializable(typeof(Event.BudgetRaised))]
[JsonSerializable(typeof(Event.HoldSet))]
[JsonSerializable(typeof(Event.HoldLifted))]
[JsonSerializable(typeof(Event.BudgetWarned))]
[JsonSerializable(typeof(Event.DayWarned))]
[JsonSerializable(typeof(Event.DecisionOpened))]
[JsonSerializable(typeof(Event.DecisionClosed))]
[JsonSerializable(typeof(Event.MessageAdded))]
[JsonSerializable(typeof(Event.LeftoversCounted))]
[JsonSerializable(typeof(Event.InputKept))]
[JsonSerializable(typeof(Event.MessageTold))]
[JsonSerializable(typeof(Event.MessageDropped))]
[JsonSerializable(typeof(Event.InputCloseOrdered))]
[JsonSerializable(typeof(Event.SessionLost))]
[JsonSerializable(typeof(Event.MessageDelivered))]
[JsonSerializable(typeof(Event.BackgroundTasksCounted))]
[JsonSerializable(typeof(Event.StopOrdered))]
[JsonSerializable(typeof(Event.RunEnded))]
[JsonSerializable(typeof(Event.RunNoticed))]
[JsonSerializable(typeof(Event.CheckpointTaken))]
[JsonSerializable(typeof(Event.WorktreeMoveOrdered))]
[JsonSerializable(typeof(Event.WorktreeMoveFailed))]
[JsonSerializable(typeof(Event.RunDiscarded))]
[JsonSerializable(typeof(Event.RunRestored))]
[JsonSerializable(typeof(Event.CommentKept))]
[JsonSerializable(typeof(Event.CommentDropped))]
[JsonSerializable(typeof(Event.CommentsSent))]
[JsonSerializable(typeof(Event.RewindOrdered))]
[JsonSerializable(typeof(Event.RunRewound))]
[JsonSerializable(typeof(Event.PromoteOrdered))]
[JsonSerializable(typeof(Event.RunPromoted))]
[JsonSerializable(typeof(Event.RunFreed))]
[JsonSerializable(typeof(Event.FilesViewed))]
[JsonSerializable(typeof(Event.CheckpointsPruned))]
[JsonSerializable(typeof(Event.RunArchived))]
[JsonSerializable(typeof(Event.RunRecalled))]
[JsonSerializable(typeof(Snapshot))]
[JsonSerializable(typeof(RebuildNote))]
internal sealed partial class JournalJson : JsonSerializerContext;
