// What `decisions` leaves out: permissions, and several questions with many choices.
import { until } from "../until.mjs";

export default async function ({ step, shared }) {
  const bench = await shared();
  const repository = bench.repository("native");
  bench.script("asks-two", [{ ask: [{ question: "Which colours?", header: "Colours", multiSelect: true, options: [{ label: "Blue" }, { label: "Green" }, { label: "Red" }] }, { question: "How large?", header: "Size", multiSelect: false, options: [{ label: "Small" }, { label: "Large" }] }] }, { say: "Thank you." }]);
  bench.script("wants", [{ permission: "Bash", input: { command: "rm -rf build" } }, { say: "Over." }]);
  const two = await repository.card(1, "paint it", "asks-two");
  const wants = await repository.card(2, "clean it", "wants");
  const window = await bench.open(repository.path);
  await window.activity("KanBots");
  await window.settled();
  const nothingWaits = () => repository.until("nothing waits", (board) => board.decisions.every(({ state }) => state !== "open"));

  await step("a permission is asked in a notification, and allowed once", async () => {
    await repository.dispatch(wants, { permissionMode: "ask" });
    await window.toastButton("rm -rf build", "Allow once");
    await nothingWaits();
  });
  await step("several questions are asked one after another, with many choices and words of one's own", async () => {
    await repository.dispatch(two);
    await window.row("Decisions", "#1 ").click();
    await window.quickPick("Which colours?").waitFor();
    for (const colour of ["Blue", "Red"]) await window.rows().filter({ hasText: colour }).first().click();
    await window.page.keyboard.press("Enter");
    await window.quickPick("How large?").waitFor();
    await window.pick("Other…");
    await until("the box for words of one's own is there", async () => (await window.rows().count()) === 0);
    await window.enter("As large as a house");
    await nothingWaits();
    await until("the Decisions view is empty", async () => (await window.row("Decisions", "#1 ").count()) === 0);
  });
}
