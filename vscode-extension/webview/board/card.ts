import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { ACTION_WORDS, isLive, menuOf, nextSteps, type Action } from "../../src/shared/actions";
import type { CardView } from "../../src/shared/boardview";
import { cornerOf, costOf, nameOf, notesOf, took, type Note } from "../../src/shared/cardwords";
import { plural } from "../../src/shared/words";
import { dot } from "../common/dot";
import { icon } from "../common/icons";
import { decisionBlock, type Typing } from "./decision";
import type { Store } from "./store";
import "./time";

const LABELS_SHOWN = 3;

/** One card. It draws itself again only when its own view, or how it stands in the page, is another. */
export class Card extends LitElement {
  static override properties = {
    view: { attribute: false },
    selected: { attribute: false },
    stop: { attribute: false },
    entered: { attribute: false },
    busy: { attribute: false },
    error: { attribute: false },
    folder: { attribute: false },
    typing: { state: true },
  };

  declare view: CardView;
  declare store: Store;
  declare selected: boolean;
  /** Whether Tab comes to it: one card of a group is its stop. */
  declare stop: boolean;
  /** Whether the focus is on it or in it: its controls are then on Tab's way. */
  declare entered: boolean;
  declare busy: string | undefined;
  declare error: string | undefined;
  declare folder: string | undefined;
  declare typing: Typing | undefined;

  /** The tabindex of the controls within. */
  get inside(): number {
    return this.entered ? 0 : -1;
  }

  /** Opens one of the text fields of the question, or goes back to its buttons. */
  type(typing: Typing | undefined): void {
    this.typing = typing;
    void this.updateComplete.then(() => (this.querySelector<HTMLElement>(typing === undefined ? ".question button" : ".question input") ?? this).focus());
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    const before = changed.get("view");
    if (before !== undefined && before.decision?.id !== this.view.decision?.id) {
      this.typing = undefined;
    }
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (changed.has("stop")) {
      this.tabIndex = this.stop ? 0 : -1;
    }
    if (changed.has("selected") || changed.has("view")) {
      this.setAttribute("aria-selected", String(this.selected));
      this.setAttribute("aria-label", nameOf(this.view, this.selected));
    }
    if (changed.has("view") || changed.has("folder")) {
      const { card, run, decision } = this.view;
      this.dataset["cardId"] = String(card.id);
      this.className = [decision === undefined ? "" : "asks", card.column === "done" ? "done" : "", run === undefined ? "idle" : ""].filter((name) => name !== "").join(" ");
      const can = Object.fromEntries([...nextSteps(card, run, decision), ...menuOf(card, run, decision), ...(decision === undefined ? [] : ["answer"])].map((action) => [`kanbots.can.${action}`, true]));
      this.dataset["vscodeContext"] = JSON.stringify({ webviewSection: "card", preventDefaultContextMenuItems: true, cardId: card.id, ...(run === undefined ? {} : { runId: run.id }), ...(this.folder === undefined ? {} : { folder: this.folder }), ...can });
    }
  }

  protected override render(): TemplateResult {
    const { card, run, decision } = this.view;
    const corner = cornerOf(this.view);
    const steps = nextSteps(card, run, decision);
    const notes = notesOf(this.view);
    return html`<div role="gridcell" class="cell">
      <div class="top">
        ${dot(card.dot)}<span class="number">#${card.number}</span>
        <span class="labels">${card.labels.slice(0, LABELS_SHOWN).map((label) => html`<span class="label" title=${label}>${label}</span>`)}
        ${card.labels.length > LABELS_SHOWN ? html`<span class="label" title=${card.labels.slice(LABELS_SHOWN).join(", ")}>+${card.labels.length - LABELS_SHOWN}</span>` : nothing}</span>
        <span class="corner">${corner.word}${corner.since === undefined ? nothing : html` <kb-elapsed .since=${corner.since}></kb-elapsed>`}</span>
        <button class="icon-button menu" type="button" aria-label="More actions for #${card.number}" aria-haspopup="menu" title="More actions" data-menu tabindex=${this.inside}>${icon("ellipsis")}</button>
      </div>
      <h3>${card.title}</h3>
      ${this.now()}
      ${decision === undefined ? nothing : decisionBlock(this, this.view, decision)}
      ${notes.filter((note) => note.tone === "error").map(noteLine)}
      ${this.figures()}
      ${notes.filter((note) => note.tone !== "error").map(noteLine)}
      ${this.error === undefined ? nothing : html`<p class="note error">${icon("error")}<span>${this.error}</span><button class="icon-button" type="button" aria-label="Dismiss" title="Dismiss" tabindex=${this.inside} @click=${() => this.store.dismissError(card.id)}>${icon("close")}</button></p>`}
      ${steps.length === 0 ? nothing : html`<div class="row steps">${steps.map((action, index) => this.step(action, index === 0 && card.column !== "done"))}</div>`}
    </div>`;
  }

  /** What the agent does right now. The name of the tool stands out from what it is given. */
  private now(): TemplateResult | typeof nothing {
    const { run } = this.view;
    const line = run?.state === "preparing" ? (run.setup?.lastLine ?? "setting up the worktree") : run?.state === "running" ? run.currentTool : undefined;
    if (line === undefined || line === "") {
      return nothing;
    }
    const space = run?.state === "running" ? line.indexOf(" ") : 0;
    return html`<div class="now" title=${line}><b>${space < 0 ? line : line.slice(0, space)}</b>${space < 0 ? nothing : line.slice(space)}</div>`;
  }

  private figures(): TemplateResult | typeof nothing {
    const { run } = this.view;
    const cost = costOf(this.view);
    const stat = run?.diffStat;
    const time = took(this.view);
    const changed = stat !== undefined && stat.files > 0;
    if (cost === undefined && !changed && time === undefined) {
      return nothing;
    }
    return html`<div class="figures">
      ${cost?.part === undefined || (!isLive(run) && !cost.hot) ? nothing : bar(cost.part, cost.hot)}
      ${cost === undefined ? nothing : html`<span title=${cost.more ?? nothing}>${cost.text}</span>`}
      ${changed ? html`<span class="stat" title=${plural(stat.files, "file")}><span class="add">+${stat.insertions}</span> <span class="del">−${stat.deletions}</span></span>` : nothing}
      ${changed && time !== undefined ? html`<span>${plural(stat.files, "file")}</span>` : nothing}
      ${time === undefined ? nothing : html`<span title="How long the run took">${time}</span>`}
    </div>`;
  }

  private step(action: Action, primary: boolean): TemplateResult {
    return html`<button class="button ${primary ? "primary" : ""}" type="button" tabindex=${this.inside} ?disabled=${this.busy === action} @click=${() => this.store.act(action, [this.view.card.id])}>${ACTION_WORDS[action]}</button>`;
  }
}

const noteLine = (note: Note): TemplateResult => html`<p class="note ${note.tone}">${note.tone === "warning" ? icon("warning") : nothing}<span>${note.text}</span></p>`;

const bar = (part: number, hot: boolean): TemplateResult => html`<svg class="bar ${hot ? "hot" : ""}" viewBox="0 0 46 4" aria-hidden="true">
  <rect class="all" width="46" height="4" rx="2"></rect><rect class="spent" width=${Math.round(part * 46)} height="4" rx="2"></rect>
</svg>`;

customElements.define("kb-card", Card);
