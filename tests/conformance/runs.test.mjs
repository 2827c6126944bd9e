import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Place } from "./place.mjs";

let place, one, two;

before(async () => {
  place = new Place();
  one = await place.start();
  two = await place.connect("second");
  await one.call("board/get", {});
  await two.call("board/get", {});
});

after(() => place.dispose());

const dispatch = async (script) => {
  const { card } = await one.ask("card/create", { title: script, body: `[[fake:${script}]]` });
  return (await one.ask("run/dispatch", { cardId: card.id })).run;
};

test("a subscribed thread comes in order and is what the pages say", { timeout: 120_000 }, async () => {
  place.script("talk", [...Array.from({ length: 60 }, (_, i) => ({ say: `line ${i} — 世界` })), { tool: "Bash", input: { command: "true" }, sh: "echo two > two.txt" }]);
  const run = await dispatch("talk");
  await one.call("run/subscribe", { runId: run.id });
  const ended = await one.untilState(run.id, "inReview", "failed");
  assert.equal(ended.state, "inReview", JSON.stringify(ended));
  const pages = [];
  for (let after, atEnd = false; !atEnd; ) {
    const page = await one.call("run/events", after === undefined ? { runId: run.id, limit: 7 } : { runId: run.id, limit: 7, after });
    pages.push(...page.items);
    ({ next: after, atEnd } = page);
  }
  const pushed = () => one.of("run/didAppend").filter((note) => note.runId === run.id).flatMap((note) => note.items);
  await one.until("everything is pushed", () => pushed().length >= pages.length);
  assert.deepEqual(pushed(), pages);
  assert.ok(pages.every((item, i) => i === 0 || item.seq > pages[i - 1].seq));
  assert.equal(pages.filter((item) => item.kind === "text" && item.body.text.startsWith("line ")).length, 60);
  assert.ok(one.of("run/didAppend").length < pages.length, "appended items travel together");
  assert.equal(two.of("run/didAppend").length, 0);
  await one.call("run/unsubscribe", { runId: run.id });
});

test("subscribing again from the beginning while items come gives them all again", { timeout: 120_000 }, async () => {
  place.script("long", [...Array.from({ length: 400 }, (_, i) => ({ say: `line ${i}` })), { wait: 300 }, { say: "last" }]);
  const run = await dispatch("long");
  const pushed = (from) => one.notes.slice(from).filter((note) => note.method === "run/didAppend" && note.params.runId === run.id).flatMap((note) => note.params.items);
  let from = 0;
  do {
    from = one.notes.length;
    await one.call("run/subscribe", { runId: run.id });
    await one.until("the beginning comes again", () => !one.run(run.id) || one.run(run.id).endedAt || pushed(from).some((item) => item.seq === 1));
  } while (!one.run(run.id)?.endedAt);
  // What the last of these brings may still be on its way, and is not what is asked for next.
  await one.until("the last of these is told to its end", () => pushed(from).some((item) => item.kind === "result"));
  from = one.notes.length;
  await one.call("run/subscribe", { runId: run.id });
  const items = await one.until("all of it comes again", () => (pushed(from).some((item) => item.kind === "result") ? pushed(from) : undefined));
  assert.deepEqual(items.map((item) => item.seq), items.map((_, i) => i + 1));
});

test("a question that one client sees is answered by the other", { timeout: 120_000 }, async () => {
  place.script("ask", [
    { ask: [{ question: "Use Radix or build from scratch?", header: "Toast", multiSelect: false, options: [{ label: "Radix" }, { label: "From scratch" }] }] },
    { say: "Thanks." },
  ]);
  const run = await dispatch("ask");
  const { decision } = await one.until("it is asked", () => one.of("decision/didRequest").find((note) => note.decision.runId === run.id));
  assert.deepEqual([decision.kind, decision.state, decision.questions[0].options[0].label], ["question", "open", "Radix"]);
  assert.match(decision.askedAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  await two.until("the second sees it too", () => two.of("decision/didRequest").some((note) => note.decision.id === decision.id));
  assert.ok((await two.call("decision/list", {})).decisions.some((open) => open.id === decision.id));
  const answer = { decisionId: decision.id, answers: [{ questionId: decision.questions[0].id, values: ["neither, use the platform"] }] };
  assert.equal((await two.ask("decision/answer", answer)).decision.state, "answered");
  await assert.rejects(one.ask("decision/answer", answer), (error) => error.code === 10 && error.data.kind === "decisionAlreadyAnswered" && error.data.state === "answered");
  await one.until("it is withdrawn", () => one.of("decision/didWithdraw").some((note) => note.decisionId === decision.id && note.state === "answered"));
  await one.untilState(run.id, "finished");
});

test("both clients have one board, and an untrusted one may only look", { timeout: 60_000 }, async () => {
  const looking = await place.connect("looking", false);
  const [left, right, third] = await Promise.all([one.call("board/get", {}), two.call("board/get", {}), looking.call("board/get", {})]);
  assert.deepEqual(left, right);
  assert.deepEqual(left, third);
  await assert.rejects(looking.ask("card/create", { title: "no" }), (error) => error.code === 2 && error.data.kind === "notTrusted");
  await looking.connection.sendNotification("workspace/didChangeTrust", { trusted: true });
  assert.equal((await looking.ask("card/create", { title: "yes" })).card.title, "yes");
});
