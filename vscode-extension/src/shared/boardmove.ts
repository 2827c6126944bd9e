// Moving and selecting cards: from what a pointer or a key points at to what is asked of the sidecar. No DOM.
import { boardOrder, isWaiting, type CardView, type Sort } from "./boardview";
import type { Card, Column } from "./protocol";

/** `position` is the index among the other cards of the column that are not archived, in the order that the sidecar keeps. */
export interface Move {
  readonly cardId: number;
  readonly column: Column;
  readonly position: number;
}

/** The same as the sidecar does it, so that an optimistic board shows what will come. Cards are values. */
export function movedPosition(cards: Iterable<Card>, move: Move): number {
  const others = [...cards]
    .filter((card) => card.column === move.column && card.id !== move.cardId && card.archived !== true)
    .sort((a, b) => a.position - b.position || a.id - b.id);
  const index = Math.max(0, Math.min(move.position, others.length));
  const before = others[index - 1]?.position;
  const after = others[index]?.position;
  return before === undefined ? (after === undefined ? 1 : after - 1) : after === undefined ? before + 1 : before + (after - before) / 2;
}

/** Lays moves that are not confirmed yet over the cards, in the order they were asked for. */
export function withMoves(cards: ReadonlyMap<number, Card>, moves: readonly Move[]): ReadonlyMap<number, Card> {
  if (moves.length === 0) {
    return cards;
  }
  const next = new Map(cards);
  for (const move of moves) {
    const card = next.get(move.cardId);
    if (card !== undefined) {
      next.set(card.id, { ...card, column: move.column, position: movedPosition(next.values(), move) });
    }
  }
  return next;
}

/**
 * The index for a drop before `index` of the cards shown in a column (the moved one left out). Cards that wait stand at the top whatever their
 * position, so the place is taken from the nearest neighbour that stands where it is; hidden cards keep theirs. An order that is not the board's has no
 * places: the card goes to the end.
 */
export function dropPosition(all: readonly CardView[], shown: readonly CardView[], index: number, column: Column, sort: Sort, movedId: number): number {
  const others = all.filter((view) => view.card.column === column && view.card.id !== movedId && view.card.archived !== true).sort(boardOrder);
  const at = (view: CardView | undefined): number => (view === undefined || isWaiting(view) ? -1 : others.findIndex((other) => other.card.id === view.card.id));
  if (sort !== "board") {
    return others.length;
  }
  const list = shown.filter((view) => view.card.id !== movedId);
  const reversed = column === "done";
  const next = at(list[index]);
  if (next >= 0) {
    return reversed ? next + 1 : next;
  }
  const previous = at(list[index - 1]);
  if (previous >= 0) {
    return reversed ? previous : previous + 1;
  }
  return list.length === 0 || reversed ? others.length : 0;
}

/** Where a key moves a card to: one step among the cards shown of its column, or to the column beside it, at about the same height. */
export function stepMove(
  groups: readonly { column: Column | undefined; views: readonly CardView[] }[],
  cardId: number,
  direction: "up" | "down" | "left" | "right",
): { column: Column; index: number } | undefined {
  const from = groups.findIndex((group) => group.views.some((view) => view.card.id === cardId));
  const group = groups[from];
  if (group?.column === undefined) {
    return undefined;
  }
  const index = group.views.findIndex((view) => view.card.id === cardId);
  if (direction === "up" || direction === "down") {
    const to = index + (direction === "up" ? -1 : 1);
    const first = group.views.filter((view) => isWaiting(view) && view.card.id !== cardId).length;
    return to < first || to >= group.views.length ? undefined : { column: group.column, index: to };
  }
  const target = groups[from + (direction === "left" ? -1 : 1)];
  return target?.column === undefined ? undefined : { column: target.column, index: Math.min(index, target.views.length) };
}

// Selection

export interface Selection {
  readonly ids: ReadonlySet<number>;
  /** Where a range starts. */
  readonly anchor: number | undefined;
}

export const NOTHING_SELECTED: Selection = { ids: new Set(), anchor: undefined };

export function toggled(selection: Selection, id: number): Selection {
  const ids = new Set(selection.ids);
  if (!ids.delete(id)) {
    ids.add(id);
  }
  return { ids, anchor: id };
}

/** From the anchor to `id` in the order shown; from `id` alone when the anchor is not shown. */
export function ranged(selection: Selection, order: readonly number[], id: number): Selection {
  const from = selection.anchor === undefined ? -1 : order.indexOf(selection.anchor);
  const to = order.indexOf(id);
  if (to < 0) {
    return selection;
  }
  return from < 0 ? { ids: new Set([id]), anchor: id } : { ids: new Set(order.slice(Math.min(from, to), Math.max(from, to) + 1)), anchor: selection.anchor };
}

export const everything = (order: readonly number[]): Selection => ({ ids: new Set(order), anchor: order[0] });

/** Without what is not shown any more. The same object when nothing went. */
export function kept(selection: Selection, shown: ReadonlySet<number>): Selection {
  const ids = [...selection.ids].filter((id) => shown.has(id));
  return ids.length === selection.ids.size ? selection : { ids: new Set(ids), anchor: selection.anchor };
}
