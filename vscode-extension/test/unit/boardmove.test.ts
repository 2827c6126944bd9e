import { describe, expect, it } from "vitest";
import { dropPosition, everything, kept, movedPosition, NOTHING_SELECTED, ranged, stepMove, toggled, withMoves } from "../../src/shared/boardmove";
import { byColumn, COLUMNS, sorted, type CardView } from "../../src/shared/boardview";
import type { Card, Column } from "../../src/shared/protocol";

/** A small generator with a seed (mulberry32), so that a failure can be had again. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const card = (id: number, column: Column, position: number): Card => ({ id, number: id, source: { kind: "local" }, title: "", body: "", column, position, labels: [], dot: "none", costMicroUsd: 0, runIds: [] });

const waits = { id: "d", runId: 1, cardNumber: 1, kind: "question", state: "open", askedAt: "2026-01-01T00:00:00Z", questions: [] } as const;

const viewOf = (of: Card, waiting = false): CardView => ({ card: of, run: undefined, decision: waiting ? waits : undefined, conflicts: [] });

function boardOf(next: (below: number) => number): CardView[] {
  return Array.from({ length: 2 + next(14) }, (_, at) => viewOf(card(at + 1, COLUMNS[next(COLUMNS.length)] ?? "todo", next(6)), next(5) === 0));
}

/** What the sidecar does with an index, written down anew: take the card out, put it in, number the column. */
function asSidecar(cards: readonly Card[], move: { cardId: number; column: Column; position: number }): number[] {
  const others = cards.filter((of) => of.column === move.column && of.id !== move.cardId).sort((a, b) => a.position - b.position || a.id - b.id).map((of) => of.id);
  others.splice(Math.min(Math.max(0, move.position), others.length), 0, move.cardId);
  return others;
}

describe("a drop", () => {
  it("puts the card between the neighbours that it was dropped between, with and without a filter", () => {
    for (let seed = 0; seed < 3000; seed++) {
      const next = random(seed);
      const views = boardOf(next);
      const moved = views[next(views.length)] as CardView;
      const column = COLUMNS[next(COLUMNS.length)] as Column;
      const all = sorted(views.filter((view) => view.card.column === column && view !== moved), "board", column);
      const shown = next(2) === 0 ? all : all.filter(() => next(3) > 0);
      const index = next(shown.length + 1);
      const position = dropPosition(views, shown, index, column, "board", moved.card.id);
      const order = asSidecar(views.map((view) => view.card), { cardId: moved.card.id, column, position });
      const place = (view: CardView | undefined): number | undefined => (view === undefined || view.decision !== undefined ? undefined : order.indexOf(view.card.id));
      const [before, at, after] = [place(shown[index - 1]), order.indexOf(moved.card.id), place(shown[index])];
      const down = column === "done" ? -1 : 1;
      expect(position, `seed ${seed}`).toBeGreaterThanOrEqual(0);
      if (before !== undefined) {
        expect(Math.sign(at - before), `seed ${seed}: after the card above it`).toBe(down);
      }
      if (after !== undefined) {
        expect(Math.sign(after - at), `seed ${seed}: before the card below it`).toBe(down);
        expect(Math.abs(after - at), `seed ${seed}: right before it`).toBe(1);
      }
    }
  });

  it("takes no place from a card that waits, which stands first whatever its own", () => {
    const [first, second, asks] = [viewOf(card(1, "todo", 1)), viewOf(card(2, "todo", 2)), viewOf(card(3, "todo", 9), true)];
    const all = [first, second, asks];
    expect(dropPosition(all, [asks, first, second], 0, "todo", "board", 8)).toBe(0);
    expect(dropPosition(all, [asks, first, second], 1, "todo", "board", 8)).toBe(0);
    expect(dropPosition(all, [asks], 1, "todo", "board", 8)).toBe(0);
    expect(dropPosition(all, [asks, first, second], 3, "todo", "board", 8)).toBe(2);
  });

  it("goes to the end where cards have no places", () => {
    const views = [1, 2, 3].map((id) => viewOf(card(id, "todo", id)));
    expect(dropPosition(views, views, 0, "todo", "cost", 9)).toBe(3);
  });

  it("is shown at once where the sidecar will put it", () => {
    for (let seed = 0; seed < 2000; seed++) {
      const next = random(seed);
      // Distinct positions: equal ones make the sidecar number the column anew.
      const cards = boardOf(next).map((view, at) => ({ ...view.card, position: at * 3 + 1 }));
      const move = { cardId: (cards[next(cards.length)] as Card).id, column: COLUMNS[next(COLUMNS.length)] as Column, position: next(cards.length + 2) };
      const after = [...withMoves(new Map(cards.map((of) => [of.id, of])), [move]).values()].filter((of) => of.column === move.column).sort((a, b) => a.position - b.position || a.id - b.id);
      expect(after.map((of) => of.id), `seed ${seed}`).toEqual(asSidecar(cards, move));
    }
  });

  it("leaves the cards it was given as they were", () => {
    const cards = new Map([[1, card(1, "todo", 1)], [2, card(2, "done", 1)]]);
    withMoves(cards, [{ cardId: 1, column: "done", position: 0 }]);
    expect(cards.get(1)?.column).toBe("todo");
    expect(withMoves(cards, [])).toBe(cards);
    expect(movedPosition([], { cardId: 1, column: "done", position: 5 })).toBe(1);
  });
});

describe("a step by key", () => {
  const groups = byColumn([viewOf(card(1, "todo", 1), true), viewOf(card(2, "todo", 2)), viewOf(card(3, "todo", 3)), viewOf(card(4, "inProgress", 1))], "board");

  it("goes one place or one column, never above a card that waits, never over the edge", () => {
    expect(stepMove(groups, 3, "up")).toEqual({ column: "todo", index: 1 });
    expect(stepMove(groups, 2, "up")).toBeUndefined();
    expect(stepMove(groups, 3, "down")).toBeUndefined();
    expect(stepMove(groups, 3, "right")).toEqual({ column: "inProgress", index: 1 });
    expect(stepMove(groups, 3, "left")).toEqual({ column: "backlog", index: 0 });
    expect(stepMove(byColumn([viewOf(card(1, "backlog", 1))], "board"), 1, "left")).toBeUndefined();
    expect(stepMove(groups, 99, "up")).toBeUndefined();
  });
});

describe("the selection", () => {
  const order = [5, 3, 8, 1, 9];

  it("is toggled one by one", () => {
    const one = toggled(NOTHING_SELECTED, 3);
    expect([...toggled(one, 8).ids]).toEqual([3, 8]);
    expect([...toggled(one, 3).ids]).toEqual([]);
    expect([...one.ids]).toEqual([3]);
  });

  it("reaches from its anchor in the order shown, either way, and keeps the anchor", () => {
    const down = ranged(toggled(NOTHING_SELECTED, 3), order, 1);
    expect([...down.ids]).toEqual([3, 8, 1]);
    expect([...ranged(down, order, 5).ids]).toEqual([5, 3]);
    expect([...ranged(NOTHING_SELECTED, order, 8).ids]).toEqual([8]);
    expect(ranged(down, order, 77)).toBe(down);
  });

  it("loses what is not shown any more and nothing else", () => {
    const all = everything(order);
    expect(kept(all, new Set(order))).toBe(all);
    expect([...kept(all, new Set([8, 9])).ids]).toEqual([8, 9]);
  });
});
