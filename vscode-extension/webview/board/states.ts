import { html, nothing, type TemplateResult } from "lit";
import type { SidecarState } from "../../src/shared/messages";
import { icon } from "../common/icons";
import type { Store } from "./store";

const TITLES: Readonly<Record<SidecarState["kind"], string>> = {
  none: "No repository is open",
  untrusted: "This workspace is not trusted",
  starting: "Starting",
  ready: "Loading the board",
  reconnecting: "Connecting again",
  failed: "The sidecar does not run",
};

const TEXTS: Readonly<Record<SidecarState["kind"], string>> = {
  none: "A board belongs to a git repository. Open a folder that is one.",
  untrusted: "Agents run commands, so nothing is started here until you trust the workspace.",
  starting: "The sidecar of this repository starts.",
  ready: "The cards are on their way.",
  reconnecting: "The sidecar went away. Agents go on; the board comes back by itself.",
  failed: "The board cannot be shown.",
};

/** The whole page while there is no board to show. */
export function page(state: SidecarState, store: Store): TemplateResult {
  const busy = state.kind === "starting" || state.kind === "ready" || state.kind === "reconnecting";
  return html`<main class="state" aria-busy=${busy ? "true" : "false"}>
    <h1>${TITLES[state.kind]}</h1>
    ${busy ? html`<vscode-progress-bar indeterminate aria-label=${TITLES[state.kind]}></vscode-progress-bar>` : nothing}
    <p>${state.message ?? TEXTS[state.kind]}</p>
    ${state.nextStep === undefined ? nothing : html`<p>${state.nextStep}</p>`}
    ${actions(state, store, true)}
  </main>`;
}

/** A line above a board that stays visible while its sidecar is away. */
export function strip(state: SidecarState, store: Store): TemplateResult | typeof nothing {
  return state.kind === "ready"
    ? nothing
    : html`<div class="strip ${state.kind}" role="group" aria-label=${TITLES[state.kind]}>
        ${icon(state.kind === "failed" ? "error" : "info")}
        <span><b>${TITLES[state.kind]}.</b> ${state.message ?? TEXTS[state.kind]} ${state.nextStep ?? nothing}</span>
        ${actions(state, store, false)}
      </div>`;
}

/** One sentence above the board. */
export const line = (kind: "info" | "warning" | "error", text: string, button?: TemplateResult): TemplateResult => html`<div class="strip">${icon(kind)}<span>${text}</span>${button ?? nothing}</div>`;

function actions(state: SidecarState, store: Store, primary: boolean): TemplateResult | typeof nothing {
  return state.actions === undefined || state.actions.length === 0
    ? nothing
    : html`<div class="row">${state.actions.map((action, index) => html`<vscode-button ?secondary=${!primary || index > 0} @click=${() => store.ask({ t: "state", action: action.id })}>${action.label}</vscode-button>`)}</div>`;
}

/** What to do first on a board without cards. */
export const firstSteps = (): TemplateResult => html`<div class="state first">
  <h2>Nothing to do yet</h2>
  <p>Write a card for something you want done, then dispatch it: an agent works on it in a git worktree of its own, asks when it has to, and you review what it changed before it lands.</p>
  <div class="row"><vscode-button data-new>New card</vscode-button></div>
</div>`;
