using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Text;

namespace KanBots.Sidecar.Processes.Unix;

[UnsupportedOSPlatform("windows")]
internal sealed class UnixConnection(Socket socket) : LocalConnection(new NetworkStream(socket, ownsSocket: true))
{
    internal override PeerIdentity Peer => UnixSocket.PeerOf((int)socket.Handle);

    internal override void CloseSending() => socket.Shutdown(SocketShutdown.Send);

    internal override void Abort() => socket.Dispose();
}

[UnsupportedOSPlatform("windows")]
internal sealed class UnixListener(Socket listener, string address) : LocalListener
{
    internal override async Task<LocalConnection> AcceptAsync(CancellationToken cancellation)
    {
        try
        {
            return new UnixConnection(await listener.AcceptAsync(cancellation));
        }
        catch (SocketException failure)
        {
            throw new IOException(failure.Message, failure); // out of descriptors, for example
        }
    }

    internal override void Leave(byte[] lastWord)
    {
        File.Delete(address);
        listener.Blocking = false;
        try
        {
            while (true)
            {
                using var late = listener.Accept();
                late.Send(lastWord);
            }
        }
        catch (SocketException)
        {
            // the backlog is empty
        }

        // Dispose would delete the path again, which may by now be another listener's: close the descriptor only.
        _ = LibC.close((int)listener.SafeHandle.DangerousGetHandle());
        listener.SafeHandle.SetHandleAsInvalid();
    }
}

[UnsupportedOSPlatform("windows")]
internal static class UnixSocket
{
    /// <summary>sun_path of sys/un.h less its NUL.</summary>
    private static readonly int PathBytesMax = OperatingSystem.IsMacOS() ? 103 : 107;

    internal static string AddressOf(string name)
    {
        var folder = Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is { Length: > 0 } runtime && Directory.Exists(runtime)
            ? Path.Combine(runtime, "kanbots")
            : Path.Combine(Path.GetTempPath(), FormattableString.Invariant($"kanbots-{LibC.getuid()}"));
        UnixFiles.MakeFolder(folder);
        if (FileFacts.Of(folder) is not { IsFolder: true, IsPrivate: true })
        {
            throw new IOException($"{folder} is not a private folder of this user. Remove it, or set XDG_RUNTIME_DIR.");
        }

        var path = Path.Combine(folder, $"{name}.sock");
        return Encoding.UTF8.GetByteCount(path) <= PathBytesMax ? path : throw new IOException($"The path {path} is too long for a socket. Set XDG_RUNTIME_DIR to a shorter one.");
    }

    internal static UnixListener Listen(string address, int backlog)
    {
        File.Delete(address);
        var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(address));
        listener.Listen(backlog);
        return new UnixListener(listener, address);
    }

    internal static async Task<LocalConnection> ConnectAsync(string address, CancellationToken cancellation)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(address), cancellation);
            return new UnixConnection(socket);
        }
        catch (SocketException failure)
        {
            socket.Dispose();
            throw new IOException(failure.Message, failure);
        }
    }

    internal static unsafe PeerIdentity PeerOf(int fd)
    {
        if (OperatingSystem.IsMacOS())
        {
            return MacOs.Darwin.PeerOf(fd);
        }

        const int SOL_SOCKET = 1, SO_PEERCRED = 17; // struct ucred: pid, uid, gid
        var credentials = stackalloc int[3];
        var length = 12;
        return LibC.getsockopt(fd, SOL_SOCKET, SO_PEERCRED, credentials, &length) == 0
            ? new PeerIdentity(credentials[0], (uint)credentials[1] == LibC.getuid())
            : throw new IOException($"The peer cannot be told: {LibC.Describe(LibC.LastError)}");
    }
}
