// The scripted agent is started as an agent would be; without a script it says so and fails, as a CLI does.
Console.Error.WriteLine("kanbots-fake-agent: no script given");
return 1;
