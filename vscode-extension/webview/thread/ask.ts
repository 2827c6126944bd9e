import { html, nothing, type TemplateResult } from "lit";
import type { Decision, Question, QuestionAnswer, Remember } from "../../src/shared/protocol";
import { markdown, visible } from "../../src/shared/markdown";
import { editDiff } from "../../src/shared/editdiff";
import { plainOutput } from "../../src/shared/toolview";
import { diffView } from "./diff";
import { prose } from "./prose";

export interface Answer {
  answers?: readonly QuestionAnswer[];
  allow?: boolean;
  remember?: Remember;
  reason?: string;
}

/** What is typed and chosen for one decision and not sent. It outlives its row, which goes when it is scrolled out of view. */
export interface Draft {
  chosen: ReadonlyMap<string, readonly string[]>;
  /** Own words by question. Present: its field is open. */
  own: ReadonlyMap<string, string>;
  /** The reason of a denial. Present: its field is open. */
  reason?: string;
}

export const EMPTY_DRAFT: Draft = { chosen: new Map(), own: new Map() };

export interface Asking {
  draft: Draft;
  /** Its answer is under way. */
  busy: boolean;
  error?: string;
  change(draft: Draft): void;
  send(answer: Answer): void;
  copy(text: string): void;
}

/** A decision while it is open: the same ways to answer as everywhere, none of them picked out for the person. */
export function askForm(decision: Decision, asking: Asking): TemplateResult {
  return html`<div class="box" role="group" aria-label=${ASKS[decision.kind]}>
    ${decision.kind === "question" ? questions(decision, asking) : decision.kind === "permission" ? permission(decision, asking) : decision.kind === "plan" ? plan(decision, asking) : budget(decision, asking)}
    ${asking.error === undefined ? nothing : html`<p class="error" role="alert">${asking.error}</p>`}
  </div>`;
}

const ASKS = { question: "The agent asks", permission: "The agent asks for permission", plan: "The agent's plan", budget: "The budget is reached" } as const;

const submitOn = (event: KeyboardEvent, act: () => void, close: () => void): void => {
  if (event.key === "Enter" && !event.isComposing) {
    event.preventDefault();
    act();
  } else if (event.key === "Escape") {
    event.stopPropagation();
    close();
  }
};

const without = <Key, Value>(map: ReadonlyMap<Key, Value>, key: Key): ReadonlyMap<Key, Value> => new Map([...map].filter(([other]) => other !== key));

function questions(decision: Decision, asking: Asking): TemplateResult {
  const { draft } = asking;
  const single = decision.questions.length === 1 && decision.questions[0]?.multiSelect === false;
  const answers = decision.questions.map((question) => ({ questionId: question.id, values: valuesOf(question, draft) }));
  const complete = answers.every((answer) => answer.values.length > 0);
  const send = (): void => {
    if (complete && !asking.busy) {
      asking.send({ answers, allow: true });
    }
  };
  return html`${decision.questions.map((question) => oneQuestion(question, single, asking, send))}
    <div class="row">
      ${single && !draft.own.has(decision.questions[0]!.id) ? nothing : html`<button class="button" type="button" ?disabled=${!complete || asking.busy} @click=${send}>${decision.questions.length === 1 ? "Send answer" : "Send answers"}</button>`}
      <button class="text-button" type="button" ?disabled=${asking.busy} @click=${() => asking.send({ allow: false, reason: "" })}>Let the agent decide</button>
    </div>`;
}

function valuesOf(question: Question, draft: Draft): readonly string[] {
  const own = draft.own.get(question.id)?.trim() ?? "";
  const chosen = draft.chosen.get(question.id) ?? [];
  return own === "" ? chosen : question.multiSelect ? [...chosen, own] : [own];
}

function oneQuestion(question: Question, single: boolean, asking: Asking, send: () => void): TemplateResult {
  const { draft } = asking;
  const chosen = draft.chosen.get(question.id) ?? [];
  const own = draft.own.get(question.id);
  const pick = (label: string): void => {
    if (single) {
      asking.send({ answers: [{ questionId: question.id, values: [label] }], allow: true });
      return;
    }
    const values = question.multiSelect ? (chosen.includes(label) ? chosen.filter((value) => value !== label) : [...chosen, label]) : [label];
    asking.change({ ...draft, chosen: new Map([...draft.chosen, [question.id, values]]), own: question.multiSelect ? draft.own : without(draft.own, question.id) });
  };
  const write = (text: string): void => asking.change({ ...draft, own: new Map([...draft.own, [question.id, text]]), chosen: question.multiSelect ? draft.chosen : without(draft.chosen, question.id) });
  const close = (): void => asking.change({ ...draft, own: without(draft.own, question.id) });
  const tall = question.options.some((option) => option.description !== undefined && option.description !== "");
  return html`<fieldset ?disabled=${asking.busy}>
    <legend dir="auto">${question.header === undefined || question.header === "" ? nothing : html`<span class="chip">${visible(question.header)}</span>`}${visible(question.text)}</legend>
    <div class="options ${tall ? "tall" : ""}">
      ${question.options.map((option) => html`<button class="button option" type="button" dir="auto" aria-pressed=${single ? nothing : String(chosen.includes(option.label))}
        @click=${() => pick(option.label)}>${visible(option.label)}${option.description === undefined || option.description === "" ? nothing : html`<small>${visible(option.description)}</small>`}</button>`)}
      <button class="button option" type="button" aria-expanded=${String(own !== undefined)} @click=${() => (own === undefined ? write("") : close())}>Other…</button>
    </div>
    ${own === undefined ? nothing : html`<div class="own"><input class="field" data-focus type="text" aria-label="Your answer" placeholder="Your answer" .value=${own} @input=${(event: InputEvent) => write((event.target as HTMLInputElement).value)} @keydown=${(event: KeyboardEvent) => submitOn(event, send, close)}></div>`}
  </fieldset>`;
}

function permission(decision: Decision, asking: Asking): TemplateResult {
  const tool = decision.tool;
  const input = typeof tool?.input === "object" && tool.input !== null ? (tool.input as Record<string, unknown>) : {};
  const diff = tool === undefined ? undefined : editDiff(tool.name, tool.input);
  const command = typeof input["command"] === "string" ? input["command"] : undefined;
  return html`<p>Allow <b>${visible(tool?.name ?? "the tool")}</b>${diff === undefined ? "" : html` to change ${visible(diff.path)}`}?${tool?.description === undefined || tool.description === "" ? nothing : html`<br><span class="dim" dir="auto">${visible(tool.description)}</span>`}</p>
    ${diff !== undefined ? diffView(diff) : html`<div class="code"><pre tabindex="0" role="group" aria-label="what it would do">${visible(plainOutput(command ?? (tool?.input === undefined ? "Its input is too long to show. Its raw line has it." : JSON.stringify(tool.input, undefined, 2))))}</pre></div>`}
    ${verdict(asking, [["Allow once", { allow: true, remember: "once" }], ["Allow for this card", { allow: true, remember: "card" }]], "Deny…", "Deny", "Why not, for the agent")}`;
}

function plan(decision: Decision, asking: Asking): TemplateResult {
  const text = decision.tool?.description ?? "";
  return html`<p class="dim">The agent proposes this plan.</p>${markdown(text).length === 0 ? nothing : prose(text, asking.copy)}
    ${verdict(asking, [["Approve", { allow: true }]], "Keep planning…", "Keep planning", "What to change, for the agent")}`;
}

function budget(decision: Decision, asking: Asking): TemplateResult {
  return html`<p>${visible(decision.tool?.description ?? decision.questions[0]?.text ?? "The budget of this run is reached. Continue with more?")}</p>
    <div class="row">
      <button class="button" type="button" ?disabled=${asking.busy} @click=${() => asking.send({ allow: true })}>Continue with more</button>
      <button class="button" type="button" ?disabled=${asking.busy} @click=${() => asking.send({ allow: false })}>Stop here</button>
    </div>`;
}

/** Ways to say yes, and one to say no with a reason. */
function verdict(asking: Asking, yes: readonly (readonly [string, Answer])[], no: string, deny: string, hint: string): TemplateResult {
  const { draft } = asking;
  const refuse = (): void => {
    if (!asking.busy) {
      asking.send({ allow: false, reason: draft.reason?.trim() ?? "" });
    }
  };
  const close = (): void => asking.change({ ...draft, reason: undefined });
  return html`<div class="row">
      ${yes.map(([label, answer]) => html`<button class="button" type="button" ?disabled=${asking.busy} @click=${() => asking.send(answer)}>${label}</button>`)}
      <button class="button" type="button" ?disabled=${asking.busy} aria-expanded=${String(draft.reason !== undefined)} @click=${() => asking.change({ ...draft, reason: draft.reason === undefined ? "" : undefined })}>${no}</button>
    </div>
    ${draft.reason === undefined ? nothing : html`<div class="own">
      <input class="field" data-focus type="text" aria-label=${hint} placeholder=${hint} ?disabled=${asking.busy} .value=${draft.reason} @input=${(event: InputEvent) => asking.change({ ...draft, reason: (event.target as HTMLInputElement).value })} @keydown=${(event: KeyboardEvent) => submitOn(event, refuse, close)}>
      <button class="button" type="button" ?disabled=${asking.busy} @click=${refuse}>${deny}</button>
    </div>`}`;
}
