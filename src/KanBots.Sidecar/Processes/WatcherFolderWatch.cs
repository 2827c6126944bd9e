namespace KanBots.Sidecar.Processes;

/// <summary>For macOS and Windows, by .NET's watcher. Not run there: written from the documentation. Both systems may report an append
/// only when the writer closes the file, and an agent keeps its stream open; so the tick is short, and it alone is relied upon.</summary>
internal sealed class WatcherFolderWatch : FolderWatch
{
    private const int TickMs = 200;

    private readonly Action<string> _changed;
    private readonly Timer _tick;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, FileSystemWatcher> _watchers = [];

    internal WatcherFolderWatch(Action<string> changed, Action tick)
    {
        _changed = changed;
        _tick = new Timer(_ => tick(), null, TickMs, TickMs);
    }

    internal override bool Add(string folder)
    {
        try
        {
            var watcher = new FileSystemWatcher(folder) { NotifyFilter = NotifyFilters.FileName | NotifyFilters.Size | NotifyFilters.LastWrite };
            watcher.Changed += (_, _) => _changed(folder);
            watcher.Created += (_, _) => _changed(folder);
            watcher.Renamed += (_, _) => _changed(folder);
            watcher.EnableRaisingEvents = true;
            lock (_gate)
            {
                _watchers.Remove(folder, out var before);
                before?.Dispose();
                _watchers[folder] = watcher;
            }

            return true;
        }
        catch (Exception refused) when (refused is IOException or ArgumentException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    internal override void Remove(string folder)
    {
        lock (_gate)
        {
            if (_watchers.Remove(folder, out var watcher))
            {
                watcher.Dispose();
            }
        }
    }

    public override void Dispose()
    {
        _tick.Dispose();
        lock (_gate)
        {
            foreach (var watcher in _watchers.Values)
            {
                watcher.Dispose();
            }

            _watchers.Clear();
        }
    }
}
