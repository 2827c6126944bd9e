// The main path once on the oldest workbench that engines.vscode is tried with.
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
  await step("the card is in review", () => board.getByRole("button", { name: "Review" }).first().waitFor());
  await window.screenshot("smoke-oldest");
}
