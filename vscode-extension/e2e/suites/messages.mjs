// A message that an agent never read: it is shown as not delivered, and is sent again, as it is or otherwise, when the person says so.
import assert from "node:assert/strict";
import { readlinkSync } from "node:fs";
import { until } from "../until.mjs";

export default async function ({ step, shared }) {
  const bench = await shared();
  const repository = bench.repository("messages");
  bench.script("deaf", [{ say: "I hear nothing." }, { wait: 600_000 }]);
  bench.script("hears", [{ say: "Now I have heard you." }]);
  const cards = [await repository.card(1, "does not listen", "deaf"), await repository.card(2, "does not listen either", "deaf")];
  const window = await bench.open(repository.path);
  /** A thread with a reply that its agent has not read when it is killed. */
  const unread = async (card, text) => {
    await repository.dispatch(card);
    const run = await repository.runIn(card.number, "running");
    await window.command("KanBots: Open Thread…");
    await window.pick(`#${card.number} ${card.title}`);
    const thread = await window.webview("kb-thread", card.title);
    await thread.getByText("I hear nothing.").first().waitFor();
    await thread.getByLabel("Message to the agent").fill(text);
    await thread.getByLabel("Message to the agent").press("Enter");
    await thread.getByText("waiting for the agent's next step").first().waitFor();
    const agents = bench.processes().filter(({ pid, command }) => command.includes("kanbots-fake-agent") && readlinkSync(`/proc/${pid}/cwd`) === run.worktreePath);
    assert.ok(agents.length > 0, "no agent is there");
    for (const { pid } of agents) process.kill(pid, "SIGKILL");
    await thread.getByText("not delivered").first().waitFor();
    assert.deepEqual((await undelivered(card.number)).map((message) => message.text.text), [text]);
    return { run, thread };
  };
  const undelivered = async (number) => (await repository.board()).runs.find((run) => run.cardNumber === number).undelivered ?? [];
  const isRead = (run, text) => until("the agent has read it", async () => (await repository.request("run/events", { runId: run.id })).items.some((item) => item.kind === "userMessage" && item.delivered === true && item.body.text.includes(text)));

  await step("what was said to an agent that was killed is not delivered, and is sent again", async () => {
    const { run, thread } = await unread(cards[0], "hear me [[fake:hears]]");
    await window.screenshot("messages-undelivered");
    await thread.getByRole("button", { name: "Send again" }).click();
    await thread.getByText("Now I have heard you.").first().waitFor();
    await isRead(run, "hear me");
    assert.deepEqual(await undelivered(1), []);
    await until("nothing is shown as not delivered", async () => (await thread.getByText("not delivered").count()) === 0);
  });
  await step("or it is changed before it is sent again", async () => {
    const { run, thread } = await unread(cards[1], "hear this");
    await thread.getByRole("button", { name: "Edit", exact: true }).click();
    const box = thread.getByLabel("Message to the agent");
    await until("the box has the message", async () => (await box.inputValue()) === "hear this");
    await box.fill("hear that [[fake:hears]]");
    await box.press("Enter");
    await thread.getByText("Now I have heard you.").first().waitFor();
    await isRead(run, "hear that");
    assert.deepEqual(await undelivered(2), []);
    assert.equal(await thread.getByText("hear this").count(), 0);
  });
}
