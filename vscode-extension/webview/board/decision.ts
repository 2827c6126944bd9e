import { html, nothing, type TemplateResult } from "lit";
import { questionLine, type CardView } from "../../src/shared/boardview";
import { toolLine } from "../../src/shared/cardwords";
import type { Decision, QuestionOption } from "../../src/shared/protocol";
import { plural } from "../../src/shared/words";
import type { Card } from "./card";

/** Which text field of a decision is open: an answer of one's own, why not, what to plan otherwise. */
export type Typing = "other" | "deny" | "replan";

const OPTIONS_MAX = 4;

/** Whether it can be answered on the card: one question, one choice, few options. Everything else opens the extension's own dialog. */
export const fitsCard = (decision: Decision): boolean => {
  const [question] = decision.questions;
  return decision.kind !== "question" || (decision.questions.length === 1 && question !== undefined && !question.multiSelect && question.options.length <= OPTIONS_MAX);
};

/** What is asked, with its options in place. No option is put forward. */
export function decisionBlock(card: Card, view: CardView, decision: Decision): TemplateResult {
  const id = `ask-${view.card.id}`;
  return html`<div class="question" role="group" aria-labelledby=${id}>
    <p id=${id} class="ask">${questionLine(decision)}</p>
    ${body(card, decision)}
  </div>`;
}

function body(card: Card, decision: Decision): TemplateResult {
  if (!fitsCard(decision)) {
    const more = decision.questions.length - 1;
    return html`${more > 0 ? html`<p class="note">and ${plural(more, "more question")}</p>` : nothing}
      <div class="row">${button(card, "Answer…", () => card.store.ask({ t: "answerMore", decisionId: decision.id }))}</div>`;
  }
  switch (decision.kind) {
    case "permission":
      return html`${decision.tool === undefined ? nothing : html`<pre class="tool" title=${decision.tool.description ?? nothing}>${toolLine(decision.tool.name, decision.tool.input)}</pre>`}
        ${card.typing === "deny"
          ? field(card, "Why not (optional)", "Deny", (reason) => card.store.answer(decision.id, { allow: false, remember: "once", ...(reason === "" ? {} : { reason }) }), true)
          : html`<div class="row">
              ${button(card, "Allow once", () => card.store.answer(decision.id, { allow: true, remember: "once" }))}
              ${button(card, "Allow for this card", () => card.store.answer(decision.id, { allow: true, remember: "card" }))}
              ${button(card, "Deny…", () => card.type("deny"))}
            </div>`}`;
    case "plan":
      return html`${decision.tool?.description === undefined ? nothing : html`<div class="plan">${decision.tool.description}</div>`}
        ${card.typing === "replan"
          ? field(card, "What to plan differently (optional)", "Keep planning", (reason) => card.store.answer(decision.id, { allow: false, ...(reason === "" ? {} : { reason }) }), true)
          : html`<div class="row">
              ${button(card, "Approve", () => card.store.answer(decision.id, { allow: true }))}
              ${button(card, "Keep planning…", () => card.type("replan"))}
            </div>`}`;
    case "budget":
      return html`<div class="row">
        ${button(card, "Continue with more", () => card.store.answer(decision.id, { allow: true }))}
        ${button(card, "Leave it stopped", () => card.store.answer(decision.id, { allow: false }))}
      </div>`;
    case "question":
      return question(card, decision);
  }
}

function question(card: Card, decision: Decision): TemplateResult {
  const asked = decision.questions[0];
  const reply = (value: string): void => card.store.answer(decision.id, { answers: [{ questionId: asked?.id ?? "", values: [value] }], allow: true });
  const options: readonly QuestionOption[] = asked?.options ?? [];
  if (options.length === 0 || card.typing === "other") {
    return field(card, "Your answer", "Send", reply, false, options.length > 0);
  }
  return html`<div class="row">
    ${options.map((option) => button(card, option.label, () => reply(option.label), option.description))}
    ${button(card, "Other…", () => card.type("other"))}
  </div>`;
}

function button(card: Card, label: string, run: () => void, title?: string): TemplateResult {
  return html`<button class="button" type="button" tabindex=${card.inside} ?disabled=${card.busy === "answer"} title=${title ?? nothing} @click=${run}>${label}</button>`;
}

/** A line of text with a button that sends it and one that goes back. */
function field(card: Card, label: string, verb: string, send: (text: string) => void, mayBeEmpty: boolean, cancel = true): TemplateResult {
  const submit = (event: Event): void => {
    event.preventDefault();
    const input = (event.currentTarget as HTMLFormElement).querySelector("input");
    const text = input?.value.trim() ?? "";
    if (text !== "" || mayBeEmpty) {
      send(text);
    } else {
      input?.focus();
    }
  };
  return html`<form class="reply" @submit=${submit}>
    <input class="field" type="text" aria-label=${label} placeholder=${label} autocomplete="off" tabindex=${card.inside} ?disabled=${card.busy === "answer"} maxlength="4000" />
    <button class="button" type="submit" tabindex=${card.inside} ?disabled=${card.busy === "answer"}>${verb}</button>
    ${cancel ? html`<button class="button" type="button" tabindex=${card.inside} @click=${() => card.type(undefined)}>Back</button>` : nothing}
  </form>`;
}
