// What marked reads in a text, in the same tree: an oracle for the reader of our own.
import { Lexer, type Token, type Tokens } from "marked";
import { wordsOf } from "../src/shared/inline";
import type { Block, Inline } from "../src/shared/markdown";

const DEPTH_MAX = 12;

export const markedTree = (text: string): readonly Block[] => blocks(new Lexer({ gfm: true, breaks: true }).lex(text), 0);

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
  return (text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,6}));/gi, (whole, decimal: string | undefined, hex: string | undefined, name: string | undefined) => {
    if (name !== undefined) {
      return NAMED[name.toLowerCase()] ?? whole;
    }
    const point = decimal !== undefined ? Number(decimal) : Number.parseInt(hex ?? "", 16);
    return point > 0 && point <= 0x10ffff && (point < 0xd800 || point > 0xdfff) ? String.fromCodePoint(point) : whole;
  }));
}
