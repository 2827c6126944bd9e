using System.Buffers;
using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace KanBots.Sidecar.Processes;

/// <param name="OutputBytesMax">What standard output may have at most; the rest is read and dropped, and said to be cut.</param>
internal sealed record CommandLimits(TimeSpan Timeout, int OutputBytesMax)
{
    internal const int ErrorCharactersMax = 64 * 1024;

    internal static CommandLimits Default { get; } = new(TimeSpan.FromMinutes(2), 64 * 1024 * 1024);
}

/// <param name="OutputWasCut">True when standard output was longer than the limit.</param>
/// <param name="Pooled">What holds a long standard output, until <see cref="Release"/>.</param>
internal sealed record CommandResult(int ExitCode, ReadOnlyMemory<byte> StandardOutput, string StandardError, TimeSpan Elapsed, bool OutputWasCut, byte[]? Pooled = null)
{
    /// <summary>Standard output was read and is not looked at again. Worth calling for long answers that are asked for often; without it they are garbage like any other.</summary>
    internal void Release()
    {
        if (Pooled is not null)
        {
            ArrayPool<byte>.Shared.Return(Pooled);
        }
    }

    internal string Text => Encoding.UTF8.GetString(StandardOutput.Span);
}

/// <summary>The command could not be started: usually it is not installed.</summary>
internal sealed class CommandMissingException(string file, Exception inner) : IOException($"{file} could not be started: {inner.Message}", inner)
{
    /// <summary>False when the system had no room for one more process, file or page: then it may well be installed.</summary>
    internal bool IsAbsent => InnerException is not Win32Exception { NativeErrorCode: not (2 or 3 or 13 or 20) }; // ENOENT, its Windows kin, EACCES, ENOTDIR
}

/// <summary>Runs a short command such as git to its end. Arguments are an array, no shell sees them. A non-zero exit is a result,
/// not an exception.</summary>
internal static class ShortCommand
{
    /// <param name="environmentEdits">Added to this process's environment; a null value removes.</param>
    /// <param name="inputLater">In place of the input, what is known only when the command has long begun. Its time counts from there; where it fails, the command is ended.</param>
    /// <exception cref="CommandMissingException">It could not be started.</exception>
    /// <exception cref="TimeoutException">It did not end in time and was killed with its children.</exception>
    internal static async Task<CommandResult> RunAsync(
        string file,
        IReadOnlyList<string> arguments,
        string workingDirectory,
        IReadOnlyDictionary<string, string?> environmentEdits,
        ReadOnlyMemory<byte> input,
        CommandLimits limits,
        CancellationToken cancellation,
        Task<ReadOnlyMemory<byte>>? inputLater = null)
    {
        var start = new ProcessStartInfo(file, arguments)
        {
            WorkingDirectory = workingDirectory,
            UseShellExecute = false,
            CreateNoWindow = true,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardErrorEncoding = Encoding.UTF8,
        };
        foreach (var (name, value) in environmentEdits)
        {
            if (value is null)
            {
                start.Environment.Remove(name);
            }
            else
            {
                start.Environment[name] = value;
            }
        }

        var clock = Stopwatch.StartNew();
        using var process = new Process { StartInfo = start };
        try
        {
            process.Start();
        }
        catch (Exception failure) when (failure is Win32Exception or DirectoryNotFoundException)
        {
            throw new CommandMissingException(file, failure);
        }

        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        if (inputLater is not null)
        {
            input = await InputAsync(process, inputLater, cancellation);
        }

        deadline.CancelAfter(limits.Timeout);
        try
        {
            var output = ReadBoundedAsync(process.StandardOutput.BaseStream, limits.OutputBytesMax, deadline.Token);
            var error = ReadBoundedAsync(process.StandardError.BaseStream, CommandLimits.ErrorCharactersMax, deadline.Token);
            await WriteInputAsync(process, input, deadline.Token);
            var (bytes, wasCut, pooled) = await output;
            var (errorBytes, _, _) = await error;
            await process.WaitForExitAsync(deadline.Token);
            return new CommandResult(process.ExitCode, bytes, Encoding.UTF8.GetString(errorBytes.Span), clock.Elapsed, wasCut, pooled);
        }
        catch (OperationCanceledException)
        {
            ProcessTree.KillFrom(process);
            cancellation.ThrowIfCancellationRequested();
            throw new TimeoutException($"{file} {(arguments.Count > 0 ? arguments[0] : "")} did not end within {limits.Timeout.TotalSeconds:0} s and was ended.");
        }
    }

    /// <summary>A command that was begun for nothing has done nothing yet, and leaves nobody behind.</summary>
    private static async Task<ReadOnlyMemory<byte>> InputAsync(Process process, Task<ReadOnlyMemory<byte>> later, CancellationToken cancellation)
    {
        try
        {
            return await later.WaitAsync(cancellation);
        }
        catch
        {
            process.Kill();
            await process.WaitForExitAsync(CancellationToken.None);
            throw;
        }
    }

    private static async Task WriteInputAsync(Process process, ReadOnlyMemory<byte> input, CancellationToken cancellation)
    {
        try
        {
            await process.StandardInput.BaseStream.WriteAsync(input, cancellation);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // The command ended, or closed its input, before it had read all: its exit code says what that means.
        }
    }

    /// <summary>Bytes of an answer that is copied out of the pool.</summary>
    private const int CopiedMax = 32 * 1024;

    /// <summary>What grows is pooled: the answer of a large repository would else be garbage several times over.</summary>
    private static async Task<(ReadOnlyMemory<byte> Bytes, bool WasCut, byte[]? Pooled)> ReadBoundedAsync(Stream stream, int bytesMax, CancellationToken cancellation)
    {
        var (kept, length) = (ArrayPool<byte>.Shared.Rent(16 * 1024), 0);
        for (; ; )
        {
            var count = await stream.ReadAsync(kept.AsMemory(length), cancellation); // of a read that was cancelled it is not known when it lets go
            if (count == 0)
            {
                var (bytes, wasCut) = (kept.AsMemory(0, Math.Min(length, bytesMax)), length > bytesMax);
                if (bytes.Length > CopiedMax)
                {
                    return (bytes, wasCut, kept);
                }

                var copy = bytes.ToArray();
                ArrayPool<byte>.Shared.Return(kept);
                return (copy, wasCut, null);
            }

            length = Math.Min(length + count, bytesMax + 1); // one more says that it was cut
            if (length >= kept.Length)
            {
                var grown = ArrayPool<byte>.Shared.Rent((int)Math.Min(2L * kept.Length, Array.MaxLength));
                kept.AsSpan(0, length).CopyTo(grown);
                ArrayPool<byte>.Shared.Return(kept);
                kept = grown;
            }
        }
    }
}
