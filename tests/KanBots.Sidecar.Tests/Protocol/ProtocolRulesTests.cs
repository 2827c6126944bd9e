using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using KanBots.Sidecar.Cli.Schema;
using KanBots.Sidecar.Protocol;
using KanBots.Sidecar.Rpc;

namespace KanBots.Sidecar.Tests.Protocol;

/// <summary>The rules of the wire that hold for every method and every error.</summary>
public sealed partial class ProtocolRulesTests
{
    private static readonly string[] OfLsp = [Methods.Initialize, Methods.Initialized, Methods.Shutdown, Methods.Exit, Methods.CancelRequest, Methods.Progress];

    [GeneratedRegex("^[a-z]+/did[A-Z][A-Za-z]*$")]
    private static partial Regex DidPast { get; }

    [GeneratedRegex("^[a-z]+/(?!did[A-Z])[a-z][A-Za-z]*$")]
    private static partial Regex NounVerb { get; }

    [GeneratedRegex("""new Refusal\(\s*"(?<kind>[A-Za-z]+)"|NotFound\(\s*"(?<kind>[A-Za-z]+)"|ErrorData\("(?<kind>[A-Za-z]+)"|(?:=>|return) new\("(?<kind>[a-z][A-Za-z]+)",""")]
    private static partial Regex KindLiteral { get; }

    [Fact]
    public void Requests_are_named_noun_verb_and_notifications_noun_did_past()
    {
        foreach (var method in Wire.Methods.Where(method => !OfLsp.Contains(method.Name)))
        {
            Assert.True((method.Result is null ? DidPast : NounVerb).IsMatch(method.Name), method.Name);
        }
    }

    [Fact]
    public void Every_method_takes_one_object_and_gives_one_object()
    {
        foreach (var method in Wire.Methods)
        {
            Assert.True(method.Params.Kind == JsonTypeInfoKind.Object, $"the params of {method.Name}");
            Assert.True(method.Result is null or { Kind: JsonTypeInfoKind.Object }, $"the result of {method.Name}");
        }
    }

    [Fact]
    public void Every_request_that_changes_state_carries_a_request_id()
    {
        string[] reading = ["initialize", "shutdown", "board/get", "run/details", "run/events", "run/line", "run/subscribe", "run/unsubscribe", "review/changes", "review/blob", "worktree/list", "decision/list", "cost/get", "agent/list", "config/get", "sidecar/status"];
        foreach (var method in Wire.Methods.Where(method => method.Result is not null))
        {
            Assert.True(reading.Contains(method.Name) != method.Params.Properties.Any(property => property is { Name: "requestId", IsRequired: true }), method.Name);
        }
    }

    [Fact]
    public void Optional_is_nullable_or_has_a_value_of_its_own_and_what_is_required_is_never_null()
    {
        foreach (var type in WireModel.Read().Types)
        {
            Assert.All(type.Fields, field => Assert.False(field is { Required: true, Nullable: true }, $"{type.Name}.{field.Name}"));
        }
    }

    [Fact]
    public void Error_codes_are_unique_and_those_of_the_application_positive()
    {
        var codes = Enum.GetValues<ErrorCode>().Select(code => (int)code).ToList();
        Assert.Equal(codes.Count, codes.Distinct().Count());
        Assert.Equal([-32800, -32700, -32603, -32602, -32601, -32600], codes.Where(code => code <= 0).Order());
    }

    /// <summary>Read from the sources, because a kind is a text until it meets the enum.</summary>
    [Fact]
    public void Every_kind_that_the_core_or_the_wire_refuses_with_is_an_error_code()
    {
        var files = Directory.GetFiles(RepositoryRoot.Of("src", "KanBots.Sidecar.Board"), "Decider*.cs").Concat(Directory.GetFiles(RepositoryRoot.Of("src", "KanBots.Sidecar", "Rpc"), "*.cs"));
        var kinds = files.SelectMany(file => KindLiteral.Matches(File.ReadAllText(file)).Select(match => match.Groups["kind"].Value)).Distinct().Order().ToList();
        Assert.True(kinds.Count >= 12, string.Join(' ', kinds));
        var codes = Enum.GetValues<ErrorCode>().Select(ToWire.NameOf).ToHashSet();
        Assert.All(kinds, kind => Assert.Contains(kind, codes));
    }

    [Fact]
    public void A_refusal_of_the_core_says_its_state_and_kind_in_the_words_of_the_wire()
    {
        var error = ToWire.Error(new KanBots.Sidecar.Board.Refusal("runLive", "It lives.", "AwaitingDecision", 1, 2));
        Assert.Equal((ErrorCode.RunLive, "runLive", "awaitingDecision"), (error.Code, error.Details!.Kind, error.Details.State));
        Assert.Equal("invalidArgument", ToWire.Error(new KanBots.Sidecar.Board.Refusal("unheardOf", "No.")).Details!.Kind);
    }

    [Theory]
    [InlineData("2026-11-25T09:30:00Z", "2026-11-25T09:30:00.000Z")]
    [InlineData("2026-11-25T09:30:00.1239999+02:00", "2026-11-25T07:30:00.123Z")]
    [InlineData("2026-11-25T00:30:00+01:00", "2026-11-24T23:30:00.000Z")]
    public void Times_are_written_in_utc_with_milliseconds_whatever_was_read(string read, string written)
    {
        var json = $$"""{"level":"info","message":"m","at":"{{read}}"}""";
        Assert.Contains($"\"at\":\"{written}\"", JsonSerializer.Serialize(JsonSerializer.Deserialize(json, ProtocolJson.Default.LogDidAppendParams), ProtocolJson.Default.LogDidAppendParams));
    }

    [Theory]
    [InlineData("\"yesterday\"")]
    [InlineData("7")]
    public void What_is_no_time_is_refused(string read) =>
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize($$"""{"level":"info","message":"m","at":{{read}} }""", ProtocolJson.Default.LogDidAppendParams));
}
