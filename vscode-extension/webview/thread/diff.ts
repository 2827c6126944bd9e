import { html, type TemplateResult } from "lit";
import type { EditDiff } from "../../src/shared/editdiff";
import { visible } from "../../src/shared/markdown";

/** Lines of a diff that are drawn at once. A longer one is for the review. */
const LINES_MAX = 400;

const NAMES = { "+": "plus", "-": "minus", " ": "same", gap: "gap" } as const;

/** The signs stand in the text, so that a line means the same without its colour. */
export const diffView = (diff: EditDiff): TemplateResult => html`<div class="diff" tabindex="0" role="group" aria-label="changes" dir="ltr">${diff.lines
  .slice(0, LINES_MAX)
  .map((line) => html`<div class=${NAMES[line.sign]}>${
    line.sign === "gap" ? "…" : `${line.sign === "-" ? "−" : line.sign} ${visible(line.text.slice(0, 2000))}`}</div>`)}${
    diff.lines.length > LINES_MAX ? html`<div class="gap">… ${diff.lines.length - LINES_MAX} more lines. Review shows all of the change.</div>` : ""}</div>`;

export const diffCounts = (diff: EditDiff): TemplateResult => html`${diff.added > 0 ? html`<span class="add">+${diff.added}</span>` : ""}${diff.deleted > 0 ? html`<span class="del">−${diff.deleted}</span>` : ""}`;
