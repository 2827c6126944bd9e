namespace KanBots.Sidecar.Git;

/// <summary>One git command as a value: what it is called in logs, its arguments, where it runs.</summary>
/// <param name="Writes">Writing commands run one at a time per repository; reading ones take no optional locks.</param>
/// <param name="Environment">"NAME=value" lines of somebody else, in whose place git is asked; what would point git elsewhere is left out all the same.</param>
/// <param name="InputLater">In place of <paramref name="Input"/>: git is started at once and waits for it, holding nothing; a writing command has its turn from
/// there on. Where it fails or is cancelled, git is ended.</param>
/// <param name="ExitCodes">Those that are results; any other is a failure.</param>
internal sealed record GitCommand(string Name, string Folder, IReadOnlyList<string> Arguments, bool Writes = false, IReadOnlyList<int>? ExitCodes = null, string? IndexFile = null, ReadOnlyMemory<byte> Input = default, IReadOnlyList<string>? Environment = null, Task<ReadOnlyMemory<byte>>? InputLater = null);
