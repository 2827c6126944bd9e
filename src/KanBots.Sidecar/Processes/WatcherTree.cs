namespace KanBots.Sidecar.Processes;

/// <summary>For macOS and Windows, whose own watches take in what lies below. Not run there: written from the documentation.</summary>
internal sealed class WatcherTree : TreeWatch
{
    private readonly FileSystemWatcher _watcher;
    private readonly IReadOnlySet<string> _leftOut;
    private readonly Action _touched;
    private readonly Lock _gate = new();
    private readonly HashSet<string> _paths = new(StringComparer.Ordinal);
    private bool _isAll;
    private bool _isBlind;

    private WatcherTree(string root, IReadOnlySet<string> leftOut, Action touched)
    {
        (_leftOut, _touched) = (leftOut, touched);
        _watcher = new FileSystemWatcher(root) { IncludeSubdirectories = true, NotifyFilter = NotifyFilters.FileName | NotifyFilters.DirectoryName | NotifyFilters.Size | NotifyFilters.LastWrite | NotifyFilters.Attributes };
        _watcher.Changed += (_, change) => See(change.Name);
        _watcher.Created += (_, change) => See(change.Name);
        _watcher.Deleted += (_, change) => See(change.Name);
        _watcher.Renamed += (_, change) =>
        {
            See(change.OldName);
            See(change.Name);
        };
        _watcher.Error += (_, _) => See(null);
        _watcher.EnableRaisingEvents = true;
    }

    internal static new TreeWatch? Start(string root, IReadOnlySet<string> leftOut, Action touched)
    {
        try
        {
            return Directory.EnumerateDirectories(root).SelectMany(folder => Directory.EnumerateFileSystemEntries(folder, ".git", SearchOption.TopDirectoryOnly)).Any() ? null : new WatcherTree(root, leftOut, touched);
        }
        catch (Exception refused) when (refused is IOException or ArgumentException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    internal override TreeChange Take()
    {
        lock (_gate)
        {
            var taken = _isBlind ? TreeChange.Blind : _isAll ? TreeChange.All : new TreeChange(false, false, [.. _paths]);
            _isAll = false;
            _paths.Clear();
            return taken;
        }
    }

    /// <param name="name">Relative; null when some were lost.</param>
    private void See(string? name)
    {
        var path = name?.Replace('\\', '/');
        if (path == ".git" || (path is not null && _leftOut.Any(folder => path == folder || path.StartsWith($"{folder}/", StringComparison.Ordinal))))
        {
            return;
        }

        lock (_gate)
        {
            // Whether it is a folder is not told: what is below one that came or went is not told either.
            _isBlind |= path is null || Path.GetFileName(path) is ".git" or ".gitignore" or ".gitattributes";
            _isAll |= path is null || _paths.Count >= PathsMax || Path.GetExtension(path).Length == 0;
            if (path is not null)
            {
                _paths.Add(path);
            }
        }

        _touched();
    }

    public override void Dispose() => _watcher.Dispose();
}
