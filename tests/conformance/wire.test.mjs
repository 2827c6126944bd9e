import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { CancellationTokenSource } from "vscode-jsonrpc/node";
import { Place } from "./place.mjs";

let place, client;

before(async () => {
  place = new Place();
  client = await place.start();
});

after(() => place.dispose());

const fails = (promise, code, kind, says) =>
  assert.rejects(promise, (error) => {
    assert.equal(error.code, code, error.message);
    assert.equal(error.data.kind, kind);
    assert.match(error.message, says);
    return true;
  });

test("initialize says what the server is", () => {
  assert.match(client.hello.serverVersion, /^\d+\.\d+/);
  assert.equal(client.hello.repositoryRoot, place.repository);
  assert.ok(client.hello.capabilities.includes("board"));
});

test("an unknown method, wrong params and a missing initialize have their codes", async () => {
  await fails(client.call("no/such", {}), -32601, "methodNotFound", /no\/such/);
  await fails(client.call("card/create", { title: "x" }), -32602, "invalidParams", /lack requestId/);
  await fails(client.call("card/move", { requestId: "r", cardId: 1, column: "attic" }), -32602, "invalidParams", /\$\.column/);
  await fails(client.connection.sendRequest("run/events", 1, 2), -32602, "invalidParams", /one object/);
  await fails(client.call("run/events", { runId: 404 }), 6, "runNotFound", /404/);
  await client.connection.sendNotification("no/such", {});
  const stranger = new (client.constructor)(place.spawn());
  place.clients.push(stranger);
  await fails(stranger.call("board/get", {}), 3, "notInitialized", /initialize/);
});

test("members that are not known are ignored", async () => {
  const { card } = await client.ask("card/create", { title: "future", colour: "red", more: [{ a: 1 }] });
  assert.equal(card.title, "future");
  await client.ask("card/delete", { cardId: card.id });
});

test("a card lives, and each change follows the revision before it", async () => {
  const watcher = await place.connect("watcher");
  const start = await watcher.call("board/get", {});
  const { card } = await client.ask("card/create", { title: "Grüße, 世界 🚀", body: "b", labels: ["l"], number: 77 });
  assert.deepEqual([card.number, card.column, card.dot, card.runIds], [77, "todo", "none", []]);
  assert.equal((await client.ask("card/update", { cardId: card.id, title: "new" })).card.title, "new");
  assert.equal((await client.ask("card/move", { cardId: card.id, column: "review", position: 0 })).card.column, "review");
  assert.equal((await client.ask("card/archive", { cardId: card.id, archived: true })).card.archived, true);
  assert.deepEqual(await client.ask("card/delete", { cardId: card.id }), {});
  await watcher.until("the card went", () => watcher.of("board/didChange").some((change) => change.removed.cardIds.includes(card.id)));
  let revision = start.revision;
  for (const change of watcher.of("board/didChange")) {
    assert.equal(change.epoch, start.epoch);
    assert.equal(change.previousRevision, revision);
    assert.ok(change.revision > revision);
    revision = change.revision;
  }
  await fails(client.ask("card/update", { cardId: card.id, title: "late" }), 5, "cardNotFound", /card/i);
});

test("the same request id gives the same card", async () => {
  const requestId = "7d1c5b8e-4f0f-4ab6-9a63-2b5d6f3f1f10";
  const [one, two] = await Promise.all([client.ask("card/create", { requestId, title: "once" }), client.ask("card/create", { requestId, title: "once" })]);
  assert.equal(one.card.id, two.card.id);
  await client.ask("card/delete", { cardId: one.card.id });
});

test("a body of 20 MB is refused by name, and as much text as a board may hold comes through in one message", { timeout: 120_000 }, async () => {
  await fails(client.ask("card/create", { title: "big", body: "x".repeat(20 << 20) }), 4, "limitExceeded", /body/i);
  const body = "世".repeat(65_536); // 192 KiB in UTF-8, twice that when escaped
  const before = (await client.call("board/get", {})).cards.reduce((sum, card) => sum + card.body.length, 0);
  const cards = await Promise.all(Array.from({ length: Math.floor(((8 << 20) - before) / body.length) }, (_, i) => client.ask("card/create", { title: `part ${i}`, body })));
  assert.ok(cards.length > 100);
  await fails(client.ask("card/create", { title: "one more", body }), 4, "limitExceeded", /together/);
  const board = await client.call("board/get", {});
  assert.equal(board.cards.filter((card) => card.body === body).length, cards.length);
  await Promise.all(cards.map(({ card }) => client.ask("card/delete", { cardId: card.id })));
});

test("a thousand requests at once are answered each with its own", async () => {
  const many = await Promise.all(Array.from({ length: 1000 }, (_, i) => (i % 2 ? client.call("config/get", {}) : client.call("board/get", {}))));
  many.forEach((answer, i) => assert.ok(i % 2 ? answer.values : answer.epoch));
});

test("a cancelled request is answered as cancelled and what it began goes on", { timeout: 120_000 }, async () => {
  place.script("stubborn", [{ ignoreSignals: true }, { deaf: true }, { wait: 60_000 }]);
  await client.call("board/get", {});
  const { card } = await client.ask("card/create", { title: "stubborn", body: "[[fake:stubborn]]" });
  const { run } = await client.ask("run/dispatch", { cardId: card.id });
  await client.untilState(run.id, "running");
  const source = new CancellationTokenSource();
  const stopping = client.ask("run/stop", { runId: run.id }, source.token);
  source.cancel();
  await fails(stopping, -32800, "requestCancelled", /cancelled/);
  assert.equal((await client.ask("run/stop", { runId: run.id })).run.state, "stopped");
});

test("shutdown is answered and exit ends the relay", { timeout: 60_000 }, async () => {
  const leaving = await place.connect("leaving");
  assert.deepEqual(await leaving.call("shutdown", {}), {});
  await leaving.connection.sendNotification("exit", {});
  await leaving.child.exited;
});
