import { html, nothing, type TemplateResult } from "lit";
import { ACTION_WORDS, allows, isLive, menuOf, nextSteps, type Action } from "../../src/shared/actions";
import { visible } from "../../src/shared/markdown";
import type { SidecarState, StateAction } from "../../src/shared/messages";
import type { Card, Decision, Dot, Run, RunState } from "../../src/shared/protocol";
import { elapsed, money, STATE_WORDS } from "../../src/shared/words";
import { dot } from "../common/dot";
import { icon } from "../common/icons";

export interface Heading {
  card: Card;
  run: Run;
  decision: Decision | undefined;
  now: number;
  busy(what: string): boolean;
  error: string | undefined;
  act(action: Action): void;
  find(): void;
  menu(from: HTMLElement): void;
}

const DOTS: Readonly<Record<RunState, Dot>> = {
  queued: "queued", preparing: "running", running: "running", awaitingDecision: "awaitingDecision", inReview: "inReview", finished: "none",
  failed: "failed", stopped: "none", interrupted: "interrupted", discarded: "none", promoted: "none",
};

/** Buttons of the head, in order; the first of the next steps is the primary one. */
function buttons(heading: Heading): readonly { action: Action; label: string; primary: boolean }[] {
  const { card, run, decision } = heading;
  const steps: readonly Action[] = nextSteps(card, run, decision).filter((action) => action !== "showThread");
  const files = run.diffStat?.files ?? 0;
  const always: readonly Action[] = ["review", "openWorktree", "stop"];
  return [...steps, ...always.filter((action) => !steps.includes(action) && allows(action, card, run, decision))].map((action) => ({
    action,
    label: action === "review" ? (files > 0 ? `Changes (${files})` : "Changes") : ACTION_WORDS[action],
    primary: action === steps[0],
  }));
}

/** What is behind "…": all that is allowed and not a button already. */
export function menuActions(heading: Pick<Heading, "card" | "run" | "decision">): readonly Action[] {
  const shown = new Set<Action>(["review", "openWorktree", "stop", "showThread"]);
  return menuOf(heading.card, heading.run, heading.decision).filter((action) => !shown.has(action));
}

export function head(heading: Heading): TemplateResult {
  const { card, run, now } = heading;
  const state = STATE_WORDS[run.state];
  const budget = run.budget.microUsd;
  const spent = budget === undefined || budget === 0 ? 0 : run.costMicroUsd / budget;
  const began = run.startedAt === undefined ? Number.NaN : Date.parse(run.startedAt);
  const ended = run.endedAt === undefined || isLive(run) ? now : Date.parse(run.endedAt);
  return html`<header class="head">
    <div class="top">
      ${dot(DOTS[run.state])}<span>${run.state === "promoted" && run.promotion !== undefined ? `promoted to ${visible(run.promotion.branch)}` : state}</span>
      <span class="ref">#${card.number} · run ${run.id} · ${visible(run.branch)}</span>
      <span class="figures">
        ${budget === undefined || budget === 0 ? nothing : html`<progress class="bar ${spent > 0.8 ? "hot" : ""}" max="100" value=${Math.min(100, Math.round(spent * 100))} aria-label="spent of the budget"></progress>`}
        <span>${run.costIsEstimate ? "about " : ""}${money(run.costMicroUsd)}${budget === undefined ? "" : ` of ${money(budget)}`}${Number.isNaN(began) ? "" : ` · ${elapsed(ended - began)}`}</span>
      </span>
    </div>
    <h1 dir="auto">${visible(card.title)}</h1>
    ${notes(run).map(([kind, text]) => html`<p class="note ${kind}" dir="auto">${visible(text)}</p>`)}
    ${heading.error === undefined ? nothing : html`<p class="note bad" role="alert">${heading.error}</p>`}
    <div class="row">
      ${buttons(heading).map((button) => html`<vscode-button ?secondary=${!button.primary} ?disabled=${heading.busy(`act-${button.action}`)} aria-disabled=${String(heading.busy(`act-${button.action}`))} @click=${() => heading.act(button.action)}>${button.label}</vscode-button>`)}
      <button class="icon-button" type="button" aria-label="Find in thread" title="Find in thread (Ctrl+F)" @click=${() => heading.find()}>${icon("search")}</button>
      <button class="icon-button" type="button" aria-label="More actions" title="More actions" aria-haspopup="menu" @click=${(event: Event) => heading.menu(event.currentTarget as HTMLElement)}>${icon("ellipsis")}</button>
    </div>
  </header>`;
}

/** Why the run stands as it does, and what is to be known about it. */
function notes(run: Run): readonly (readonly [string, string])[] {
  return [
    ...(run.reason === undefined ? [] : [[run.state === "failed" ? "bad" : "", run.reason.message] as const]),
    ...(run.setup === undefined ? [] : [["", run.setup.waiting ? "Waits for its setup." : `Setting up: ${run.setup.lastLine ?? "begun"}`] as const]),
    ...(run.stall === undefined ? [] : [["", run.stall.message] as const]),
    ...(run.warnings ?? []).map((warning) => ["", warning.message] as const),
    ...(run.notices ?? []).slice(0, 5).map((notice) => ["", notice.message] as const),
    ...(run.conflicts ?? []).slice(0, 3).map((conflict) => ["", `Would conflict with ${conflict.runId === undefined ? conflict.target ?? "its target" : `run ${conflict.runId}`} in ${conflict.paths.slice(0, 3).join(", ")}${conflict.paths.length > 3 ? ` and ${conflict.paths.length - 3} more` : ""}.`] as const),
  ];
}

/** Over the page while the sidecar is not there. What is shown stays. */
export const banner = (state: SidecarState, act: (action: StateAction["id"]) => void): TemplateResult | typeof nothing =>
  state.kind === "ready" || (state.kind === "none" && state.message === undefined)
    ? nothing
    : html`<div class="banner" role="status"><span class="text">${sentences(state)}</span>${stateButtons(state, act)}</div>`;

export const sentences = (state: SidecarState): string =>
  [state.message ?? (state.kind === "reconnecting" ? "The sidecar is being reached again. What is shown may be old." : state.kind === "starting" ? "The sidecar starts." : state.kind === "untrusted" ? "Nothing runs until the workspace is trusted." : ""), state.nextStep ?? ""].filter((part) => part !== "").join(" ");

export const stateButtons = (state: SidecarState, act: (action: StateAction["id"]) => void): readonly TemplateResult[] =>
  (state.actions ?? []).map((action) => html`<vscode-button secondary @click=${() => act(action.id)}>${action.label}</vscode-button>`);
