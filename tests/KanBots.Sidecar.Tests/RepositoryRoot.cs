namespace KanBots.Sidecar.Tests;

/// <summary>The folder of the solution, found upwards from the test's own assembly.</summary>
internal static class RepositoryRoot
{
    internal static string Path { get; } = Find();

    internal static string Of(params string[] parts) => System.IO.Path.Combine([Path, .. parts]);

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(System.IO.Path.Combine(folder.FullName, "KanBots.Sidecar.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException("The tests run outside the repository.");
    }
}
