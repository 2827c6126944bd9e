namespace KanBots.Sidecar.Cli;

/// <summary>Something is wrong with the command line: the sentence says what to do.</summary>
internal sealed class UsageException(string message) : Exception(message);

/// <summary>Words and options of one verb. An option takes the next word unless it is a flag.</summary>
internal sealed class Arguments
{
    private readonly Dictionary<string, string?> _options = [];

    private Arguments(IReadOnlyList<string> words) => Words = words;

    internal IReadOnlyList<string> Words { get; }

    /// <param name="valued">Options that take a value.</param>
    /// <exception cref="UsageException">An option is unknown or lacks its value.</exception>
    internal static Arguments Parse(IReadOnlyList<string> args, IReadOnlyCollection<string> valued, IReadOnlyCollection<string> flags)
    {
        var words = new List<string>();
        var parsed = new Arguments(words);
        for (var i = 0; i < args.Count; i++)
        {
            var arg = args[i];
            if (!arg.StartsWith("--", StringComparison.Ordinal) || arg == "--")
            {
                words.Add(arg);
            }
            else if (flags.Contains(arg))
            {
                parsed._options[arg] = null;
            }
            else if (!valued.Contains(arg))
            {
                throw new UsageException($"There is no option {arg}. Known here: {string.Join(", ", valued.Concat(flags).Order())}.");
            }
            else if (i + 1 == args.Count)
            {
                throw new UsageException($"{arg} needs a value.");
            }
            else
            {
                parsed._options[arg] = args[++i];
            }
        }

        return parsed;
    }

    internal bool Has(string option) => _options.ContainsKey(option);

    internal string? Value(string option) => _options.GetValueOrDefault(option);

    internal string Word(int index, string what) => index < Words.Count ? Words[index] : throw new UsageException($"Say {what}. See --help.");
}
