using KanBots.Sidecar.Processes.Unix;
using KanBots.Sidecar.Processes.Windows;

namespace KanBots.Sidecar.Processes;

/// <param name="IsThisUser">The process at the other end runs as the user of this one.</param>
internal readonly record struct PeerIdentity(int Pid, bool IsThisUser);

/// <summary>One end of a connection between two processes of this machine.</summary>
internal abstract class LocalConnection(Stream stream) : IAsyncDisposable
{
    internal Stream Stream { get; } = stream;

    /// <summary>Who is at the other end; known to the side that accepted.</summary>
    /// <exception cref="IOException">It cannot be told.</exception>
    internal abstract PeerIdentity Peer { get; }

    /// <summary>The other side reads to an end, and may still answer. A pipe of Windows has no half-closed state: there this waits until
    /// the other side has read all, and closes.</summary>
    internal abstract void CloseSending();

    /// <summary>Ends it at once, from any thread: what waits in a read or write fails.</summary>
    internal abstract void Abort();

    public ValueTask DisposeAsync() => Stream.DisposeAsync();
}

internal abstract class LocalListener
{
    /// <exception cref="IOException">This one connection failed, or nothing can be accepted now; a later one may succeed.</exception>
    internal abstract Task<LocalConnection> AcceptAsync(CancellationToken cancellation);

    /// <summary>The address is free before this returns, and whoever had connected without being accepted is told the last word.</summary>
    internal abstract void Leave(byte[] lastWord);
}

/// <summary>How processes of one user on one machine reach each other: a socket in a folder that only this user can enter, or on Windows
/// a named pipe for this user alone.</summary>
internal static class LocalSocket
{
    /// <param name="name">Short, of letters and digits.</param>
    /// <exception cref="IOException">The folder is somebody else's, or a link; or its path is too long.</exception>
    internal static string AddressOf(string name) => OperatingSystem.IsWindows() ? NamedPipe.AddressOf(name) : UnixSocket.AddressOf(name);

    /// <summary>Takes the address even when something is there: the caller holds the lock that makes it the only one.</summary>
    internal static LocalListener Listen(string address, int backlog) => OperatingSystem.IsWindows() ? new NamedPipeListener(address) : UnixSocket.Listen(address, backlog);

    /// <summary>Takes away what a listener that was killed left behind; the caller holds the lock.</summary>
    internal static void Forget(string address)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.Delete(address);
        }
    }

    /// <exception cref="IOException">Nobody listens there, or not yet.</exception>
    internal static Task<LocalConnection> ConnectAsync(string address, CancellationToken cancellation) =>
        OperatingSystem.IsWindows() ? NamedPipe.ConnectAsync(address, cancellation) : UnixSocket.ConnectAsync(address, cancellation);
}
