// What a person is asked that is no question: permissions, a plan, a budget; and the walkthrough, whose steps tick themselves.
import assert from "node:assert/strict";
import { until } from "../until.mjs";

const write = (path) => ({ permission: "Write", input: { file_path: path, content: "new\n" } });

export default async function ({ step, shared }) {
  const bench = await shared();
  const repository = bench.repository("prompts");
  bench.script("may-write", [write("a.txt"), write("b.txt"), write("c.txt"), { say: "Done." }]);
  bench.script("may-not", [write("secret.txt"), { say: "I go on without it." }]);
  bench.script("planned", [{ permission: "ExitPlanMode", input: { plan: "Rewrite everything." } }, { permission: "ExitPlanMode", input: { plan: "Change one line." } }, { write: "a.txt", text: "one line\n" }, { say: "Done." }]);
  bench.script("costly", [{ say: "a", usd: 0.2 }, { tool: "Bash", input: { command: "sleep 600" }, ms: 600_000, usd: 0.9 }, { say: "never" }]);
  const cards = new Map();
  for (const [number, title, script] of [[1, "writes", "may-write"], [2, "may not write", "may-not"], [3, "plans", "planned"], [4, "costs", "costly"], [5, "costs too much", "costly"]]) {
    cards.set(number, await repository.card(number, title, script));
  }
  /** What the agent of a card was told, by the thread that the sidecar keeps. */
  const thread = async (number) => {
    const run = (await repository.board()).runs.filter(({ cardNumber }) => cardNumber === number).at(-1);
    return (await repository.request("run/events", { runId: run.id })).items;
  };
  const asks = (items) => JSON.stringify(items);

  const window = await step("a window opens, and the walkthrough has ticked what is there already", async () => {
    const opened = await bench.open(repository.path);
    await opened.activity("KanBots");
    await opened.row("Issues", "#1 writes").waitFor();
    await opened.command("Welcome: Open Walkthrough...");
    await opened.pick("Get Started with KanBots");
    await opened.page.locator(".getting-started-step").filter({ hasText: "Find the sidecar and git" }).locator(".codicon-pass-filled, .codicon-getting-started-step-checked").first().waitFor();
    const dispatch = opened.page.locator(".getting-started-step").filter({ hasText: "Dispatch a card" });
    assert.equal(await dispatch.locator(".codicon-getting-started-step-checked").filter({ visible: true }).count(), 0, "nothing was dispatched yet");
    await opened.screenshot("walkthrough-steps");
    return opened;
  });
  await step("a tool is allowed once, then for the card, and then not asked about again", async () => {
    await repository.dispatch(cards.get(1), { permissionMode: "ask" });
    await window.page.locator(".getting-started-step").filter({ hasText: "Dispatch a card" }).locator(".codicon-getting-started-step-checked").filter({ visible: true }).first().waitFor();
    await window.toast("#1 wants to use Write: a.txt").waitFor();
    await window.screenshot("permission");
    await window.toastButton("a.txt", "Allow once");
    await window.toastButton("b.txt", "Allow for this card");
    await repository.runIn(1, "finished", "inReview");
    // The third had nobody to allow it, and the agent did not wait.
    await window.view("Decisions").getByText("Nothing waits for you").waitFor();
  });
  await step("a tool is denied with a reason, which the agent reads, and it goes on", async () => {
    await repository.dispatch(cards.get(2), { permissionMode: "ask" });
    await window.toastButton("secret.txt", "Deny…");
    await window.enter("Keep secrets out of it", { title: "Why not?" });
    await repository.runIn(2, "finished", "inReview");
    const items = asks(await thread(2));
    assert.match(items, /Keep secrets out of it/);
    assert.match(items, /I go on without it/);
  });
  await step("a plan is sent back with words, and the next is approved", async () => {
    await repository.dispatch(cards.get(3), { permissionMode: "plan" });
    await window.toast("has a plan: Rewrite everything.").waitFor();
    await window.screenshot("plan");
    await window.toastButton("Rewrite everything.", "Keep planning…");
    await window.enter("Smaller, please", { title: "What is to be different?" });
    await window.toastButton("Change one line.", "Approve");
    await repository.runIn(3, "inReview");
    const items = await thread(3);
    assert.match(asks(items), /Smaller, please/);
    // An agent that was told no twice would go on to its end as well.
    assert.deepEqual(items.filter(({ kind }) => kind === "toolResult").map(({ isError }) => isError === true), [true, false]);
  });
  await step("a budget that is reached stops the run and asks; with more it goes on", async () => {
    await repository.dispatch(cards.get(4), { budget: { microUsd: 1_000_000 } });
    await repository.runIn(4, "stopped");
    await window.toast("#4").waitFor();
    await window.screenshot("budget");
    const offer = window.toast("#4").getByRole("button", { name: /^Continue with / });
    await window.toast("#4").hover();
    await offer.click();
    await until("it is resumed", async () => (await repository.board()).runs.some((run) => run.cardNumber === 4 && run.launch === 2));
    await repository.runIn(4, "finished", "inReview");
  });
  await step("or stays stopped", async () => {
    await repository.dispatch(cards.get(5), { budget: { microUsd: 1_000_000 } });
    await window.toastButton("#5", "Stop");
    await until("nothing waits", async () => (await repository.board()).decisions.filter(({ state }) => state === "open").length === 0);
    const run = await repository.runIn(5, "stopped");
    assert.equal(run.launch, 1);
    await window.view("Decisions").getByText("Nothing waits for you").waitFor();
  });
}
