using System.Text.Json;
using System.Text.Json.Serialization;
using KanBots.Sidecar.Processes;

namespace KanBots.Sidecar.RunHost;

/// <summary>The run folder is the protocol between serve and run host: it survives every crash and can be read with cat.
/// Who writes which file stands in ARCHITECTURE.md; no file has two writers.</summary>
internal sealed record RunFolder(string Path)
{
    internal const int Format = 1;

    internal string Launch => In("launch.json");

    internal string Claim => In("claim");

    internal string Wake => In("wake");

    internal string Host => In("host.json");

    internal string Stdout => In("stdout.ndjson");

    internal string Stdin => In("stdin.ndjson");

    internal string Control => In("control.ndjson");

    internal string Stderr => In("stderr.log");

    internal string Exit => In("exit.json");

    internal string Shared => In("shared.json");

    internal string Setup => In("setup.json");

    internal string SetupLog => In("setup.log");

    internal string HostLog => In("host.log");

    internal LaunchFile? ReadLaunch() => Read(Launch, RunFolderJson.Default.LaunchFile);

    internal HostFile? ReadHost() => Read(Host, RunFolderJson.Default.HostFile);

    internal SetupFile? ReadSetup() => Read(Setup, RunFolderJson.Default.SetupFile);

    internal ExitFile? ReadExit() => Read(Exit, RunFolderJson.Default.ExitFile);

    internal void Write(LaunchFile launch) => PrivateFiles.Replace(Launch, JsonSerializer.SerializeToUtf8Bytes(launch, RunFolderJson.Default.LaunchFile));

    internal void Write(HostFile host) => PrivateFiles.Replace(Host, JsonSerializer.SerializeToUtf8Bytes(host, RunFolderJson.Default.HostFile));

    internal void Write(SetupFile setup) => PrivateFiles.Replace(Setup, JsonSerializer.SerializeToUtf8Bytes(setup, RunFolderJson.Default.SetupFile));

    internal void Write(ExitFile exit) => PrivateFiles.Replace(Exit, JsonSerializer.SerializeToUtf8Bytes(exit, RunFolderJson.Default.ExitFile));

    /// <summary>"Look at your files". Nothing happens when no host listens; the host looks once a second anyway.</summary>
    internal void Poke() => WakeSignal.Send(Wake);

    private string In(string name) => System.IO.Path.Combine(Path, name);

    private static T? Read<T>(string path, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(PrivateFiles.ReadAll(path), type);
        }
        catch (Exception absent) when (absent is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (JsonException torn)
        {
            // Files are renamed into place whole, so this is damage and no half-written file.
            throw new IOException($"{path} is not readable: {torn.Message}", torn);
        }
    }
}

/// <summary>Written by serve before the start. Holds no secret: of the environment only names and hashes.</summary>
/// <param name="Token">128 random bits in hex: what carries it in its environment belongs to this launch.</param>
/// <param name="PlacedPaths">Of what we placed in the worktree, relative to it.</param>
/// <param name="Variables">What the host adds to the environment. No secret stands here.</param>
internal sealed record LaunchFile(int Format, string Token, long RunId, int CardNumber, int Launch, IReadOnlyList<string> Argv, string Cwd, LaunchEnvironment Environment, IReadOnlyList<string> PlacedPaths, LaunchLimits Limits, IReadOnlyDictionary<string, string>? Variables = null, LaunchSetup? Setup = null);

/// <param name="Names">Of all variables that the agent gets.</param>
/// <param name="Deciding">From the names of variables that decide programs and provider to a hash keyed with the token.</param>
/// <param name="Remove">Variables of ours that the host has and the agent must not get.</param>
internal sealed record LaunchEnvironment(IReadOnlyList<string> Names, IReadOnlyDictionary<string, string> Deciding, IReadOnlyList<string> Remove);

/// <summary>What is run in the worktree before the agent.</summary>
/// <param name="Lock">The file whose lock says whose turn it is.</param>
/// <param name="LogBytes">Beyond them the middle of the log is left out.</param>
internal sealed record LaunchSetup(IReadOnlyList<string> Argv, long TimeoutMs, string Lock, long LogBytes = 4L << 20);

/// <summary>How the setup command stands. Written by the host at each change.</summary>
/// <param name="State">waiting, running, done or failed.</param>
/// <param name="At">Since when it wants to run.</param>
internal sealed record SetupFile(int Format, string State, IReadOnlyList<string> Argv, DateTimeOffset At, DateTimeOffset? StartedAt = null, DateTimeOffset? EndedAt = null, int? ExitCode = null, int? Signal = null)
{
    internal const string Waiting = "waiting";
    internal const string Running = "running";
    internal const string Done = "done";
    internal const string Failed = "failed";

    /// <summary>Without the colours and cursor moves of a terminal; a line that was written over counts as lines.</summary>
    internal static string Plain(string text)
    {
        var plain = new System.Text.StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\e' && i + 1 < text.Length && text[i + 1] == '[')
            {
                for (i += 2; i < text.Length && text[i] is < '@' or > '~'; i++)
                {
                }
            }
            else if (text[i] is '\r' or '\n')
            {
                plain.Append('\n');
            }
            else if (!char.IsControl(text[i]))
            {
                plain.Append(text[i]);
            }
        }

        return plain.ToString();
    }
}

/// <summary>Times of the stop ladder are milliseconds, each step beginning when the one before it was not enough.</summary>
/// <param name="GraceMs">From the order to close stdin to the close, in which it may be taken back.</param>
/// <param name="WorkMinutes">Minutes of work, waiting for a person not counted.</param>
/// <param name="WaitMinutes">Minutes of waiting for a person, at a stretch.</param>
internal sealed record LaunchLimits(int WorkMinutes, int WaitMinutes = 24 * 60, long MinFreeBytes = 256L << 20, long StderrBytes = 4L << 20, int GraceMs = 300, int InterruptMs = 1000, int CloseMs = 300, int SigintMs = 400, int SigtermMs = 400);

/// <summary>Written twice: before the agent starts, and with the agent's pid after.</summary>
internal sealed record HostFile(int Format, string HostName, int HostPid, string HostStart, string BootId, int? AgentPid = null, string? AgentStart = null);

internal sealed record LeftPid(int Pid, string Start);

/// <param name="Reason">exited, stopped, killed, minutes, waited, diskFull, folderGone, setupFailed or spawnFailed.</param>
internal sealed record ExitFile(int Format, string Reason, int? ExitCode, int? Signal, string? Error, DateTimeOffset StartedAt, DateTimeOffset EndedAt, long StdoutBytes, IReadOnlyList<LeftPid> LeftPids);

/// <summary>One line of control.ndjson. Every op does nothing when it was done already.</summary>
/// <param name="Op">stop, kill, closeStdin, keepStdin or waiting.</param>
internal sealed record ControlLine(string Op, bool? Value = null);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(LaunchFile))]
[JsonSerializable(typeof(HostFile))]
[JsonSerializable(typeof(ExitFile))]
[JsonSerializable(typeof(ControlLine))]
[JsonSerializable(typeof(SetupFile))]
internal sealed partial class RunFolderJson : JsonSerializerContext;
