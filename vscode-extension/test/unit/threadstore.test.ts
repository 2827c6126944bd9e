import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Card, Decision, Run, ThreadItem } from "../../src/shared/protocol";
import { Store } from "../../webview/thread/store";

const card = { id: 1, number: 1, title: "a card", costMicroUsd: 0 } as Card;
const run = { id: 7, cardId: 1, state: "running", costMicroUsd: 0, turns: 1 } as Run;
const text = (seq: number): ThreadItem => ({ kind: "text", body: { text: `t${seq}` }, cursor: String(seq), seq, at: new Date(seq).toISOString(), bytes: { launch: 1, from: 0, to: 1 } });

let redraws = 0;
let store: Store;

beforeEach(() => {
  vi.useFakeTimers();
  store = new Store({ post: () => {}, following: () => true, follow: () => {}, hold: () => {}, came: () => {}, redraw: () => redraws++ });
  store.take({ t: "thread", card, run, decisions: [], items: [], atStart: true });
  redraws = 0;
});
afterEach(() => vi.useRealTimers());

it("shows the first words after a while at once, and what follows together a few times a second", () => {
  store.take({ t: "append", items: [text(1)] });
  vi.advanceTimersByTime(1);
  expect([redraws, store.held.items.length]).toEqual([1, 1]);
  for (let seq = 2; seq <= 101; seq++) {
    store.take({ t: "append", items: [text(seq)] });
    store.take({ t: "run", card: { ...card, costMicroUsd: seq }, run: { ...run, costMicroUsd: seq, turns: seq, currentTool: `Bash ${seq}` }, decisions: [] });
    vi.advanceTimersByTime(20);
  }
  expect(redraws).toBeGreaterThanOrEqual(1 + 2000 / 250 - 1);
  expect(redraws).toBeLessThanOrEqual(1 + 2000 / 150 + 1);
  vi.advanceTimersByTime(300);
  expect([store.held.items.length, store.run?.costMicroUsd]).toEqual([101, 101]);
  const until = redraws;
  vi.advanceTimersByTime(5000);
  expect(redraws).toBe(until);
  store.take({ t: "run", card, run: { ...run, costMicroUsd: 102 }, decisions: [] });
  vi.advanceTimersByTime(1);
  expect(redraws).toBe(until + 1);
});

it("shows what has become of the run at once", () => {
  store.take({ t: "append", items: [text(1)] });
  vi.advanceTimersByTime(1);
  const asked = { id: "d", runId: 7, state: "open" } as Decision;
  for (const message of [
    { t: "run", card, run, decisions: [asked] },
    { t: "run", card, run: { ...run, state: "inReview" }, decisions: [asked] },
    { t: "run", card: { ...card, title: "another" }, run: { ...run, state: "inReview" }, decisions: [asked] },
    { t: "run", card: { ...card, title: "another" }, run: { ...run, state: "inReview" }, decisions: [asked], checkpoints: [{ id: "c", tree: "0", at: "", why: "turn" }] },
  ] as const) {
    redraws = 0;
    store.take(message);
    expect(redraws).toBe(1);
    store.take({ ...message, run: { ...message.run, costMicroUsd: 5 } });
    expect(redraws).toBe(1);
  }
  expect(store.parts([]).checkpoints.length).toBe(1);
});

it("keeps what the thread is put together from while only figures change", () => {
  const asked = { id: "d", runId: 7, state: "open" } as Decision;
  store.take({ t: "run", card, run, decisions: [asked] });
  const before = store.parts([]);
  store.take({ t: "run", card, run: { ...run, costMicroUsd: 9 }, decisions: [{ ...asked }] });
  const after = store.parts([]);
  expect(after.decisions).toBe(before.decisions);
  expect(after.checkpoints).toBe(before.checkpoints);
});
