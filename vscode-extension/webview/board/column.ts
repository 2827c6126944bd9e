import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import type { CardView } from "../../src/shared/boardview";
import type { Column as ColumnName } from "../../src/shared/protocol";
import { icon } from "../common/icons";
import "./card";
import type { Store } from "./store";

const DONE_SHOWN = 20;
/** How many cards leave the document in a frame: taking hundreds away at once is a long task too. */
const LEAVING = 6;

/** A column of the board, or a group of the list on a narrow page. Draws no more cards than there is room for in this frame. */
export class Column extends LitElement {
  static override properties = {
    key: { attribute: false },
    name: { attribute: false },
    column: { attribute: false },
    views: { attribute: false },
    room: { attribute: false },
    everything: { attribute: false },
    selected: { attribute: false },
    stop: { attribute: false },
    entered: { attribute: false },
    busy: { attribute: false },
    errors: { attribute: false },
    folder: { attribute: false },
    adding: { attribute: false },
    saving: { attribute: false },
    filtered: { attribute: false },
  };

  declare store: Store;
  declare key: string;
  declare name: string;
  declare column: ColumnName | undefined;
  declare views: readonly CardView[];
  declare room: number;
  /** Whether all of Done is asked for. */
  declare everything: boolean;
  declare selected: ReadonlySet<number>;
  declare stop: number | undefined;
  declare entered: number | undefined;
  declare busy: ReadonlyMap<number, string>;
  declare errors: ReadonlyMap<number, string>;
  declare folder: string | undefined;
  declare adding: boolean;
  declare saving: boolean;
  declare filtered: boolean;

  private shown: readonly CardView[] = [];
  private frame = 0;
  /** Cards that are hidden and go frame by frame. */
  private leaving: readonly CardView[] = [];

  /** Whether nothing of it is in the document any more. */
  get isEmpty(): boolean {
    return this.shown.length === 0 && this.leaving.length === 0;
  }

  /** How many of its cards are to be seen in the end. */
  get wanted(): number {
    return this.column === "done" && !this.everything ? Math.min(DONE_SHOWN, this.views.length) : this.views.length;
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected override willUpdate(): void {
    const shown = this.views.slice(0, Math.min(this.wanted, this.room));
    const ids = new Set(shown.map((view) => view.card.id));
    const leaving = [...this.shown, ...this.leaving].filter((view) => !ids.has(view.card.id));
    this.leaving = leaving.length <= LEAVING ? [] : leaving;
    this.shown = shown;
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has("key")) {
      this.dataset["key"] = this.key;
    }
    if (this.leaving.length > 0 && this.frame === 0) {
      this.frame = requestAnimationFrame(() => {
        this.frame = 0;
        this.leaving = this.leaving.slice(0, -LEAVING);
        this.requestUpdate();
      });
    }
    if (changed.get("saving") === true && this.adding) {
      const input = this.querySelector<HTMLInputElement>(".adding input");
      if (input !== null) {
        input.focus();
        if (!this.errors.has(0)) {
          input.value = "";
        }
      }
    }
    if (changed.has("adding") && this.adding) {
      this.querySelector<HTMLInputElement>(".adding input")?.focus();
    }
  }

  protected override render(): TemplateResult {
    const { shown } = this;
    const hidden = this.views.length - this.wanted;
    const id = `group-${this.key}${this.hidden ? "-gone" : ""}`;
    return html`<section aria-labelledby=${id}>
      <div class="head">
        <h2 id=${id}>${this.name} <vscode-badge class="count" variant="counter">${this.views.length}</vscode-badge><span class="unseen"> ${this.views.length === 1 ? "card" : "cards"}</span></h2>
        ${this.column === undefined ? nothing : html`<button class="icon-button add" type="button" aria-label="New card in ${this.name}" title="New card in ${this.name}" data-add=${this.column}>${icon("add")}</button>`}
      </div>
      <div class="scroll">
        ${this.adding ? this.form() : nothing}
        <div class="cards" role=${shown.length === 0 ? nothing : "grid"} aria-label=${shown.length === 0 ? nothing : this.name} aria-multiselectable=${shown.length === 0 ? nothing : "true"} aria-rowcount=${shown.length === 0 ? nothing : this.views.length}>
          ${repeat([...shown, ...this.leaving], (view) => view.card.id, (view, at) => {
            const { id: cardId } = view.card;
            return html`<kb-card role="row" ?hidden=${at >= shown.length && !this.hidden} .store=${this.store} .view=${view} .selected=${this.selected.has(cardId)} .stop=${this.stop === cardId} .entered=${this.entered === cardId} .busy=${this.busy.get(cardId)} .error=${this.errors.get(cardId)} .folder=${this.folder}></kb-card>`;
          })}
        </div>
        ${this.views.length === 0 && !this.adding ? html`<p class="nothing">${this.filtered ? "nothing fits the filter" : "empty"}</p>` : nothing}
        ${hidden > 0 ? html`<button class="button all" type="button" data-all>Show all ${this.views.length}</button>` : nothing}
      </div>
    </section>`;
  }

  private form(): TemplateResult {
    const submit = (event: Event): void => {
      event.preventDefault();
      const title = this.querySelector<HTMLInputElement>(".adding input")?.value.trim() ?? "";
      if (title !== "" && !this.saving) {
        this.store.newCard(title, this.column ?? "todo");
      }
    };
    return html`<form class="adding" @submit=${submit}>
      <input class="field" type="text" aria-label="Title of the new card in ${this.name}" placeholder="Title: what should be done" maxlength="500" autocomplete="off" ?readonly=${this.saving} />
      <div class="row"><button class="button primary" type="submit" ?disabled=${this.saving}>Add card</button><button class="button" type="button" data-add="">Close</button></div>
    </form>`;
  }
}

customElements.define("kb-column", Column);
