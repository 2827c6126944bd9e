// A workspace that nobody trusts: nothing of the sidecar runs, and the views say why.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";

export default async function ({ step, bench: start }) {
  const bench = await start({ trust: false, settings: { "security.workspace.trust.startupPrompt": "never" } });
  const repository = bench.repository("untrusted", { agent: null });
  const sidecars = () => bench.processes().filter(({ command }) => command.includes("kanbots-sidecar") && command.includes("--stdio"));
  const window = await step("the window opens restricted", async () => {
    const opened = await bench.open(repository.path);
    await opened.page.getByText("Restricted Mode").first().waitFor();
    return opened;
  });
  await step("the board says that the workspace is not trusted, with what to do", async () => {
    const board = await window.board();
    await board.getByText("This workspace is not trusted").first().waitFor();
    await window.screenshot("untrusted");
  });
  await step("the Issues view says it too", async () => {
    await window.activity("KanBots");
    await window.view("Issues").getByText("This workspace is not trusted").first().waitFor();
  });
  await step("nothing of the sidecar was started", () => {
    assert.deepEqual(sidecars(), []);
    assert.equal(existsSync(join(repository.path, ".git/kanbots")), false, "the sidecar has been in the repository");
  });
}
