import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { CancellationTokenSource } from "vscode-jsonrpc/node";
import type { SidecarState } from "../../src/shared/messages";
import type { BoardSnapshot, ThreadItem } from "../../src/shared/protocol";
import { Session } from "../../src/sidecar/session";
import { Place, until } from "../place";

let place: Place;
beforeEach(() => {
  place = new Place();
});
afterEach(() => place.end());

const children = (pid: number): boolean => existsSync(`/proc/${pid}`);

test("the board is there and follows what another client does", async () => {
  const session = await place.session();
  place.cli("card", "add", "Deflake the auth test", "--number", "89");
  await until("the card has come", () => session.board?.cards.some(({ number }) => number === 89) === true);
  expect(session.board?.cards.map(({ title }) => title)).toEqual(["Deflake the auth test"]);
  expect(session.repositoryRoot).toBe(place.repository);
});

test("a serve that is killed costs no click: state, board and what was in flight come back", async () => {
  const session = await place.session();
  const states: SidecarState["kind"][] = [];
  session.onDidChangeState((state) => states.push(state.kind));
  const pid = place.servePid();
  process.kill(pid, "SIGKILL");
  // In flight while there is nobody to answer: they are sent again to the next process.
  const made = await Promise.all([1, 2, 3].map((n) => session.change("card/create", { title: `card ${n}` })));
  await until("serve is another", () => place.servePid() !== pid && children(place.servePid()));
  expect(new Set(made.map(({ card }) => card.number)).size).toBe(3);
  await until("the board has them", () => session.board?.cards.length === 3);
  expect(states).toContain("reconnecting");
  expect(session.state.kind).toBe("ready");
});

test("what is repeated happens once", async () => {
  const session = await place.session();
  // Each is sent, and serve killed at once, so that some were carried out and never answered.
  for (let round = 0; round < 5; round++) {
    const made = session.change("card/create", { title: `round ${round}` });
    process.kill(place.servePid(), "SIGKILL");
    await made;
  }
  await until("the board has them", () => (session.board?.cards.length ?? 0) >= 5);
  expect(session.board?.cards.map(({ title }) => title).sort()).toEqual(["round 0", "round 1", "round 2", "round 3", "round 4"]);
});

test("a thread is followed over a killed serve: each item once and in order", async () => {
  place.script("talk", [...Array(30).keys()].map((n) => ({ say: `word ${n}`, usd: 0.001 })).flatMap((step) => [step, { wait: 60 }]));
  const session = await place.session();
  const { card } = await session.change("card/create", { title: "talk", body: "[[fake:talk]]" });
  const { run } = await session.change("run/dispatch", { cardId: card.id });
  const items: ThreadItem[] = [];
  const second: ThreadItem[] = [];
  session.follow(run.id, undefined, { append: (more) => items.push(...more), startOver: () => expect.unreachable() });
  await until("it has begun to talk", () => items.some(({ kind }) => kind === "text"));
  // One who comes later from a place of its own must not disturb the first.
  const from = items.at(-1);
  session.follow(run.id, from, { append: (more) => second.push(...more), startOver: () => expect.unreachable() });
  process.kill(place.servePid(), "SIGKILL");
  await until("the run has ended", () => session.board?.runs.find(({ id }) => id === run.id)?.state === "finished");
  await until("the last word is there", () => items.some((item) => item.kind === "text" && item.body.text === "word 29") && second.some((item) => item.kind === "result"));
  const words = items.filter((item) => item.kind === "text").map((item) => item.body.text);
  expect(words).toEqual([...Array(30).keys()].map((n) => `word ${n}`));
  expect(items.map(({ seq }) => seq)).toEqual([...new Set(items.map(({ seq }) => seq))].sort((a, b) => a - b));
  expect(second).toEqual(items.filter(({ seq }) => seq > (from?.seq ?? 0)));
});

test("a refusal is a sentence with its next step, and the session lives on", async () => {
  const session = await place.session();
  await expect(session.change("run/stop", { runId: 4711 })).rejects.toMatchObject({ kind: "runNotFound" });
  expect((await session.request("agent/list", {})).agents.length).toBeGreaterThan(0);
});

test("who is refused for good is not asked again, and the state says what to do", async () => {
  const elsewhere = new Session({
    folder: place.root, claim: () => true, clientVersion: "0", locate: () => ({ kind: "found", command: { command: process.env.KANBOTS_EXECUTABLE ?? "", args: [], from: "setting" } }), environment: () => place.environment,
    trace: () => "off", log: () => undefined, later: () => expect.unreachable("it is started again"), now: () => 0,
  });
  elsewhere.start();
  const waiting = elsewhere.request("board/get", {});
  await expect(waiting).rejects.toMatchObject({ kind: "notReached" });
  expect(elsewhere.state).toMatchObject({ kind: "failed", nextStep: expect.stringContaining("git") });
  elsewhere.dispose();
});

test("an executable that cannot be started is tried again by the back-off, and told from the third time on", async () => {
  const waits: number[] = [];
  const states: SidecarState[] = [];
  const session = new Session({
    folder: place.repository, claim: () => true, clientVersion: "0", locate: () => ({ kind: "found", command: { command: "/nowhere/kanbots-sidecar", args: [], from: "setting" } }), environment: () => place.environment,
    trace: () => "off", log: () => undefined, now: () => 0,
    later: (milliseconds, callback) => {
      waits.push(milliseconds);
      if (waits.length < 8) {
        setImmediate(callback);
      }
      return { dispose: () => undefined };
    },
  });
  session.onDidChangeState((state) => states.push(state));
  session.start();
  await until("it was tried eight times", () => waits.length === 8);
  expect(waits).toEqual([0, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 30_000]);
  expect(states.findIndex(({ message }) => message !== undefined && message.includes("3 times"))).toBeGreaterThan(0);
  session.dispose();
});

test("who waits for a sidecar that is not there can cancel, and closing the window refuses the rest", async () => {
  const session = new Session({
    folder: place.repository, claim: () => true, clientVersion: "0", locate: () => ({ kind: "found", command: { command: "/nowhere/kanbots-sidecar", args: [], from: "setting" } }), environment: () => place.environment,
    trace: () => "off", log: () => undefined, now: () => 0, later: () => ({ dispose: () => undefined }),
  });
  session.start();
  const source = new CancellationTokenSource();
  const cancelled = session.request("board/get", {}, source.token);
  const rest = session.request("board/get", {});
  source.cancel();
  await expect(cancelled).rejects.toMatchObject({ kind: "requestCancelled" });
  session.dispose();
  await expect(rest).rejects.toMatchObject({ kind: "closed" });
  await expect(session.request("board/get", {})).rejects.toMatchObject({ kind: "closed" });
});

test("a database that was made anew begins another epoch, and who follows starts over", async () => {
  place.script("say", [{ say: "hello" }]);
  const session = await place.session();
  const { card } = await session.change("card/create", { title: "say", body: "[[fake:say]]" });
  const { run } = await session.change("run/dispatch", { cardId: card.id });
  let startedOver = 0;
  session.follow(run.id, undefined, { append: () => undefined, startOver: () => startedOver++ });
  await until("the run has ended", () => session.board?.runs.find(({ id }) => id === run.id)?.state === "finished");
  const before = session.board as BoardSnapshot;
  const pid = place.servePid();
  process.kill(pid, "SIGKILL");
  for (const name of ["kanbots.db-wal", "kanbots.db-shm"]) {
    rmSync(join(place.repository, ".git", "kanbots", name), { force: true });
  }
  writeFileSync(join(place.repository, ".git", "kanbots", "kanbots.db"), "garbage");
  await until("the board is of another epoch", () => session.state.kind === "ready" && session.board?.threadEpoch !== before.threadEpoch);
  expect(startedOver).toBe(1);
});
