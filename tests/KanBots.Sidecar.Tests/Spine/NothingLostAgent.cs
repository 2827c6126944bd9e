namespace KanBots.Sidecar.Tests.Spine;

/// <summary>What an agent, or a person in its place, does in a worktree.</summary>
internal static class NothingLostAgent
{
    private static readonly string[] Names = ["a.txt", "b/c.txt", "b/d e.txt", "ü.txt", "-n", "ignored/x", "b", "deep/er/f", "*.txt", "readme.txt"];

    /// <summary>Some commands of an agent or of a person in its worktree; what cannot be done there is not done.</summary>
    internal static string Work(Random random, int card, string branch) => $"{{ {string.Concat(Enumerable.Range(0, random.Next(1, 6)).Select(_ => $"{Command(random, card, branch)}; "))}}} > /dev/null 2>&1";

    private static string Command(Random random, int card, string branch) => random.Next(14) switch
    {
        < 6 => Write(random, Names[random.Next(Names.Length)]),
        6 => $"rm -rf './{Names[random.Next(Names.Length)]}'",
        7 or 8 => "git add -A && git commit -qm work",
        9 => "git commit -q --amend --allow-empty -m amended",
        10 => "git reset -q --hard HEAD~1",
        11 => random.Next(2) == 0 ? "git rebase -q main || git rebase --abort" : "git rebase -q next",
        12 => random.Next(2) == 0 ? "git checkout -q --detach" : $"git checkout -q -B agents/{card}",
        _ => random.Next(2) == 0 ? $"git checkout -q {branch}" : $"git checkout -q -B {branch}",
    };

    private static string Write(Random random, string name)
    {
        var folder = Path.GetDirectoryName(name)!;
        var make = folder.Length > 0 ? $"{{ [ -d './{folder}' ] || rm -f './{folder}'; }}; mkdir -p './{folder}'; " : "";
        return make + random.Next(8) switch
        {
            0 => $"rm -rf './{name}'; ln -s nowhere './{name}'",
            1 => $"echo {random.Next()} >> './{name}'; chmod +x './{name}'",
            _ => $"rm -rf './{name}'; echo {random.Next()} > './{name}'",
        };
    }
}
