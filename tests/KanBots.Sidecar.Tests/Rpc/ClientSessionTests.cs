using KanBots.Sidecar.Engine;
using KanBots.Sidecar.Rpc;

namespace KanBots.Sidecar.Tests.Rpc;

/// <summary>A client's session, on one end of a real Unix socket.</summary>
public sealed class ClientSessionTests
{
    [Fact]
    public async Task A_bug_in_what_is_pushed_ends_the_connection_and_is_logged()
    {
        var folder = Directory.CreateTempSubdirectory("kb-session-");
        var (ours, theirs) = Bench.Pair();
        try
        {
            var file = Path.Combine(folder.FullName, "serve.log");
            // Without an engine the first look at what it has to say is a bug.
            var session = new ClientSession(ours, null!, null!, new Log(file, TimeProvider.System), new Preamble(1, "", 1, "/", [], ""), new ServerFacts("", "", "", ""), 1, () => []);
            await session.RunAsync().WaitAsync(TimeSpan.FromSeconds(120));
            await ours.DisposeAsync();
            Assert.Equal(0, await theirs.ReadAsync(new byte[1]).AsTask().WaitAsync(TimeSpan.FromSeconds(120)));
            Assert.Contains("pump: System.NullReferenceException", await File.ReadAllTextAsync(file));
        }
        finally
        {
            await theirs.DisposeAsync();
            folder.Delete(recursive: true);
        }
    }
}
