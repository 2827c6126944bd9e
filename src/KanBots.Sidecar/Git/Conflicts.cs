using System.Text;

namespace KanBots.Sidecar.Git;

/// <summary>Whether commits would go together, by git's own merge, and nothing is written but objects.</summary>
internal static class Conflicts
{
    /// <summary>All pairs are asked of one git: to start it takes longer than such a merge.</summary>
    /// <param name="folder">A working tree whose attributes decide how files are merged.</param>
    /// <returns>Of each pair the files that would conflict, from the top, with slashes; none when they go together.</returns>
    internal static async Task<IReadOnlyList<IReadOnlyList<string>>> BetweenAsync(GitRunner git, string folder, IReadOnlyList<(string One, string Other)> pairs, CancellationToken cancellation)
    {
        var input = Encoding.ASCII.GetBytes(string.Concat(pairs.Select(pair => $"{pair.One} {pair.Other}\n")));
        var result = await git.RunAsync(new GitCommand("merge-tree", folder, ["merge-tree", "--write-tree", "--name-only", "--no-messages", "--allow-unrelated-histories", "-z", "--stdin"], Input: input), cancellation);
        var answers = Read(result.Text.Split('\0'));
        return answers.Count == pairs.Count ? answers : throw GitFailure.Named("gitFailed", $"git merge-tree answered {answers.Count} of {pairs.Count}. {result.StandardError.Trim()}");
    }

    /// <summary>Of each merge: whether it is clean, its tree, the files that conflict, and an empty field.</summary>
    private static List<IReadOnlyList<string>> Read(string[] fields)
    {
        var answers = new List<IReadOnlyList<string>>();
        for (var at = 0; at < fields.Length; at++)
        {
            if (fields[at].Length == 0)
            {
                continue;
            }

            var isClean = fields[at] == "1";
            var names = fields.Skip(at + 2).TakeWhile(field => field.Length > 0).ToList();
            if (fields[at] is not ("0" or "1") || isClean != (names.Count == 0))
            {
                throw GitFailure.Named("gitFailed", $"git merge-tree said what is not understood: {fields[at]}");
            }

            answers.Add([.. names.Distinct()]);
            at += 1 + names.Count;
        }

        return answers;
    }
}
