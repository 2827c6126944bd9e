import { describe, expect, it } from "vitest";
import { agentRow, baseRows, budgetText, choiceWords, paramsOf, readBudget, readChoice, saidOf } from "../../src/dispatch/choice";
import type { Run } from "../../src/shared/protocol";
import { HOSTILE, notPlain } from "../hostile";

const run = (cardNumber: number, more: Partial<Run> = {}): Run => ({
  id: cardNumber, cardId: cardNumber, cardNumber, state: "preparing", agent: "claude", permissionMode: "ask", branch: "b", worktreePath: "", baseRef: "", baseCommit: "", launch: 0, costMicroUsd: 0, costIsEstimate: false, budget: {}, turns: 0, dirty: false, leftRunning: 0, ...more,
});

describe("what a run is dispatched with", () => {
  it("reads dollars as people write them, exactly", () => {
    for (const [text, microUsd] of [["5", 5_000_000], ["$2.50", 2_500_000], ["0,75", 750_000], [" 12 $ ", 12_000_000], ["0.000001", 1], ["19.99", 19_990_000], ["1.1", 1_100_000]] as const) {
      expect(readBudget(text), text).toEqual({ kind: "budget", microUsd });
      expect(readBudget(budgetText(microUsd)), text).toEqual({ kind: "budget", microUsd });
    }
    expect(readBudget("  ")).toEqual({ kind: "default" });
    for (const text of ["0", "-1", "five", "1.2.3", "1e9", "0.0000001", "1,000.50"]) {
      expect(readBudget(text).kind, text).toBe("wrong");
    }
  });

  it("reads of what was remembered only what it understands", () => {
    expect(readChoice({ agent: "claude", model: "opus", permissionMode: "plan", baseRef: "main", budgetMicroUsd: 5, colour: "red" })).toEqual({ agent: "claude", model: "opus", permissionMode: "plan", baseRef: "main", budgetMicroUsd: 5 });
    expect(readChoice({ agent: 5, permissionMode: "yolo", baseRef: "", budgetMicroUsd: -1 })).toEqual({});
    expect(readChoice(undefined)).toBeUndefined();
    expect(readChoice("x")).toBeUndefined();
  });

  it("sends what was chosen and nothing else", () => {
    expect(JSON.parse(JSON.stringify(paramsOf(3, {}, " ")))).toEqual({ cardId: 3 });
    expect(JSON.parse(JSON.stringify(paramsOf(3, { agent: "claude", permissionMode: "ask", budgetMicroUsd: 1 }, " Be brief. ")))).toEqual({ cardId: 3, agent: "claude", permissionMode: "ask", budget: { microUsd: 1 }, prompt: "Be brief." });
    expect(choiceWords({ agent: "claude", permissionMode: "plan", baseRef: "develop", budgetMicroUsd: 2_500_000 })).toBe("claude, default model, plan first, from develop, $2.50");
  });

  it("offers the branches of people, the current one first", () => {
    expect(baseRows(["zeta", "origin/main", "origin/HEAD", "main", "feature/x", "kanbots/issue-3-7", "origin/kanbots/issue-3-7", "main"], "feature/x")).toEqual(["feature/x", "main", "zeta", "origin/main"]);
  });

  it("says what is missing of an agent", () => {
    expect(agentRow({ id: "claude", name: "Claude Code", status: "notSignedIn", models: [], version: "2.1", statusMessage: "Run `claude` once." })).toEqual({ label: "Claude Code", description: "2.1 · not signed in", detail: "Run `claude` once.", isReady: false });
    for (const text of HOSTILE) {
      const row = agentRow({ id: text, name: text, status: "broken", models: [text], version: text, statusMessage: text, path: text });
      for (const surface of [row.label, row.description, row.detail ?? "", choiceWords({ agent: text, model: text, baseRef: text }), saidOf([run(1, { state: "queued", reason: { kind: "x", message: text } })], 0)]) {
        expect(notPlain(surface), JSON.stringify(surface)).toBeUndefined();
      }
    }
  });

  it("says in one line what became of it", () => {
    expect(saidOf([run(88)], 0)).toBe("#88 is dispatched");
    expect(saidOf([run(88, { state: "queued", reason: { kind: "limit", message: "4 of 4 runs work." } })], 0)).toBe("#88 is queued: 4 of 4 runs work.");
    expect(saidOf([run(1), run(2, { state: "queued" }), run(3)], 1)).toBe("3 cards dispatched, 1 of them queued until a slot is free, 1 refused");
  });
});
