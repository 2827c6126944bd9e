// What an agent says as Markdown, made a small closed tree. Nothing in it can run, load or be followed: HTML is text, a picture is its
// alternative text, a link is its words with the address beside them. marked only finds the tokens.
import { Lexer, type Token, type Tokens } from "marked";

export type Inline =
  | { t: "text" | "code"; text: string }
  | { t: "strong" | "em" | "del"; children: readonly Inline[] }
  /** `url` is absent where the words are the address already. */
  | { t: "link"; children: readonly Inline[]; url?: string }
  | { t: "break" };

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
/** marked looks through a line again for each mark in it: a longer line, or one with more marks, is shown as it was written. */
const LINE_MAX = 8_000;
const MARKS_MAX = 1_500;
const QUOTES_MAX = 24;

/** Controls of writing direction and letters without a shape are named, so that what stands there is what one reads. */
export function visible(text: string): string {
  return /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]|\udb40[\udc00-\udc7f]/.test(text)
    ? text.replace(/\r\n?/g, "\n").replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]|\udb40[\udc00-\udc7f]/g, (control) => `\u27e8U+${(control.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}\u27e9`)
    : text;
}

/** Any text at all gives a tree; what is not understood, or would take too long, is a paragraph of its own words. */
export function markdown(source: string): readonly Block[] {
  const text = visible(source);
  if (tooHard(text)) {
    return [{ t: "paragraph", children: written(text) }];
  }
  try {
    return blocks(new Lexer({ gfm: true, breaks: true }).lex(text), 0);
  } catch {
    return [{ t: "paragraph", children: written(text) }];
  }
}

function tooHard(text: string): boolean {
  for (const line of text.split("\n")) {
    if (line.length > LINE_MAX) {
      return true;
    }
  }
  const marks = text.match(/[[\]*_~`<\\]/g)?.length ?? 0;
  return (marks > MARKS_MAX && marks > text.length / 8) || new RegExp(`^(?:[ \\t]*(?:>|[-*+](?=[ \\t]*[-*+>])|\\d{1,9}[.)](?=[ \\t]*[\\d>]))){${QUOTES_MAX},}`, "m").test(text);
}

/** Line by line, as it was written. */
const written = (text: string): readonly Inline[] => text.split("\n").flatMap((line, at): Inline[] => (at === 0 ? [{ t: "text", text: line }] : [{ t: "break" }, { t: "text", text: line }]));

function blocks(tokens: readonly Token[], depth: number): readonly Block[] {
  return depth > DEPTH_MAX
    ? [{ t: "paragraph", children: written(tokens.map((token) => token.raw).join("").trimEnd()) }]
    : tokens.flatMap((token) => block(token, depth));
}

function block(token: Token, depth: number): readonly Block[] {
  switch (token.type) {
    case "space":
    case "def":
      return [];
    case "hr":
      return [{ t: "rule" }];
    case "heading":
      return [{ t: "heading", level: Math.min(6, Math.max(1, (token as Tokens.Heading).depth)), children: inlines(token.tokens, depth) }];
    case "code":
      return [{ t: "code", text: token.text as string, language: /^[\w+#.-]{1,30}/.exec((token as Tokens.Code).lang ?? "")?.[0] ?? "" }];
    case "blockquote":
      return [{ t: "quote", children: blocks(token.tokens ?? [], depth + 1) }];
    case "list":
      return [list(token as Tokens.List, depth)];
    case "table":
      return [table(token as Tokens.Table, depth)];
    case "paragraph":
    case "text":
      return [{ t: "paragraph", children: token.tokens === undefined ? written(entities(token.raw)) : inlines(token.tokens, depth) }];
    default:
      return token.raw.trim() === "" ? [] : [{ t: "paragraph", children: written(token.raw.trimEnd()) }];
  }
}

function list(token: Tokens.List, depth: number): Block {
  return {
    t: "list",
    ordered: token.ordered,
    start: typeof token.start === "number" ? token.start : 1,
    items: token.items.map((item) => ({
      checked: item.task ? item.checked === true : undefined,
      // A loose item of a list of tasks carries its box as a token of its own.
      children: blocks(item.tokens.filter((part) => part.type !== "checkbox"), depth + 1),
    })),
  };
}

function table(token: Tokens.Table, depth: number): Block {
  return {
    t: "table",
    align: token.align.map((side) => side ?? undefined),
    head: token.header.map((cell) => inlines(cell.tokens, depth)),
    rows: token.rows.map((row) => row.map((cell) => inlines(cell.tokens, depth))),
  };
}

function inlines(tokens: readonly Token[] | undefined, depth: number): readonly Inline[] {
  return depth > DEPTH_MAX ? [{ t: "text", text: (tokens ?? []).map((token) => token.raw).join("") }] : (tokens ?? []).flatMap((token) => inline(token, depth + 1));
}

function inline(token: Token, depth: number): readonly Inline[] {
  switch (token.type) {
    case "escape":
      return [{ t: "text", text: token.text as string }];
    case "text":
      return token.tokens === undefined ? [{ t: "text", text: entities(token.text as string) }] : inlines(token.tokens, depth);
    case "codespan":
      return [{ t: "code", text: token.text as string }];
    case "strong":
    case "em":
    case "del":
      return [{ t: token.type, children: inlines(token.tokens, depth) }];
    case "br":
      return [{ t: "break" }];
    case "html":
      return [/^<br\s*\/?>$/i.test(token.raw.trim()) ? { t: "break" } : { t: "text", text: token.raw }];
    case "link":
      return [link(inlines(token.tokens, depth), (token as Tokens.Link).href)];
    case "image":
      return [{ t: "text", text: `[picture: ${(token as Tokens.Image).text || "no description"}]` }];
    case "checkbox":
      return [];
    default:
      return [{ t: "text", text: token.raw }];
  }
}

function link(children: readonly Inline[], href: string): Inline {
  const words = wordsOf(children);
  return words === href || `mailto:${words}` === href || `http://${words}` === href ? { t: "link", children } : { t: "link", children, url: href };
}

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

/** The words of a piece without any mark. */
export function wordsOf(children: readonly Inline[]): string {
  return children.map((child) => ("text" in child ? child.text : child.t === "break" ? "\n" : wordsOf(child.children))).join("");
}
