// Threads to try the page with: one with everything in it, hostile ones, long ones.
const WORKTREE = "/r/.kanbots/worktrees/88-7";
export const BEGAN = Date.parse("2026-11-22T09:00:00Z");

export const card = { id: 8, number: 88, source: { kind: "local" }, title: "Add toast component", body: "", column: "inProgress", position: 1, labels: ["ui"], dot: "running", costMicroUsd: 710_000, runIds: [7], activeRunId: 7 };

export const run = (state = "running", more = {}) => ({
  id: 7, cardId: 8, cardNumber: 88, state, agent: "claude", permissionMode: "ask", branch: "kanbots/issue-88-7", worktreePath: WORKTREE, baseRef: "main", baseCommit: "0".repeat(40), launch: 1, costMicroUsd: 710_000,
  costIsEstimate: false, budget: { microUsd: 5_000_000 }, turns: 3, dirty: true, leftRunning: 0, sessionId: "s", model: "claude-opus-5-5", startedAt: new Date(Date.now() - 6 * 60_000).toISOString(), diffStat: { files: 4, insertions: 86, deletions: 3 }, ...more,
});

/** Makes items in order, each a second after the one before unless `wait` says otherwise. */
export class Items {
  list = [];
  seq;
  at;

  constructor(first = 1, at = BEGAN) {
    this.seq = first;
    this.at = at;
  }

  add(kind, fields, wait = 1000) {
    this.at += wait;
    const seq = this.seq++;
    const item = { kind, ...fields, cursor: String(seq), seq, at: new Date(this.at).toISOString(), bytes: { launch: 1, from: seq * 1000, to: seq * 1000 + 900 } };
    this.list.push(item);
    return item;
  }

  text(text, parentToolUseId) {
    return this.add("text", { body: { text }, parentToolUseId });
  }

  call(name, input, output, { isError = false, took = 300, parent, summary } = {}) {
    const toolUseId = `toolu_${this.seq}`;
    this.add("toolUse", { toolUseId, name, summary: summary ?? `${name} ${input.command ?? input.file_path ?? input.pattern ?? input.description ?? ""}`.trim(), input, parentToolUseId: parent });
    if (output !== undefined) {
      this.add("toolResult", { toolUseId, body: { text: output }, isError, parentToolUseId: parent }, took);
    }
    return toolUseId;
  }
}

export const question = (more = {}) => ({
  id: "7-1-q", runId: 7, cardNumber: 88, kind: "question", state: "open", askedAt: new Date(BEGAN).toISOString(),
  questions: [{ id: "q1", text: "Use Radix or build from scratch?", options: [{ label: "Radix" }, { label: "Scratch" }], multiSelect: false }], ...more,
});

/** The conversation of the sketch, and one of each of everything else. */
export function everything() {
  const items = new Items();
  items.add("system", { subtype: "init", summary: "Claude Code 2.1.330, claude-opus-5-5", sessionId: "s", model: "claude-opus-5-5" });
  items.add("userMessage", { body: { text: "Add a toast component.\n\nIt shows short notices at the bottom of the window." }, delivered: true, messageId: "m1" });
  items.add("thinking", { body: { text: "Dialogs probably have a portal already. I should look there first." } });
  items.text("I will look at how dialogs are built here before adding a toast.");
  items.call("Grep", { pattern: "Dialog", path: `${WORKTREE}/src/ui` }, Array.from({ length: 12 }, (_, i) => `src/ui/dialog${i}.tsx:${i + 3}:export function Dialog${i}()`).join("\n"));
  items.call("Read", { file_path: `${WORKTREE}/src/ui/dialog.tsx` }, "1\timport { createPortal } from \"react-dom\";\n2\t\n3\texport function Dialog() {}", { took: 40 });
  items.call("Edit", { file_path: `${WORKTREE}/src/ui/toast.tsx`, old_string: "export function Toast() {\n  return null;\n}\n", new_string: "export function Toast({ children, kind }: Props) {\n  return <output role=\"status\" className={kind}>{children}</output>;\n}\n" }, "The file was updated.", { took: 60 });
  items.call("Bash", { command: "npm test -- toast", description: "Run the tests of the toast" }, "\u001b[32m✓\u001b[39m shows a notice\n\u001b[31m✗\u001b[39m hides it after five seconds\n\nAssertionError: expected null to be visible\n    at toast.test.tsx:18:5", { isError: true, took: 4200 });
  const task = items.call("Task", { description: "find existing portal code", prompt: "Look for portals.", subagent_type: "general-purpose" }, undefined);
  items.add("userMessage", { body: { text: "Look for portals." }, delivered: false, parentToolUseId: task });
  items.call("Read", { file_path: `${WORKTREE}/src/ui/portal.tsx` }, "export const Portal = 1;", { parent: task });
  items.text("There is one portal, in `src/ui/portal.tsx`.", task);
  items.add("toolResult", { toolUseId: task, body: { text: "There is one portal." }, isError: false }, 800);
  items.call("TodoWrite", { todos: [{ content: "Look at dialogs", status: "completed" }, { content: "Write the toast", status: "in_progress" }, { content: "Test it", status: "pending" }] }, "ok");
  items.text([
    "## What I found", "", "Dialogs use a **portal** and a *focus trap*. Two ways to build the toast:", "",
    "1. Radix, as the dialogs do:", "   - less code", "   - one more dependency", "2. From scratch", "", "| | Radix | Scratch |", "| --- | ---: | :---: |", "| lines | 20 | 110 |", "| size | 4 KB | 0 KB |", "",
    "```ts", "export const show = (text: string): void => toasts.push({ text, until: Date.now() + 5000 });", "```", "", "> The guide says: no animation when motion is reduced.", "",
    "See [the guide](https://example.com/guide) and `docs/toast.md`.", "", "- [x] looked at dialogs", "- [ ] asked you",
  ].join("\n"));
  const checkpoints = [{ id: "c1", tree: "1".repeat(40), at: new Date(items.at + 100).toISOString(), why: "turn" }, { id: "c2", tree: "2".repeat(40), at: new Date(items.at + 200).toISOString(), why: "turn" }];
  items.add("notice", { topic: "rateLimit", message: "Rate limit five_hour: allowed_warning, until 2026-11-22 14:00 UTC." });
  items.add("notice", { topic: "control", message: "The agent heard us." });
  items.add("system", { subtype: "status", summary: "requesting" });
  items.add("raw", { body: { text: "{\"type\":\"telemetry\",\"n\":1}" }, why: "telemetry" });
  items.add("question", { decisionId: "7-1-old", summary: "Which corner?", toolUseId: "toolu_q0" });
  items.add("answer", { toolUseId: "toolu_q0", summary: "Which corner? Bottom right" });
  items.add("result", { isError: false, outcome: "success", body: { text: "Done so far." }, costMicroUsd: 240_000, turns: 2, durationMs: 92_000 });
  items.add("userMessage", { body: { text: "Bottom right is fine. Keep it small." }, delivered: true, messageId: "m2" });
  items.add("toolUse", { toolUseId: "toolu_q", name: "AskUserQuestion", summary: "AskUserQuestion", input: { questions: [] } });
  items.add("question", { decisionId: "7-1-q", summary: "Use Radix or build from scratch?", toolUseId: "toolu_q" });
  return { items: items.list, checkpoints, decisions: [question()], next: items };
}

/** A long thread of the usual things. */
export function long(count, first = 1) {
  const items = new Items(first);
  for (let i = 0; items.list.length < count; i++) {
    items.text(`Step ${i}: I look at **module ${i}** and what \`depends\` on it.\n\n- one\n- two`);
    items.call("Bash", { command: `npm test -- module-${i}` }, `ok ${i}\n`.repeat(1 + (i % 30)));
    items.call("Edit", { file_path: `${WORKTREE}/src/m${i}.ts`, old_string: `a${i}`, new_string: `b${i}\nc${i}` }, "ok");
  }
  return items.list.slice(0, count);
}

const deep = (open, close, depth) => open.repeat(depth) + "x" + close.repeat(depth);

/** Texts that would do something anywhere where text becomes markup, or would take for ever. */
export const HOSTILE = [
  "<script>window.hit = 1</script>", "<img src=x onerror=\"window.hit = 1\">", "<svg onload=\"window.hit = 1\"><animate onbegin=\"window.hit = 1\"></svg>", "<iframe srcdoc=\"<script>parent.hit = 1</script>\"></iframe>",
  "<a href=\"javascript:window.hit=1\">click</a>", "<style>body { display: none }</style>", "<meta http-equiv=refresh content=\"0;url=https://evil.example\">", "<base href=\"https://evil.example/\">",
  "[run](command:workbench.action.terminal.new)", "[run](vscode://evil.ext/run?x=1)", "[x](javascript:window.hit=1)", "[x](data:text/html,<script>window.hit=1</script>)", "[x](file:///etc/passwd)", "[https://good.example](https://evil.example)",
  "![x](https://evil.example/pixel.png)", "![x](command:evil)", "<https://evil.example> <command:evil>", "[x]: command:evil\n\n[x]", "$(zap) $(sync~spin) ${1+1} {{7*7}}",
  "\u001b[31mred\u001b[0m \u001b]8;;command:evil\u0007link\u001b]8;;\u0007 \u001b[2J\u001b[1;1H", "a\u202egnp.exe\u202c b\u2066c\u2069", "\u0000\u0001\u0007\u0008", "\u{e0041}\u{e0042} tags", "x\u200b\u200dy\ufeff",
  deep("> ", "", 1000), deep("- ", "", 1000), deep("[", "](x)", 1000), deep("**", "**", 1000), deep("*a ", " b*", 500), deep("`", "`", 500), "#".repeat(5000), "|".repeat(4000), "| a |\n| - |\n".repeat(200), "```\nnever closed\n<script>window.hit=1</script>",
  "x".repeat(60_000), "_a_".repeat(10_000), "&".repeat(20_000), "&lt;script&gt;window.hit=1&lt;/script&gt; &#60;b&#62; &#x202e;gnp", "<!-- --!><script>window.hit=1</script> -->", "<details open ontoggle=\"window.hit=1\"><summary>x</summary></details>", "\ud800 lone \udc00",
  "<math><mtext><table><mglyph><style><img src=x onerror=window.hit=1>", "\n".repeat(3000) + "end", "${alert(1)}<!--${0}-->", "1. ".repeat(900), "*".repeat(9000), "\\".repeat(9000), "[a".repeat(4000), "<".repeat(9000), "https://".repeat(3000),
];
