using System.Text;
using System.Text.Json.Nodes;

namespace KanBots.Sidecar.Tests.Rpc;

/// <summary>The other side of a connection: bytes out, bytes in, framing of its own so that it does not trust ours.</summary>
internal sealed class ByteClient(Stream toServer, Stream fromServer)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    internal static byte[] Frame(string content) => Frame(Encoding.UTF8.GetBytes(content));

    internal static byte[] Frame(byte[] content) => [.. Encoding.ASCII.GetBytes($"Content-Length: {content.Length}\r\n\r\n"), .. content];

    internal static string Request(string id, string method, string parameters = "{}") => $$"""{"jsonrpc":"2.0","id":{{id}},"method":"{{method}}","params":{{parameters}}}""";

    internal static string Notification(string method, string parameters = "{}") => $$"""{"jsonrpc":"2.0","method":"{{method}}","params":{{parameters}}}""";

    internal void Write(params byte[] bytes)
    {
        toServer.Write(bytes);
        toServer.Flush();
    }

    internal void Send(string content) => Write(Frame(content));

    /// <summary>Many frames in one write.</summary>
    internal void SendTogether(params IEnumerable<string> contents) => Write([.. contents.SelectMany(Frame)]);

    /// <summary>The next message, or null when the connection has ended.</summary>
    internal async Task<JsonObject?> ReadAsync()
    {
        var header = new StringBuilder();
        var one = new byte[1];
        while (!header.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (await fromServer.ReadAsync(one).AsTask().WaitAsync(Patience) == 0)
            {
                Assert.True(header.Length == 0, $"ended inside a header: {header}");
                return null;
            }

            header.Append((char)one[0]);
        }

        var content = new byte[int.Parse(header.ToString().Split(':')[1])];
        await fromServer.ReadExactlyAsync(content).AsTask().WaitAsync(Patience);
        return JsonNode.Parse(content)!.AsObject();
    }

    /// <summary>The next message, which there must be.</summary>
    internal async Task<JsonObject> NextAsync() => await ReadAsync() ?? throw new EndOfStreamException("The connection ended where a message was expected.");

    internal async Task<JsonObject> NextAsync(string method)
    {
        for (; ; )
        {
            if (await NextAsync() is var message && (string?)message["method"] == method)
            {
                return message;
            }
        }
    }

    internal async Task<JsonObject> CallAsync(string id, string method, string parameters = "{}")
    {
        Send(Request(id, method, parameters));
        return await NextAsync();
    }

    internal static void AssertError(JsonObject message, string id, int code, string says)
    {
        Assert.Equal(id, message["id"]?.ToJsonString() ?? "null");
        var error = message["error"]?.AsObject() ?? throw new InvalidOperationException($"not an error: {message.ToJsonString()}");
        Assert.Equal(code, (int)error["code"]!);
        Assert.Contains(says, (string?)error["message"]);
        Assert.NotNull((string?)error["data"]?["kind"]);
    }
}
