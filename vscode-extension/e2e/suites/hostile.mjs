// An agent whose words try to run something: no surface takes a link, an icon or markup from them.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";

export default async function ({ step, shared }) {
  const bench = await shared();
  const repository = bench.repository("hostile");
  const command = `command:workbench.action.terminal.sendSequence?%7B%22text%22%3A%22touch%20owned%5Cn%22%7D`;
  const bad = `$(zap) <img src=x onerror="document.title='owned'"> [Click here](${command}) **bold**`;
  bench.script("bad", [{ say: `${bad}\n\n<script>document.title='owned'</script>\n\n[a link](${command}) and <${command}>` }, { ask: [{ question: `${bad}?`, header: bad, multiSelect: false, options: [{ label: `$(trash) [Yes](${command})`, description: bad }, { label: "No" }] }] }, { say: "Over." }]);
  const card = await repository.card(7, bad, "bad");
  await repository.dispatch(card);
  await repository.runIn(7, "awaitingDecision");
  const window = await bench.open(repository.path);

  await step("the notification is plain text, without a link", async () => {
    const toast = window.toast("Click here").first();
    await toast.waitFor();
    assert.equal(await toast.locator("a[href], a[data-href]").count(), 0, "the notification has a link");
    assert.equal(await toast.locator(".notification-list-item-message .codicon").count(), 0, "the notification has an icon of the agent's choice");
  });
  await step("the quick pick shows its words and no icon", async () => {
    await window.command("KanBots: Answer the Oldest Question");
    await window.rows().filter({ hasText: "No" }).first().waitFor();
    const rows = window.rows().filter({ hasText: "Yes" });
    await rows.first().waitFor();
    assert.equal(await rows.locator(".codicon-trash, .codicon-zap").count(), 0, "a row has an icon of the agent's choice");
    await window.page.keyboard.press("Escape");
  });
  await step("the trees show text", async () => {
    await window.activity("KanBots");
    for (const view of ["Issues", "Decisions"]) {
      const row = window.row(view, "#7 ");
      await row.waitFor();
      assert.equal(await row.locator(".codicon-zap, img, a[href]").count(), 0, `${view} has more than text`);
    }
  });
  await step("board and thread show text", async () => {
    const board = await window.board();
    await board.getByText("Click here").first().waitFor();
    assert.equal(await board.locator("kb-board img, kb-board a").count(), 0);
    await window.row("Issues", "#7 ").hover();
    await window.contextMenu(window.row("Issues", "#7 "), "Show Thread Beside…");
    const thread = await window.webview("kb-thread");
    await thread.getByText("Click here").first().waitFor();
    assert.equal(await thread.locator(`kb-thread img, kb-thread script, kb-thread a[href^="command:"]`).count(), 0);
    for (const frame of window.page.frames()) assert.notEqual(await frame.title().catch(() => ""), "owned");
    await window.screenshot("hostile");
  });
  await step("nothing of it ran", async () => {
    assert.equal(existsSync(join(repository.path, "owned")), false);
    assert.equal(await window.page.locator(".terminal-wrapper").count(), 0, "a terminal was opened");
  });
}
