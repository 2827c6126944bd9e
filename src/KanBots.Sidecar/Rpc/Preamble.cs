using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace KanBots.Sidecar.Rpc;

/// <summary>The one line that a relay or a terminal client says before the first byte of the protocol.</summary>
/// <param name="Kanbots">Version of the preamble itself, 1.</param>
/// <param name="Build">The client's build, ordered as version numbers are.</param>
/// <param name="StorageVersion">The newest storage that the client's build can read.</param>
/// <param name="Environment">The client's environment, "NAME=value"; kept in memory for the runs it starts, never written.</param>
internal sealed record Preamble(int Kanbots, string Build, long StorageVersion, string Cwd, IReadOnlyList<string> Environment, string Peer)
{
    /// <summary>Longest preamble; an environment on Linux has at most 2 MiB.</summary>
    internal const int BytesMax = 4 << 20;

    private const int PieceBytes = 16 * 1024;

    internal const string Ok = "ok";
    internal const string Retry = "retry";
    internal const string Leaving = "leaving";
    internal const string RefusedPrefix = "refused ";

    internal byte[] ToLine() => [.. JsonSerializer.SerializeToUtf8Bytes(this, PreambleJson.Default.Preamble), (byte)'\n'];

    /// <summary>Null when the line is not a preamble.</summary>
    internal static Preamble? Parse(ReadOnlySpan<byte> line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, PreambleJson.Default.Preamble) is { Kanbots: 1 } preamble && preamble.Environment.All(variable => variable is not null) ? preamble : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Reads up to a newline and not one byte of what follows: looks at what has come, then takes only the line. Byte by byte
    /// where a stream cannot be looked at.</summary>
    /// <returns>The line without its newline, or null when the other side ended or said too much.</returns>
    /// <exception cref="IOException">The connection is gone.</exception>
    internal static async Task<byte[]?> ReadLineAsync(Stream stream, int bytesMax, CancellationToken cancellation)
    {
        using var line = new MemoryStream();
        var piece = new byte[stream is NetworkStream ? PieceBytes : 1];
        while (line.Length < bytesMax)
        {
            var seen = stream is NetworkStream network ? await PeekAsync(network.Socket, piece, cancellation) : 1;
            var end = stream is NetworkStream ? piece.AsSpan(0, seen).IndexOf((byte)'\n') : -1;
            var taken = seen == 0 ? 0 : await stream.ReadAsync(piece.AsMemory(0, end >= 0 ? end + 1 : seen), cancellation);
            if (taken == 0)
            {
                return null;
            }

            if (piece[taken - 1] == (byte)'\n')
            {
                line.Write(piece, 0, taken - 1);
                return line.Length < bytesMax ? line.ToArray() : null;
            }

            line.Write(piece, 0, taken);
        }

        return null;
    }

    /// <summary>As the stream itself would fail: a peer that is killed with our bytes unread resets the connection.</summary>
    private static async Task<int> PeekAsync(Socket socket, byte[] piece, CancellationToken cancellation)
    {
        try
        {
            return await socket.ReceiveAsync(piece, SocketFlags.Peek, cancellation);
        }
        catch (SocketException failure)
        {
            throw new IOException(failure.Message, failure);
        }
    }

    internal static byte[] Reply(string word) => Encoding.UTF8.GetBytes($"{word.ReplaceLineEndings(" ")}\n");
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(Preamble))]
internal sealed partial class PreambleJson : JsonSerializerContext;
