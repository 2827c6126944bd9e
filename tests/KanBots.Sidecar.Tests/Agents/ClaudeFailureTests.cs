using KanBots.Sidecar.Agents.Claude;

namespace KanBots.Sidecar.Tests.Agents;

/// <summary>The words are those of the recorded CLIs.</summary>
public sealed class ClaudeFailureTests
{
    [Theory]
    [InlineData("error: unknown option '--nope'\n(Did you mean --name?)\n", "badFlag", "claude update")]
    [InlineData("Error: When using --print, --output-format=stream-json requires --verbose\n", "badFlag", "claude update")]
    [InlineData("Error parsing streaming input line: this is not json: SyntaxError: JSON Parse error: Unexpected identifier \"this\"\n", "tornInput", "Resume the run")]
    [InlineData("Error: Input must be provided either through stdin or as a prompt argument when using --print\n", "noInput", "Resume the run")]
    [InlineData("--dangerously-skip-permissions cannot be used with root/sudo privileges for security reasons\n", "refusedAsRoot", "IS_SANDBOX=1")]
    [InlineData("Error: Session ID aaaaaaaa-1111-4111-8111-795338501213 is already in use.\n", "sessionInUse", "Dispatch the card again")]
    [InlineData("No conversation found with session ID: 00000000-0000-4000-8000-000000000000\n", "sessionUnknown", "Dispatch the card again")]
    [InlineData("Not logged in · Please run /login\n", "notSignedIn", "sign in")]
    [InlineData("Invalid API key · Fix external API key\n", "notSignedIn", "sign in")]
    [InlineData("a warning\nSegmentation fault.\n\n", "agentFailed", "Segmentation fault. Resume the run")]
    [InlineData("", "agentFailed", "without a word. Resume the run")]
    public void A_start_that_failed_has_a_kind_and_a_sentence_with_the_next_step(string stderr, string kind, string step)
    {
        var (found, message) = ClaudeFailure.OfStartup(stderr, 1, null);
        Assert.Equal(kind, found);
        Assert.Contains(step, message, StringComparison.Ordinal);
        Assert.EndsWith(".", message.TrimEnd('`'), StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void An_end_by_a_signal_is_called_one() => Assert.Contains("signal 9", ClaudeFailure.OfStartup("", null, 9).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("success", "authentication_failed", "Not logged in · Please run /login", "notSignedIn", "sign in")]
    [InlineData("success", "billing_error", "Credit balance is too low", "billing", "Add credit")]
    [InlineData("success", "model_not_found", "There's an issue with the selected model (x). It may not exist.", "modelUnknown", "selected model (x): it does not exist")]
    [InlineData("success", "rate_limit", "API Error: Request rejected (429)", "rateLimited", "Resume it")]
    [InlineData("success", "overloaded", "API Error: 529", "providerDown", "Resume later")]
    [InlineData("success", "server_error", "API Error: 500", "providerDown", "Resume later")]
    [InlineData("success", "unknown", "API Error: 400 bad", "agentError", "API Error: 400 bad")]
    [InlineData("success", null, "", "agentError", "Look at its thread")]
    [InlineData("error_max_turns", null, "", "maxTurns", "Resume it")]
    [InlineData("error_max_budget_usd", null, "Reached maximum budget ($0.6)", "maxBudget", "Resume it")]
    [InlineData("error_during_execution", null, "No conversation found with session ID: 0", "sessionUnknown", "does not know the session")]
    public void A_turn_that_failed_has_a_kind_and_a_sentence(string subtype, string? error, string text, string kind, string says)
    {
        var (found, message) = ClaudeFailure.OfResult(subtype, error, text);
        Assert.Equal(kind, found);
        Assert.Contains(says, message, StringComparison.Ordinal);
    }
}
