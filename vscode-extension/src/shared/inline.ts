// The words of a line of Markdown: emphasis, code, links. One pass with a stack, in which every mark is looked at a bounded number of times.

export type Inline =
  | { t: "text" | "code"; text: string }
  | { t: "strong" | "em" | "del"; children: readonly Inline[] }
  /** `url` is absent where the words are the address already. */
  | { t: "link"; children: readonly Inline[]; url?: string }
  | { t: "break" };

/** What may begin something that a later mark ends; text if none does. */
type Open = { mark: "*" | "_" | "~"; count: number } | { mark: "[" | "![" };
type Item = { node: Inline; deep: number } | { open: Open };

const DEPTH_MAX = 12;
const ADDRESS_MAX = 2_000;
const SPACE = /\s|^$/;
const PUNCTUATION = /[\p{P}\p{S}]/u;

export function readInline(text: string, decode: (text: string) => string): readonly Inline[] {
  const items: Item[] = [];
  let plain = "";
  const flush = (): void => {
    if (plain !== "") {
      items.push({ node: { t: "text", text: decode(plain) }, deep: 0 });
      plain = "";
    }
  };
  const push = (node: Inline, deep = 0): void => {
    flush();
    items.push({ node, deep });
  };
  const hopeless = new Set<number>();
  for (let at = 0; at < text.length; ) {
    const letter = text[at]!;
    if (letter === "\\" && at + 1 < text.length && /[!-/:-@[-`{-~\n]/.test(text[at + 1]!)) {
      flush();
      push(text[at + 1] === "\n" ? { t: "break" } : { t: "text", text: text[at + 1]! });
      at += 2;
    } else if (letter === "\n") {
      push({ t: "break" });
      at++;
    } else if (letter === "`") {
      const length = runAt(text, at);
      const end = hopeless.has(length) ? -1 : closing(text, at + length, length);
      if (end < 0) {
        hopeless.add(length);
        plain += text.slice(at, at + length);
        at += length;
      } else {
        push({ t: "code", text: unpadded(text.slice(at + length, end).replaceAll("\n", " ")) });
        at = end + length;
      }
    } else if (letter === "*" || letter === "_" || letter === "~") {
      const length = runAt(text, at);
      flush();
      emphasis(items, letter, length, text[at - 1] ?? "", text[at + length] ?? "");
      at += length;
    } else if (letter === "[" || (letter === "!" && text[at + 1] === "[")) {
      flush();
      items.push({ open: { mark: letter === "[" ? "[" : "![" } });
      at += letter === "[" ? 1 : 2;
    } else if (letter === "]") {
      flush();
      at = bracket(items, text, at);
    } else if (letter === "<") {
      const tag = /^<(?:(br)\s*\/?|([a-z][a-z0-9+.-]{1,31}:[^\s<>]{0,2000}|[^\s<>@]{1,64}@[^\s<>@]{1,255}))>/i.exec(text.slice(at, at + 2100));
      if (tag === null) {
        plain += letter;
        at++;
      } else {
        push(tag[1] !== undefined ? { t: "break" } : { t: "link", children: [{ t: "text", text: tag[2]! }] });
        at += tag[0].length;
      }
    } else {
      plain += letter;
      at++;
    }
  }
  flush();
  return closed(items);
}

function runAt(text: string, at: number): number {
  let end = at + 1;
  while (text[end] === text[at]) {
    end++;
  }
  return end - at;
}

/** Where a run of as many backticks begins. */
function closing(text: string, from: number, length: number): number {
  for (let at = text.indexOf("`", from); at >= 0; ) {
    const run = runAt(text, at);
    if (run === length) {
      return at;
    }
    at = text.indexOf("`", at + run);
  }
  return -1;
}

const unpadded = (code: string): string => (code.startsWith(" ") && code.endsWith(" ") && code.trim() !== "" ? code.slice(1, -1) : code);

/** A run of marks closes what is open as far as it can, then opens what it can. What is wrapped leaves the stack, so that all is looked at once. */
function emphasis(items: Item[], mark: "*" | "_" | "~", length: number, before: string, after: string): void {
  const left = !SPACE.test(after) && (!PUNCTUATION.test(after) || SPACE.test(before) || PUNCTUATION.test(before));
  const right = !SPACE.test(before) && (!PUNCTUATION.test(before) || SPACE.test(after) || PUNCTUATION.test(after));
  const opens = left && (mark !== "_" || !right || PUNCTUATION.test(before));
  const closes = right && (mark !== "_" || !left || PUNCTUATION.test(after));
  let count = length;
  while (closes && count > 0) {
    const from = items.findLastIndex((item) => "open" in item && item.open.mark === mark);
    const opener = from < 0 ? undefined : (items[from] as { open: Open }).open;
    if (opener === undefined || !("count" in opener) || (mark === "~" && (count !== opener.count || count > 2))) {
      break;
    }
    const used = mark === "~" ? count : count >= 2 && opener.count >= 2 ? 2 : 1;
    const inside = items.splice(from + 1);
    opener.count -= used;
    count -= used;
    if (opener.count === 0) {
      items.pop();
    }
    const deep = 1 + Math.max(0, ...inside.slice(0, 1000).map((item) => ("deep" in item ? item.deep : 0)));
    const children = closed(inside);
    if (deep > DEPTH_MAX || children.length === 0) {
      items.push(...inside.map((item) => ("node" in item ? item : { node: { t: "text" as const, text: written(item.open) }, deep: 0 })));
    } else {
      items.push({ node: { t: mark === "~" ? "del" : used === 2 ? "strong" : "em", children }, deep });
    }
  }
  if (count > 0) {
    items.push(opens ? { open: { mark, count } } : { node: { t: "text", text: mark.repeat(count) }, deep: 0 });
  }
}

/** After a `]`: a link or a picture if an address follows, else the bracket was only itself. */
function bracket(items: Item[], text: string, at: number): number {
  const from = items.findLastIndex((item) => "open" in item && !("count" in item.open));
  const opener = from < 0 ? undefined : (items[from] as { open: Open }).open;
  const address = opener === undefined ? undefined : /^\(\s{0,9}(?:<([^<>\n]*)>|([^\s<][^\s]*?|))(?:\s{1,9}(?:"[^"\n]*"|'[^'\n]*'))?\s{0,9}\)$/.exec(balanced(text, at + 1));
  if (opener === undefined || address === null || address === undefined) {
    if (opener !== undefined) {
      items[from] = { node: { t: "text", text: written(opener) }, deep: 0 };
    }
    items.push({ node: { t: "text", text: "]" }, deep: 0 });
    return at + 1;
  }
  const inside = closed(items.splice(from).slice(1));
  if (opener.mark === "[") {
    // No link stands in another.
    items.forEach((item, index) => "open" in item && item.open.mark === "[" && (items[index] = { node: { t: "text", text: "[" }, deep: 0 }));
  }
  const url = address[1] ?? address[2] ?? "";
  const words = wordsOf(inside);
  items.push({
    node: opener.mark === "![" ? { t: "text", text: `[picture: ${words || "no description"}]` } : words === url || `mailto:${words}` === url ? { t: "link", children: inside } : { t: "link", children: inside, url },
    deep: 1,
  });
  return at + 1 + address[0].length;
}

/** From a parenthesis up to the one that closes it, or nothing. */
function balanced(text: string, from: number): string {
  if (text[from] !== "(") {
    return "";
  }
  let open = 0;
  for (let at = from; at < Math.min(text.length, from + ADDRESS_MAX); at++) {
    if (text[at] === "\\") {
      at++;
    } else if (text[at] === "(") {
      open++;
    } else if (text[at] === ")" && --open === 0) {
      return text.slice(from, at + 1);
    } else if (text[at] === "\n") {
      return "";
    }
  }
  return "";
}

const written = (open: Open): string => ("count" in open ? open.mark.repeat(open.count) : open.mark);

/** Everything that is still open is text; texts beside each other are one. */
function closed(items: readonly Item[]): readonly Inline[] {
  const nodes: Inline[] = [];
  for (const item of items) {
    const node: Inline = "node" in item ? item.node : { t: "text", text: written(item.open) };
    const last = nodes.at(-1);
    if (node.t === "text" && last?.t === "text") {
      nodes[nodes.length - 1] = { t: "text", text: last.text + node.text };
    } else {
      nodes.push(node);
    }
  }
  return nodes;
}

/** The words of a piece without any mark. */
export function wordsOf(children: readonly Inline[]): string {
  return children.map((child) => ("text" in child ? child.text : child.t === "break" ? "\n" : wordsOf(child.children))).join("");
}
