// The board page's state as a value: what the extension sent, what was asked for and is not confirmed yet, and the views that follow from both.
import { withMoves, type Move } from "./boardmove";
import { newsOf, openByRun, partsOf, viewOf, type CardView, type Parts } from "./boardview";
import type { BoardFrame, FromBoard, SidecarState, ToBoard } from "./messages";
import type { BoardSnapshot } from "./protocol";

export interface PendingMove extends Move {
  /** Of the message that asked for it. */
  readonly id: number;
  readonly confirmed: boolean;
}

/** What a message in flight is about, for the card's buttons. */
export interface Flight {
  readonly what: string;
  readonly cardIds: readonly number[];
}

export interface Model {
  readonly state: SidecarState;
  readonly frame: BoardFrame | undefined;
  readonly spend: BoardSnapshot["spend"] | undefined;
  readonly notices: NonNullable<BoardSnapshot["notices"]>;
  /** As the sidecar has it; undefined before the first board. */
  readonly parts: Parts | undefined;
  readonly moves: readonly PendingMove[];
  readonly flights: ReadonlyMap<number, Flight>;
  /** The last refusal by card; 0 stands for what is about no card. */
  readonly errors: ReadonlyMap<number, string>;
  /** Of cards that are not archived, moves laid over them. */
  readonly views: ReadonlyMap<number, CardView>;
}

export const NO_CARD = 0;

export const STARTING: Model = {
  state: { kind: "starting" },
  frame: undefined,
  spend: undefined,
  notices: [],
  parts: undefined,
  moves: [],
  flights: new Map(),
  errors: new Map(),
  views: new Map(),
};

/** The model after a message of the extension, and what a screen reader should say of it. */
export function received(model: Model, message: ToBoard): { model: Model; news: readonly string[] } {
  switch (message.t) {
    case "state":
      return { model: { ...model, state: message.state }, news: [] };
    case "board": {
      const parts = keptParts(model.parts, partsOf(message.board));
      const next = { ...model, frame: message.frame, spend: message.board.spend, notices: message.board.notices ?? [], parts, moves: stillPending(model, parts) };
      return seen(model, withViews(next), model.parts !== undefined);
    }
    case "change": {
      if (model.parts === undefined) {
        return { model, news: [] };
      }
      const parts: Parts = {
        cards: laid(model.parts.cards, message.cards, message.removedCards),
        runs: laid(model.parts.runs, message.runs, message.removedRuns),
        decisions: laid(model.parts.decisions, message.decisions, message.removedDecisions),
      };
      const next = { ...model, parts, spend: message.spend ?? model.spend, notices: message.notices ?? model.notices, moves: stillPending(model, parts) };
      return seen(model, withViews(next), true);
    }
    case "done":
      return { model: landed(model, message.id, message.error), news: message.error === undefined ? [] : [message.error] };
    case "reveal":
      return { model, news: [] };
  }
}

/** The model after a message was sent to the extension: a move is shown at once, a button waits. */
export function sent(model: Model, message: FromBoard): Model {
  switch (message.t) {
    case "move": {
      const move: PendingMove = { id: message.id, cardId: message.cardId, column: message.column, position: message.position, confirmed: false };
      return withViews({ ...cleared(model, [message.cardId]), moves: [...model.moves, move], flights: flown(model, message.id, "move", [message.cardId]) });
    }
    case "moveMany": {
      const moves = message.cardIds.map((cardId): PendingMove => ({ id: message.id, cardId, column: message.column, position: Number.MAX_SAFE_INTEGER, confirmed: false }));
      return withViews({ ...cleared(model, message.cardIds), moves: [...model.moves, ...moves], flights: flown(model, message.id, "move", message.cardIds) });
    }
    case "act":
      return { ...cleared(model, message.cardIds), flights: flown(model, message.id, message.action, message.cardIds) };
    case "answer": {
      const runId = model.parts?.decisions.get(message.decisionId)?.runId;
      const cardId = runId === undefined ? undefined : model.parts?.runs.get(runId)?.cardId;
      const cardIds = cardId === undefined ? [] : [cardId];
      return { ...cleared(model, cardIds), flights: flown(model, message.id, "answer", cardIds) };
    }
    case "newCard":
      return { ...cleared(model, [NO_CARD]), flights: flown(model, message.id, "newCard", []) };
    default:
      return model;
  }
}

export function withoutError(model: Model, cardId: number): Model {
  const errors = new Map(model.errors);
  return errors.delete(cardId) ? { ...model, errors } : model;
}

/** A confirmed move whose change never came (it was one to where the card is) goes after a while. */
export const withoutConfirmed = (model: Model): Model =>
  model.moves.some((move) => move.confirmed) ? withViews({ ...model, moves: model.moves.filter((move) => !move.confirmed) }) : model;

export const isFlying = (model: Model, what: string): boolean => [...model.flights.values()].some((flight) => flight.what === what);

/** What is in flight by card: the newest. */
export function busyCards(model: Model): ReadonlyMap<number, string> {
  const busy = new Map<number, string>();
  for (const flight of model.flights.values()) {
    for (const id of flight.cardIds) {
      busy.set(id, flight.what);
    }
  }
  return busy;
}

function landed(model: Model, id: number, error: string | undefined): Model {
  const flight = model.flights.get(id);
  const flights = new Map(model.flights);
  flights.delete(id);
  if (error === undefined) {
    return { ...model, flights, moves: model.moves.map((move) => (move.id === id ? { ...move, confirmed: true } : move)) };
  }
  const errors = new Map(model.errors);
  for (const cardId of flight === undefined || flight.cardIds.length === 0 ? [NO_CARD] : flight.cardIds.slice(0, 1)) {
    errors.set(cardId, error);
  }
  return withViews({ ...model, flights, errors, moves: model.moves.filter((move) => move.id !== id) });
}

/** A move is over as soon as the sidecar says anything new of where its card stands. */
function stillPending(model: Model, parts: Parts): readonly PendingMove[] {
  const left = model.moves.filter((move) => {
    const before = model.parts?.cards.get(move.cardId);
    const after = parts.cards.get(move.cardId);
    return before !== undefined && after !== undefined && before.column === after.column && before.position === after.position;
  });
  return left.length === model.moves.length ? model.moves : left;
}

function seen(before: Model, after: Model, speak: boolean): { model: Model; news: readonly string[] } {
  const news: string[] = [];
  if (speak) {
    for (const [id, view] of after.views) {
      const old = before.views.get(id);
      const said = old === view ? undefined : newsOf(old, view);
      if (said !== undefined) {
        news.push(said);
      }
    }
  }
  return { model: after, news };
}

function withViews(model: Model): Model {
  if (model.parts === undefined) {
    return model;
  }
  const open = openByRun(model.parts.decisions.values());
  const views = new Map<number, CardView>();
  for (const card of withMoves(model.parts.cards, model.moves).values()) {
    if (card.archived !== true) {
      const view = viewOf(card, model.parts, open);
      const old = model.views.get(card.id);
      views.set(card.id, old !== undefined && sameView(old, view) ? old : view);
    }
  }
  return { ...model, views };
}

const sameView = (a: CardView, b: CardView): boolean =>
  (a.card === b.card || same(a.card, b.card)) && a.run === b.run && a.decision === b.decision && a.conflicts.length === b.conflicts.length && a.conflicts.every((text, index) => text === b.conflicts[index]);

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** A whole board that was sent again: what is equal keeps its identity, so that its cards are not drawn again. */
function keptParts(before: Parts | undefined, after: Parts): Parts {
  return before === undefined ? after : { cards: keptItems(before.cards, after.cards), runs: keptItems(before.runs, after.runs), decisions: keptItems(before.decisions, after.decisions) };
}

function keptItems<Id, Item>(before: ReadonlyMap<Id, Item>, after: ReadonlyMap<Id, Item>): ReadonlyMap<Id, Item> {
  return new Map([...after].map(([id, item]) => {
    const old = before.get(id);
    return [id, old !== undefined && same(old, item) ? old : item];
  }));
}

function laid<Id, Item extends { id: Id }>(before: ReadonlyMap<Id, Item>, changed: readonly Item[], removed: readonly Id[]): ReadonlyMap<Id, Item> {
  if (changed.length === 0 && removed.length === 0) {
    return before;
  }
  const next = new Map(before);
  for (const item of changed) {
    next.set(item.id, item);
  }
  for (const id of removed) {
    next.delete(id);
  }
  return next;
}

const flown = (model: Model, id: number, what: string, cardIds: readonly number[]): ReadonlyMap<number, Flight> => new Map(model.flights).set(id, { what, cardIds });

const cleared = (model: Model, cardIds: readonly number[]): Model => cardIds.reduce(withoutError, model);
