import { describe, expect, test } from "vitest";
import { type Action, ACTION_WORDS, allows, menuOf, nextSteps } from "../../src/shared/actions";
import { applyChange } from "../../src/shared/board";
import type { BoardDidChangeParams, BoardSnapshot, Card, Decision, Run, RunState } from "../../src/shared/protocol";
import { bytes, elapsed, money, plain, PLAIN_MAX } from "../../src/shared/words";

const card = (facts: Partial<Card> = {}): Card => ({ id: 1, number: 88, source: { kind: "local" }, title: "Add toast", body: "", column: "todo", position: 0, labels: [], dot: "none", costMicroUsd: 0, runIds: [], ...facts });
const run = (state: RunState, facts: Partial<Run> = {}): Run => ({
  id: 7, cardId: 1, cardNumber: 88, state, agent: "claude", permissionMode: "bypassPermissions", branch: "kanbots/issue-88-7", worktreePath: "/r/.kanbots/worktrees/issue-88-7", baseRef: "main", baseCommit: "a", launch: 1,
  costMicroUsd: 0, costIsEstimate: false, budget: {}, turns: 0, dirty: false, leftRunning: 0, ...facts,
});
const board = (facts: Partial<BoardSnapshot> = {}): BoardSnapshot => ({ epoch: "e", revision: 5, columns: ["todo"], cards: [card()], runs: [], decisions: [], spend: { todayMicroUsd: 0, totalMicroUsd: 0 }, ...facts });
const change = (facts: Partial<BoardDidChangeParams> = {}): BoardDidChangeParams => ({ epoch: "e", revision: 6, previousRevision: 5, cards: [], runs: [], decisions: [], removed: { cardIds: [], runIds: [], decisionIds: [] }, ...facts });

describe("text of others on a surface that renders links or icons", () => {
  test.each([
    ["[run](command:workbench.action.terminal.new)", /\]\(|command:/],
    ["[run] (command:x)", /\]\(|command:/],
    ["$(gear) $(sync~spin)", /\$\(/],
    ["a\u202egnp.exe", /\u202e/],
    ["zero\u200bwidth", /\u200b/],
    ["line\nbreak\r\nand\ttab\u0000", /[\n\r\t\u0000]/],
    ["tags \u{e0041}\u{e0042}", /[\u{e0000}-\u{e007f}]/u],
    ["vscode://x vscode-insiders://y javascript:alert(1)", /vscode:|vscode-insiders:|javascript:/],
  ])("%j can run nothing", (text, never) => expect(plain(text)).not.toMatch(never));

  test("plain words stay as they are", () => expect(plain("Use Radix (small) or [scratch]? Costs $5, file a.ts: 3")).toBe("Use Radix (small) or [scratch]? Costs $5, file a.ts: 3"));

  test("a long text is cut, by characters and not through one", () => {
    expect([...plain("👩".repeat(1_000))]).toHaveLength(PLAIN_MAX);
    expect(plain("👩".repeat(1_000))).toMatch(/^👩+…$/u);
    expect(plain("x".repeat(100_000)).length).toBe(PLAIN_MAX);
  });
});

test("money and time read as people write them", () => {
  expect([0, 4_200, 710_000, 5_000_000, 4_150_000, 50_000_000].map(money)).toEqual(["$0", "$0.0042", "$0.71", "$5", "$4.15", "$50"]);
  expect([-5, 40_000, 480_000, 3_600_000, 12_000_000, 90_000_000, 172_800_000].map(elapsed)).toEqual(["0 s", "40 s", "8 min", "1 h", "3 h 20 min", "1 d 1 h", "2 d"]);
  expect([0, 999, 1_000, 1_550_000, 250_000_000].map(bytes)).toEqual(["0 B", "999 B", "1.0 KB", "1.6 MB", "250 MB"]);
});

describe("a change of the board", () => {
  test("is laid over by id and leaves the board before it alone", () => {
    const before = board({ cards: [card(), card({ id: 2, number: 89 })] });
    const after = applyChange(before, change({ cards: [card({ title: "changed" }), card({ id: 3, number: 90 })], removed: { cardIds: [2], runIds: [], decisionIds: [] } }));
    expect(after).toMatchObject({ kind: "board", board: { revision: 6, cards: [{ id: 1, title: "changed" }, { id: 3 }] } });
    expect(before.cards.map(({ title }) => title)).toEqual(["Add toast", "Add toast"]);
    expect(after.kind === "board" && after.board.runs).toBe(before.runs);
  });

  test("that is old is dropped; a gap and another epoch ask for the whole", () => {
    expect(applyChange(board(), change({ revision: 5, previousRevision: 4 })).kind).toBe("old");
    expect(applyChange(board(), change({ revision: 9, previousRevision: 8 })).kind).toBe("gap");
    expect(applyChange(board(), change({ epoch: "f" })).kind).toBe("gap");
    // One that begins before what is held, and goes on after it, brings all that is missing.
    expect(applyChange(board(), change({ revision: 7, previousRevision: 4 })).kind).toBe("board");
  });
});

describe("what a card offers", () => {
  const decision: Decision = { id: "d", runId: 7, cardNumber: 88, kind: "question", state: "open", askedAt: "2026-11-30T00:00:00Z", questions: [] };
  test.each<[RunState | undefined, Partial<Run>, readonly Action[]]>([
    [undefined, {}, ["dispatch"]],
    ["queued", {}, []],
    ["running", {}, []],
    ["inReview", {}, ["review", "promote"]],
    ["finished", {}, []],
    ["failed", { sessionId: "s" }, ["resume", "showThread", "discard"]],
    ["failed", {}, ["retry", "showThread"]],
    ["interrupted", { sessionId: "s", dirty: true }, ["resume", "review", "discard"]],
    ["stopped", { sessionId: "s" }, ["resume", "review", "discard"]],
    ["discarded", { restorableUntil: "2026-12-30T00:00:00Z" }, ["restore"]],
    ["discarded", {}, []],
    ["promoted", {}, []],
  ])("%s %o: %j", (state, facts, steps) => expect(nextSteps(card(), state === undefined ? undefined : run(state, facts), undefined)).toEqual(steps));

  test("a question has its options and no other button", () => expect(nextSteps(card(), run("awaitingDecision"), decision)).toEqual([]));

  test("the menu repeats no button, and offers nothing that does not make sense", () => {
    for (const state of ["queued", "preparing", "running", "awaitingDecision", "inReview", "finished", "failed", "stopped", "interrupted", "discarded", "promoted"] as const) {
      const its = run(state);
      const menu = menuOf(card(), its, undefined);
      expect(new Set([...menu, ...nextSteps(card(), its, undefined)]).size).toBe(menu.length + nextSteps(card(), its, undefined).length);
      expect(menu.every((action) => allows(action, card(), its, undefined) && action in ACTION_WORDS)).toBe(true);
      expect(menu.includes("stop")).toBe(["queued", "preparing", "running", "awaitingDecision"].includes(state));
      expect(menu.includes("deleteCard")).toBe(!menu.includes("stop"));
    }
  });
});
