// The whole way with three cards: dispatch from the Issues view, answer from the notification, review in the native diff, comment, land, put aside, bring back.
import assert from "node:assert/strict";
import { join } from "node:path";
import { slow, until } from "../until.mjs";
import { writeFileSync } from "node:fs";

const ask = { ask: [{ question: "Use Radix or build from scratch?", header: "Toast", multiSelect: false, options: [{ label: "Radix", description: "one more dependency" }, { label: "From scratch", description: "ours to maintain" }] }] };

export default async function ({ step, shared }) {
  const bench = await shared();
  const repository = bench.repository("walkthrough");
  const gate = join(bench.root, "go-on");
  bench.script("toast", [{ say: "I look at the other components.", usd: 0.01 }, ask, { tool: "Write", input: { file_path: "src/components/Toast.tsx" }, ms: 100, sh: "printf 'export const Toast = () => null;\\n' > src/components/Toast.tsx", usd: 0.02 }, { say: "The toast is there." }]);
  bench.script("auth", [{ tool: "Bash", input: { command: "npm test" }, sh: `while [ ! -e '${gate}' ]; do sleep 0.1; done`, result: "ok", usd: 0.01 }, { sh: "printf 'test(\"signs in\", async () => { await ready(); });\\n' > test/auth.test.ts" }, { say: "It waits for the server now." }]);
  bench.script("deps", [{ sh: "printf '# Unused\\n\\nleft-pad\\nmoment\\n' > DEPENDENCIES.md; printf 'export const Button = () => <button type=\"button\" />;\\n' > src/components/Button.tsx" }, { say: "Two are not used.", usd: 0.03 }]);
  bench.script("fix", [{ say: "I take it out." }, { sh: "printf '# Unused\\n\\nmoment\\n' > DEPENDENCIES.md" }, { say: "Done as you said." }]);
  await walk({ step, bench, repository, question: "Use Radix or build from scratch?", answer: "Radix", bodies: ["[[fake:toast]]", "[[fake:auth]]", "[[fake:deps]]"], line: "left-pad", comment: "left-pad is used after all [[fake:fix]]", file: "DEPENDENCIES.md", after: "# Unused\n\nmoment\n", gone: /^left-pad$/,
    othersGoOn: () => writeFileSync(gate, "") });
}

/** @param way what differs between the scripted agent and the real one */
export async function walk({ step, bench, repository, question, answer, bodies, line, comment, file, after, gone, othersGoOn, pictures = "walkthrough" }) {
  const titles = ["add toast component", "deflake the auth test", "audit unused dependencies"];
  for (const [index, title] of titles.entries()) await repository.change("card/create", { number: 88 + index, title, column: "todo", body: bodies[index] });
  const window = await step("a window opens on the repository", () => bench.open(repository.path));

  const board = await step("the board shows them", async () => {
    const frame = await window.board();
    for (const title of titles) await frame.getByText(title).first().waitFor();
    return frame;
  });
  await step("three cards are dispatched from the Issues view", async () => {
    await window.activity("KanBots");
    await window.settled();
    for (const number of [89, 90, 88]) {
      await window.rowAction(window.row("Issues", `#${number} `), "Dispatch");
      // VS Code forgets which row was clicked when the tree is filled anew in that very moment; the command asks then.
      const asked = window.quickPick("Dispatch: which card?");
      await until(`#${number} has a run`, async () => {
        if (await asked.isVisible()) await window.pick(new RegExp(`^#${number} `));
        return (await repository.board()).runs.some((run) => run.cardNumber === number);
      }, { seconds: 30 });
    }
  });
  await step("the question is a notification with its options, while the others go on", async () => {
    await window.toast(question).first().waitFor({ timeout: 60_000 * slow });
    await repository.runIn(88, "awaitingDecision");
    await board.getByText("waiting for you").first().waitFor();
    await window.screenshot(`${pictures}-question`);
    await repository.runIn(90, "inReview");
  });
  await step("a card that is done is in review on the board and in the Issues view", async () => {
    await board.getByRole("button", { name: "Review", exact: true }).first().waitFor();
    await window.row("Issues", /#90 .*in review/s).waitFor();
  });
  await step("the answer is given in the notification", async () => {
    await window.toastButton(question, answer);
    await repository.runIn(88, "running", "inReview");
    await until("the notification is gone", async () => !(await window.toast(question).first().isVisible()));
    othersGoOn?.();
    await repository.runIn(88, "inReview");
    await repository.runIn(89, "inReview", "finished");
  });
  await window.screenshot(`${pictures}-board`);

  await step("Review opens all files in one native diff", async () => {
    await window.rowAction(window.row("Issues", "#90 "), "Review");
    await window.multiDiff().filter({ hasText: line }).first().waitFor();
  });
  await step("a comment is written on a line and sent to the agent", async () => {
    await window.gutterComment(window.multiDiff().filter({ hasText: line }).locator(".editor.modified").first(), line);
    await window.comment(comment);
    await window.screenshot(`${pictures}-review`);
    await window.command("KanBots: Send Comments to Agent");
  });
  await step("the agent takes another turn with it, and the open diff shows what it did", async () => {
    const run = (await repository.board()).runs.find(({ cardNumber }) => cardNumber === 90);
    await until("the agent has done what the comment says", async () => (await repository.request("review/blob", { runId: run.id, path: file, side: "head" })).text === after, { seconds: 60 });
    await repository.runIn(90, "inReview");
    if (gone !== undefined) await until("the open diff has its new text", async () => (await window.multiDiff().locator(".editor.modified .view-line").filter({ hasText: gone }).count()) === 0);
  });
  await step("the work lands from Source Control", async () => {
    await window.activity("Source Control");
    await window.scmAction("Promote…");
    await window.pick(/^#90 /);
    await window.pick("New branch…");
    await window.enter("feature/landed", { title: "The new branch begins" });
    await window.pick("Squash");
    const files = window.quickPick("Which files land?");
    const message = window.quickPick("The message of the commit");
    await files.or(message).waitFor();
    if (await files.isVisible()) await window.page.keyboard.press("Enter");
    await message.waitFor();
    await window.page.keyboard.press("Enter");
    await window.quickPick("Press Enter to land it").waitFor();
    await window.page.keyboard.press("Enter");
    await window.toastButton("Landed on feature/landed", "Show Commit");
    assert.equal(repository.git("show", `feature/landed:${file}`), after);
    await repository.runIn(90, "promoted");
  });
  await step("another is discarded and brought back", async () => {
    await window.activity("KanBots");
    await window.row("Issues", "Done").waitFor(); // what has landed has left the rows above #88: none of them moves under the mouse any more
    await window.contextMenu(window.row("Issues", "#88 "), "Discard Work…");
    await repository.runIn(88, "discarded");
    await window.toastButton("Discarded the work of #88", "Undo");
    await repository.runIn(88, "inReview");
  });
}
