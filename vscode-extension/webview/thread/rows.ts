// How each entry of the thread is drawn. Every function gives text to Lit and nothing else.
import { html, nothing, type TemplateResult } from "lit";
import type { CutText, Run, ThreadItem, ToolResultItem, ToolUseItem } from "../../src/shared/protocol";
import { editDiff, type EditDiff } from "../../src/shared/editdiff";
import { visible } from "../../src/shared/markdown";
import type { Entry, EntryOf } from "../../src/shared/threadview";
import { duration, fromRoot, lastLines, plainOutput, todosOf, toolLine } from "../../src/shared/toolview";
import { bytes, money, plural } from "../../src/shared/words";
import { icon } from "../common/icons";
import { askForm, type Asking } from "./ask";
import { diffCounts, diffView } from "./diff";
import { codeBlock, prose } from "./prose";

/** A text or a line that is fetched piece by piece. */
export interface Fetched {
  text: string;
  state: "loading" | "more" | "whole" | "failed";
  error?: string;
}

/** What the rows need of the page. */
export interface Reading {
  run: Run;
  isOpen(key: string, byDefault: boolean): boolean;
  toggle(key: string): void;
  /** How many pieces of a long text are shown, from 1. */
  pieces(key: string): number;
  more(key: string): void;
  whole(item: ThreadItem, body: CutText): Fetched | undefined;
  fetchWhole(item: ThreadItem, body: CutText): void;
  rawOf(key: string): Fetched | undefined;
  moreRaw(key: string): void;
  hideRaw(key: string): void;
  asking(decisionId: string): Asking;
  /** The checkpoint that is about to be gone back to, while that is asked again. */
  confirming?: string;
  busy(what: string): boolean;
  errorOf(what: string): string | undefined;
  confirm(checkpoint: string | undefined): void;
  rewind(checkpoint: string): void;
  fork(checkpoint: string): void;
  canRewind: boolean;
  canFork: boolean;
  sendAgain(messageId: string, text: string): void;
  edit(messageId: string, text: string): void;
  copy(text: string): void;
}

/** A text is shown in pieces of this many characters, an output in pieces of as many lines. */
const TEXT_PIECE = 20_000;
const OUTPUT_LINES = 40;
/** A diff up to this many lines is shown open. */
const SHORT_DIFF = 14;

export function openByDefault(entry: Entry): boolean {
  switch (entry.kind) {
    case "tool": {
      const diff = diffOf(entry.item);
      return diff !== undefined ? diff.lines.length <= SHORT_DIFF : entry.result?.isError === true && entry.result.body.text.length < 2000;
    }
    case "subagent":
      return true;
    default:
      return false;
  }
}

export const canFold = (entry: Entry): boolean => ["tool", "subagent", "thinking", "output", "quiet", "raw"].includes(entry.kind);

const diffs = new WeakMap<ToolUseItem, EditDiff | null>();

function diffOf(item: ToolUseItem): EditDiff | undefined {
  let diff = diffs.get(item);
  if (diff === undefined) {
    diff = editDiff(item.name, item.input) ?? null;
    diffs.set(item, diff);
  }
  return diff ?? undefined;
}

/** A few words for a screen reader that moves from entry to entry. */
export function nameOf(entry: Entry, root: string): string {
  const short = (text: string): string => visible(text.slice(0, 160)).replace(/\s+/g, " ");
  switch (entry.kind) {
    case "tool": {
      const line = toolLine(entry.item, entry.result, root);
      return short(`${line.name} ${line.what} ${line.meta.join(" ")}`);
    }
    case "subagent":
      return short(`sub-agent ${entry.item === undefined ? "" : toolLine(entry.item, entry.result, root).what}`);
    case "output":
      return "output of an earlier call";
    case "question":
      return short(`question ${entry.item?.summary ?? entry.decision?.tool?.description ?? ""}`);
    case "message":
      return short(`you ${entry.item.body.text}`);
    case "waiting":
      return short(`your message, waiting: ${entry.text}`);
    case "undelivered":
      return short(`your message, not delivered: ${entry.message.text.text}`);
    case "checkpoint":
      return `checkpoint ${entry.number ?? ""}`.trim();
    case "quiet":
      return plural(entry.items.length, "line") + " about the session";
    case "notice":
      return short(`notice ${entry.item.message}`);
    case "system":
    case "answer":
      return short(entry.item.summary);
    case "result":
      return `result ${entry.item.outcome}`;
    case "thinking":
      return "thinking";
    case "raw":
      return "a line that was not understood";
    case "text":
      return short(entry.item.body.text);
  }
}

export function drawEntry(entry: Entry, reading: Reading): TemplateResult | typeof nothing {
  switch (entry.kind) {
    case "text":
      return textOf(entry.key, entry.item, entry.item.body, reading, (text) => prose(text, reading.copy));
    case "thinking":
      return folding(entry.key, false, reading, "thinking", () => textOf(entry.key, entry.item, entry.item.body, reading, (text) => html`<div class="dim">${prose(text, reading.copy)}</div>`));
    case "tool":
      return tool(entry, reading);
    case "subagent":
      return subagent(entry, reading);
    case "output":
      return html`<div class="call">${boxLine(entry.key, false, reading, html`<span class="name">Output</span><span class="what">of an earlier call</span>`)}${reading.isOpen(entry.key, false) ? html`<div class="inside">${output(entry.key, entry.item, reading)}</div>` : nothing}</div>`;
    case "question":
      return question(entry, reading);
    case "answer":
      return html`<p class="answered">${visible(entry.item.summary)}</p>`;
    case "message":
      return message(entry, reading);
    case "waiting":
      return html`<span class="who">you · waiting for the agent's next step</span><div class="bubble" dir="auto">${visible(entry.text)}</div>`;
    case "undelivered":
      return undelivered(entry, reading);
    case "checkpoint":
      return checkpoint(entry, reading);
    case "result":
      return result(entry, reading);
    case "notice":
      return html`<span>${visible(entry.item.message)}</span>`;
    case "system":
      return html`<span>${visible(entry.item.summary)}</span>`;
    case "quiet":
      return folding(entry.key, false, reading, `${plural(entry.items.length, "line")} about the session`, () => html`<div>${entry.items.slice(-200).map((item) => html`<div>${visible(item.kind === "notice" ? item.message : item.kind === "system" ? item.summary : "")}</div>`)}</div>`);
    case "raw":
      return folding(entry.key, false, reading, `not understood${entry.item.why === undefined ? "" : `: ${visible(entry.item.why)}`}`, () => textOf(entry.key, entry.item, entry.item.body, reading, (text) => codeBlock(visible(text), "", reading.copy)));
  }
}

/** A raw line under its entry, when it was asked for. */
export function drawRaw(key: string, reading: Reading): TemplateResult | typeof nothing {
  const raw = reading.rawOf(key);
  return raw === undefined
    ? nothing
    : html`<div class="rawline"><pre tabindex="0" role="group" aria-label="raw line">${visible(raw.text)}</pre>
        ${raw.state === "loading" ? html`<span class="dim">Loading…</span>` : nothing}
        ${raw.state === "failed" ? html`<span class="error">${raw.error}</span>` : nothing}
        ${raw.state === "more" || raw.state === "failed" ? html`<button class="text-button" type="button" @click=${() => reading.moreRaw(key)}>${raw.state === "more" ? "Show more" : "Try again"}</button>` : nothing}
        ${raw.text === "" ? nothing : html`<button class="text-button" type="button" @click=${() => reading.copy(raw.text)}>Copy</button>`}
        <button class="text-button" type="button" @click=${() => reading.hideRaw(key)}>Hide</button></div>`;
}

const chevron = (open: boolean): TemplateResult => html`<span class="mark">${icon(open ? "chevronDown" : "chevronRight")}</span>`;

const boxLine = (key: string, byDefault: boolean, reading: Reading, inside: TemplateResult): TemplateResult => {
  const open = reading.isOpen(key, byDefault);
  return html`<button class="box-line" type="button" tabindex="-1" aria-expanded=${String(open)} @click=${() => reading.toggle(key)}>${chevron(open)}${inside}</button>`;
};

function folding(key: string, byDefault: boolean, reading: Reading, title: string, inside: () => TemplateResult): TemplateResult {
  const open = reading.isOpen(key, byDefault);
  return html`<button class="box-line plain" type="button" tabindex="-1" aria-expanded=${String(open)} @click=${() => reading.toggle(key)}>${chevron(open)}<span class="what">${title}</span></button>${open ? inside() : nothing}`;
}

/** A long text by pieces; what did not travel is fetched when it is asked for. */
function textOf(key: string, item: ThreadItem, body: CutText, reading: Reading, draw: (text: string) => TemplateResult): TemplateResult {
  const fetched = reading.whole(item, body);
  const text = fetched?.state === "whole" ? fetched.text : body.text;
  const shown = reading.pieces(key) * TEXT_PIECE;
  const cut = text.length > shown ? text.slice(0, cutAt(text, shown)) : text;
  return html`${draw(cut)}${more(key, item, body, reading, cut.length < text.length)}`;
}

/** At the end of a line, where there is one near. */
function cutAt(text: string, length: number): number {
  const at = text.lastIndexOf("\n", length);
  return at > length - 2000 ? at : length;
}

function more(key: string, item: ThreadItem, body: CutText, reading: Reading, hidden: boolean): TemplateResult | typeof nothing {
  const fetched = reading.whole(item, body);
  const cut = body.fullLength !== undefined && fetched?.state !== "whole";
  if (!hidden && !cut) {
    return nothing;
  }
  return html`<div>${fetched?.state === "loading"
    ? html`<span class="dim">Loading…</span>`
    : html`<button class="text-button" type="button" @click=${() => (hidden ? reading.more(key) : reading.fetchWhole(item, body))}>Show more</button>`}
    <span class="dim">${bytes(body.fullLength ?? body.text.length)} in all</span>${fetched?.state === "failed" ? html` <span class="error">${fetched.error}</span>` : nothing}</div>`;
}

function tool(entry: EntryOf<"tool">, reading: Reading): TemplateResult {
  const line = toolLine(entry.item, entry.result, reading.run.worktreePath);
  const diff = diffOf(entry.item);
  const byDefault = openByDefault(entry);
  const isLive = entry.result === undefined && entry.answer === undefined && reading.run.state === "running";
  return html`<div class="call">
    ${boxLine(entry.key, byDefault, reading, html`<span class="name">${visible(line.name)}</span><span class="what" title=${visible(line.what)}>${visible(line.what)}</span><span class="meta">${
      diff === undefined ? nothing : diffCounts(diff)}${line.meta.map((part) => html`<span class=${part === "failed" ? "bad" : ""}>${part}</span>`)}${isLive ? html`<span>…</span>` : nothing}</span>`)}
    ${reading.isOpen(entry.key, byDefault) ? html`<div class="inside">${input(entry.item, diff, reading)}${
      entry.answer === undefined ? nothing : html`<p class="answered">${visible(entry.answer.summary)}</p>`}${entry.result === undefined ? nothing : diff !== undefined && !entry.result.isError ? nothing : output(entry.key, entry.result, reading)}</div>` : nothing}
  </div>`;
}

function input(item: ToolUseItem, diff: EditDiff | undefined, reading: Reading): TemplateResult | typeof nothing {
  if (diff !== undefined) {
    return diffView(diff);
  }
  const fields = typeof item.input === "object" && item.input !== null ? (item.input as Record<string, unknown>) : {};
  const todos = item.name === "TodoWrite" ? todosOf(item.input) : [];
  if (todos.length > 0) {
    return html`<ul class="todos">${todos.map((todo) => html`<li class=${todo.status === "completed" ? "completed" : ""}>${todo.status === "completed" ? "☑" : todo.status === "in_progress" ? "▸" : "☐"} ${visible(todo.content)}</li>`)}</ul>`;
  }
  if (item.input === undefined) {
    return html`<div class="label">Its input is too long to show. Its raw line has it.</div>`;
  }
  const command = typeof fields["command"] === "string" ? fields["command"] : undefined;
  const text = visible(plainOutput(fromRoot(command ?? JSON.stringify(item.input, undefined, 2) ?? "", reading.run.worktreePath)));
  return html`<pre tabindex="0" role="group" aria-label=${command === undefined ? "input" : "command"}>${command === undefined ? "" : "$ "}${text.slice(0, TEXT_PIECE)}${text.length > TEXT_PIECE ? "…" : ""}</pre>`;
}

const outputs = new WeakMap<ToolResultItem, { from: string; text: string }>();

/** Cleaning a long output takes a while, and it is drawn again and again. */
function cleaned(item: ToolResultItem, from: string, root: string): string {
  const before = outputs.get(item);
  if (before !== undefined && before.from === from) {
    return before.text;
  }
  const text = visible(plainOutput(fromRoot(from, root)));
  outputs.set(item, { from, text });
  return text;
}

/** Of an output the end, which says how it went; what stands above it is shown on demand. */
function output(key: string, item: ToolResultItem, reading: Reading): TemplateResult {
  const fetched = reading.whole(item, item.body);
  const all = cleaned(item, fetched?.state === "whole" ? fetched.text : item.body.text, reading.run.worktreePath);
  const pieces = reading.pieces(key);
  const { text, before } = lastLines(all, OUTPUT_LINES * 4 ** (pieces - 1));
  const tail = text.length > TEXT_PIECE * pieces ? text.slice(-TEXT_PIECE * pieces) : text;
  const hidden = before > 0 || tail.length < text.length;
  return html`${hidden ? html`<div><button class="text-button" type="button" @click=${() => reading.more(key)}>Show more</button> <span class="dim">${before > 0 ? `${plural(before, "line")} above` : "more above"}</span></div>` : nothing}
    ${tail.trim() === "" ? html`<div class="label">no output</div>` : html`<pre class=${item.isError ? "failed" : ""} tabindex="0" role="group" aria-label="output">${tail}</pre>`}
    ${hidden ? nothing : more(key, item, item.body, reading, false)}`;
}

function subagent(entry: EntryOf<"subagent">, reading: Reading): TemplateResult {
  const line = entry.item === undefined ? undefined : toolLine(entry.item, entry.result, reading.run.worktreePath);
  return folding(entry.key, true, reading, `sub-agent${line === undefined || line.what === "" ? "" : ` · ${visible(line.what)}`}${line === undefined || line.meta.length === 0 ? "" : ` · ${line.meta.join(" · ")}`}${reading.isOpen(entry.key, true) ? "" : ` · ${plural(entry.size, "entry", "entries")}`}`, () => html``);
}

function question(entry: EntryOf<"question">, reading: Reading): TemplateResult {
  const { decision, answer, item } = entry;
  if (decision?.state === "open") {
    return askForm(decision, reading.asking(decision.id));
  }
  const ending = decision === undefined ? (answer === undefined ? "" : "answered") : decision.state === "answered" ? `answered${decision.answeredBy === undefined ? "" : ` in ${visible(decision.answeredBy)}`}` : decision.state;
  return html`<span class="who">${decision?.kind === "permission" ? "asked for permission" : decision?.kind === "plan" ? "proposed a plan" : "asked"}${ending === "" ? "" : ` · ${ending}`}</span>
    ${answer === undefined ? html`<p dir="auto">${visible(item?.summary ?? decision?.tool?.description ?? "")}</p>` : html`<p class="answered" dir="auto">${visible(answer.summary)}</p>`}`;
}

function message(entry: EntryOf<"message">, reading: Reading): TemplateResult {
  const { item } = entry;
  // Without an id nobody here sent it: the agent's program put it into the conversation.
  const who = item.messageId === undefined ? (entry.depth > 0 ? "task of the sub-agent" : "in the session") : item.delivered ? "you" : "you · waiting for the agent's next step";
  const body = (): TemplateResult => textOf(entry.key, item, item.body, reading, (text) => html`<div class="bubble" dir="auto">${visible(plainOutput(text))}</div>`);
  return item.messageId === undefined && item.body.text.length > 400 ? folding(entry.key, false, reading, who, body) : html`<span class="who">${who}</span>${body()}`;
}

function undelivered(entry: EntryOf<"undelivered">, reading: Reading): TemplateResult {
  const { messageId, text } = entry.message;
  const busy = reading.busy(`reply-${messageId}`);
  const error = reading.errorOf(`reply-${messageId}`);
  return html`<span class="who bad">you · not delivered</span><div class="bubble" dir="auto">${visible(text.text.slice(0, TEXT_PIECE))}</div>
    <div>${text.fullLength === undefined ? html`<button class="text-button" type="button" ?disabled=${busy} @click=${() => reading.sendAgain(messageId, text.text)}>Send again</button>
      <button class="text-button" type="button" ?disabled=${busy} @click=${() => reading.edit(messageId, text.text)}>Edit</button>` : html`<span class="dim">Too long to be sent again from here.</span>`}${error === undefined ? nothing : html` <span class="error" role="alert">${error}</span>`}</div>`;
}

function checkpoint(entry: EntryOf<"checkpoint">, reading: Reading): TemplateResult {
  const title = entry.number === undefined ? "checkpoint" : `checkpoint ${entry.number}`;
  const busy = reading.busy(`mark-${entry.id}`);
  const error = reading.errorOf(`mark-${entry.id}`);
  if (reading.confirming === entry.id) {
    return html`<div class="rule"><span class="in" role="group" aria-label="Go back to ${title}"><span>Take the files back to ${title}? What is there now is kept as a checkpoint first.</span>
      <button class="button" type="button" data-focus ?disabled=${busy} @click=${() => reading.rewind(entry.id)}>Go back</button><button class="button" type="button" @click=${() => reading.confirm(undefined)}>Cancel</button></span></div>${error === undefined ? nothing : html`<p class="error" role="alert">${error}</p>`}`;
  }
  return html`<div class="rule"><span class="in"><span>${title}${entry.left === undefined ? "" : ` · without ${plural(entry.left, "path")} that git could not read`}</span>
    ${reading.canRewind ? html`· <button class="text-button" type="button" ?disabled=${busy} @click=${() => reading.confirm(entry.id)}>go back to here</button>` : nothing}
    ${reading.canFork ? html`· <button class="text-button" type="button" ?disabled=${busy} @click=${() => reading.fork(entry.id)}>fork from here</button>` : nothing}</span></div>${error === undefined ? nothing : html`<p class="error" role="alert">${error}</p>`}`;
}

const OUTCOMES: Readonly<Record<string, string>> = { success: "done", interrupted: "interrupted" };

function result(entry: EntryOf<"result">, reading: Reading): TemplateResult {
  const { item } = entry;
  const outcome = OUTCOMES[item.outcome] ?? visible(item.outcome).replace(/([a-z])([A-Z])/g, (_, a: string, b: string) => `${a} ${b.toLowerCase()}`);
  return html`<div class="line"><b class=${item.isError ? "bad" : ""}>${item.isError && item.outcome !== "interrupted" ? `failed: ${outcome}` : outcome}</b><span>${money(item.costMicroUsd)}</span><span>${plural(item.turns, "turn")}</span><span>${duration(item.durationMs)}</span></div>
    ${item.isError && item.body.text.trim() !== "" ? textOf(entry.key, item, item.body, reading, (text) => html`<p class="error" dir="auto">${visible(plainOutput(text))}</p>`) : nothing}`;
}

/** A height before it is measured. */
export function guess(entry: Entry): number {
  switch (entry.kind) {
    case "text":
      return 12 + 19 * Math.min(400, Math.ceil(entry.item.body.text.length / 80));
    case "tool":
      return openByDefault(entry) ? 120 : 36;
    case "question":
      return 110;
    default:
      return 34;
  }
}
