using System.Security.Cryptography;
using System.Text;
using KanBots.Sidecar.Processes;

namespace KanBots.Sidecar.Serving;

/// <summary>Where a repository's serve listens: a socket in a folder that only this user can enter, its name a short hash of the state
/// folder, since a socket's path has at most 108 bytes.</summary>
internal static class ServeAddress
{
    internal const int PathBytesMax = 107;

    /// <exception cref="IOException">The folder is somebody else's, or a link.</exception>
    internal static string Of(string stateFolder)
    {
        var folder = Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is { Length: > 0 } runtime && Directory.Exists(runtime)
            ? Path.Combine(runtime, "kanbots")
            : Path.Combine(Path.GetTempPath(), FormattableString.Invariant($"kanbots-{LibC.getuid()}"));
        PrivateFiles.MakeFolder(folder);
        if (LibC.Facts(folder) is not { IsFolder: true } facts || facts.Owner != LibC.getuid() || (facts.Mode & 0x3F) != 0)
        {
            throw new IOException($"{folder} is not a private folder of this user. Remove it, or set XDG_RUNTIME_DIR.");
        }

        var name = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(stateFolder)))[..16];
        var path = Path.Combine(folder, $"{name}.sock");
        return Encoding.UTF8.GetByteCount(path) <= PathBytesMax ? path : throw new IOException($"The path {path} is too long for a socket. Set XDG_RUNTIME_DIR to a shorter one.");
    }
}
