using System.Text;
using KanBots.Sidecar.Agents.Claude;

namespace KanBots.Sidecar.Tests.Agents;

/// <summary>Which tool runs now, also when several do.</summary>
public sealed class OpenToolTests
{
    private static string? ToolAfter(params string[] lines) =>
        lines.Aggregate(ClaudeState.Start(false), (state, line) => ClaudeDecoder.Decode(Encoding.UTF8.GetBytes(line), state).State).Tool;

    private static string Begins(string id, string? parent = null)
    {
        var under = parent is null ? "null" : $"\"{parent}\"";
        return $$$"""{"type":"assistant","parent_tool_use_id":{{{under}}},"message":{"content":[{"type":"tool_use","id":"{{{id}}}","name":"Bash","input":{"command":"{{{id}}}"} }]}}""";
    }

    private static string Ends(string id) => $$$"""{"type":"user","parent_tool_use_id":null,"message":{"content":[{"type":"tool_result","tool_use_id":"{{{id}}}","content":"ok"}]}}""";

    [Fact]
    public void Of_several_tools_one_result_ends_one()
    {
        Assert.Equal("Bash b", ToolAfter(Begins("a"), Begins("b")));
        Assert.Equal("Bash a", ToolAfter(Begins("a"), Begins("b"), Ends("b")));
        Assert.Equal("Bash b", ToolAfter(Begins("a"), Begins("b"), Ends("a")));
        Assert.Null(ToolAfter(Begins("a"), Begins("b"), Ends("a"), Ends("b")));
        Assert.Null(ToolAfter(Begins("a"), """{"type":"result","num_turns":1}"""));
        Assert.Equal("Bash a", ToolAfter(Begins("a"), Begins("inner", "a")));
    }

    [Fact]
    public void The_names_that_are_kept_are_bounded()
    {
        var state = Enumerable.Range(0, 200).Aggregate(ClaudeState.Start(false), (state, i) => ClaudeDecoder.Decode(Encoding.UTF8.GetBytes(Begins($"t{i}")), state).State);
        Assert.Equal(64, state.Tools!.Length);
    }
}
