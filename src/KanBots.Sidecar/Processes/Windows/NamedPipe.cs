using System.IO.Pipes;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Text;

namespace KanBots.Sidecar.Processes.Windows;

/// <summary>Named pipes that only this user can open, by .NET's own check of both ends. Not run: written from the documentation.</summary>
[SupportedOSPlatform("windows")]
internal static class NamedPipe
{
    internal const PipeOptions Options = PipeOptions.Asynchronous | PipeOptions.CurrentUserOnly;

    internal static string AddressOf(string name) => PipeNames.Of(name, WindowsFiles.UserId);

    internal static async Task<LocalConnection> ConnectAsync(string address, CancellationToken cancellation)
    {
        var pipe = new NamedPipeClientStream(".", address, PipeDirection.InOut, Options);
        try
        {
            await pipe.ConnectAsync(timeout: 0, cancellation);
            return new PipeConnection(pipe);
        }
        catch (Exception failure) when (failure is TimeoutException or IOException or UnauthorizedAccessException)
        {
            await pipe.DisposeAsync();
            throw new IOException(failure.Message, failure);
        }
    }
}

/// <summary>All users of a machine share one list of pipe names, so that the user is part of ours. Pure, and tested on every system.</summary>
internal static class PipeNames
{
    internal static string Of(string name, string userId) => $"kanbots-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(userId)))[..16]}-{name}";
}

[SupportedOSPlatform("windows")]
internal sealed class PipeConnection(PipeStream pipe) : LocalConnection(pipe)
{
    internal override unsafe PeerIdentity Peer
    {
        get
        {
            uint pid;
            return Win32.GetNamedPipeClientProcessId(pipe.SafePipeHandle, &pid) != 0
                ? new PeerIdentity((int)pid, IsThisUser: true) // another's could not have opened the pipe
                : throw Win32.Failure("The peer cannot be told");
        }
    }

    internal override void CloseSending()
    {
        pipe.WaitForPipeDrain();
        pipe.Dispose();
    }

    internal override void Abort() => pipe.Dispose();
}

/// <summary>One instance of the pipe waits for a client at any time; a client that comes between two is told to try again, and does.</summary>
[SupportedOSPlatform("windows")]
internal sealed class NamedPipeListener : LocalListener
{
    private readonly string _address;
    private NamedPipeServerStream _next;

    internal NamedPipeListener(string address)
    {
        _address = address;
        _next = Instance(PipeOptions.FirstPipeInstance);
    }

    internal override async Task<LocalConnection> AcceptAsync(CancellationToken cancellation)
    {
        await _next.WaitForConnectionAsync(cancellation);
        var taken = _next;
        _next = Instance(PipeOptions.None);
        return new PipeConnection(taken);
    }

    /// <summary>Nobody is in line: whoever connects from now on finds no pipe, which means the same as the last word.</summary>
    internal override void Leave(byte[] lastWord) => _next.Dispose();

    private NamedPipeServerStream Instance(PipeOptions more)
    {
        try
        {
            return new NamedPipeServerStream(_address, PipeDirection.InOut, NamedPipeServerStream.MaxAllowedServerInstances, PipeTransmissionMode.Byte, NamedPipe.Options | more);
        }
        catch (UnauthorizedAccessException taken)
        {
            throw new IOException($"The pipe {_address} belongs to another process: {taken.Message}", taken);
        }
    }
}
