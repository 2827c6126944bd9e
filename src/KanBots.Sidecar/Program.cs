// Wires the verbs by calling them; everything else lives in its room.
return args switch
{
    ["--version"] => Version(),
    ["run-host", var folder] => KanBots.Sidecar.RunHost.Host.Run(folder),
    ["schema", .. var rest] => KanBots.Sidecar.Cli.Schema.SchemaVerb.Run(rest is [var folder] ? folder : "schema"),
    _ => Unknown(),
};

static int Version()
{
    Console.Out.WriteLine($"kanbots-sidecar {typeof(KanBots.Sidecar.Rpc.HeaderFraming).Assembly.GetName().Version?.ToString(3)}");
    return 0;
}

static int Unknown()
{
    Console.Error.WriteLine("kanbots-sidecar: unknown command; try --help");
    return 2;
}
