using KanBots.Sidecar.Agents.Claude;

namespace KanBots.Sidecar.Tests.Agents;

public sealed class ClaudeLaunchTests
{
    private const string Session = "0f8fad5b-d9cb-469f-a165-70867728950e";
    private const string Always = """claude -p --input-format stream-json --output-format stream-json --verbose --permission-mode MODE --permission-prompt-tool stdio --replay-user-messages --settings {"permissions":{"deny":["Bash(git push)","Bash(git push:*)"]}}""";

    [Theory]
    [InlineData("bypassPermissions", false, null, null, "bypassPermissions", "--session-id")]
    [InlineData("ask", false, null, null, "default", "--session-id")]
    [InlineData("plan", true, null, null, "plan", "--resume")]
    [InlineData("bypassPermissions", true, "opus", null, "bypassPermissions", "--resume")]
    [InlineData("ask", true, null, "low", "default", "--resume")]
    [InlineData("bypassPermissions", false, "claude opus; rm -rf", "high", "bypassPermissions", "--session-id")]
    public void The_argv_is_exactly_this(string mode, bool resume, string? model, string? effort, string flag, string session)
    {
        string[] expected = [.. Always.Replace("MODE", flag, StringComparison.Ordinal).Split(' ', 14), session, Session, .. model is null ? [] : new[] { "--model", model }, .. effort is null ? [] : new[] { "--effort", effort }];
        // The settings are one argument, though they hold spaces.
        Assert.Equal(expected, new ClaudeLaunch("claude", Session, resume, mode, model, effort).ToArgv());
    }

    [Theory]
    [InlineData("bypassPermissions")]
    [InlineData("ask")]
    [InlineData("plan")]
    public void No_flag_takes_several_values_and_nothing_stands_alone(string mode)
    {
        string[] bare = ["-p", "--verbose", "--replay-user-messages"];
        string[] variadic = ["--allowedTools", "--disallowedTools", "--mcp-config", "--add-dir", "--tools"];
        var argv = new ClaudeLaunch("claude", Session, true, mode, "m", "e").ToArgv();
        Assert.Empty(argv.Intersect(variadic));
        for (var i = 1; i < argv.Count; i += bare.Contains(argv[i]) ? 1 : 2)
        {
            Assert.StartsWith("-", argv[i], StringComparison.Ordinal); // so every value belongs to the flag before it, and none is a prompt
        }
    }
}
