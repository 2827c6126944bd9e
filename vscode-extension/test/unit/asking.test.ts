import { describe, expect, it } from "vitest";
import { choicesOf, optionsOf, rowOf, textOf, toastOf } from "../../src/decisions/asking";
import { planOf } from "../../src/decisions/queue";
import type { Decision, Question } from "../../src/shared/protocol";
import { HOSTILE, notPlain } from "../hostile";

const question = (options: readonly string[], more: Partial<Question> = {}): Question => ({ id: "q1", text: "Use Radix or build from scratch?", options: options.map((label) => ({ label })), multiSelect: false, ...more });
const decision = (more: Partial<Decision> = {}): Decision => ({ id: "d1", runId: 7, cardNumber: 88, kind: "question", state: "open", askedAt: "2026-11-30T09:00:00Z", questions: [question(["Radix", "From scratch"])], ...more });
const labels = (asked: Decision, raise?: number) => toastOf(asked, undefined, 0, raise).buttons.map(({ label }) => label);

describe("the notification of a decision", () => {
  it("has the options of one question as its buttons", () => {
    const toast = toastOf(decision(), undefined, 0, undefined);
    expect(toast.message).toBe("#88 Use Radix or build from scratch?");
    expect(toast.buttons.map(({ label }) => label)).toEqual(["Radix", "From scratch", "Other…", "Show"]);
    expect(toast.buttons[1]?.does).toEqual({ kind: "answer", answer: { answers: [{ questionId: "q1", values: ["From scratch"] }] } });
  });

  it("asks on where buttons do not fit", () => {
    expect(labels(decision({ questions: [question(["a", "b", "c", "d"])] }))).toEqual(["Answer…", "Show"]);
    expect(labels(decision({ questions: [question(["a", "b"], { multiSelect: true })] }))).toEqual(["Answer…", "Show"]);
    expect(labels(decision({ questions: [question(["a"]), question(["b"], { id: "q2" })] }))).toEqual(["Answer…", "Show"]);
    expect(labels(decision({ questions: [question([])] }))).toEqual(["Answer…", "Show"]);
    // Cut to a button's length, these two would be one.
    expect(labels(decision({ questions: [question([`${"the same beginning ".repeat(5)}one`, `${"the same beginning ".repeat(5)}two`])] }))).toEqual(["Answer…", "Show"]);
    expect(labels(decision({ questions: [question(["a\u200b", "a"])] }))).toEqual(["Answer…", "Show"]);
  });

  it("answers with the option as the agent wrote it, whatever is shown of it", () => {
    const [hostile] = optionsOf(question(["$(gear) [x](command:y)"]));
    expect(notPlain(hostile?.label ?? "")).toBeUndefined();
    expect(hostile?.does).toEqual({ kind: "answer", answer: { answers: [{ questionId: "q1", values: ["$(gear) [x](command:y)"] }] } });
  });

  it("names the kinds by what can be said to them", () => {
    expect(labels(decision({ kind: "permission", questions: [], tool: { name: "Bash", input: { command: "npm test" } } }))).toEqual(["Allow once", "Allow for this card", "Deny…", "Show"]);
    expect(toastOf(decision({ kind: "permission", questions: [], tool: { name: "Bash", input: { command: "npm test" } } }), undefined, 0, undefined).message).toBe("#88 wants to use Bash: npm test");
    expect(labels(decision({ kind: "plan", questions: [], tool: { name: "ExitPlanMode", input: { plan: "1. Look" } } }))).toEqual(["Approve", "Keep planning…", "Show"]);
    expect(labels(decision({ kind: "budget", questions: [], tool: { name: "budget", description: "The budget of $5 is reached. Continue with more?" } }), 5_000_000)).toEqual(["Continue with $5 more", "Stop", "Show"]);
  });

  it("says how many wait behind it", () => {
    expect(toastOf(decision(), "sample", 4, undefined).message).toBe("#88 (sample) Use Radix or build from scratch? · and 4 more in the Decisions view");
  });

  it("shows hostile text as text, on every surface", () => {
    for (const text of HOSTILE) {
      const option = { label: text, description: text };
      for (const kind of ["question", "permission", "plan", "budget"] as const) {
        const asked = decision({ kind, questions: [{ id: "q1", text, header: text, options: [option, option], multiSelect: false }], tool: { name: text, description: text, input: { command: text, plan: text } } });
        const toast = toastOf(asked, text, 3, 1);
        const row = rowOf(asked, text, text, Date.parse(asked.askedAt) + 90_000);
        const surfaces = [toast.message, ...toast.buttons.map(({ label }) => label), textOf(asked), ...Object.values(row), ...choicesOf(asked, 1).flatMap(({ label, detail }) => [label, detail ?? ""]), ...optionsOf(asked.questions[0] as Question).flatMap(({ label, detail }) => [label, detail ?? ""])];
        for (const surface of surfaces) {
          expect(notPlain(surface, 5_000), `${kind}: ${JSON.stringify(text.slice(0, 60))} came out as ${JSON.stringify(surface.slice(0, 200))}`).toBeUndefined();
        }
        expect(toast.message.length).toBeLessThan(700);
        expect(toast.message).not.toContain("\n");
      }
    }
  });
});

describe("which decisions have a notification", () => {
  const waiting = (key: string, more: object = {}) => ({ key, isShown: false, holdsPlace: false, isQuiet: false, ...more });
  const on = { isShown: true, holdsPlace: true };

  it("shows the three oldest, the last with the number of those behind it", () => {
    const plan = planOf(["a", "b", "c", "d", "e"].map((key) => waiting(key)), 0);
    expect(plan).toEqual({ hide: false, show: [{ key: "a", more: 0 }, { key: "b", more: 0 }, { key: "c", more: 2 }] });
  });

  it("shows nothing new while three are on the screen", () => {
    expect(planOf([waiting("a", on), waiting("b", on), waiting("c", on), waiting("d")], 0).show).toEqual([]);
  });

  it("shows the next when one of them lies in the bell by now", () => {
    expect(planOf([waiting("a", { ...on, holdsPlace: false }), waiting("b", on), waiting("c", on), waiting("d")], 0).show).toEqual([{ key: "d", more: 0 }]);
  });

  it("does not push again what was closed", () => {
    expect(planOf([waiting("a", { isQuiet: true }), waiting("b", on)], 0)).toEqual({ hide: false, show: [] });
  });

  it("takes all away when one is answered, and brings back what is still open, then the next", () => {
    expect(planOf([waiting("b", on), waiting("c", { isQuiet: true }), waiting("d", on), waiting("e"), waiting("f")], 1)).toEqual({ hide: true, show: [{ key: "b", more: 0 }, { key: "d", more: 0 }, { key: "e", more: 1 }] });
  });
});
