import type { Board } from "./board";
import type { Card } from "./card";
import type { Column } from "./column";

const THRESHOLD = 5;
const EDGE = 44;
const SPEED = 14;

interface Start {
  readonly card: Card;
  readonly x: number;
  readonly y: number;
  readonly pointerId: number;
}

interface Target {
  readonly column: Column;
  readonly index: number;
}

/** Moves cards with the pointer: a ghost follows it, a line shows where they would go, columns scroll at their edges, Escape puts everything back. */
export class Drag {
  private start: Start | undefined;
  private ids: readonly number[] = [];
  private ghost: HTMLElement | undefined;
  private line: HTMLElement | undefined;
  private target: Target | undefined;
  private frame = 0;
  private x = 0;
  private y = 0;
  private ended = false;

  constructor(private readonly board: Board) {
    board.addEventListener("pointerdown", (event) => this.onDown(event));
    board.addEventListener("pointermove", (event) => this.onMove(event));
    board.addEventListener("pointerup", (event) => this.onUp(event));
    board.addEventListener("pointercancel", () => this.end());
    board.addEventListener("lostpointercapture", () => this.end());
    // The click that ends a drag is none.
    board.addEventListener("click", (event) => {
      if (this.ended) {
        event.stopImmediatePropagation();
        event.preventDefault();
      }
    }, true);
  }

  get isOn(): boolean {
    return this.ghost !== undefined;
  }

  private onDown(event: PointerEvent): void {
    this.ended = false;
    const element = event.target as Element;
    const card = element.closest<Card>("kb-card");
    if (event.button !== 0 || event.pointerType === "touch" || event.ctrlKey || event.metaKey || event.shiftKey || card === null || this.board.narrow || element.closest("button, input, a, pre, .plan") !== null) {
      return;
    }
    this.start = { card, x: event.clientX, y: event.clientY, pointerId: event.pointerId };
  }

  private onMove(event: PointerEvent): void {
    this.x = event.clientX;
    this.y = event.clientY;
    if (this.start === undefined || event.pointerId !== this.start.pointerId) {
      return;
    }
    if (!this.isOn && Math.hypot(this.x - this.start.x, this.y - this.start.y) >= THRESHOLD) {
      this.begin(this.start);
    }
  }

  private begin(start: Start): void {
    const id = start.card.view.card.id;
    this.ids = this.board.selection.ids.has(id) ? this.board.order().filter((other) => this.board.selection.ids.has(other)) : [id];
    this.board.setPointerCapture(start.pointerId);
    this.board.classList.add("dragging");
    this.lift();
    const at = start.card.getBoundingClientRect();
    const ghost = document.createElement("div");
    ghost.className = "ghost";
    ghost.inert = true;
    ghost.setAttribute("aria-hidden", "true");
    const cell = start.card.querySelector(".cell")?.cloneNode(true);
    if (cell instanceof HTMLElement) {
      cell.removeAttribute("role");
      cell.querySelectorAll("[id]").forEach((element) => element.removeAttribute("id"));
      ghost.append(cell);
    }
    if (this.ids.length > 1) {
      const count = document.createElement("span");
      count.className = "many";
      count.textContent = String(this.ids.length);
      ghost.append(count);
    }
    ghost.style.width = `${at.width}px`;
    ghost.style.left = `${at.left - start.x}px`;
    ghost.style.top = `${at.top - start.y}px`;
    this.board.append(ghost);
    this.ghost = ghost;
    this.line = document.createElement("div");
    this.line.className = "drop";
    window.addEventListener("keydown", this.onKey, true);
    window.addEventListener("blur", this.onBlur);
    this.frame = requestAnimationFrame(this.onFrame);
  }

  private readonly onFrame = (): void => {
    if (this.ghost === undefined) {
      return;
    }
    this.ghost.style.transform = `translate(${this.x}px, ${this.y}px)`;
    this.lift();
    this.scroll();
    this.aim();
    this.frame = requestAnimationFrame(this.onFrame);
  };

  /** Cards may be drawn anew while they are held. */
  private lift(): void {
    for (const id of this.ids) {
      this.board.cardElement(id)?.toggleAttribute("data-lifted", true);
    }
  }

  private aim(): void {
    const columns = this.board.columns();
    let best: Column | undefined;
    let distance = Number.POSITIVE_INFINITY;
    for (const column of columns) {
      const at = column.getBoundingClientRect();
      const away = this.x < at.left ? at.left - this.x : this.x > at.right ? this.x - at.right : 0;
      if (away < distance) {
        [best, distance] = [column, away];
      }
    }
    const list = best?.querySelector<HTMLElement>(".cards");
    if (best?.column === undefined || list === undefined || list === null || this.line === undefined) {
      return;
    }
    const cards = this.board.cards(list).filter((card) => !card.hasAttribute("data-lifted"));
    let low = 0;
    let high = cards.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const at = cards[middle]?.getBoundingClientRect();
      if (at !== undefined && this.y > at.top + at.height / 2) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    // Cards that wait stand first whatever their place.
    const index = Math.max(low, cards.filter((card) => card.view.decision !== undefined).length);
    const free = this.board.sort === "board";
    const here = this.start?.card.view.card.column === best.column && this.ids.length === 1;
    for (const column of columns) {
      column.toggleAttribute("data-over", column === best && (free || !here));
    }
    if (!free) {
      this.line.remove();
      this.target = here ? undefined : { column: best, index: cards.length };
      return;
    }
    this.target = { column: best, index };
    const before = cards[index - 1];
    const after = cards[index];
    const top = after !== undefined ? after.offsetTop - 5 : before !== undefined ? before.offsetTop + before.offsetHeight + 3 : 0;
    if (this.line.parentElement !== list) {
      list.append(this.line);
    }
    this.line.style.top = `${top}px`;
  }

  private scroll(): void {
    const towards = (near: number, far: number, at: number): number => (at < near + EDGE ? -1 : at > far - EDGE ? 1 : 0) * SPEED;
    const all = this.board.querySelector<HTMLElement>(".columns");
    if (all !== null) {
      const at = all.getBoundingClientRect();
      all.scrollLeft += towards(at.left, at.right, this.x);
    }
    const scroller = this.target?.column.querySelector<HTMLElement>(".scroll");
    if (scroller !== null && scroller !== undefined) {
      const at = scroller.getBoundingClientRect();
      scroller.scrollTop += towards(at.top, at.bottom, this.y);
    }
  }

  private onUp(event: PointerEvent): void {
    if (this.start?.pointerId !== event.pointerId) {
      return;
    }
    if (this.isOn) {
      this.aim();
      const { target, ids } = this;
      this.end();
      this.ended = true;
      if (target?.column.column !== undefined) {
        this.board.place(ids, target.column.column, target.index);
      }
    }
    this.end();
  }

  private end(): void {
    const { start } = this;
    this.start = undefined;
    if (this.ghost === undefined) {
      return;
    }
    cancelAnimationFrame(this.frame);
    window.removeEventListener("keydown", this.onKey, true);
    window.removeEventListener("blur", this.onBlur);
    this.ghost.remove();
    this.line?.remove();
    this.ghost = this.line = this.target = undefined;
    this.ids = [];
    this.board.classList.remove("dragging");
    this.board.querySelectorAll("[data-lifted]").forEach((card) => card.removeAttribute("data-lifted"));
    this.board.columns().forEach((column) => column.removeAttribute("data-over"));
    if (start !== undefined && this.board.hasPointerCapture(start.pointerId)) {
      this.board.releasePointerCapture(start.pointerId);
    }
  }

  private readonly onBlur = (): void => this.end();

  private readonly onKey = (event: KeyboardEvent): void => {
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      this.end();
      this.ended = true;
      this.board.say("Not moved");
    }
  };
}
