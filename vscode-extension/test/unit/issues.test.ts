import { describe, expect, it } from "vitest";
import { cardFor, cardOfIssue, readIssue } from "../../src/issues/forge";
import { groupsOf } from "../../src/issues/rows";
import type { BoardSnapshot, Card, Decision, Run } from "../../src/shared/protocol";
import { HOSTILE, notPlain } from "../hostile";

const card = (number: number, more: Partial<Card> = {}): Card => ({ id: number, number, source: { kind: "local" }, title: `Card ${number}`, body: "", column: "todo", position: number, labels: [], dot: "none", costMicroUsd: 0, runIds: [], ...more });
const run = (id: number, cardId: number, more: Partial<Run> = {}): Run => ({
  id, cardId, cardNumber: cardId, state: "running", agent: "claude", permissionMode: "bypassPermissions", branch: `kanbots/issue-${cardId}-${id}`, worktreePath: `/tmp/${id}`, baseRef: "main", baseCommit: "0", launch: 1,
  costMicroUsd: 0, costIsEstimate: false, budget: {}, turns: 0, dirty: false, leftRunning: 0, ...more,
});
const board = (cards: readonly Card[], runs: readonly Run[] = [], decisions: readonly Decision[] = []): BoardSnapshot => ({ epoch: "e", revision: 1, columns: ["backlog", "todo", "inProgress", "review", "done"], cards, runs, decisions, spend: { todayMicroUsd: 0, totalMicroUsd: 0 } });
const ask = (runId: number, askedAt: string): Decision => ({ id: `d${runId}`, runId, cardNumber: runId, kind: "question", state: "open", askedAt, questions: [{ id: "q", text: "Radix?", options: [], multiSelect: false }] });

describe("the Issues view", () => {
  it("has what waits first, then the columns in the board's order, without empty ones", () => {
    const groups = groupsOf(
      board(
        [card(1, { column: "done" }), card(2, { position: 9 }), card(3, { position: 4 }), card(4, { column: "inProgress", runIds: [40], activeRunId: 40 }), card(5, { column: "inProgress", runIds: [50], activeRunId: 50 }), card(6, { archived: true })],
        [run(40, 4, { state: "awaitingDecision" }), run(50, 5, { state: "awaitingDecision" })],
        [ask(40, "2026-11-30T10:00:00Z"), ask(50, "2026-11-30T09:00:00Z")],
      ),
    );
    expect(groups.map(({ label, cards }) => [label, cards.map(({ cardId }) => cardId)])).toEqual([["Waiting for you", [5, 4]], ["Todo", [3, 2]], ["Done", [1]]]);
    expect(groups[0]?.cards[0]).toMatchObject({ icon: { id: "question", color: "charts.yellow" }, description: "waiting for you", spoken: "#5 Card 5, waiting for you, Radix?" });
  });

  it("says state, tool and cost, and what is allowed", () => {
    const [group] = groupsOf(board([card(1, { dot: "running", costMicroUsd: 710_000, runIds: [10], activeRunId: 10 })], [run(10, 1, { currentTool: "Bash npm test", costMicroUsd: 710_000 })]));
    const row = group?.cards[0];
    expect(row?.description).toBe("running · Bash npm test · $0.71");
    const words = row?.contextValue.split(" ") ?? [];
    expect(words).toEqual(expect.arrayContaining(["card", "canStop", "canShowThread", "nextStop"]));
    expect(words).not.toContain("canDispatch");
    // The menus match whole words.
    expect("canDispatchWith".match(/\bcanDispatch\b/)).toBeNull();
    expect(groupsOf(board([card(2, { column: "backlog" })]))[0]?.cards[0]?.contextValue.split(" ")).toEqual(expect.arrayContaining(["canDispatch", "nextDispatch", "canDeleteCard"]));
  });

  it("shows hostile text as text", () => {
    for (const text of HOSTILE) {
      const rows = groupsOf(
        board(
          [card(1, { title: text, body: text, labels: [text] }), card(2, { title: text, labels: [text], dot: "running", runIds: [20] })],
          [run(20, 2, { currentTool: text, branch: text, reason: { kind: "x", message: text } })],
          [{ ...ask(20, "2026-11-30T09:00:00Z"), questions: [{ id: "q", text, options: [], multiSelect: false }] }],
        ),
      ).flatMap(({ cards }) => cards);
      for (const row of rows) {
        for (const surface of [row.label, row.description, row.tooltip, row.spoken]) {
          expect(notPlain(surface), JSON.stringify(surface.slice(0, 200))).toBeUndefined();
        }
        expect(row.contextValue).toMatch(/^[a-zA-Z ]+$/);
      }
    }
  });
});

describe("an issue of the GitHub extension", () => {
  // As its IssueItem: an IssueModel with getters, of which more is there than is used.
  class IssueModel {
    constructor(private readonly item: { number: number; title: string; body: string }) {}
    get number() {
      return this.item.number;
    }
    get title() {
      return this.item.title;
    }
    get html_url() {
      return `https://github.com/acme/web/issues/${this.item.number}`;
    }
    get body() {
      return this.item.body;
    }
    get githubRepository(): never {
      throw new Error("not ready");
    }
  }

  it("is read defensively", () => {
    expect(readIssue(new IssueModel({ number: 12, title: " Fix the login ", body: "Steps" }))).toEqual({ number: 12, title: "Fix the login", url: "https://github.com/acme/web/issues/12", body: "Steps", folder: undefined });
    for (const element of [undefined, null, 5, "issue", {}, { number: "12", title: "x" }, { number: 0, title: "x" }, { number: 3, title: "  " }, { number: 1.5, title: "x" }]) {
      expect(readIssue(element)).toBeUndefined();
    }
    expect(readIssue({ number: 1, title: "x", html_url: "javascript:alert(1)", body: 5 })).toMatchObject({ url: undefined, body: "" });
    expect(readIssue({ number: 1, title: "x", body: "y".repeat(200_000) })?.body.length).toBe(60_000);
  });

  it("becomes a card with its number where that is free, and is found again", () => {
    const issue = { number: 12, title: "Fix the login", url: "https://github.com/acme/web/issues/12", body: "Steps" };
    const made = cardFor(board([card(1)]), issue);
    expect(made).toMatchObject({ number: 12, title: "Fix the login", body: "Issue: https://github.com/acme/web/issues/12\n\nSteps" });
    expect(cardFor(board([card(12, { title: "Another" })]), issue).number).toBeUndefined();
    expect(cardOfIssue(board([card(1), card(40, { title: "Renamed", body: made.body ?? "" })]), issue)?.number).toBe(40);
    expect(cardOfIssue(board([card(12, { title: "Fix the login" })]), issue)?.number).toBe(12);
    // Issue 1 is not issue 12, although its address begins alike.
    expect(cardOfIssue(board([card(40, { body: made.body ?? "" })]), { ...issue, number: 1, title: "x", url: "https://github.com/acme/web/issues/1" })).toBeUndefined();
  });
});
