// What an agent says as Markdown, made a small closed tree. Nothing in it can run, load or be followed: HTML is text, a picture is its
// alternative text, a link is its words with the address beside them. Read here in one pass, so that no text takes long; what is read differs
// from CommonMark only where an agent's text rarely is (reference links, HTML blocks), and shows those as they were written.
import { readInline, type Inline } from "./inline";

export type { Inline } from "./inline";

export interface ListItem {
  checked?: boolean;
  children: readonly Block[];
}

export type Block =
  | { t: "paragraph"; children: readonly Inline[] }
  | { t: "heading"; level: number; children: readonly Inline[] }
  | { t: "code"; text: string; language: string }
  | { t: "quote"; children: readonly Block[] }
  | { t: "list"; ordered: boolean; start: number; items: readonly ListItem[] }
  | { t: "table"; align: readonly ("left" | "right" | "center" | undefined)[]; head: readonly (readonly Inline[])[]; rows: readonly (readonly (readonly Inline[])[])[] }
  | { t: "rule" };

/** Nested deeper than this, a piece is shown as it was written. */
const DEPTH_MAX = 12;
/** A paragraph with more marks of emphasis and links than this is shown as it was written. */
const MARKS_MAX = 2_000;

/** Controls of writing direction and letters without a shape are named, so that what stands there is what one reads. */
export function visible(text: string): string {
  return /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]|\udb40[\udc00-\udc7f]/.test(text)
    ? text.replace(/\r\n?/g, "\n").replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]|\udb40[\udc00-\udc7f]/g, (control) => `\u27e8U+${(control.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}\u27e9`)
    : text;
}

/** Any text at all gives a tree. */
export const markdown = (source: string): readonly Block[] => blocks(visible(source).split("\n"), 0);

/** Line by line, as it was written. */
const written = (lines: readonly string[]): readonly Inline[] => lines.flatMap((line, at): Inline[] => (at === 0 ? [{ t: "text", text: line }] : [{ t: "break" }, { t: "text", text: line }]));

const FENCE = /^ {0,3}(`{3,}|~{3,})[ \t]*([^`\s]*)[^`]*$/;
const BULLET = /^( {0,3})([-*+]|\d{1,9}[.)])(?=[ \t]|$)/;
const isBlank = (line: string): boolean => line.trim() === "";
const isQuote = (line: string): boolean => /^ {0,3}>/.test(line);
const isRule = (line: string): boolean => /^ {0,3}[-*_]/.test(line) && ["-", "*", "_"].some((mark) => line.replace(/[ \t]/g, "").length >= 3 && line.replace(/[ \t]/g, "").split(mark).join("") === "");
const isHeading = (line: string): boolean => /^ {0,3}#{1,6}(?:[ \t]|$)/.test(line);
/** Whether a line ends the paragraph above it. A numbered list does only when it begins with one, as in CommonMark. */
const begins = (line: string): boolean => FENCE.test(line) || isHeading(line) || isQuote(line) || isRule(line) || (BULLET.test(line) && !/^ {0,3}(?!1[.)])\d/.test(line) && !/^ {0,3}\S+[ \t]*$/.test(line));

function blocks(lines: readonly string[], depth: number): readonly Block[] {
  if (depth > DEPTH_MAX) {
    return lines.every(isBlank) ? [] : [{ t: "paragraph", children: written(lines) }];
  }
  const found: Block[] = [];
  for (let at = 0; at < lines.length; ) {
    const line = lines[at]!;
    if (isBlank(line)) {
      at++;
      continue;
    }
    const [block, next] = oneBlock(lines, at, depth);
    found.push(block);
    at = next;
  }
  return found;
}

/** The block that begins at a line, and the line after it. */
function oneBlock(lines: readonly string[], at: number, depth: number): readonly [Block, number] {
  const line = lines[at]!;
  if (FENCE.test(line)) {
    return fenced(lines, at);
  }
  if (isHeading(line)) {
    const level = /#+/.exec(line)![0].length;
    const words = line.trim().slice(level).trim();
    const end = words.length - (/#+$/.exec(words)?.[0].length ?? 0);
    return [{ t: "heading", level, children: inlines(end === 0 || (end < words.length && /[ \t]/.test(words[end - 1]!)) ? words.slice(0, end).trim() : words) }, at + 1];
  }
  if (isRule(line)) {
    return [{ t: "rule" }, at + 1];
  }
  if (isQuote(line)) {
    return quote(lines, at, depth);
  }
  if (BULLET.test(line)) {
    return list(lines, at, depth);
  }
  if (/^(?: {4}|\t)/.test(line)) {
    let end = at;
    while (end < lines.length && (isBlank(lines[end]!) || /^(?: {4}|\t)/.test(lines[end]!))) {
      end++;
    }
    return [{ t: "code", text: lines.slice(at, end).map((one) => one.replace(/^(?: {1,4}|\t)/, "")).join("\n").trimEnd(), language: "" }, end];
  }
  return table(lines, at) ?? paragraph(lines, at);
}

function fenced(lines: readonly string[], at: number): readonly [Block, number] {
  const open = FENCE.exec(lines[at]!)!;
  const fence = open[1]!;
  const indent = lines[at]!.length - lines[at]!.trimStart().length;
  let end = at + 1;
  while (end < lines.length && !(/^ {0,3}[`~]/.test(lines[end]!) && lines[end]!.trim().startsWith(fence) && lines[end]!.trim().split(fence[0]!).join("") === "")) {
    end++;
  }
  const inside = lines.slice(at + 1, end).map((line) => line.slice(Math.min(indent, line.length - line.trimStart().length)));
  return [{ t: "code", text: inside.join("\n"), language: /^[\w+#.-]{1,30}/.exec(open[2] ?? "")?.[0] ?? "" }, Math.min(lines.length, end + 1)];
}

function quote(lines: readonly string[], at: number, depth: number): readonly [Block, number] {
  const inside: string[] = [];
  let end = at;
  // A line without its sign goes on with the paragraph above it.
  while (end < lines.length && (isQuote(lines[end]!) || (!isBlank(lines[end]!) && !begins(lines[end]!) && !isBlank(inside.at(-1) ?? "")))) {
    inside.push(lines[end]!.replace(/^ {0,3}> ?/, ""));
    end++;
  }
  return [{ t: "quote", children: blocks(inside, depth + 1) }, end];
}

function list(lines: readonly string[], at: number, depth: number): readonly [Block, number] {
  const marker = BULLET.exec(lines[at]!)![2]!;
  const kind = (mark: string): string => mark.at(-1)!;
  const items: ListItem[] = [];
  let end = at;
  for (let bullet = BULLET.exec(lines[end] ?? ""); bullet !== null && kind(bullet[2]!) === kind(marker) && !isRule(lines[end]!); bullet = BULLET.exec(lines[end] ?? "")) {
    const first = lines[end]!.slice(bullet[0].length);
    const gap = first.length - first.trimStart().length;
    const indent = bullet[0].length + (first.trim() === "" || gap > 4 ? 1 : gap);
    const inside = [first.slice(Math.min(gap, indent - bullet[0].length))];
    end++;
    while (end < lines.length) {
      const line = lines[end]!;
      const spaces = line.length - line.trimStart().length;
      if (isBlank(line) ? !goesOn(lines, end, indent) : spaces < indent && (begins(line) || BULLET.test(line) || isBlank(inside.at(-1)!))) {
        break;
      }
      inside.push(line.startsWith("\t") ? line.slice(1) : line.slice(Math.min(spaces, indent)));
      end++;
    }
    const task = /^\[([ xX])\][ \t]/.exec(inside[0]!);
    items.push({ checked: task === null ? undefined : task[1] !== " ", children: blocks(task === null ? inside : [inside[0]!.slice(task[0].length), ...inside.slice(1)], depth + 1) });
    // Empty lines between the items of one list.
    let next = end;
    while (next < lines.length && isBlank(lines[next]!)) {
      next++;
    }
    end = next < lines.length && BULLET.test(lines[next]!) ? next : end;
  }
  const ordered = /\d/.test(marker);
  return [{ t: "list", ordered, start: ordered ? Number.parseInt(marker, 10) : 1, items }, end];
}

/** Whether an item goes on after empty lines: with a line that is indented like it. */
function goesOn(lines: readonly string[], at: number, indent: number): boolean {
  let next = at;
  while (next < lines.length && isBlank(lines[next]!)) {
    next++;
  }
  const line = lines[next];
  return line !== undefined && (line.startsWith("\t") || line.length - line.trimStart().length >= indent);
}

function table(lines: readonly string[], at: number): readonly [Block, number] | undefined {
  const rule = lines[at + 1];
  if (rule === undefined || !lines[at]!.includes("|") || !rule.includes("-") || rule.length > 2_000) {
    return undefined;
  }
  const head = cells(lines[at]!);
  const marks = cells(rule);
  if (head.length !== marks.length || !marks.every((mark) => /^:?-+:?$/.test(mark))) {
    return undefined;
  }
  let end = at + 2;
  const rows: (readonly (readonly Inline[])[])[] = [];
  while (end < lines.length && !isBlank(lines[end]!) && !begins(lines[end]!)) {
    const row = cells(lines[end]!);
    rows.push(head.map((_, column) => inlines(row[column] ?? "")));
    end++;
  }
  const align = marks.map((mark) => (mark.endsWith(":") ? (mark.startsWith(":") ? "center" as const : "right" as const) : mark.startsWith(":") ? "left" as const : undefined));
  return [{ t: "table", align, head: head.map(inlines), rows }, end];
}

function cells(line: string): readonly string[] {
  const row = line.trim().replace(/^\|/, "").replace(/\|$/, (end, at: number, all: string) => (all[at - 1] === "\\" ? end : ""));
  return row.replace(/\\\|/g, "\u0000").split("|").map((cell) => cell.replaceAll("\u0000", "|").trim());
}

function paragraph(lines: readonly string[], at: number): readonly [Block, number] {
  let end = at + 1;
  while (end < lines.length && !isBlank(lines[end]!) && !begins(lines[end]!) && !/^ {0,3}(?:=+|-+)[ \t]*$/.test(lines[end]!)) {
    end++;
  }
  const words = lines.slice(at, end).map((line) => line.trim()).join("\n");
  const under = /^ {0,3}(=+|-{1,})[ \t]*$/.exec(lines[end] ?? "")?.[1];
  return under === undefined ? [{ t: "paragraph", children: inlines(words) }, end] : [{ t: "heading", level: under.startsWith("=") ? 1 : 2, children: inlines(words) }, end + 1];
}

/** The words of a paragraph, a heading or a cell. */
const inlines = (text: string): readonly Inline[] => ((text.match(/[[\]*_~]+/g)?.length ?? 0) > MARKS_MAX ? written(text.split("\n")) : readInline(text, entities));

const NAMED: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: "\"", apos: "'", nbsp: "\u00a0", hellip: "…", mdash: "—", ndash: "–", rarr: "→", larr: "←", times: "×", copy: "©" };

function entities(text: string): string {
  return visible(text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,6}));/gi, (whole, decimal: string | undefined, hex: string | undefined, name: string | undefined) => {
    if (name !== undefined) {
      return NAMED[name.toLowerCase()] ?? whole;
    }
    const point = decimal !== undefined ? Number(decimal) : Number.parseInt(hex ?? "", 16);
    return point > 0 && point <= 0x10ffff && (point < 0xd800 || point > 0xdfff) ? String.fromCodePoint(point) : whole;
  }));
}
