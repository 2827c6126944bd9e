// What a decision is asked with: pure, so that hostile text can be tried on every word of it.
import { questionLine } from "../shared/boardview";
import { toolLine } from "../shared/cardwords";
import type { Decision, DecisionAnswerParams, Question } from "../shared/protocol";
import { DECISION_WORDS, elapsed, money, plain, plural } from "../shared/words";

export type Answer = Omit<DecisionAnswerParams, "requestId" | "decisionId">;

/** What a button or a row stands for. `answer` is complete; the others ask on. */
export type Deed = { kind: "answer"; answer: Answer } | { kind: "deny" } | { kind: "other" } | { kind: "ask" } | { kind: "show" };

export interface Choice {
  label: string;
  detail?: string;
  does: Deed;
}

export interface Toast {
  tone: "information" | "warning";
  message: string;
  buttons: readonly Choice[];
}

/** Options that fit beside each other in a notification; more of them are asked in a quick pick. */
const BUTTONS_MAX = 3;
const BUTTON_LENGTH_MAX = 40;
const MESSAGE_MAX = 500;

/** What a decision is about, whole but on one line. */
export function textOf(decision: Decision, max = MESSAGE_MAX): string {
  switch (decision.kind) {
    case "permission":
      return plain(`wants to use ${decision.tool?.name ?? "a tool"}: ${decision.tool === undefined ? "" : (decision.tool.description ?? toolLine(decision.tool.name, decision.tool.input))}`, max);
    case "plan":
      return plain(`has a plan: ${planOf(decision)}`, max);
    case "budget":
      return plain(decision.tool?.description ?? questionLine(decision), max);
    case "question":
      return plain(decision.questions.length > 1 ? `asks ${plural(decision.questions.length, "question")}: ${decision.questions.map((question) => question.text).join(" ")}` : questionLine(decision), max);
  }
}

function planOf(decision: Decision): string {
  const input = decision.tool?.input;
  const plan = typeof input === "object" && input !== null ? (input as { plan?: unknown }).plan : undefined;
  return typeof plan === "string" ? plan : (decision.tool?.description ?? questionLine(decision));
}

/**
 * The notification of a decision.
 * @param more decisions that wait behind those that are shown
 * @param raiseMicroUsd what "continue with more" gives, when it is known
 */
export function toastOf(decision: Decision, where: string | undefined, more: number, raiseMicroUsd: number | undefined): Toast {
  const head = `#${decision.cardNumber}${where === undefined ? "" : ` (${plain(where, 60)})`}`;
  const tail = more > 0 ? ` · and ${more} more in the Decisions view` : "";
  return {
    tone: decision.kind === "question" || decision.kind === "plan" ? "information" : "warning",
    message: `${head} ${textOf(decision)}${tail}`,
    buttons: [...buttonsOf(decision, raiseMicroUsd), { label: "Show", does: { kind: "show" } }],
  };
}

function buttonsOf(decision: Decision, raiseMicroUsd: number | undefined): readonly Choice[] {
  if (decision.kind !== "question") {
    return choicesOf(decision, raiseMicroUsd).map(({ label, does }) => ({ label, does }));
  }
  const [question] = decision.questions;
  const options = question === undefined ? [] : optionsOf(question, BUTTON_LENGTH_MAX);
  const isPlainChoice = question !== undefined && decision.questions.length === 1 && !question.multiSelect && options.length > 0 && options.length <= BUTTONS_MAX;
  // Two options that read the same when shortened must be told apart in a list.
  if (!isPlainChoice || new Set(options.map((option) => option.label)).size < options.length || options.some((option) => option.label.endsWith("…"))) {
    return [{ label: "Answer…", does: { kind: "ask" } }];
  }
  return [...options, { label: "Other…", does: { kind: "other" } }];
}

/** The options of a question as they are shown, each with the answer that it gives: the option's own label, not what is left of it here. */
export function optionsOf(question: Question, max = 200): readonly Choice[] {
  return question.options.map((option) => ({
    label: plain(option.label, max) || "(an option without a name)",
    detail: option.description === undefined ? undefined : plain(option.description),
    does: { kind: "answer", answer: { answers: [{ questionId: question.id, values: [option.label] }] } },
  }));
}

/** What can be said to a decision that is no question. */
export function choicesOf(decision: Decision, raiseMicroUsd: number | undefined): readonly Choice[] {
  switch (decision.kind) {
    case "permission":
      return [
        { label: "Allow once", detail: "It is asked again the next time.", does: { kind: "answer", answer: { allow: true, remember: "once" } } },
        { label: "Allow for this card", detail: `${plain(decision.tool?.name ?? "The tool", 60)} is not asked about again for #${decision.cardNumber}.`, does: { kind: "answer", answer: { allow: true, remember: "card" } } },
        { label: "Deny…", detail: "The agent is told, with a reason if you give one, and goes on without it.", does: { kind: "deny" } },
      ];
    case "plan":
      return [
        { label: "Approve", detail: "The agent begins to work.", does: { kind: "answer", answer: { allow: true } } },
        { label: "Keep planning…", detail: "Say what is to be different; the agent plans on.", does: { kind: "deny" } },
      ];
    case "budget":
      return [
        { label: raiseMicroUsd === undefined ? "Continue with more" : `Continue with ${money(raiseMicroUsd)} more`, detail: "As much again as the settings give a run.", does: { kind: "answer", answer: { allow: true } } },
        { label: "Stop", detail: "The run stays stopped. Its work is kept.", does: { kind: "answer", answer: { allow: false } } },
      ];
    case "question":
      return [];
  }
}

/** What is asked when something is denied. */
export const reasonPrompt = (decision: Decision): string => (decision.kind === "plan" ? "What is to be different? The agent plans on with your words." : "Why not? The agent reads it. May be left empty.");

export const denied = (reason: string): Answer => ({ allow: false, reason: reason.trim() === "" ? undefined : reason.trim() });

/** A decision as a row of a list. */
export function rowOf(decision: Decision, title: string | undefined, where: string | undefined, now: number): { label: string; description: string; tooltip: string; spoken: string } {
  const age = elapsed(now - Date.parse(decision.askedAt));
  const text = textOf(decision, 160);
  const options = decision.questions.flatMap((question) => question.options.map((option) => `  ${plain(option.label)}${option.description === undefined ? "" : `: ${plain(option.description)}`}`)).slice(0, 20);
  const name = plain(title ?? "");
  return {
    label: `#${decision.cardNumber} ${text}`,
    description: [age, DECISION_WORDS[decision.kind], where === undefined ? undefined : plain(where, 60)].filter((part) => part !== undefined).join(" · "),
    tooltip: [`#${decision.cardNumber} ${name}`.trim(), textOf(decision, 2_000), ...options, `Asked ${age} ago.`].join("\n"),
    spoken: `${DECISION_WORDS[decision.kind]} of #${decision.cardNumber} ${name}, ${text}, waiting for ${age}`,
  };
}

export const ICONS = { question: "question", permission: "shield", plan: "checklist", budget: "credit-card" } as const;
