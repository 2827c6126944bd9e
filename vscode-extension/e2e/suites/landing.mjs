// What an agent did lands on a branch, is put aside and comes back, and worktrees are cleaned up: from Source Control, the view and the palette.
import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "../until.mjs";

const FILES = { "a.txt": "one\n", "b.txt": "one\n", "c.txt": "one\n", "d.txt": "one\n" };
const work = (letter) => [{ write: `${letter}.txt`, text: "two\n" }, { write: `${letter}-new.txt`, text: "new\n" }, { say: "Done." }];

export default async function ({ step, shared }) {
  const bench = await shared();
  const repository = bench.repository("landing", { files: FILES });
  for (const letter of ["a", "b", "c", "d"]) bench.script(`work-${letter}`, work(letter));
  bench.script("long", [{ write: "long.txt", text: "long\n" }, { say: "Working." }, { wait: 600_000 }]);
  const begin = async (number, title, script, state = "inReview") => {
    await repository.dispatch(await repository.card(number, title, script));
    return repository.runIn(number, state);
  };
  await begin(1, "Land me", "work-a");
  const window = await step("a window opens", () => bench.open(repository.path));
  const { page } = window;
  const commit = (branch) => repository.git("rev-parse", branch).trim();
  /** Goes through the dialog: by the rows that are named, or with what stands there. */
  const enter = async (placeholder) => {
    await page.locator(".quick-input-widget").filter({ visible: true }).filter({ has: page.locator(`input[placeholder="${placeholder}"]`) }).waitFor();
    await page.keyboard.press("Enter");
  };
  const message = async (text) => {
    const box = page.locator(".quick-input-widget").filter({ visible: true, hasText: "The message of the commit" });
    await box.waitFor();
    if (text !== undefined) await box.locator("input.input").first().fill(text);
    await page.keyboard.press("Enter");
  };
  const scmPromote = async () => {
    await window.activity("Source Control");
    const button = page.locator(".pane-header, .scm-view .monaco-list-row").locator(".action-label[aria-label^='Promote']").first();
    await until("Source Control offers to promote", async () => {
      await window.view("Changes").locator(".pane-header").first().hover();
      return button.isVisible();
    });
    await button.click();
  };

  await step("promote is in Source Control: branch, strategy, files, message, and what lands", async () => {
    await window.board();
    await scmPromote();
    await page.locator(".quick-input-widget").filter({ visible: true, hasText: "where the run began, checked out" }).waitFor();
    await window.screenshot("landing-branch");
    await enter("Land on which branch?");
    await enter("How does it land on main?");
    await window.quickPick("a-new.txt").waitFor();
    await enter("Which files land?");
    await message();
    await window.quickPick("Land 2 files (+2 −1) on main as one commit").waitFor();
    await window.screenshot("landing-confirm");
    await enter("Press Enter to land it");
    await window.toast("Landed on main as").waitFor();
    await window.screenshot("landing-landed");
    assert.equal(repository.git("show", "main:a-new.txt"), "new\n");
    assert.equal(repository.git("log", "-1", "--format=%s").trim(), "Land me (#1)");
  });

  await step("the commit is shown as git's own extension shows one", async () => {
    await window.toastButton(`Landed on main as ${commit("main").slice(0, 7)}.`, "Show Commit");
    await window.tab("Land me (#1)").waitFor();
    await window.multiDiff().filter({ hasText: "a-new.txt" }).first().waitFor();
    await window.screenshot("landing-commit");
  });

  const conflict = async () => {
    await window.command("KanBots: Promote…");
    await window.pick(/^#2 Conflicts$/);
    await enter("Land on which branch?");
    await enter("How does it land on main?");
    await enter("Which files land?");
    await message();
    await enter("Press Enter to land it");
    await window.toast("#2: It conflicts with main in b.txt.").waitFor();
  };
  await step("a conflict names the file, and its worktree is opened for a person", async () => {
    const run = await begin(2, "Conflicts", "work-b");
    repository.write("b.txt", "another\n");
    repository.git("commit", "-qam", "Meanwhile");
    await conflict();
    await window.screenshot("landing-conflict");
    const opened = window.context.waitForEvent("page");
    await window.toastButton("It conflicts with main in b.txt.", "Open Worktree");
    const other = await opened;
    await other.waitForURL((url) => decodeURIComponent(url.search).includes(run.worktreePath), { waitUntil: "commit" });
    await other.close();
  });
  await step("or it is handed to the agent", async () => {
    await conflict();
    await window.toastButton("It conflicts with main in b.txt.", "Let the Agent Resolve");
    await window.toast("The agent of #2 is asked to resolve the conflicts.").waitFor();
    const run = await repository.runIn(2, "inReview");
    await until("the agent was told", async () => (await repository.request("run/events", { runId: run.id })).items.some((item) => item.kind === "userMessage" && item.body.text.includes("conflicts with the branch `main`")));
  });

  await step("chosen files land on a new branch, and a bad name is refused while it is typed", async () => {
    await begin(3, "Choose", "work-c");
    await window.command("KanBots: Promote…");
    await window.pick(/^#3 Choose$/);
    await window.pick(/^New branch…$/);
    const box = page.locator(".quick-input-widget").filter({ visible: true, hasText: "The new branch begins where the run did" });
    await box.waitFor();
    await box.locator("input.input").first().fill("bad..name");
    await window.quickPick("git does not take this").waitFor();
    await page.locator(".quick-input-widget input.input").first().fill("fix/chosen");
    await box.waitFor();
    await page.keyboard.press("Enter");
    await enter("How does it land on fix/chosen?");
    await window.quickPick("c-new.txt").waitFor();
    await page.locator(".quick-input-list .monaco-list-row").filter({ hasText: /^c\.txt/ }).first().click();
    await enter("Which files land?");
    await message("Only the new one");
    await enter("Press Enter to land it");
    await window.toast("Landed on fix/chosen as").waitFor();
    assert.equal(repository.git("show", "fix/chosen:c-new.txt"), "new\n");
    assert.equal(repository.git("show", "fix/chosen:c.txt"), "one\n");
    assert.equal(repository.git("log", "-1", "--format=%s", "fix/chosen").trim(), "Only the new one");
  });

  const hook = join(repository.path, ".git/hooks/pre-commit");
  const hooked = async (before = () => {}) => {
    await window.command("KanBots: Promote…");
    await window.pick(/^#4 Hooked$/);
    await window.pick(/^New branch…$/);
    await window.enter("hooked", { title: "The new branch begins" });
    await enter("How does it land on hooked?");
    await enter("Which files land?");
    await message();
    await before();
    await enter("Press Enter to land it");
  };
  await step("what a hook says can be read, and what changed meanwhile does not land", async () => {
    const run = await begin(4, "Hooked", "work-d");
    mkdirSync(join(hook, ".."), { recursive: true });
    writeFileSync(hook, "#!/bin/sh\necho 'lint: not formatted'\nexit 3\n");
    chmodSync(hook, 0o755);
    await hooked();
    await window.toastButton("#4: The hook pre-commit ended with code 3", "Show Output");
    await page.locator(".editor-instance .view-lines").filter({ hasText: /lint:.not.formatted/, visible: true }).first().waitFor();
    await window.screenshot("landing-hook");
    await hooked(() => writeFileSync(join(run.worktreePath, "d.txt"), "sneaked in\n"));
    await window.toast("#4: The worktree is not what was reviewed any more.").waitFor();
    assert.equal(repository.git("branch", "--list", "hooked"), "");
  });
  await step("a landing that takes a while says so, and who does not want to wait sees it land all the same", async () => {
    const gate = join(bench.root, "landing-go-on");
    writeFileSync(hook, `#!/bin/sh\nwhile [ ! -e '${gate}' ]; do sleep 0.1; done\n`);
    await hooked();
    await window.toastButton("Landing #4 on hooked", "Cancel");
    await page.locator(".statusbar-item").filter({ hasText: "Not waiting for #4 any more." }).waitFor();
    assert.equal(repository.git("branch", "--list", "hooked"), "");
    writeFileSync(gate, "");
    await repository.runIn(4, "promoted");
    assert.equal(repository.git("show", "hooked:d.txt"), "sneaked in\n");
    rmSync(hook);
  });

  await step("a live run is discarded only after a question, and Undo brings it back", async () => {
    const run = await begin(5, "Long", "long", "running");
    await until("it has written", () => existsSync(join(run.worktreePath, "long.txt")));
    await window.command("KanBots: Discard Work…");
    await window.pick(/^#5 Long$/);
    await window.modal("Stop the agent of #5 and discard its work?", "Stop and Discard");
    await window.toast("Discarded the work of #5. It is kept until").waitFor();
    assert.equal(existsSync(run.worktreePath), false);
    await window.screenshot("landing-discarded");
    await window.toastButton("Discarded the work of #5.", "Undo");
    await window.toast("Restored the work of #5.").waitFor();
    await until("its work is back", () => existsSync(join(run.worktreePath, "long.txt")));
  });

  await step("discarded work is restored by the palette", async () => {
    const { worktreePath } = await repository.runIn(2, "inReview");
    await window.command("KanBots: Discard Work…");
    await window.pick(/^#2 Conflicts$/);
    await repository.runIn(2, "discarded");
    await window.command("KanBots: Restore Discarded Work…");
    await window.pick(/^#2 Conflicts$/);
    await repository.runIn(2, "inReview");
    assert.ok(existsSync(worktreePath));
  });

  await step("a merge and a rebase land as git would, and files in the way are named", async () => {
    bench.script("commits", [{ sh: "git commit -q --allow-empty -m one; echo e > $PWD/e.txt; git add e.txt; git commit -qm two" }, { say: "Done." }]);
    const land = async (number, title, strategy, branch) => {
      await window.command("KanBots: Promote…");
      await window.pick(title);
      if (branch === undefined) {
        await enter("Land on which branch?");
      } else {
        await window.pick(/^New branch…$/);
        await window.enter(branch, { title: "The new branch begins" });
      }
      await window.pick(strategy);
      const text = page.locator(".quick-input-widget").filter({ visible: true, hasText: /The message of/ });
      await text.waitFor();
      await page.keyboard.press("Enter");
      await enter("Press Enter to land it");
    };
    await begin(6, "Merged", "commits");
    await land(6, /^#6 Merged$/, "Merge", "merged");
    await window.toast("Landed on merged as").waitFor();
    assert.equal(repository.git("rev-list", "--count", "--merges", "main..merged").trim(), "1");
    await begin(7, "Rebased", "commits");
    repository.write("e.txt", "in the way\n");
    await land(7, /^#7 Rebased$/, "Rebase");
    await window.toast("#7: ").filter({ hasText: "e.txt" }).waitFor();
    await window.screenshot("landing-in-the-way");
    assert.equal(repository.read("e.txt"), "in the way\n");
    rmSync(join(repository.path, "e.txt"));
    await land(7, /^#7 Rebased$/, "Rebase");
    await window.toast("Landed on main as").waitFor();
    assert.deepEqual([repository.git("log", "-1", "--format=%s").trim(), repository.git("rev-list", "--count", "--merges", "-3", "HEAD").trim(), repository.read("e.txt")], ["two", "0", "e\n"]);
  });

  await step("worktrees are cleaned up after their plan, a foreign one only after a question of its own", async () => {
    const foreign = join(bench.root, "elsewhere");
    repository.git("worktree", "add", "-q", "-b", "mine", foreign);
    await window.command("KanBots: Clean Up Worktrees…");
    await window.quickPick("not made by KanBots").waitFor();
    await window.screenshot("landing-worktrees");
    for (const row of ["elsewhere", /^issue-1-/]) {
      await page.locator(".quick-input-list .monaco-list-row").filter({ hasText: row }).first().click();
    }
    await page.keyboard.press("Enter");
    await window.modal("This worktree is not of KanBots' making.", "Remove Them Too");
    await window.modal(/Remove 2 worktrees/);
    await window.screenshot("landing-plan");
    await window.modal(/Remove 2 worktrees/, "Remove");
    await window.toast("2 worktrees removed").waitFor();
    assert.equal(existsSync(foreign), false);
    assert.equal(repository.git("branch", "--list", "mine").trim(), "mine");
    repository.git("branch", "-D", "mine");
  });
}
