import { describe, expect, it } from "vitest";
import { editDiff, lineDiff } from "../../src/shared/editdiff";
import { appended, continued, ITEMS_MAX, NOTHING, prepended } from "../../src/shared/held";
import type { Run, ThreadItem, ToolResultItem, ToolUseItem } from "../../src/shared/protocol";
import { cannotReply, EMPTY_BOX, recalled, sentNow, textIn, typed } from "../../src/shared/replying";
import { Entries, entriesOf, matching, stillWaiting, wholeText, type ThreadParts } from "../../src/shared/threadview";
import { duration, lastLines, plainOutput, toolLine } from "../../src/shared/toolview";
import { anchorAt, rangeOf, rowAt, sameRows, setOffsets } from "../../webview/thread/window";

const at = (seq: number): { cursor: string; seq: number; at: string; bytes: { launch: number; from: number; to: number } } => ({ cursor: String(seq), seq, at: new Date(seq * 1000).toISOString(), bytes: { launch: 1, from: 0, to: 1 } });
const text = (seq: number, said = `t${seq}`, parentToolUseId?: string): ThreadItem => ({ kind: "text", body: { text: said }, ...at(seq), parentToolUseId });
const use = (seq: number, id: string, name = "Bash", parentToolUseId?: string, input: unknown = { command: "ls" }): ToolUseItem => ({ kind: "toolUse", toolUseId: id, name, summary: `${name} ls`, input, ...at(seq), parentToolUseId });
const result = (seq: number, id: string, said = "ok", parentToolUseId?: string): ToolResultItem => ({ kind: "toolResult", toolUseId: id, body: { text: said }, isError: false, ...at(seq), parentToolUseId });
const parts = (items: readonly ThreadItem[], more: Partial<ThreadParts> = {}): ThreadParts => ({ items, atEnd: true, decisions: [], checkpoints: [], undelivered: [], waiting: [], ...more });
const shape = (items: readonly ThreadItem[], more: Partial<ThreadParts> = {}, folded?: ReadonlySet<string>): readonly string[] => entriesOf(parts(items, more), folded).map((entry) => `${"  ".repeat(entry.depth)}${entry.kind} ${entry.key}`);

describe("entries", () => {
  it("pairs a call with its result, however late it comes", () => {
    expect(shape([use(1, "a"), use(2, "b"), result(3, "b"), text(4), result(5, "a")])).toEqual(["tool 1", "tool 2", "text 4"]);
    const [first, second] = entriesOf(parts([use(1, "a"), use(2, "b"), result(3, "b"), result(5, "a", "late")]));
    expect([first, second].map((entry) => (entry?.kind === "tool" ? entry.result?.seq : undefined))).toEqual([5, 3]);
  });

  it("shows a result without its call, and a second one, as output", () => {
    expect(shape([result(1, "before"), use(2, "a"), result(3, "a"), result(4, "a")])).toEqual(["output 1", "tool 2", "output 4"]);
  });

  it("nests sub-agents below their calls, also when they speak in turns and in each other", () => {
    const items = [use(1, "a", "Task"), use(2, "b", "Task"), text(3, "x", "b"), text(4, "y", "a"), use(5, "c", "Task", "a"), text(6, "z", "c"), result(7, "a"), text(8)];
    expect(shape(items)).toEqual(["subagent 1", "  text 4", "  subagent 5", "    text 6", "subagent 2", "  text 3", "text 8"]);
    expect(shape(items, {}, new Set(["1"]))).toEqual(["subagent 1", "subagent 2", "  text 3", "text 8"]);
  });

  it("keeps the items of a sub-agent whose call is not held, and never loses one to a ring", () => {
    expect(shape([text(1, "x", "gone"), text(2), text(3, "y", "gone")])).toEqual(["subagent sub-gone", "  text 1", "  text 3", "text 2"]);
    expect(shape([use(1, "a", "Task", "b"), use(2, "b", "Task", "a"), text(3, "x", "a")])).toEqual(["subagent sub-b", "  subagent 1", "    tool 2", "    text 3"]);
    const deep = Array.from({ length: 3000 }, (_, i) => use(i + 1, `t${i}`, "Task", i === 0 ? undefined : `t${i - 1}`));
    expect(entriesOf(parts(deep)).length).toBe(3000);
  });

  it("puts a checkpoint after what is not younger, and leaves out those before what is held", () => {
    const mark = (id: string, second: number): ThreadParts["checkpoints"][number] => ({ id, tree: "0", at: new Date(second * 1000).toISOString(), why: "turn" });
    expect(shape([text(10), text(20), text(30)], { checkpoints: [mark("old", 5), mark("a", 20), mark("b", 25), mark("c", 31)] })).toEqual(["text 10", "text 20", "checkpoint mark-a", "checkpoint mark-b", "text 30", "checkpoint mark-c"]);
    expect(shape([text(10)], { checkpoints: [mark("c", 31)], atEnd: false })).toEqual(["text 10"]);
  });

  it("shows a question instead of the tool that asks it, with its answer, and open ones that no item tells of at the end", () => {
    const asked: ThreadItem[] = [use(1, "q", "AskUserQuestion"), { kind: "question", decisionId: "d1", summary: "Which?", toolUseId: "q", ...at(2) }, { kind: "answer", toolUseId: "q", summary: "Which? This", ...at(3) }];
    const entries = entriesOf(parts(asked));
    expect(entries.map((entry) => entry.kind)).toEqual(["question"]);
    expect(entries[0]?.kind === "question" && entries[0].answer?.summary).toBe("Which? This");
    const budget = { id: "budget-1", runId: 1, cardNumber: 1, kind: "budget" as const, state: "open" as const, askedAt: "", questions: [] };
    expect(shape([text(1)], { decisions: [budget, { ...budget, id: "old", state: "answered" }] })).toEqual(["text 1", "question ask-budget-1"]);
    expect(shape([text(1)], { decisions: [budget], atEnd: false })).toEqual(["text 1"]);
  });

  it("gathers what the agent says about itself", () => {
    const notice = (seq: number, topic: string): ThreadItem => ({ kind: "notice", topic, message: topic, ...at(seq) });
    expect(shape([notice(1, "partial"), notice(2, "control"), notice(3, "rateLimit"), notice(4, "partial")])).toEqual(["quiet 1", "notice 3", "quiet 4"]);
  });

  it("waits for a message until it comes back or is lost", () => {
    const waiting = [{ id: 1, text: "same" }, { id: 2, text: "same" }, { id: 3, text: "other", messageId: "m3" }];
    const said = (seq: number, what: string, messageId: string): ThreadItem => ({ kind: "userMessage", body: { text: what }, delivered: true, messageId, ...at(seq) });
    expect(stillWaiting(waiting, [said(1, "same", "x")], []).map((message) => message.id)).toEqual([2, 3]);
    expect(stillWaiting(waiting, [said(1, "other", "m9")], []).map((message) => message.id)).toEqual([1, 2, 3]);
    expect(stillWaiting(waiting, [], [{ messageId: "m3", text: { text: "other" } }]).map((message) => message.id)).toEqual([1, 2]);
  });

  it("are the same whether a thread comes at once or grows", () => {
    let random = 20261201;
    const next = (below: number): number => (random = (random * 48271) % 2147483647) % below;
    const one = (seq: number): ThreadItem => {
      const id = `t${next(seq)}`;
      const parent = next(4) === 0 ? `t${next(seq)}` : undefined;
      const makes: readonly (() => ThreadItem)[] = [
        () => text(seq, "x", parent), () => use(seq, `t${seq}`, next(3) === 0 ? "Task" : "Bash", parent), () => result(seq, id, "ok", parent), () => use(seq, `t${seq}`, "AskUserQuestion", parent),
        () => ({ kind: "question", decisionId: `d${next(3)}`, summary: "?", toolUseId: `t${seq - 1}`, ...at(seq) }), () => ({ kind: "answer", toolUseId: id, summary: "!", ...at(seq) }),
        () => ({ kind: "notice", topic: "partial", message: "m", ...at(seq) }), () => ({ kind: "checkpoint", checkpointId: `c${next(9)}`, summary: "turn", ...at(seq) }) as ThreadItem,
      ];
      return makes[next(makes.length)]!();
    };
    const kept: boolean[] = [];
    for (let round = 0; round < 60; round++) {
      const grows = new Entries();
      const decisions = [0, 1].map((i) => ({ id: `d${i}`, runId: 1, cardNumber: 1, kind: "question" as const, state: "open" as const, askedAt: "", questions: [] }));
      const checkpoints = Array.from({ length: 9 }, (_, i) => ({ id: `c${i}`, tree: "0", at: new Date(next(60) * 1000).toISOString(), why: "turn" })).toSorted((a, b) => a.at.localeCompare(b.at));
      let items: readonly ThreadItem[] = [];
      let before: readonly { key: string }[] = [];
      for (let seq = 1; seq < 60; ) {
        items = next(12) === 0 ? items.slice(next(4)) : items;
        items = [...items, ...Array.from({ length: next(5) }, () => one(seq++))];
        const whole: ThreadParts = parts(items, { decisions, checkpoints, atEnd: next(6) > 0 });
        const folded = new Set(next(4) === 0 ? ["2", "3"] : []);
        const entries = grows.of(whole, folded);
        expect(entries).toEqual(entriesOf(whole, folded));
        kept.push(before.length > 0 && entries[0] === before[0]);
        before = entries;
      }
    }
    expect(kept.filter(Boolean).length).toBeGreaterThan(kept.length / 4);
  });

  it("is searched in what is said, asked for and given back", () => {
    const entries = entriesOf(parts([text(1, "A Needle"), use(2, "a", "Bash", undefined, { command: "grep needle" }), result(3, "a"), use(4, "b"), result(5, "b", "the NEEDLE")]));
    expect(matching(entries, "needle")).toEqual(["1", "2", "4"]);
    expect(matching(entries, "  ")).toEqual([]);
  });

  it("finds a whole text in its raw line", () => {
    const long = "a \"quoted\" line\n".repeat(500);
    expect(wholeText(long.slice(0, 100), long.length, JSON.stringify({ message: { content: [{ text: "x" }, { text: long }] } }))).toBe(long);
    expect(wholeText("one\ntwo", 7, JSON.stringify({ content: [{ text: "one" }, { text: "two" }] }))).toBe("one\ntwo");
    expect(wholeText("abc", 9, "{\"a\":\"abcd\"}")).toBeUndefined();
    expect(wholeText("abc", 3, "{ broken")).toBeUndefined();
  });
});

describe("the piece that is held", () => {
  const many = (from: number, count: number): ThreadItem[] => Array.from({ length: count }, (_, i) => text(from + i));

  it("has every item once and in order", () => {
    let held = appended({ ...NOTHING, atStart: false }, many(10, 5), "end");
    held = appended(held, many(12, 5), "end");
    held = prepended(held, many(5, 6), true);
    expect(held.items.map((item) => item.seq)).toEqual([5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
    expect(held.atStart).toBe(true);
  });

  it("drops the end that is not looked at, and gets it again", () => {
    const following = appended(appended(NOTHING, many(1, ITEMS_MAX), "end"), many(ITEMS_MAX + 1, 10), "end");
    expect(following.items.at(-1)?.seq).toBe(ITEMS_MAX + 10);
    expect(following.items.length).toBeLessThanOrEqual(ITEMS_MAX);
    expect(following.atStart).toBe(false);
    const reading = appended(appended(NOTHING, many(1, ITEMS_MAX), "end"), many(ITEMS_MAX + 1, 10), "start");
    expect(reading.items[0]?.seq).toBe(1);
    expect(reading.atEnd).toBe(false);
    const later = appended(reading, many(ITEMS_MAX + 11, 3), "start");
    expect(later.items).toBe(reading.items);
    expect(later.missed).toBe(reading.missed + 3);
    const last = reading.items.at(-1)!.seq;
    const next = continued(later, many(last + 1, 100), false);
    expect(next.items.at(-1)?.seq).toBe(last + 100);
  });

  it("is bounded by what it weighs too", () => {
    const heavy = Array.from({ length: 400 }, (_, i) => text(i + 1, "x".repeat(64_000)));
    expect(appended(NOTHING, heavy, "end").items.length).toBeLessThan(200);
  });
});

describe("small diffs", () => {
  it("says what an edit changes", () => {
    const diff = editDiff("Edit", { file_path: "/a", old_string: "1\n2\n3\n4\n5\n6\n7\n8\n", new_string: "1\n2\n3\n4\nfive\n6\n7\n8\n" });
    expect(diff?.lines.map((line) => line.sign + line.text)).toEqual([" 3", " 4", "-5", "+five", " 6", " 7"]);
    expect([diff?.added, diff?.deleted]).toEqual([1, 1]);
    expect(editDiff("Write", { file_path: "/a", content: "x\ny\n" })?.added).toBe(2);
    expect(editDiff("MultiEdit", { file_path: "/a", edits: [{ old_string: "a", new_string: "b" }, null, { old_string: "c", new_string: "" }] })).toMatchObject({ added: 1, deleted: 2 });
    for (const wrong of [null, 1, {}, { file_path: 3 }, { file_path: "/a" }, { file_path: "/a", old_string: 1, new_string: "" }]) {
      expect(editDiff("Edit", wrong)).toBeUndefined();
    }
    expect(editDiff("Bash", { file_path: "/a" })).toBeUndefined();
  });

  it("gives both texts back, whatever they are", () => {
    let seed = 7;
    const random = (below: number): number => (seed = (seed * 48271) % 2147483647) % below;
    for (let i = 0; i < 300; i++) {
      const [before, after] = [0, 1].map(() => Array.from({ length: random(12) }, () => "abc"[random(3)]!)) as [string[], string[]];
      const lines = lineDiff(before, after);
      expect(lines.filter((line) => line.sign !== "+").map((line) => line.text)).toEqual(before);
      expect(lines.filter((line) => line.sign !== "-").map((line) => line.text)).toEqual(after);
    }
    const big = (mark: string): string[] => Array.from({ length: 5000 }, (_, i) => `${mark}${i}`);
    expect(lineDiff(big("a"), big("b")).length).toBe(10_000);
  });
});

describe("tools in one line", () => {
  it("says what, how much and how long", () => {
    const grep = use(1, "a", "Grep", undefined, { pattern: "Dialog", path: "/w/src/ui" });
    expect(toolLine(grep, { ...result(1, "a", "x\ny"), at: new Date(1300).toISOString() }, "/w")).toEqual({ name: "Grep", what: "\"Dialog\" in src/ui", meta: ["2 matches", "0.3 s"] });
    expect(toolLine(use(1, "b", "mcp__github__issue", undefined, 7), undefined, "")).toEqual({ name: "github · issue", what: "mcp__github__issue ls".slice("mcp__github__issue ".length), meta: [] });
    expect(toolLine(use(1, "c", "Bash"), { ...result(1, "c"), isError: true }, "").meta).toEqual(["failed"]);
    expect([300, 9_960, 65_000, 120_000, 3_720_000].map(duration)).toEqual(["0.3 s", "10.0 s", "1 min 5 s", "2 min", "1 h 2 min"]);
  });

  it("takes a terminal's orders out of an output", () => {
    expect(plainOutput("\u001b[1;31mred\u001b[0m \u001b]8;;http://x\u0007link\u001b]8;;\u0007")).toBe("red link");
    expect(plainOutput("10%\r50%\r100%\r\ndone\r\n")).toBe("100%\ndone\n");
    expect(plainOutput("\u009b2Ja\u001bc\u001b(Bb")).toBe("ab");
    expect(lastLines("a\nb\nc\n\n", 2)).toEqual({ text: "b\nc", before: 1 });
  });
});

describe("the reply box", () => {
  const run = (state: Run["state"], more: Partial<Run> = {}): Run => ({ state, worktreePath: "/w", ...more }) as Run;

  it("says why nothing can be sent", () => {
    expect(cannotReply(run("running"), { kind: "ready" })).toBeUndefined();
    expect(cannotReply(run("failed"), { kind: "reconnecting" })).toBeUndefined();
    expect(cannotReply(run("discarded", { restorableUntil: "x" }), { kind: "ready" })).toMatch(/Restore it/);
    expect(cannotReply(run("promoted"), { kind: "ready" })).toMatch(/Dispatch the card again/);
    expect(cannotReply(run("stopped", { worktreePath: "" }), { kind: "ready" })).toMatch(/no worktree/);
    expect(cannotReply(run("running"), { kind: "failed" })).toMatch(/Restart/);
  });

  it("goes back through what was sent and keeps the draft", () => {
    const box = typed(sentNow(sentNow(sentNow(EMPTY_BOX, "one"), "two"), "one"), "draft");
    expect(box.sent).toEqual(["two", "one"]);
    expect([recalled(box, 1), recalled(recalled(box, 1), 1), recalled(recalled(recalled(box, 1), 1), 1)].map(textIn)).toEqual(["one", "two", "two"]);
    expect(textIn(recalled(recalled(box, 1), -1))).toBe("draft");
    expect(typed(recalled(box, 1), "one more")).toMatchObject({ draft: "one more", at: 0 });
  });
});

describe("rows near the view", () => {
  const keys = ["a", "b", "c", "d"];
  const offsetsOf = (rows: readonly string[], heights: ReadonlyMap<string, number>): number[] => {
    const offsets: number[] = [];
    setOffsets(offsets, 0, rows, heights, () => 20);
    return offsets;
  };
  const offsets = offsetsOf(keys, new Map([["b", 100]]));

  it("knows where each begins", () => {
    expect(offsets).toEqual([0, 20, 120, 140, 160]);
    expect([-5, 0, 19, 20, 119, 120, 500].map((top) => rowAt(offsets, top))).toEqual([0, 0, 0, 1, 1, 2, 3]);
    expect(rowAt(offsetsOf([], new Map()), 0)).toBe(-1);
    expect(rangeOf(offsets, 30, 10, 0)).toEqual({ from: 1, to: 2 });
    expect(rangeOf(offsets, 30, 10, 1000)).toEqual({ from: 0, to: 4 });
    expect(anchorAt(keys, offsets, 50)).toEqual({ key: "b", offset: -30 });
  });

  it("reckons only from the first row that is another", () => {
    const heights = new Map([["b", 100], ["e", 7]]);
    for (const next of [["a", "b", "c", "d", "e", "f"], ["a", "b", "x", "d"], ["b", "c", "d"], ["a", "b"], []]) {
      const again = [...offsets];
      setOffsets(again, sameRows(keys, next), next, heights, () => 20);
      expect(again).toEqual(offsetsOf(next, heights));
    }
    expect([sameRows(keys, ["a", "b", "x"]), sameRows(keys, ["b"]), sameRows(keys, keys)]).toEqual([2, 0, 4]);
    const asked: number[] = [];
    setOffsets([...offsets], 4, [...keys, "e"], new Map(), (index) => asked.push(index));
    expect(asked).toEqual([4]);
  });
});
