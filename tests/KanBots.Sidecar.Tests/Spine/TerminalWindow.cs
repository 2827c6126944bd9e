using System.Diagnostics;
using System.Text;

namespace KanBots.Sidecar.Tests.Spine;

/// <summary>A command in a terminal of its own, which `script` makes: what it drew, and a keyboard.</summary>
internal sealed class TerminalWindow : IDisposable
{
    private readonly StringBuilder _drawn = new();
    private readonly Process _process;
    private readonly Thread _reader;

    internal TerminalWindow(Place place, string command)
    {
        // As a terminal of a person starts it, whoever started the tests: a background job's commands ignore Ctrl-C, and so do their children.
        var start = place.Command(place.Repository, "--default-signal=INT,QUIT", "script", "-qec", $"stty cols 100 rows 40; exec {command}", "/dev/null");
        start.FileName = "env";
        start.Environment["SHELL"] = "/bin/sh";
        start.Environment["TERM"] = "xterm-256color";
        start.RedirectStandardOutput = start.RedirectStandardInput = true;
        start.StandardInputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        _process = Process.Start(start)!;
        _reader = new Thread(() =>
        {
            var buffer = new char[4096];
            for (int read; (read = _process.StandardOutput.Read(buffer)) > 0;)
            {
                lock (_drawn)
                {
                    _drawn.Append(buffer, 0, read);
                }
            }
        }) { IsBackground = true };
        _reader.Start();
    }

    internal int ExitCode => _process.ExitCode;

    internal string Drawn
    {
        get
        {
            lock (_drawn)
            {
                return _drawn.ToString();
            }
        }
    }

    internal void Until(string words, int seconds = 120)
    {
        var shown = false;
        Place.Until($"the terminal shows '{words}' or ends", () => (shown = Drawn.Contains(words, StringComparison.Ordinal)) || !_reader.IsAlive, seconds);
        Assert.True(shown || Drawn.Contains(words, StringComparison.Ordinal), $"ended without '{words}': {Drawn}");
    }

    internal void Type(string keys)
    {
        _process.StandardInput.Write(keys);
        _process.StandardInput.Flush();
    }

    /// <returns>All that was drawn.</returns>
    internal string UntilEnd()
    {
        Place.Until("the command ended", () => _process.HasExited);
        _reader.Join();
        return Drawn;
    }

    public void Dispose()
    {
        _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }
}
