namespace KanBots.Sidecar.Protocol;

/// <summary>The handshake. Answered before the database is open.</summary>
/// <param name="ClientName">For the status and the log: "vscode", "rider", "cli".</param>
/// <param name="WorkspaceFolder">Absolute path of the folder that the client has open.</param>
/// <param name="Trusted">Whether the workspace is trusted; an untrusted client may only read.</param>
public sealed record InitializeParams(string ClientName, string WorkspaceFolder, bool Trusted, IReadOnlyList<string> Capabilities, string? ClientVersion = null);

public sealed record InitializeResult(string ServerVersion, string RepositoryRoot, IReadOnlyList<string> Capabilities);

public sealed record DidChangeTrustParams(bool Trusted);

/// <summary>A params or result object without fields.</summary>
public sealed record Nothing;

/// <summary>The id of a request that is to be cancelled: a number or a string, as it was sent.</summary>
public sealed record CancelParams(System.Text.Json.JsonElement Id);

public sealed record ProgressParams(System.Text.Json.JsonElement Token, string Message, int? Percent = null, bool? Done = null);
