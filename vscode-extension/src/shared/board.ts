import type { BoardDidChangeParams, BoardSnapshot, Card, Decision, Run } from "./protocol";

/** What came of a change: the next board, the same one (an old change), or a gap after which the whole board has to be asked for. */
export type Applied = { kind: "board"; board: BoardSnapshot } | { kind: "old" } | { kind: "gap" };

/** Lays a change over the board it follows. Boards are values: nothing of `board` is changed. */
export function applyChange(board: BoardSnapshot, change: BoardDidChangeParams): Applied {
  if (change.epoch !== board.epoch) {
    return { kind: "gap" };
  }
  if (change.revision <= board.revision) {
    return { kind: "old" };
  }
  if (change.previousRevision > board.revision) {
    return { kind: "gap" };
  }
  return {
    kind: "board",
    board: {
      ...board,
      revision: change.revision,
      cards: merged(board.cards, change.cards, change.removed.cardIds),
      runs: merged(board.runs, change.runs, change.removed.runIds),
      decisions: merged(board.decisions, change.decisions, change.removed.decisionIds),
      spend: change.spend ?? board.spend,
      notices: change.notices ?? board.notices,
    },
  };
}

function merged<Item extends { id: number | string }>(before: readonly Item[], changed: readonly Item[], removed: readonly Item["id"][]): readonly Item[] {
  if (changed.length === 0 && removed.length === 0) {
    return before;
  }
  const next = new Map(before.map((item) => [item.id, item]));
  for (const item of changed) {
    next.set(item.id, item);
  }
  for (const id of removed) {
    next.delete(id);
  }
  return [...next.values()];
}

export const cardById = (board: BoardSnapshot, id: number): Card | undefined => board.cards.find((card) => card.id === id);

export const runById = (board: BoardSnapshot, id: number): Run | undefined => board.runs.find((run) => run.id === id);

/** The run that a card is about: the active one, else its newest. */
export function runOf(board: BoardSnapshot, card: Card): Run | undefined {
  const id = card.activeRunId ?? Math.max(...card.runIds);
  return Number.isFinite(id) ? runById(board, id) : undefined;
}

/** Open decisions, the oldest first. */
export const openDecisions = (board: BoardSnapshot): readonly Decision[] =>
  board.decisions.filter((decision) => decision.state === "open").sort((a, b) => a.askedAt.localeCompare(b.askedAt) || a.id.localeCompare(b.id));

export const decisionOf = (board: BoardSnapshot, runId: number): Decision | undefined => openDecisions(board).find((decision) => decision.runId === runId);
