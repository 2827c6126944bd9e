using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace KanBots.Sidecar.Tests.Agents;

/// <summary>Every recording of the folder that lies beside the repository where they are made, all too large to be copied into it: each is read
/// as one committed line says, by the hash of the text that a person reviews. Where that folder is not, RecordedStreamsTests has the copied ones.</summary>
public sealed class SharedTranscriptsTests
{
    private static readonly string Folder = RepositoryRoot.Of("..", "shared", "transcripts");
    private static readonly string Golden = RepositoryRoot.Of("tests", "KanBots.Sidecar.Tests", "Agents", "streams", "shared.lines.txt");

    [Fact]
    public void Every_recording_beside_the_repository_is_read_as_its_committed_line_says()
    {
        var committed = File.Exists(Golden) ? File.ReadAllLines(Golden) : [];
        if (Directory.Exists(Folder))
        {
            string[] read = [.. Directory.EnumerateFiles(Folder, "*.ndjson", SearchOption.AllDirectories).Where(path => path.Contains("claude-", StringComparison.Ordinal)).Select(Line).Order(StringComparer.Ordinal)];
            if (Environment.GetEnvironmentVariable("UPDATE_EXPECT") == "1")
            {
                File.WriteAllLines(Golden, read);
                committed = read;
            }

            Assert.Equal(committed, read);
        }

        Assert.True(committed.Length > 200, $"{Golden} has {committed.Length} lines: run with UPDATE_EXPECT=1 where the recordings are.");
    }

    private static string Line(string path)
    {
        var name = Path.GetRelativePath(Folder, path);
        var stream = path.EndsWith(".io.ndjson", StringComparison.Ordinal) ? Out(path) : File.ReadAllText(path);
        var text = StreamText.Of(stream, name.Contains("resume", StringComparison.Ordinal));
        var raw = text.Split('\n').Count(line => line.StartsWith("  - Raw", StringComparison.Ordinal));
        return $"{name}: {stream.Count(letter => letter == '\n')} lines, {text.Split('\n').Count(line => line.StartsWith("  - ", StringComparison.Ordinal))} items, {raw} raw, {Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..16]}";
    }

    /// <summary>What the agent said, of a recording of both directions.</summary>
    private static string Out(string path)
    {
        var stream = new StringBuilder();
        foreach (var line in File.ReadLines(path).Where(line => line.Length > 0))
        {
            using var document = JsonDocument.Parse(line);
            if (document.RootElement.GetProperty("dir").GetString() == "out" && document.RootElement.TryGetProperty("line", out var said) && said.ValueKind == JsonValueKind.Object)
            {
                stream.Append(said.GetRawText()).Append('\n');
            }
        }

        return stream.ToString();
    }
}
