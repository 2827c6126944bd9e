import { describe, expect, it } from "vitest";
import { busyCards, isFlying, received, sent, STARTING, withoutConfirmed, type Model } from "../../src/shared/boardmodel";
import type { ToBoard } from "../../src/shared/messages";
import type { BoardSnapshot, Card, Run } from "../../src/shared/protocol";

const card = (id: number, more: Partial<Card> = {}): Card => ({ id, number: id, source: { kind: "local" }, title: `Card ${id}`, body: "", column: "todo", position: id, labels: [], dot: "none", costMicroUsd: 0, runIds: [], ...more });

const run = (id: number, more: Partial<Run> = {}): Run => ({
  id, cardId: id, cardNumber: id, state: "running", agent: "claude", permissionMode: "ask", branch: "b", worktreePath: "/w", baseRef: "main", baseCommit: "0", launch: 1, costMicroUsd: 0, costIsEstimate: false,
  budget: {}, turns: 0, dirty: false, leftRunning: 0, ...more,
});

const BOARD: BoardSnapshot = {
  epoch: "e", revision: 1, columns: [], cards: [card(1, { runIds: [1] }), card(2), card(3, { archived: true })], runs: [run(1)], decisions: [], spend: { todayMicroUsd: 0, totalMicroUsd: 0 },
};
const asMessage = (board: BoardSnapshot): ToBoard => ({ t: "board", board, frame: { repository: "r", several: false } });
const change = (more: object): ToBoard => ({ t: "change", revision: 2, cards: [], runs: [], decisions: [], removedCards: [], removedRuns: [], removedDecisions: [], ...more }) as ToBoard;
const after = (model: Model, ...messages: readonly ToBoard[]): Model => messages.reduce((before, message) => received(before, message).model, model);
const ready = after(STARTING, { t: "state", state: { kind: "ready" } }, asMessage(BOARD));

describe("what is received", () => {
  it("keeps the identity of every view that nothing happened to, also when the whole board comes again", () => {
    const changed = after(ready, change({ runs: [run(1, { currentTool: "Bash ls" })] }));
    expect(changed.views.get(2)).toBe(ready.views.get(2));
    expect(changed.views.get(1)).not.toBe(ready.views.get(1));
    const again = after(ready, asMessage(structuredClone(BOARD)));
    expect(again.views.get(1)).toBe(ready.views.get(1));
  });

  it("leaves archived cards out and takes removed ones away", () => {
    expect([...ready.views.keys()]).toEqual([1, 2]);
    expect([...after(ready, change({ removedCards: [2] })).views.keys()]).toEqual([1]);
  });

  it("says nothing at the first board, and what changed later", () => {
    expect(received(STARTING, asMessage({ ...BOARD, runs: [run(1, { state: "failed" })] })).news).toEqual([]);
    expect(received(ready, change({ runs: [run(1, { state: "inReview" })] })).news).toEqual(["#1 in review"]);
    expect(received(STARTING, change({ cards: [card(9)] })).model).toBe(STARTING);
  });
});

describe("a move", () => {
  const moved = sent(ready, { t: "move", id: 1, cardId: 2, column: "done", position: 0 });

  it("is shown at once, whatever else changes meanwhile, until the card itself moves", () => {
    expect(moved.views.get(2)?.card.column).toBe("done");
    expect(ready.views.get(2)?.card.column).toBe("todo");
    const meanwhile = after(moved, change({ runs: [run(1, { currentTool: "x" })] }), change({ cards: [card(2, { title: "Renamed" })] }));
    expect(meanwhile.views.get(2)?.card).toMatchObject({ column: "done", title: "Renamed" });
    const there = after(meanwhile, { t: "done", id: 1 }, change({ cards: [card(2, { column: "done", position: 1 })] }));
    expect(there.moves).toEqual([]);
    expect(there.views.get(2)?.card).toMatchObject({ column: "done", position: 1 });
  });

  it("within its column is over when the position comes", () => {
    const first = sent(ready, { t: "move", id: 1, cardId: 2, column: "todo", position: 0 });
    expect(first.views.get(2)?.card.position).toBe(0);
    const there = after(first, change({ cards: [card(2, { position: -4 })] }));
    expect(there.moves).toEqual([]);
    expect(there.views.get(2)?.card.position).toBe(-4);
  });

  it("goes back when it is refused, with the reason on the card until the next try", () => {
    const refused = after(moved, { t: "done", id: 1, error: "No." });
    expect(refused.views.get(2)?.card.column).toBe("todo");
    expect(refused.errors.get(2)).toBe("No.");
    expect(sent(refused, { t: "act", id: 2, action: "dispatch", cardIds: [2] }).errors.size).toBe(0);
  });

  it("that was confirmed without a change ends after a while", () => {
    const confirmed = after(moved, { t: "done", id: 1 });
    expect(confirmed.views.get(2)?.card.column).toBe("done");
    expect(withoutConfirmed(confirmed).views.get(2)?.card.column).toBe("todo");
    expect(withoutConfirmed(moved)).toBe(moved);
  });

  it("of many keeps their order at the end", () => {
    const many = sent(ready, { t: "moveMany", id: 1, cardIds: [2, 1], column: "done" });
    expect(many.views.get(2)?.card.position).toBeLessThan(many.views.get(1)?.card.position ?? 0);
  });
});

describe("what is in flight", () => {
  it("is known by card until it lands", () => {
    const flying = sent(ready, { t: "act", id: 7, action: "stop", cardIds: [1] });
    expect(busyCards(flying).get(1)).toBe("stop");
    expect(busyCards(after(flying, { t: "done", id: 7 })).size).toBe(0);
  });

  it("of a new card is about no card, and so is its refusal", () => {
    const flying = sent(ready, { t: "newCard", id: 8, title: "x", column: "todo" });
    expect(isFlying(flying, "newCard")).toBe(true);
    const refused = after(flying, { t: "done", id: 8, error: "Too long." });
    expect([...refused.errors]).toEqual([[0, "Too long."]]);
  });
});
