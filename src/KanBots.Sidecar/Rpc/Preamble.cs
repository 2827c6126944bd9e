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
            return JsonSerializer.Deserialize(line, PreambleJson.Default.Preamble) is { Kanbots: 1, Build: not null, Environment: not null } preamble ? preamble : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Reads up to a newline, one byte at a time, so that not one byte of what follows is taken.</summary>
    /// <returns>The line without its newline, or null when the other side ended or said too much.</returns>
    internal static async Task<byte[]?> ReadLineAsync(Stream stream, int bytesMax, CancellationToken cancellation)
    {
        using var line = new MemoryStream();
        var one = new byte[1];
        while (line.Length < bytesMax && await stream.ReadAsync(one, cancellation) == 1)
        {
            if (one[0] == (byte)'\n')
            {
                return line.ToArray();
            }

            line.WriteByte(one[0]);
        }

        return null;
    }

    internal static byte[] Reply(string word) => Encoding.UTF8.GetBytes($"{word.ReplaceLineEndings(" ")}\n");
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Preamble))]
internal sealed partial class PreambleJson : JsonSerializerContext;
