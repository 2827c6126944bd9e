using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace KanBots.Sidecar.Processes.Unix;

/// <summary>By posix_spawn, with every other descriptor closed and all signals at their defaults.
/// System.Diagnostics.Process is not used here: it keeps the parent's standard output open in a detached child for ever.</summary>
[UnsupportedOSPlatform("windows")]
internal static unsafe class PosixSpawn
{
    /// <summary>spawn.h of both. Where macOS has a flag that closes what was not named, glibc has a file action.</summary>
    private const short SetSigDefault = 0x04, SetSigMask = 0x08, SetSession = 0x80, MacSetSession = 0x400, MacCloseByDefault = 0x4000;

    internal static int Start(SpawnRequest request)
    {
        // glibc's types are 80 and 336 bytes; twice that is room for every libc that we know. On macOS each is one pointer.
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
            if (OperatingSystem.IsLinux())
            {
                _ = Linux.Kernel.posix_spawn_file_actions_addclosefrom_np(actions, 3);
            }

            _ = LibC.posix_spawn_file_actions_addchdir_np(actions, texts.Add(request.Folder));
            _ = LibC.sigfillset(signals);
            if (OperatingSystem.IsMacOS())
            {
                // Its kernel sets each by itself, and refuses to for these two.
                _ = LibC.sigdelset(signals, LibC.SIGKILL);
                _ = LibC.sigdelset(signals, LibC.SIGSTOP);
            }

            _ = LibC.posix_spawnattr_setsigdefault(attributes, signals);
            _ = LibC.sigemptyset(signals);
            _ = LibC.posix_spawnattr_setsigmask(attributes, signals);
            _ = LibC.posix_spawnattr_setflags(attributes, Flags(request.NewSession));
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

    private static short Flags(bool newSession) => OperatingSystem.IsMacOS()
        ? (short)(SetSigMask | SetSigDefault | MacCloseByDefault | (newSession ? MacSetSession : 0))
        : (short)(SetSigMask | SetSigDefault | (newSession ? SetSession : 0));

    private static void Direct(byte* actions, int target, Redirect stream, Texts texts, int access)
    {
        switch (stream)
        {
            case Redirect.Null:
                _ = LibC.posix_spawn_file_actions_addopen(actions, target, texts.Add("/dev/null"), access, 0);
                break;
            case Redirect.AppendTo file:
                _ = LibC.posix_spawn_file_actions_addopen(actions, target, texts.Add(file.Path), access | LibC.O_APPEND | LibC.O_CREAT | LibC.O_NOFOLLOW, UnixFiles.FileMode);
                break;
            case Redirect.Inherit inherited:
                _ = LibC.posix_spawn_file_actions_adddup2(actions, (int)inherited.Handle, target);
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
