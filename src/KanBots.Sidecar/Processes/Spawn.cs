using System.Runtime.InteropServices;
using System.Text;

namespace KanBots.Sidecar.Processes;

/// <summary>Where a descriptor of the new process leads.</summary>
internal abstract record Redirect
{
    internal sealed record Null : Redirect;

    /// <summary>A file, opened for append and made private when it is not there.</summary>
    internal sealed record AppendTo(string Path) : Redirect;

    internal sealed record Inherit(int Fd) : Redirect;
}

/// <param name="Executable">Absolute path; no search, no shell.</param>
/// <param name="NewSession">Its own session, so that no terminal's signals and no parent's group reach it.</param>
internal sealed record SpawnRequest(string Executable, IReadOnlyList<string> Arguments, IReadOnlyList<string> Environment, string Folder, Redirect Input, Redirect Output, Redirect Error, bool NewSession);

/// <summary>Starts a process by posix_spawn with every other descriptor closed and all signals at their defaults.
/// System.Diagnostics.Process is not used here: it keeps the parent's standard output open in a detached child for ever.</summary>
internal static unsafe class Spawn
{
    private const short SetSigMask = 0x08, SetSigDefault = 0x04, SetSession = 0x80;

    /// <returns>The pid of the new process, a child of this one.</returns>
    /// <exception cref="IOException">It could not be started; the message carries the system's reason.</exception>
    internal static int Start(SpawnRequest request)
    {
        // glibc's types are 80 and 336 bytes; twice that is room for every libc that we know.
        var actions = stackalloc byte[256];
        var attributes = stackalloc byte[512];
        var signals = stackalloc byte[128];
        using var texts = new Texts();
        _ = LibC.posix_spawn_file_actions_init(actions);
        _ = LibC.posix_spawnattr_init(attributes);
        try
        {
            Direct(actions, 0, request.Input, texts, LibC.O_RDONLY);
            Direct(actions, 1, request.Output, texts, LibC.O_WRONLY);
            Direct(actions, 2, request.Error, texts, LibC.O_WRONLY);
            _ = LibC.posix_spawn_file_actions_addclosefrom_np(actions, 3);
            _ = LibC.posix_spawn_file_actions_addchdir_np(actions, texts.Add(request.Folder));
            _ = LibC.sigfillset(signals);
            _ = LibC.posix_spawnattr_setsigdefault(attributes, signals);
            _ = LibC.sigemptyset(signals);
            _ = LibC.posix_spawnattr_setsigmask(attributes, signals);
            _ = LibC.posix_spawnattr_setflags(attributes, (short)(SetSigMask | SetSigDefault | (request.NewSession ? SetSession : 0)));
            int pid;
            var error = LibC.posix_spawn(&pid, texts.Add(request.Executable), actions, attributes, texts.Array(request.Arguments), texts.Array(request.Environment));
            return error == 0 ? pid : throw new IOException($"{request.Executable} could not be started in {request.Folder}: {LibC.Describe(error)}.");
        }
        finally
        {
            _ = LibC.posix_spawn_file_actions_destroy(actions);
            _ = LibC.posix_spawnattr_destroy(attributes);
        }
    }

    /// <summary>This process's environment as "NAME=value" lines.</summary>
    internal static List<string> OwnEnvironment()
    {
        var lines = new List<string>();
        foreach (System.Collections.DictionaryEntry entry in Environment.GetEnvironmentVariables())
        {
            lines.Add($"{entry.Key}={entry.Value}");
        }

        return lines;
    }

    private static void Direct(byte* actions, int target, Redirect stream, Texts texts, int access)
    {
        switch (stream)
        {
            case Redirect.Null:
                _ = LibC.posix_spawn_file_actions_addopen(actions, target, texts.Add("/dev/null"), access, 0);
                break;
            case Redirect.AppendTo file:
                _ = LibC.posix_spawn_file_actions_addopen(actions, target, texts.Add(file.Path), access | LibC.O_APPEND | LibC.O_CREAT | LibC.O_NOFOLLOW, PrivateFiles.FileMode);
                break;
            case Redirect.Inherit inherited:
                _ = LibC.posix_spawn_file_actions_adddup2(actions, inherited.Fd, target);
                break;
        }
    }

    /// <summary>Native copies of strings, freed together.</summary>
    private sealed class Texts : IDisposable
    {
        private readonly List<nint> _blocks = [];

        internal byte* Add(string text)
        {
            if (text.Contains('\0'))
            {
                throw new IOException("A path, an argument or an environment variable contains a NUL character.");
            }

            var block = Marshal.StringToCoTaskMemUTF8(text);
            _blocks.Add(block);
            return (byte*)block;
        }

        internal byte** Array(IReadOnlyList<string> lines)
        {
            var block = Marshal.AllocCoTaskMem((lines.Count + 1) * sizeof(nint));
            _blocks.Add(block);
            var array = (byte**)block;
            for (var i = 0; i < lines.Count; i++)
            {
                array[i] = Add(lines[i]);
            }

            array[lines.Count] = null;
            return array;
        }

        public void Dispose() => _blocks.ForEach(Marshal.FreeCoTaskMem);
    }
}
