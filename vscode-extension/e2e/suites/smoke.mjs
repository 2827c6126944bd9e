// The main path once on the oldest workbench that engines.vscode is tried with.
import assert from "node:assert/strict";

export default async function ({ step, bench: start }) {
  const bench = await start({ which: "oldest" });
  const repository = bench.repository("sample");
  bench.script("work", [{ say: "I write it." }, { tool: "Write", input: { file_path: "toast.ts" }, ms: 200, sh: "echo one > toast.ts" }, { say: "Done." }]);
  await repository.card(1, "add toast component", "work");

  const window = await step("the window opens", () => bench.open(repository.path));
  const board = await step("the board shows the card", async () => {
    const frame = await window.board();
    await frame.getByText("add toast component").first().waitFor();
    return frame;
  });
  await step("a run is dispatched from the card", async () => {
    await board.getByRole("button", { name: "Dispatch" }).first().click();
    await repository.runIn(1, "inReview");
  });
  await step("the card is in review", () => board.getByRole("button", { name: "Review", exact: true }).first().waitFor());
  await window.screenshot("smoke-oldest");
  await step("its changes open in the native diff", async () => {
    await board.getByRole("button", { name: "Review", exact: true }).first().click();
    await window.multiDiff().filter({ hasText: "toast.ts" }).first().waitFor();
  });
  await step("a question is answered in its notification", async () => {
    bench.script("ask", [{ ask: [{ question: "Radix or from scratch?", header: "Toast", multiSelect: false, options: [{ label: "Radix" }, { label: "From scratch" }] }] }, { say: "Done." }]);
    await repository.dispatch(await repository.card(2, "ask me", "ask"));
    await window.toastButton("Radix or from scratch?", "Radix");
    await repository.runIn(2, "finished", "inReview");
  });
  await step("the work lands on a new branch", async () => {
    await window.command("KanBots: Promote…");
    await window.pick(/^#1 /);
    await window.pick(/^New branch…$/);
    await window.enter("landed", { title: "The new branch begins" });
    await window.pick("Squash");
    await window.quickPick("The message of the commit").waitFor();
    await window.page.keyboard.press("Enter");
    await window.quickPick("Press Enter to land it").waitFor();
    await window.page.keyboard.press("Enter");
    await repository.runIn(1, "promoted");
    assert.equal(repository.git("show", "landed:toast.ts"), "one\n");
  });
}
