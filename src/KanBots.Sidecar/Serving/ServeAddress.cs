using System.Security.Cryptography;
using System.Text;
using KanBots.Sidecar.Processes;

namespace KanBots.Sidecar.Serving;

/// <summary>Where a repository's serve listens: named by a short hash of the state folder, since a socket's path has at most 108 bytes.</summary>
internal static class ServeAddress
{
    /// <exception cref="IOException">The folder of the sockets is somebody else's, or a link.</exception>
    internal static string Of(string stateFolder) => LocalSocket.AddressOf(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(stateFolder)))[..16]);
}
