import { html, nothing, type TemplateResult } from "lit";
import { matching, type Entry } from "../../src/shared/threadview";
import { focusField } from "../common/elements";
import { icon } from "../common/icons";
import { markWords } from "./find";

interface FindHost {
  /** All of them, also what is folded. */
  entries(): readonly Entry[];
  canLoad(): boolean;
  load(): void;
  show(key: string): void;
  redraw(): void;
}

/** The search in the thread: from the newest match upwards, on into what has not been loaded yet. */
export class Finding {
  private query: string | undefined;
  private keys: readonly string[] = [];
  private current: string | undefined;
  /** An older match is looked for in what is being loaded. */
  private looking = false;
  private stale = false;
  private back: HTMLElement | undefined;

  constructor(private readonly host: FindHost) {}

  open(): void {
    this.back ??= document.activeElement instanceof HTMLElement ? document.activeElement : undefined;
    this.query ??= "";
    this.host.redraw();
    setTimeout(() => {
      focusField(document.querySelector(".find vscode-textfield"));
    });
  }

  private close(): void {
    this.query = undefined;
    this.keys = [];
    this.current = undefined;
    this.looking = false;
    this.host.redraw();
    this.back?.focus({ preventScroll: true });
    this.back = undefined;
  }

  /** The entries are others now; looked through again when it is drawn. */
  changed(): void {
    this.stale = this.query !== undefined;
  }

  loaded(): void {
    if (this.looking) {
      this.stale = true;
      this.match();
      const at = this.current === undefined ? this.keys.length : this.keys.indexOf(this.current);
      if (at > 0) {
        this.looking = false;
        this.go(this.keys[at - 1]!);
      } else if (this.host.canLoad()) {
        setTimeout(() => this.looking && this.host.load());
      } else {
        this.looking = false;
      }
    }
  }

  private match(): void {
    if (this.stale) {
      this.stale = false;
      this.keys = matching(this.host.entries(), this.query ?? "");
      if (this.current !== undefined && !this.keys.includes(this.current)) {
        this.current = undefined;
      }
    }
  }

  private type(query: string): void {
    this.query = query;
    this.stale = true;
    this.looking = false;
    this.match();
    this.current = undefined;
    const last = this.keys.at(-1);
    if (last !== undefined) {
      this.go(last);
    }
    this.host.redraw();
  }

  private step(by: 1 | -1): void {
    this.match();
    const at = this.current === undefined ? this.keys.length : this.keys.indexOf(this.current);
    const to = at + by;
    if (to >= 0 && to < this.keys.length) {
      this.go(this.keys[to]!);
    } else if (by < 0 && this.host.canLoad() && (this.query ?? "").trim() !== "") {
      this.looking = true;
      this.host.load();
      this.host.redraw();
    } else if (this.keys.length > 0) {
      this.go(this.keys[by < 0 ? this.keys.length - 1 : 0]!);
    }
  }

  private go(key: string): void {
    this.current = key;
    this.host.show(key);
    this.host.redraw();
  }

  mark(rows: HTMLElement | undefined): void {
    markWords(rows, this.query ?? "", this.current);
  }

  draw(): TemplateResult | typeof nothing {
    if (this.query === undefined) {
      return nothing;
    }
    this.match();
    const keys = (event: KeyboardEvent): void => {
      if (event.key === "Enter") {
        event.preventDefault();
        this.step(event.shiftKey ? 1 : -1);
      } else if (event.key === "Escape") {
        event.preventDefault();
        this.close();
      }
      // What is handled here is handled; every other key, F1 above all, is the editor's.
      if (event.key === "Enter" || event.key === "Escape") {
        event.stopPropagation();
      }
    };
    const more = this.host.canLoad() ? "+" : "";
    const count = this.looking ? "looking further up…" : (this.query ?? "").trim() === "" ? "" : this.keys.length === 0 ? (more === "" ? "nothing found" : "none so far; Enter looks further up") : `${this.current === undefined ? "" : `${this.keys.indexOf(this.current) + 1} of `}${this.keys.length}${more}`;
    return html`<div class="find" role="search" @keydown=${keys}>
      <vscode-textfield .label=${"Find in thread"} placeholder="Find in thread" .value=${this.query ?? ""} @input=${(event: InputEvent) => this.type((event.target as HTMLInputElement).value)}></vscode-textfield>
      <span class="count" role="status">${count}</span>
      <button class="icon-button up" type="button" aria-label="Match above" title="Match above (Enter)" @click=${() => this.step(-1)}>${icon("chevronDown")}</button>
      <button class="icon-button" type="button" aria-label="Match below" title="Match below (Shift+Enter)" @click=${() => this.step(1)}>${icon("chevronDown")}</button>
      <button class="icon-button" type="button" aria-label="Close search" title="Close (Escape)" @click=${() => this.close()}>${icon("close")}</button>
    </div>`;
  }
}
