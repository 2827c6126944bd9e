import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { HOSTILE } from "../../e2e/pages/threads.mjs";
import { markdown, visible, type Block, type Inline } from "../../src/shared/markdown";
import { markedTree } from "../markedTree";

/** Texts beside each other as one, so that two ways to cut them compare. */
function joined(inlines: readonly Inline[]): readonly Inline[] {
  const all: Inline[] = [];
  for (const inline of inlines) {
    const last = all.at(-1);
    if (inline.t === "text" && last?.t === "text") {
      all[all.length - 1] = { t: "text", text: last.text + inline.text };
    } else {
      all.push("children" in inline ? { ...inline, children: joined(inline.children) } : inline);
    }
  }
  return all.filter((inline) => inline.t !== "text" || inline.text !== "");
}

function normal(blocks: readonly Block[]): unknown {
  return blocks.map((block) => {
    switch (block.t) {
      case "paragraph":
      case "heading":
        return { ...block, children: joined(block.children) };
      case "quote":
        return { ...block, children: normal(block.children) };
      case "list":
        return { ...block, items: block.items.map((item) => ({ checked: item.checked ?? null, children: normal(item.children) })) };
      case "table":
        return { ...block, align: block.align.map((side) => side ?? null), head: block.head.map(joined), rows: block.rows.map((row) => row.map(joined)) };
      default:
        return block;
    }
  });
}

const texts: Record<string, string> = {
  emphasis: "A **bold** and *slanted* _word_, ***both***, ~~gone~~, snake_case_name, 2 * 3 * 4, **a *b* c**, *a **b** c*, __init__ and **`code`**.",
  code: "Use `npm test`, ``a ` b``, ` x `, an open ` tick, and `a\\b`.",
  headings: "# One\n\n## Two ##\ntext\n### `Three` *x*\n####### seven\n\nUnder\n=====\n\nLine\n---\n",
  lists: "- a\n- b\n  - c\n  - d\n\n    more of d\n- e\n\n1. one\n2. two\n   * x\n   * y\n3. three\n\ntext\n\n5) five\n6) six",
  loose: "- a\n\n- b\n\n- c\n\nend",
  tasks: "- [x] done\n- [ ] open\n- [X] **also** done\n- [link](x) no task",
  lazy: "- a line\nthat goes on\n- b\n\n> quoted\nlazily\n\n> a\n>\n> b\n> > c",
  fences: "```ts\nconst a = 1;\n\n  indented();\n```\n\n~~~\n``` inside\n~~~\n\n````md\n```js\n```\n````\n\n- item\n  ```sh\n  ls\n  ```\n- next",
  indented: "text\n\n    code here\n      deeper\n\ntext",
  tables: "| a | b | c |\n|---|:-:|--:|\n| 1 | `x\\|y` | **3** |\n| 4 |\n\nafter\n\na | b\n- | -\n1 | 2",
  notables: "a | b\n\n--- | ---\n\n| x |\ntext",
  links: "See [the guide](https://example.com/a_b_c), [x](<a b> \"title\"), <https://example.com>, <me@example.com>, [a](b(c)d), [no link], [x] (y), ![a picture](p.png), [**bold** link](u).",
  breaks: "one\ntwo  \nthree\\\nfour<br>five",
  entities: "a &amp; b &lt;c&gt; &#35; &#x26; &nosuch; &copy;",
  escapes: "\\*not\\* \\_a\\_ \\[x\\](y) 1\\. \\\\",
  rules: "a\n\n***\n\n- - -\n\n___\n\nb",
  mixed: "## What I did\n\nI changed `a.ts`:\n\n1. **First**, I looked:\n   ```ts\n   x();\n   ```\n2. Then *fixed* it.\n\n> Note: `y` stays.\n\n| k | v |\n| - | - |\n| a | 1 |\n",
  numbers: "It costs\n2. not a list\n\nVersion 1.2.3\n- but this is one",
};

describe("reads what marked reads", () => {
  for (const [name, text] of Object.entries(texts)) {
    it(name, () => expect(normal(markdown(text))).toEqual(normal(markedTree(text))));
  }

  it.each(["../../../README.md", "../../../ARCHITECTURE.md", "../../../CONTRIBUTING.md"])("the words of %s", (path) => {
    const text = readFileSync(new URL(path, import.meta.url), "utf8").replace(/^<.*$/gm, "");
    expect(normal(markdown(text))).toEqual(normal(markedTree(text)));
  });
});

describe("hostile texts", () => {
  const kinds = new Set(["paragraph", "heading", "code", "quote", "list", "table", "rule", "text", "strong", "em", "del", "link", "break"]);

  function walk(node: unknown, depth: number, see: (node: { t: string }, depth: number) => void): void {
    if (Array.isArray(node)) {
      node.forEach((child) => walk(child, depth, see));
    } else if (typeof node === "object" && node !== null) {
      if ("t" in node) {
        see(node as { t: string }, depth);
      }
      Object.values(node).forEach((child) => walk(child, depth + 1, see));
    }
  }

  it.each(HOSTILE.map((text: string) => [text.slice(0, 40), text]))("%j gives a small closed tree", (_, text) => {
    const before = process.cpuUsage();
    const tree = markdown(text);
    const { user } = process.cpuUsage(before);
    let deepest = 0;
    walk(tree, 0, (node, depth) => {
      expect(kinds.has(node.t)).toBe(true);
      deepest = Math.max(deepest, depth);
    });
    expect(deepest).toBeLessThan(150);
    expect(user / 1000).toBeLessThan(300);
  });

  it("keeps the words, whatever they are", () => {
    expect(JSON.stringify(markdown("<script>window.hit = 1</script>"))).toContain("<script>window.hit = 1</script>");
    expect(markdown("[run](command:x)")).toEqual([{ t: "paragraph", children: [{ t: "link", children: [{ t: "text", text: "run" }], url: "command:x" }] }]);
    expect(markdown("![x](https://evil.example/p.png)")).toEqual([{ t: "paragraph", children: [{ t: "text", text: "[picture: x]" }] }]);
    expect(JSON.stringify(markdown("[https://good.example](https://evil.example)"))).toContain("\"url\":\"https://evil.example\"");
  });

  it("names what turns the direction or has no shape, also when it is written as an entity", () => {
    expect(visible("a\u202eb\u0007\u{e0041}")).toBe("a⟨U+202E⟩b⟨U+0007⟩⟨U+E0041⟩");
    expect(JSON.stringify(markdown("&#x202e;"))).toContain("U+202E");
    expect(visible("a\tb\nc é 👩‍👩‍👧 فارسی")).toBe("a\tb\nc é 👩‍👩‍👧 فارسی");
  });
});
