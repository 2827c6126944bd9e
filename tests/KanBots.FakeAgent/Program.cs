using KanBots.FakeAgent;

// Started with the arguments of the Claude launch line, of which it heeds --session-id and --resume.
return new Agent(args).Run();
