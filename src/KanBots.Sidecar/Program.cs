// Wires the verbs by calling them; everything else lives in its room.
using KanBots.Sidecar.Cli;
using KanBots.Sidecar.Cli.Schema;
using KanBots.Sidecar.RunHost;
using KanBots.Sidecar.Serving;

var idle = TimeSpan.FromSeconds(60);
return args switch
{
    ["--stdio"] => await Relay.RunAsync(Environment.CurrentDirectory),
    ["serve", var folder] => await Serve.RunAsync(folder, idle),
    ["serve", var folder, "--idle-seconds", var seconds] when int.TryParse(seconds, out var count) => await Serve.RunAsync(folder, TimeSpan.FromSeconds(count)),
    ["run-host", var folder] => Host.Run(folder),
    ["schema"] => SchemaVerb.Run("schema"),
    ["schema", var folder] => SchemaVerb.Run(folder),
    ["--version"] => Say($"kanbots-sidecar {Build.Version}"),
    ["--help" or "-h" or "help"] or [] => Say(Help.Text),
    _ => await Terminal.RunAsync(args),
};

static int Say(string line)
{
    Console.Out.WriteLine(line);
    return 0;
}
