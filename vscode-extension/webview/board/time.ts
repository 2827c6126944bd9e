import { elapsed } from "../../src/shared/words";

const live = new Set<Elapsed>();
let timer: ReturnType<typeof setInterval> | undefined;

function tick(): void {
  if (!document.hidden) {
    for (const element of live) {
      element.draw();
    }
  }
}

/** Time since `since`, which goes on by itself: one clock for all of them, and only their own text changes. */
export class Elapsed extends HTMLElement {
  private start = Number.NaN;

  get since(): string {
    return new Date(this.start).toISOString();
  }

  set since(value: string) {
    this.start = Date.parse(value);
    this.draw();
  }

  connectedCallback(): void {
    live.add(this);
    timer ??= setInterval(tick, 1000);
    this.draw();
  }

  disconnectedCallback(): void {
    live.delete(this);
    if (live.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  }

  draw(): void {
    const text = Number.isNaN(this.start) ? "" : elapsed(Date.now() - this.start);
    if (this.textContent !== text) {
      this.textContent = text;
    }
  }
}

customElements.define("kb-elapsed", Elapsed);
