using System.Text;
using KanBots.Sidecar.Processes;

namespace KanBots.Sidecar.Engine;

/// <summary>serve's log: a private file, bounded, one line per entry. Prompts, answers and environments are never logged.</summary>
internal sealed class Log(string path, TimeProvider time)
{
    internal const long BytesMax = 8L << 20;

    private readonly Lock _gate = new();

    internal event Action<string, string>? Written;

    internal void Info(string message) => Write("info", message);

    /// <returns>A reference that a person can quote and find in the file.</returns>
    internal string Error(string where, Exception failure)
    {
        var reference = Guid.NewGuid().ToString("N")[..8];
        Write("error", $"[{reference}] {where}: {failure}");
        return reference;
    }

    private void Write(string level, string message)
    {
        var line = $"{time.GetUtcNow():O} {level} {message.ReplaceLineEndings(" | ")}\n";
        try
        {
            lock (_gate)
            {
                if (new FileInfo(path) is { Exists: true, Length: > BytesMax })
                {
                    File.Move(path, $"{path}.1", overwrite: true);
                }

                PrivateFiles.Append(path, Encoding.UTF8.GetBytes(line));
            }
        }
        catch (IOException)
        {
            // A full disk must not stop the board because it cannot be written down.
        }

        Written?.Invoke(level, message);
    }
}
