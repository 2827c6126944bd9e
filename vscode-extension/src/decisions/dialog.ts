import * as vscode from "vscode";
import type { Decision, Question, QuestionAnswer } from "../shared/protocol";
import { plain } from "../shared/words";
import { askText, BACK, type Back, pickMany, pickOne, type Place } from "../steps";
import { type Answer, choicesOf, type Deed, denied, optionsOf, reasonPrompt, textOf } from "./asking";

interface Row extends vscode.QuickPickItem {
  does: Deed;
}

const SHOW: Row = { label: "Show the thread", detail: "What led to this, with the answer in place.", does: { kind: "show" } };
const OTHER_LABEL = "Other…";

/** Asks a whole decision in quick picks. Undefined: the person left it open, or it was answered elsewhere. */
export async function askDecision(decision: Decision, raiseMicroUsd: number | undefined, token: vscode.CancellationToken): Promise<Answer | "show" | undefined> {
  return decision.kind === "question" ? askQuestions(decision, token) : askVerdict(decision, raiseMicroUsd, token);
}

async function askVerdict(decision: Decision, raiseMicroUsd: number | undefined, token: vscode.CancellationToken): Promise<Answer | "show" | undefined> {
  const title = `#${decision.cardNumber} ${textOf(decision, 120)}`;
  for (;;) {
    const picked = await pickOne<Row>({ title, token }, [...choicesOf(decision, raiseMicroUsd), SHOW], textOf(decision));
    if (picked === undefined || picked === BACK) {
      return undefined;
    }
    if (picked.does.kind === "show") {
      return "show";
    }
    if (picked.does.kind === "answer") {
      return picked.does.answer;
    }
    const reason = await askText({ title, token, canGoBack: true }, { prompt: reasonPrompt(decision) });
    if (reason !== BACK) {
      return reason === undefined ? undefined : denied(reason);
    }
  }
}

async function askQuestions(decision: Decision, token: vscode.CancellationToken): Promise<Answer | "show" | undefined> {
  const answers = new Map<string, QuestionAnswer>();
  const total = decision.questions.length;
  let at = 0;
  while (at < total) {
    const question = decision.questions[at];
    if (question === undefined) {
      return undefined;
    }
    const place: Place = { title: plain(`#${decision.cardNumber} ${question.header ?? "asks"}`, 80), step: total > 1 ? at + 1 : undefined, totalSteps: total > 1 ? total : undefined, canGoBack: at > 0, token };
    const values = await (question.multiSelect ? askSeveral(place, question, answers.get(question.id)) : askOne(place, question, at === 0));
    if (values === undefined || values === "show") {
      return values;
    }
    if (values === BACK) {
      at -= 1;
    } else {
      answers.set(question.id, { questionId: question.id, values });
      at += 1;
    }
  }
  return { answers: [...answers.values()] };
}

async function askOne(place: Place, question: Question, offersThread: boolean): Promise<readonly string[] | Back | "show" | undefined> {
  const prompt = plain(question.text);
  const rows: readonly Row[] = [...optionsOf(question), { label: OTHER_LABEL, detail: "Answer in your own words.", does: { kind: "other" } }, ...(offersThread ? [SHOW] : [])];
  for (;;) {
    // A question without options is a text to be written.
    const picked = question.options.length === 0 ? undefined : await pickOne(place, rows, prompt);
    if (question.options.length > 0 && (picked === undefined || picked === BACK)) {
      return picked;
    }
    if (typeof picked === "object" && picked.does.kind === "show") {
      return "show";
    }
    if (typeof picked === "object" && picked.does.kind === "answer") {
      return picked.does.answer.answers?.[0]?.values ?? [];
    }
    const text = await ownWords(place, prompt, question.options.length > 0);
    if (text !== BACK || question.options.length === 0) {
      return typeof text === "string" ? [text] : text;
    }
  }
}

async function askSeveral(place: Place, question: Question, before: QuestionAnswer | undefined): Promise<readonly string[] | Back | undefined> {
  const prompt = plain(question.text);
  const rows = optionsOf(question).map((option, index) => ({ label: option.label, detail: option.detail, value: question.options[index]?.label }));
  const other = { label: OTHER_LABEL, detail: "Also say something in your own words.", value: undefined };
  for (;;) {
    const picked = await pickMany(place, [...rows, other], `${prompt} (any number)`, ({ value }) => value !== undefined && before?.values.includes(value) === true);
    if (picked === undefined || picked === BACK) {
      return picked;
    }
    const values = picked.flatMap((row) => (row.value === undefined ? [] : [row.value]));
    const text = picked.includes(other) ? await ownWords(place, prompt, true) : "";
    if (text === undefined) {
      return undefined;
    }
    if (text !== BACK && (values.length > 0 || text !== "")) {
      return text === "" ? values : [...values, text];
    }
  }
}

const ownWords = (place: Place, prompt: string, canGoBack: boolean): Promise<string | Back | undefined> =>
  askText({ ...place, canGoBack: canGoBack || place.canGoBack === true }, { prompt, validate: (text) => (text.trim() === "" ? "An answer has at least one word." : undefined) });
