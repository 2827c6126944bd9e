using KanBots.Sidecar.Engine;
using KanBots.Sidecar.Journal;
using KanBots.Sidecar.Processes;
using KanBots.Sidecar.Rpc;

namespace KanBots.Sidecar.Serving;

/// <summary>serve said no, with the reason for a person; or it could not be reached in time.</summary>
internal sealed class ServeRefusedException(string message, bool timedOut = false) : IOException(message)
{
    internal bool TimedOut { get; } = timedOut;
}

/// <summary>Finds the repository's serve or starts it. Every failure before "ok" means try again, under one deadline: a serve that
/// leaves, a socket that nobody listens on any more, a connection that dies. The one that holds start.lock starts; all others only
/// reconnect; and it starts again only when the serve that it started is gone.</summary>
internal static class ServeConnect
{
    internal static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    internal static async Task<LocalConnection> ConnectAsync(Paths paths, string peer, TimeProvider time, CancellationToken cancellation)
    {
        PrivateFiles.MakeFolder(paths.State);
        var address = ServeAddress.Of(paths.State);
        var preamble = new Preamble(1, Build.Id, Database.StorageVersion, Environment.CurrentDirectory, Spawn.OwnEnvironment(), peer).ToLine();
        var started = time.GetTimestamp();
        var last = "nothing answered";
        FileLock? starting = null;
        ProcessIdentity? own = null;
        try
        {
            while (time.GetElapsedTime(started) < Deadline)
            {
                using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
                patience.CancelAfter(Deadline - time.GetElapsedTime(started)); // a serve that was stopped accepts, and says nothing
                var (serve, said) = await TryAsync(address, preamble, patience.Token);
                cancellation.ThrowIfCancellationRequested();
                if (serve is not null)
                {
                    return serve;
                }

                last = said;
                starting ??= FileLock.TryTake(Path.Combine(paths.State, "start.lock"));
                if (starting is not null && own is not { IsAlive: true } && said != Preamble.Retry && said != Preamble.Leaving)
                {
                    own = Start(paths);
                }

                await Task.Delay(Pause, time, cancellation);
            }
        }
        finally
        {
            starting?.Dispose();
        }

        throw new ServeRefusedException($"The sidecar of this repository did not answer within {Deadline.TotalSeconds:0} s ({last}). Look at {Path.Combine(paths.State, "serve.log")}.", timedOut: true);
    }

    private static async Task<(LocalConnection? Serve, string Said)> TryAsync(string address, byte[] preamble, CancellationToken cancellation)
    {
        LocalConnection? serve = null;
        try
        {
            serve = await LocalSocket.ConnectAsync(address, cancellation);
            await serve.Stream.WriteAsync(preamble, cancellation);
            var line = await Preamble.ReadLineAsync(serve.Stream, 64 * 1024, cancellation);
            var said = line is null ? "it hung up" : System.Text.Encoding.UTF8.GetString(line);
            if (said == Preamble.Ok)
            {
                return (serve, said);
            }

            await serve.DisposeAsync();
            return said.StartsWith(Preamble.RefusedPrefix, StringComparison.Ordinal) ? throw new ServeRefusedException(said[Preamble.RefusedPrefix.Length..]) : (null, said);
        }
        catch (Exception failure) when (failure is IOException and not ServeRefusedException or OperationCanceledException)
        {
            serve?.Abort();
            return (null, failure is IOException ? failure.Message : "it accepted and said nothing; it may be stopped");
        }
    }

    /// <summary>In its own session, with nothing of ours open, at the root folder, from the placed build.</summary>
    private static ProcessIdentity Start(Paths paths)
    {
        IReadOnlyList<string> command = [.. Build.Place(), "serve", paths.Repository.IsBare ? paths.Repository.CommonFolder : paths.Repository.Root];
        var environment = Spawn.OwnEnvironment();
        if (!environment.Any(line => line.StartsWith("DOTNET_EnableDiagnostics=", StringComparison.Ordinal)))
        {
            environment.Add("DOTNET_EnableDiagnostics=0"); // a killed process leaves three files in the temp folder otherwise
        }

        var pid = Spawn.Start(new SpawnRequest(command[0], command, environment, "/", new Redirect.Null(), new Redirect.Null(), new Redirect.AppendTo(Path.Combine(paths.State, "serve.err")), NewSession: true));
        var identity = ProcessIdentity.Of(pid) ?? new ProcessIdentity(pid, "");
        PidWatch.WhenGone(identity, () => { });
        return identity;
    }
}
