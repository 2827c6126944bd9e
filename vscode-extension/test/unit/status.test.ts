import { describe, expect, it } from "vitest";
import { givenOf, toSend } from "../../src/settings/given";
import type { BoardSnapshot, CostGetResult, Decision, Run } from "../../src/shared/protocol";
import { barSpoken, barText, spendOf, summaryOf } from "../../src/status/summary";
import { readDoctor } from "../../src/walkthrough/doctor";
import { HOSTILE, notPlain } from "../hostile";

const board = (states: readonly string[], open: number, todayMicroUsd: number): BoardSnapshot => ({
  epoch: "e", revision: 1, columns: [], cards: [],
  runs: states.map((state, id) => ({ id, state }) as Run),
  decisions: Array.from({ length: open }, (_, id) => ({ id: String(id), state: "open", askedAt: "" }) as Decision),
  spend: { todayMicroUsd, totalMicroUsd: 0 },
});

describe("the status bar", () => {
  it("adds up the boards of the window", () => {
    const summary = summaryOf([board(["running", "preparing", "queued", "inReview"], 0, 1_500_000), board(["awaitingDecision"], 1, 340_000)]);
    expect(barText(summary)).toBe("$(bell-dot) 2 running · 1 waiting · 1 queued · $1.84 today");
    expect(barSpoken(summary)).toBe("KanBots: 2 agents running, 1 waiting for you, 1 queued, $1.84 today");
    expect(barText(summaryOf([board([], 0, 0)]))).toBe("$(project) 0 running · $0.00 today");
  });

  it("does not take an unknown price for nothing, and shows hostile names as text", () => {
    const result = (name: string): CostGetResult => ({
      total: { turns: 3, unpricedTurns: 1, microUsd: 20_000, isEstimate: true },
      days: [{ day: "2026-11-30", cost: { turns: 1, microUsd: 20_000 } }],
      models: [{ model: name, runs: 1, inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 }],
      cards: [{ cardId: 1, cardNumber: 1, title: name, cost: { turns: 1 } }],
      runs: [],
      cut: { days: 0, models: 2, cards: 0, runs: 0 },
    });
    const groups = spendOf(result("model-a"));
    expect(groups.map(({ title, rows }) => [title, ...rows.map(({ label, description }) => `${label}: ${description}`)])).toEqual([
      ["In all", "about $0.02: 3 turns, 1 of them without a price"],
      ["By day (UTC)", "2026-11-30: $0.02"],
      ["By model", "model-a: no price known, 1 run", "and 2 more: "],
      ["By card", "#1 model-a: no price known"],
    ]);
    for (const text of HOSTILE) {
      for (const surface of spendOf(result(text)).flatMap(({ rows }) => rows).flatMap(({ label, description }) => [label, description])) {
        expect(notPlain(surface)).toBeUndefined();
      }
    }
  });
});

describe("what doctor says", () => {
  it("is read by the word at the beginning of a line", () => {
    expect(readDoctor("ok       git 2.43.0\nproblem  a run has left 2 processes running\nwould    end them\nproblem  Claude Code is not signed in. Run `claude` once.\n1 can be fixed: kanbots-sidecar doctor --fix does it.\n2 to look at.\n")).toEqual([
      { kind: "ok", text: "git 2.43.0" },
      { kind: "problem", text: "a run has left 2 processes running", fix: "end them" },
      { kind: "problem", text: "Claude Code is not signed in. Run `claude` once." },
    ]);
  });

  it("is text only", () => {
    for (const text of HOSTILE) {
      for (const finding of readDoctor(`problem  ${text}\nwould    ${text}`)) {
        expect(notPlain(finding.text)).toBeUndefined();
        expect(notPlain(finding.fix ?? "")).toBeUndefined();
      }
    }
  });
});

describe("which settings are sent", () => {
  it("are those set by a person, the narrowest place first", () => {
    expect(givenOf({ globalValue: 1, workspaceValue: 2 })).toBe(2);
    expect(givenOf({ globalValue: 1, workspaceValue: 2, workspaceFolderValue: 3 })).toBe(3);
    expect(givenOf({ globalValue: false })).toBe(false);
    expect(givenOf({})).toBeUndefined();
    expect(givenOf(undefined)).toBeUndefined();
  });

  it("are those that differ; what is set here no more has its default again; what never was is left alone", () => {
    const has = { "runs.maxParallel": 4, "worktree.include": [".env"], "worktree.root": "trees" };
    expect(toSend({ "runs.maxParallel": 8, "worktree.include": [".env"] }, {}, has)).toEqual({ "runs.maxParallel": 8 });
    expect(toSend({}, { "runs.maxParallel": 8 }, has)).toEqual({ "runs.maxParallel": null });
    expect(toSend({}, {}, has)).toEqual({});
  });
});
