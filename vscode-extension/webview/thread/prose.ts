import { html, nothing, type TemplateResult } from "lit";
import { markdown, type Block, type Inline } from "../../src/shared/markdown";
import { icon } from "../common/icons";

type Copy = (text: string) => void;
type Drawn = TemplateResult | string | typeof nothing;

const trees = new Map<string, readonly Block[]>();
/** Of the texts that were seen last; making one again costs a few milliseconds at most. */
const TREES_MAX = 200;

function treeOf(source: string): readonly Block[] {
  const known = trees.get(source);
  if (known !== undefined) {
    return known;
  }
  const made = markdown(source);
  trees.set(source, made);
  if (trees.size > TREES_MAX) {
    trees.delete(trees.keys().next().value!);
  }
  return made;
}

/** Markdown as elements, each by its name. No text ever becomes markup. */
export const prose = (source: string, copy: Copy): TemplateResult => html`<div class="prose" dir="auto">${treeOf(source).map((block) => drawBlock(block, copy))}</div>`;

function drawBlock(block: Block, copy: Copy): Drawn {
  switch (block.t) {
    case "paragraph":
      return html`<p>${block.children.map(drawInline)}</p>`;
    case "heading":
      // No heading of the page: its outline would change with every text that is scrolled by.
      return html`<p class="heading h${block.level}">${block.children.map(drawInline)}</p>`;
    case "code":
      return codeBlock(block.text, block.language, copy);
    case "quote":
      return html`<blockquote>${block.children.map((child) => drawBlock(child, copy))}</blockquote>`;
    case "list":
      return block.ordered
        ? html`<ol start=${block.start}>${block.items.map((item) => html`<li>${item.children.map((child) => drawBlock(child, copy))}</li>`)}</ol>`
        : html`<ul>${block.items.map((item) => html`<li class=${item.checked === undefined ? "" : "task"}>${
            item.checked === undefined ? nothing : html`<span class="box" role="img" aria-label=${item.checked ? "done" : "not done"}>${item.checked ? "☑" : "☐"}</span>`}${item.children.map((child) => drawBlock(child, copy))}</li>`)}</ul>`;
    case "table":
      return html`<div class="table" role="group" aria-label="table" tabindex="0"><table>
        <thead><tr>${block.head.map((cell, at) => (cell.length === 0 ? html`<td></td>` : html`<th class=${block.align[at] ?? ""}>${cell.map(drawInline)}</th>`))}</tr></thead>
        <tbody>${block.rows.map((row) => html`<tr>${row.map((cell, at) => html`<td class=${block.align[at] ?? ""}>${cell.map(drawInline)}</td>`)}</tr>`)}</tbody></table></div>`;
    case "rule":
      return html`<hr>`;
  }
}

function drawInline(inline: Inline): Drawn {
  switch (inline.t) {
    case "text":
      return inline.text;
    case "code":
      return html`<code>${inline.text}</code>`;
    case "strong":
      return html`<strong>${inline.children.map(drawInline)}</strong>`;
    case "em":
      return html`<em>${inline.children.map(drawInline)}</em>`;
    case "del":
      return html`<del>${inline.children.map(drawInline)}</del>`;
    case "link":
      return html`<span class="link">${inline.children.map(drawInline)}</span>${inline.url === undefined ? nothing : html` <span class="url">(${inline.url})</span>`}`;
    case "break":
      return html`<br>`;
  }
}

/** A block of code. It scrolls by itself, so it can be reached by the keyboard. */
export const codeBlock = (text: string, language: string, copy: Copy): TemplateResult => html`<div class="code">
  <div class="code-head"><span>${language}</span><button class="icon-button" type="button" aria-label="Copy code" title="Copy code" @click=${() => copy(text)}>${icon("copy")}</button></div>
  <pre tabindex="0" role="group" aria-label=${language === "" ? "code" : `code, ${language}`} dir="ltr">${text}</pre>
</div>`;
