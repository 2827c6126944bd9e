using KanBots.Sidecar.Engine;
using KanBots.Sidecar.Git;

namespace KanBots.Sidecar.Serving;

/// <summary><c>--stdio</c>: a preamble, then bytes both ways. Knows no method, and reads nothing of stdin before serve has said ok.</summary>
internal static class Relay
{
    private const int ChunkBytes = 256 * 1024;

    internal const int Done = 0;
    internal const int ServeDied = 3;
    internal const int NotReached = 4;
    internal const int Refused = 5;
    internal const int NotARepository = 6;

    internal static async Task<int> RunAsync(string folder)
    {
        if (Processes.ProcessTree.TokenAbove(Environment.ProcessId) is not null)
        {
            Console.Error.WriteLine("kanbots-sidecar: a run's own agent must not control the board.");
            return Refused;
        }

        try
        {
            var git = new GitRunner(TimeProvider.System);
            var paths = new Paths(await Repository.FindAsync(git, folder, CancellationToken.None));
            await using var serve = await ServeConnect.ConnectAsync(paths, "stdio", TimeProvider.System, CancellationToken.None);
            var up = CopyUpAsync(serve);
            await using var output = Console.OpenStandardOutput();
            try
            {
                await CopyDownAsync(serve.Stream, output);
            }
            catch (Exception reset) when (reset is IOException or ObjectDisposedException)
            {
                // A reset is an end like any other.
            }

            // When our own input has ended, so that serve hung up because we did, all is well; else serve died.
            return up.IsCompleted && await up ? Done : ServeDied;
        }
        catch (GitFailure failure)
        {
            Console.Error.WriteLine($"kanbots-sidecar: {failure.Message}");
            return NotARepository;
        }
        catch (ServeRefusedException refused)
        {
            Console.Error.WriteLine($"kanbots-sidecar: {refused.Message}");
            return refused.TimedOut ? NotReached : Refused;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"kanbots-sidecar: {failure.Message}");
            return NotReached;
        }
    }

    /// <summary>Written by the thread that read: waking another for each piece costs as much as the piece.</summary>
    private static async Task CopyDownAsync(Stream serve, Stream output)
    {
        var bytes = new byte[ChunkBytes];
        for (int read; (read = await serve.ReadAsync(bytes)) > 0;)
        {
            output.Write(bytes, 0, read);
            output.Flush();
        }
    }

    /// <returns>Whether our own input has ended; false when serve took no more of it.</returns>
    private static async Task<bool> CopyUpAsync(Processes.LocalConnection serve)
    {
        try
        {
            await using var input = Console.OpenStandardInput();
            await input.CopyToAsync(serve.Stream);
            serve.CloseSending();
            return true;
        }
        catch (Exception ended) when (ended is IOException or System.Net.Sockets.SocketException or ObjectDisposedException)
        {
            return false; // serve is gone; the other direction says so.
        }
    }
}
