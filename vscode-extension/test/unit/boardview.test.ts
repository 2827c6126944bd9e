import { describe, expect, it } from "vitest";
import { cornerOf, costOf, nameOf, notesOf, toolLine, took } from "../../src/shared/cardwords";
import { byColumn, byState, counts, matches, newsOf, openByRun, parseFilter, partsOf, sorted, viewOf, type CardView } from "../../src/shared/boardview";
import type { Card, Decision, Run, RunState } from "../../src/shared/protocol";

export const card = (id: number, more: Partial<Card> = {}): Card => ({
  id, number: id, source: { kind: "local" }, title: `Card ${id}`, body: "", column: "todo", position: id, labels: [], dot: "none", costMicroUsd: 0, runIds: [], ...more,
});

export const run = (id: number, state: RunState, more: Partial<Run> = {}): Run => ({
  id, cardId: id, cardNumber: id, state, agent: "claude", permissionMode: "ask", branch: "b", worktreePath: "/w", baseRef: "main", baseCommit: "0", launch: 1, costMicroUsd: 0, costIsEstimate: false,
  budget: {}, turns: 0, dirty: false, leftRunning: 0, ...more,
});

export const question = (id: string, runId: number, askedAt = "2026-01-01T00:00:00Z"): Decision => ({
  id, runId, cardNumber: runId, kind: "question", state: "open", askedAt, questions: [{ id: "q", text: "Which one?", options: [], multiSelect: false }],
});

const view = (id: number, state?: RunState, more: Partial<Card> = {}, decision?: Decision): CardView => ({
  card: card(id, more), run: state === undefined ? undefined : run(id, state), decision, conflicts: [],
});

describe("the filter", () => {
  const holds = (text: string, of: CardView): boolean => matches(parseFilter(text), of);
  const toast = view(88, "awaitingDecision", { title: "Add toast component", body: "in the corner", labels: ["ui", "good first"], column: "inProgress" }, question("d", 88));

  it.each([
    ["", true], ["   ", true], ["toast", true], ["TOAST component", true], ["component toast", true], ["corner", true], ["bread", false], ["\"toast comp\"", true], ["\"comp toast\"", false],
    ["#88", true], ["#8", false], ["#880", false], ["88", true], ["-#88", false], ["-#87", true],
    ["label:ui", true], ["label:u", false], ["label:UI", true], ["label:\"good first\"", true], ["label:good-first", true], ["label:docs,ui", true], ["label:docs", false], ["-label:docs", true], ["label:ui label:docs", false],
    ["state:waiting", true], ["state:awaitingDecision", true], ["state:\"waiting for you\"", true], ["state:running", false], ["state:running,waiting", true], ["-state:waiting", false], ["waiting", true],
    ["column:inProgress", true], ["column:\"in progress\"", true], ["column:in-pro", true], ["column:done", false], ["agent:claude", true], ["agent:other", false],
    ["label:", true], ["state:", true], ["#", true], ["-", false], ["toast label:", true], ["\"", true], ["toast -bread state:wait", true],
  ])("%s", (text, expected) => expect(holds(text, toast)).toBe(expected));

  it("takes the state of a run by its wire name, its word and the word without its in", () => {
    for (const text of ["state:inReview", "state:in-review", "state:\"in review\"", "state:review"]) {
      expect(holds(text, view(1, "inReview"))).toBe(true);
    }
    expect(holds("state:review", view(1, "running"))).toBe(false);
    expect(holds("state:idle", view(1))).toBe(true);
  });
});

describe("the order", () => {
  const ids = (views: readonly CardView[]): number[] => views.map((of) => of.card.id);
  const waits = (id: number, askedAt: string): CardView => view(id, "awaitingDecision", {}, question(`d${id}`, id, askedAt));

  it("has waiting cards first, the one that waits longest before all", () => {
    const views = [view(1), waits(2, "2026-01-02T00:00:00Z"), view(3), waits(4, "2026-01-01T00:00:00Z")];
    for (const sort of ["board", "newest", "cost", "waiting"] as const) {
      expect(ids(sorted(views, sort, "todo")).slice(0, 2)).toEqual([4, 2]);
    }
  });

  it("is by position, the latest first in Done, by number, by cost", () => {
    const views = [view(1, undefined, { position: 3, costMicroUsd: 5 }), view(2, undefined, { position: 1, costMicroUsd: 9 }), view(3, undefined, { position: 2 })];
    expect(ids(sorted(views, "board", "todo"))).toEqual([2, 3, 1]);
    expect(ids(sorted(views, "board", "done"))).toEqual([1, 3, 2]);
    expect(ids(sorted(views, "newest", "done"))).toEqual([3, 2, 1]);
    expect(ids(sorted(views, "cost", "todo"))).toEqual([2, 1, 3]);
  });

  it("puts each card into one group, by column or by state", () => {
    const states: readonly RunState[] = ["queued", "preparing", "running", "awaitingDecision", "inReview", "finished", "failed", "stopped", "interrupted", "discarded", "promoted"];
    const columns = ["backlog", "todo", "inProgress", "review", "done"] as const;
    const views = columns.flatMap((column, at) => [view(at * 100, undefined, { column }), ...states.map((state, index) => view(at * 100 + index + 1, state, { column }))]);
    for (const groups of [byColumn(views, "board"), byState(views, "board")]) {
      expect(groups.flatMap((group) => ids(group.views)).sort((a, b) => a - b)).toEqual(ids(views));
    }
    expect(byState(views, "board")[0]?.title).toBe("Waiting for you");
    expect(byState([], "board")).toEqual([]);
  });
});

describe("views", () => {
  it("take the active run, else the newest that is known, and its oldest open question", () => {
    const parts = partsOf({ cards: [], runs: [run(5, "running"), run(7, "failed")], decisions: [question("b", 7, "2026-01-02T00:00:00Z"), question("a", 7), { ...question("z", 7, "2025-01-01T00:00:00Z"), state: "answered" }] });
    const open = openByRun(parts.decisions.values());
    expect(viewOf(card(1, { runIds: [5, 7, 9] }), parts, open)).toMatchObject({ run: { id: 7 }, decision: { id: "a" } });
    expect(viewOf(card(1, { runIds: [5, 7], activeRunId: 5 }), parts, open).run?.id).toBe(5);
    expect(viewOf(card(1, { runIds: [9] }), parts, open).run).toBeUndefined();
  });

  it("say with whom a run would conflict", () => {
    const parts = partsOf({ cards: [], runs: [run(8, "running", { cardNumber: 88 }), run(1, "inReview", { conflicts: [{ runId: 8, paths: ["package.json"] }, { target: "main", paths: ["a", "b", "c", "d"] }, { paths: [] }] })], decisions: [] });
    expect(viewOf(card(1, { runIds: [1] }), parts, new Map()).conflicts).toEqual(["would conflict with #88 in package.json", "would conflict with main in a, b and 2 more", "would conflict with another run"]);
  });

  it("are counted and spoken of", () => {
    const asks = view(1, "awaitingDecision", {}, question("d", 1));
    expect(counts([asks, view(2, "running"), view(3, "preparing"), view(4, "queued"), view(5, "inReview"), view(6)])).toEqual({ waiting: 1, running: 2, queued: 1 });
    expect(newsOf(view(1, "running"), asks)).toBe("#1 asks: Which one?");
    expect(newsOf(asks, asks)).toBeUndefined();
    expect(newsOf(view(1, "running"), view(1, "inReview"))).toBe("#1 in review");
    expect(newsOf(view(1, "running"), { ...view(1), run: run(1, "failed", { reason: { kind: "x", message: "No more money." } }) })).toBe("#1 failed: No more money.");
    expect(newsOf(view(1, "running"), { ...view(1), run: run(1, "running", { currentTool: "Bash ls" }) })).toBeUndefined();
  });
});

describe("the words on a card", () => {
  const with_ = (state: RunState, more: Partial<Run>, ofCard: Partial<Card> = {}): CardView => ({ card: card(1, ofCard), run: run(1, state, more), decision: undefined, conflicts: [] });

  it("name number, title, state, what is asked and the cost", () => {
    const of = { ...with_("awaitingDecision", { costMicroUsd: 710_000, diffStat: { files: 1, insertions: 2, deletions: 3 } }, { labels: ["ui"] }), decision: question("d", 1) };
    expect(nameOf(of, true)).toBe("#1 Card 1, waiting for you, Which one?, $0.71, 1 file changed, labels ui, selected");
    expect(nameOf(view(2), false)).toBe("#2 Card 2, Todo");
  });

  it("show the budget from four fifths on", () => {
    expect(costOf(with_("running", { costMicroUsd: 3_990_000, budget: { microUsd: 5_000_000 } }))).toMatchObject({ text: "$3.99", hot: false });
    expect(costOf(with_("running", { costMicroUsd: 4_150_000, budget: { microUsd: 5_000_000 } }))).toMatchObject({ text: "$4.15 of $5", hot: true, part: 0.83 });
    expect(costOf(with_("running", { costMicroUsd: 9_000_000, budget: { microUsd: 5_000_000 } }))?.part).toBe(1);
    expect(costOf(with_("running", {}))).toBeUndefined();
  });

  it("say since when, how long, and why, once each", () => {
    expect(cornerOf(with_("promoted", { promotion: { branch: "main", commit: "c", at: "" } }))).toEqual({ word: "promoted to main" });
    expect(cornerOf(with_("running", { startedAt: "2026-01-01T00:00:00Z" }))).toEqual({ word: "running", since: "2026-01-01T00:00:00Z" });
    expect(took(with_("inReview", { startedAt: "2026-01-01T00:00:00Z", endedAt: "2026-01-01T00:01:30Z" }))).toBe("1 min");
    expect(took(with_("running", { startedAt: "2026-01-01T00:00:00Z", endedAt: "2026-01-01T00:01:30Z" }))).toBeUndefined();
    const same = { kind: "x", message: "Once." };
    expect(notesOf(with_("failed", { reason: same, notices: [same], stall: { kind: "s", since: "", message: "Silent." } }))).toEqual([{ tone: "error", text: "Once." }, { tone: "warning", text: "Silent." }]);
    expect(notesOf(with_("queued", {}))).toEqual([{ tone: "info", text: "starts when a slot is free" }]);
  });

  it("tell what a tool would do", () => {
    expect(toolLine("Bash", { command: "ls", description: "x" })).toBe("ls");
    expect(toolLine("Odd", { any: 1 })).toBe("{\"any\":1}");
    expect(toolLine("None", {})).toBe("None");
    expect(toolLine("None", undefined)).toBe("None");
  });
});
