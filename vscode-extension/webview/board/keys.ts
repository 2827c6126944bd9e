import { everything, NOTHING_SELECTED, ranged, stepMove, toggled } from "../../src/shared/boardmove";
import { COLUMN_WORDS } from "../../src/shared/words";
import type { Board } from "./board";
import type { Card } from "./card";

const PAGE = 5;
const DIRECTIONS = { ArrowUp: "up", ArrowDown: "down", ArrowLeft: "left", ArrowRight: "right" } as const;

/** The keyboard on the board: arrows walk, with Shift they select, with Ctrl they move the card; letters are commands outside text fields. */
export function onKey(board: Board, event: KeyboardEvent): void {
  const target = event.target as HTMLElement;
  const inText = target.matches("input, textarea, select, vscode-textfield");
  const card = target.closest<Card>("kb-card");
  const command = event.ctrlKey || event.metaKey;
  if (event.defaultPrevented || event.isComposing) {
    return;
  }
  if (!inText && !command && !event.altKey && (event.key === "/" || event.key === "n")) {
    event.preventDefault();
    event.key === "/" ? board.focusFilter() : board.add(board.addColumn());
  } else if (card !== null && target === card) {
    onCard(board, card, event, command);
  } else if (card !== null) {
    within(card, target, inText, event);
  } else if (event.key === "Escape" && target.matches("button, input, select, body, vscode-button, vscode-textfield")) {
    event.preventDefault();
    if (target.matches(".filter") && board.text !== "") {
      board.filter("");
    } else if (board.adding !== undefined && target.closest(".adding") !== null) {
      board.add(undefined);
    } else if (board.selection.ids.size > 0) {
      board.select(NOTHING_SELECTED);
    } else {
      board.focusFirst();
    }
  } else if (event.key === "ArrowDown" && target.matches(".filter")) {
    event.preventDefault();
    board.focusFirst();
  }
}

function onCard(board: Board, card: Card, event: KeyboardEvent, command: boolean): void {
  const id = card.view.card.id;
  const direction = DIRECTIONS[event.key as keyof typeof DIRECTIONS];
  if (direction !== undefined && command) {
    step(board, id, direction);
  } else if (direction !== undefined && !event.altKey) {
    const next = beside(board, card, direction, 1);
    walk(board, id, next, event.shiftKey && (direction === "up" || direction === "down"));
  } else if (event.key === "PageDown" || event.key === "PageUp") {
    walk(board, id, beside(board, card, event.key === "PageDown" ? "down" : "up", PAGE), event.shiftKey);
  } else if (event.key === "Home" || event.key === "End") {
    const cards = siblings(board, card, command);
    walk(board, id, event.key === "Home" ? cards[0] : cards.at(-1), event.shiftKey);
  } else if (event.key === "Enter") {
    board.openCard(id);
  } else if (event.key === "F2") {
    ([".question button, .question input", ".steps button", "button"].map((controls) => card.querySelector<HTMLElement>(controls)).find((control) => control !== null))?.focus();
  } else if (event.key === " " || event.key === "x") {
    board.select(event.shiftKey ? ranged(board.selection, board.order(), id) : toggled(board.selection, id));
  } else if (event.key === "a" && command) {
    board.select(everything(board.order()));
  } else if (event.key === "Escape") {
    board.select(NOTHING_SELECTED);
  } else {
    return;
  }
  event.preventDefault();
}

/** In a card's controls: Escape goes back to the card, left and right walk between buttons. */
function within(card: Card, target: HTMLElement, inText: boolean, event: KeyboardEvent): void {
  if (event.key === "Escape") {
    event.preventDefault();
    card.typing !== undefined && inText ? card.type(undefined) : card.focus();
  } else if (!inText && (event.key === "ArrowLeft" || event.key === "ArrowRight")) {
    const controls = [...card.querySelectorAll<HTMLElement>("button:not(:disabled), input:not(:disabled)")];
    controls[controls.indexOf(target) + (event.key === "ArrowLeft" ? -1 : 1)]?.focus();
    event.preventDefault();
  }
}

function walk(board: Board, from: number, to: Card | undefined, selecting: boolean): void {
  if (to === undefined) {
    return;
  }
  if (selecting) {
    const start = board.selection.anchor === undefined ? toggled(NOTHING_SELECTED, from) : board.selection;
    board.select(ranged(start, board.order(), to.view.card.id));
  }
  to.focus();
}

const siblings = (board: Board, card: Card, all: boolean): Card[] => board.cards((all ? null : card.closest("kb-column")) ?? undefined);

function beside(board: Board, card: Card, direction: "up" | "down" | "left" | "right", count: number): Card | undefined {
  if (board.narrow || direction === "up" || direction === "down") {
    const cards = siblings(board, card, board.narrow);
    const by = direction === "up" ? -count : direction === "down" ? count : 0;
    return cards[Math.max(0, Math.min(cards.indexOf(card) + by, cards.length - 1))];
  }
  // The card of the next column with cards that is nearest in height.
  const columns = board.columns();
  const by = direction === "left" ? -1 : 1;
  const top = card.getBoundingClientRect().top;
  for (let at = columns.findIndex((column) => column.contains(card)) + by; columns[at] !== undefined; at += by) {
    const cards = board.cards(columns[at]);
    const away = (other: Card): number => Math.abs(other.getBoundingClientRect().top - top);
    if (cards.length > 0) {
      return cards.reduce((best, other) => (away(other) < away(best) ? other : best));
    }
  }
  return undefined;
}

function step(board: Board, id: number, direction: "up" | "down" | "left" | "right"): void {
  const vertical = direction === "up" || direction === "down";
  if (board.narrow) {
    board.say("Cards are moved by their menu while the board is a list.");
    return;
  }
  if (vertical && board.sort !== "board") {
    board.say("Cards have places in board order only.");
    return;
  }
  const to = stepMove(board.groups, id, direction);
  const number = board.store.model.views.get(id)?.card.number;
  if (to === undefined) {
    board.say(`#${number} cannot go further.`);
    return;
  }
  const size = (board.groups.find((group) => group.column === to.column)?.views.length ?? 0) + (vertical ? 0 : 1);
  board.place([id], to.column, to.index, `#${number} is in ${COLUMN_WORDS[to.column]}, ${to.index + 1} of ${size}`);
}
