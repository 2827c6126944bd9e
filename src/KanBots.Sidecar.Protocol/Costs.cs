namespace KanBots.Sidecar.Protocol;

/// <summary>Asks what was spent.</summary>
/// <param name="CardId">Only of this card: without days, which are those of the whole board.</param>
/// <param name="Days">The newest days; 30 unless said, at most 366.</param>
/// <param name="Limit">Of models, cards and runs, each; 100 unless said, at most 1,000.</param>
public sealed record CostGetParams(long? CardId = null, int? Days = null, int? Limit = null);

/// <summary>What something took: turns, minutes of work, money.</summary>
/// <param name="Minutes">Absent for a day, which a launch may cross.</param>
/// <param name="MicroUsd">Absent where no price is known.</param>
/// <param name="UnpricedTurns">Turns for which the agent named no price; the money does not hold them.</param>
/// <param name="IsEstimate">Part of the money is not yet confirmed by the agent's own total.</param>
public sealed record Cost(int Turns, long? Minutes = null, long? MicroUsd = null, int? UnpricedTurns = null, bool? IsEstimate = null);

/// <param name="Day">A UTC day, as 2026-11-25.</param>
public sealed record DayCost(string Day, Cost Cost);

/// <summary>By the agent's own account of its models.</summary>
/// <param name="Runs">Number of runs that used it.</param>
/// <param name="MicroUsd">Absent where no price is known.</param>
/// <param name="IsPartlyUnpriced">Some of the tokens had no price.</param>
public sealed record ModelCost(string Model, int Runs, long InputTokens, long OutputTokens, long CacheReadTokens, long CacheWriteTokens, long? MicroUsd = null, bool? IsPartlyUnpriced = null);

public sealed record CardCost(long CardId, int CardNumber, string Title, Cost Cost);

public sealed record RunCost(long RunId, long CardId, int CardNumber, string Agent, RunState State, Cost Cost, string? Model = null);

/// <summary>Numbers of lines that did not fit.</summary>
public sealed record CostCut(int Days, int Models, int Cards, int Runs);

/// <summary>Days are newest first, the rest most expensive first. Total and days hold deleted cards too; models, cards and runs do not.</summary>
public sealed record CostGetResult(Cost Total, IReadOnlyList<DayCost> Days, IReadOnlyList<ModelCost> Models, IReadOnlyList<CardCost> Cards, IReadOnlyList<RunCost> Runs, CostCut? Cut = null);
