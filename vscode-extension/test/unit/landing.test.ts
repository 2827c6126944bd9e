import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as vscode from "vscode";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Landing } from "../../src/landing/landing";
import { Review } from "../../src/review/review";
import type { Run } from "../../src/shared/protocol";
import type { Session } from "../../src/sidecar/session";
import { Worktrees } from "../../src/worktrees/worktrees";
import { Place, until } from "../place";
import { dispatched, memory, reviewed, runNow, silentLog, workspacesOf } from "../reviewed";
import { contentProviders, extensions, type Message, person, type QuickInput, QuickInputButtons, reset, shown } from "../vscode-stub";

let place: Place;
let session: Session;
let ours: vscode.Disposable[];
beforeEach(async () => {
  reset();
  place = new Place({ "a.txt": "one\n", "b.txt": "one\n" });
  session = await place.session();
  const workspaces = workspacesOf(session);
  const review = new Review(workspaces, memory(), silentLog);
  ours = [review, new Landing(workspaces, review, silentLog), new Worktrees(workspaces, silentLog)];
  // git's own extension, as far as it is asked.
  const repository = {
    rootUri: vscode.Uri.file(place.repository),
    state: { HEAD: { name: "main" } },
    getBranches: async () => place.git("for-each-ref", "--format=%(refname:short)", "refs/heads").trim().split("\n").map((name) => ({ name })),
  };
  extensions.getExtension = () => ({ isActive: true, exports: { enabled: true, getAPI: () => ({ repositories: [repository], openRepository: async () => repository }) } });
});
afterEach(async () => {
  ours.forEach((one) => one.dispose());
  await place.end();
});

const WORK = [{ write: "a.txt", text: "two\n" }, { write: "new.txt", text: "new\n" }, { say: "Done." }];
const asked = (command: string, run: Run) => vscode.commands.executeCommand(`kanbots.${command}`, { session, cardId: run.cardId, runId: run.id });
const said = (): string[] => shown.messages.map(({ text }) => text);
const press = (button: string, when: (message: Message) => boolean = () => true) => {
  person.message = (message) => (message.buttons.includes(button) && when(message) ? button : undefined);
};

/** Goes through the dialog as a person would: by the row that is named, or with what is typed. */
function answers(choose: Readonly<Record<number, string | ((input: QuickInput) => void)>>) {
  const seen: { step: number; kind: string; rows: string[]; value: string }[] = [];
  person.input = (input) => {
    const { step } = input as unknown as { step: number };
    seen.push({ step, kind: input.kind, rows: input.items.map(({ label, description }) => (description === undefined ? label : `${label} (${description})`)), value: input.value });
    const choice = choose[step];
    if (typeof choice === "function") {
      choice(input);
    } else if (input.kind === "box") {
      input.value = choice ?? input.value;
      input.accept();
    } else {
      if (!input.canSelectMany) {
        input.selectedItems = input.items.filter(({ label }) => (choice === undefined ? label === (input.activeItems[0] ?? input.items[0])?.label : label === choice));
      }
      input.accept();
    }
  };
  return seen;
}

test("what is chosen lands, and what was shown is what is asked for", async () => {
  const run = await reviewed(place, session, "Deflake", WORK, 7);
  const seen = answers({});
  press("Show Commit");
  vscode.commands.registerCommand("git.viewCommit", () => undefined);
  await asked("promote", run);
  const commit = place.git("rev-parse", "main").trim();
  expect(said()).toEqual([`Landed on main as ${commit.slice(0, 7)}.`]);
  expect(seen.map(({ step, rows, value }) => (step === 4 ? value : rows))).toEqual([
    ["main (where the run began, checked out)", "New branch…"],
    ["Squash", "Merge", "Rebase"],
    ["a.txt (M +1 −1)", "new.txt (A +1 −0)"],
    "Deflake (#7)",
    ["Land 2 files (+2 −1) on main as one commit", "What lands", "a.txt (M +1 −1)", "new.txt (A +1 −0)"],
  ]);
  expect(place.git("log", "-1", "--format=%s", "main").trim()).toBe("Deflake (#7)");
  expect(place.git("show", "main:new.txt")).toBe("new\n");
  await until("the run is promoted", () => runNow(session, run.id).state === "promoted");
  expect(shown.executed.at(-1)).toMatchObject({ command: "git.viewCommit", arguments: [{ path: place.repository }, commit] });
});

test("a new branch, a merge, chosen files, a message of one's own, and a step back", async () => {
  const run = await reviewed(place, session, "Deflake", WORK, 7);
  let wasBack = false;
  const seen = answers({
    1: (input) => {
      if (input.kind === "box") {
        input.type("bad..name");
        expect(input.validationMessage).toContain("git does not take this");
        input.type("main");
        expect(input.validationMessage).toContain("is there already");
        input.type("fix/login");
        expect(input.validationMessage).toBeUndefined();
      } else {
        input.selectedItems = input.items.filter(({ label }) => label === "New branch…");
      }
      input.accept();
    },
    2: (input) => {
      input.selectedItems = [input.items[0]!];
      input.accept();
    },
    3: (input) => {
      input.selectedItems = input.items.filter(({ label }) => label === "new.txt");
      input.accept();
    },
    4: (input) => {
      if (wasBack) {
        input.type("Only the new one");
        input.accept();
      } else {
        wasBack = true;
        input.press(QuickInputButtons.Back);
      }
    },
  });
  await asked("promote", run);
  expect(said()[0]).toMatch(/^Landed on fix\/login as [0-9a-f]{7}\.$/);
  expect(seen.map(({ step }) => step)).toEqual([1, 1, 2, 3, 4, 3, 4, 5]);
  expect(place.git("show", "fix/login:new.txt")).toBe("new\n");
  expect(place.git("show", "fix/login:a.txt")).toBe("one\n");
  expect(place.git("log", "-1", "--format=%s", "fix/login").trim()).toBe("Only the new one");
  expect(place.git("show", "main:a.txt")).toBe("one\n");
});

test("who leaves the dialog has landed nothing", async () => {
  const run = await reviewed(place, session, "Deflake", WORK, 7);
  answers({ 5: (input) => input.hide() });
  const before = place.git("rev-parse", "main");
  await asked("promote", run);
  expect([place.git("rev-parse", "main"), said(), runNow(session, run.id).state]).toEqual([before, [], "inReview"]);
});

test("a conflict names its files and is handed to the agent, or to a person", async () => {
  const run = await reviewed(place, session, "Deflake", WORK, 7);
  place.write("a.txt", "another\n");
  place.git("commit", "-qam", "Meanwhile");
  answers({});
  press("Open Worktree");
  await asked("promote", run);
  expect(said()[0]).toMatch(/^#7: It conflicts with main in a\.txt\./);
  expect(shown.executed.at(-1)?.command).toBe("kanbots.openWorktree");
  press("Let the Agent Resolve");
  await asked("promote", run);
  expect(said().at(-1)).toBe("The agent of #7 is asked to resolve the conflicts.");
  await until("the agent was told", async () => {
    const { items } = await session.request("run/events", { runId: run.id });
    return items.some((item) => item.kind === "userMessage" && item.body.text.includes("conflicts with the branch `main` in:\n- a.txt"));
  });
});

test("what is not what was shown does not land", async () => {
  const run = await reviewed(place, session, "Deflake", WORK, 7);
  await asked("review", run);
  answers({ 5: (input) => {
    writeFileSync(join(run.worktreePath, "a.txt"), "sneaked in\n");
    input.selectedItems = [input.items[0]!];
    input.accept();
  } });
  press("Show What Changed");
  await asked("promote", run);
  expect(said()[0]).toMatch(/^#7: The worktree is not what was reviewed any more\./);
  expect(place.git("show", "main:a.txt")).toBe("one\n");
  expect(shown.executed.filter(({ command }) => command === "vscode.changes").at(-1)?.arguments[0]).toBe("#7 Deflake · since last look");
});

test("a checkout that is in the way is named", async () => {
  const run = await reviewed(place, session, "Deflake", WORK, 7);
  place.write("a.txt", "not committed\n");
  answers({});
  press("Show Source Control");
  await asked("promote", run);
  expect(said()[0]).toContain("a.txt");
  expect(shown.executed.at(-1)?.command).toBe("workbench.view.scm");
  expect(place.git("show", "main:a.txt")).toBe("one\n");
});

test("what a hook said can be read", async () => {
  const run = await reviewed(place, session, "Deflake", WORK, 7);
  const hook = join(place.repository, ".git", "hooks", "pre-commit");
  mkdirSync(join(hook, ".."), { recursive: true });
  writeFileSync(hook, "#!/bin/sh\necho 'lint: a.txt is not formatted [x](command:y)'\nexit 3\n");
  chmodSync(hook, 0o755);
  answers({});
  press("Show Output");
  await asked("promote", run);
  expect(said()[0]).toMatch(/^#7: The hook pre-commit ended with code 3/);
  const { uri } = shown.documents.at(-1) ?? {};
  expect(uri?.scheme).toBe("kanbots-output");
  expect(contentProviders.at(-1)?.provideTextDocumentContent(uri as never)).toContain("lint: a.txt is not formatted [x](command:y)");
});

test("an agent that is at work is not promoted, and is discarded only after a question", async () => {
  const { id } = await dispatched(place, session, "Long", [{ write: "a.txt", text: "two\n" }, { say: "Working." }, { wait: 600_000 }], 9);
  await until("it is running", () => session.board?.runs.find((run) => run.id === id)?.state === "running");
  const run = runNow(session, id);
  await asked("promote", run);
  expect(said()[0]).toContain("The agent of #9 is still at work.");
  await asked("discard", run);
  expect(shown.messages.at(-1)).toMatchObject({ modal: true, text: "Stop the agent of #9 and discard its work?" });
  expect(runNow(session, id).state).toBe("running");
  press("Stop and Discard");
  await asked("discard", run);
  await until("it is discarded", () => runNow(session, id).state === "discarded");
  expect(said().at(-1)).toMatch(/^Discarded the work of #9\. It is kept until [A-Z][a-z]+ \d+, \d{4}\.$/);
});

test("discarded work is back after Undo, and after Restore", async () => {
  const run = await reviewed(place, session, "Deflake", WORK, 7);
  press("Undo");
  await asked("discard", run);
  expect(said()).toEqual([expect.stringMatching(/^Discarded the work of #7/), "Restored the work of #7."]);
  await until("it is back", () => runNow(session, run.id).state === "inReview" && existsSync(join(run.worktreePath, "new.txt")));
  person.message = () => undefined;
  await asked("discard", run);
  await until("it is gone", () => runNow(session, run.id).state === "discarded" && !existsSync(run.worktreePath));
  press("Review");
  await asked("restore", run);
  await until("it is back again", () => existsSync(join(run.worktreePath, "new.txt")));
  expect(shown.executed.some(({ command }) => command === "vscode.changes")).toBe(true);
});

test("Source Control names the run of a worktree, and the only one of a repository", async () => {
  const run = await reviewed(place, session, "Deflake", WORK, 7);
  const seen = answers({ 1: (input) => input.hide() });
  await vscode.commands.executeCommand("kanbots.promote", { rootUri: vscode.Uri.file(run.worktreePath) });
  await vscode.commands.executeCommand("kanbots.promote", { rootUri: vscode.Uri.file(place.repository) });
  expect(seen).toHaveLength(2);
});

const worktrees = (choose: (rows: QuickInput["items"]) => QuickInput["items"]) => {
  let rows: readonly string[] = [];
  person.input = (input) => {
    rows = input.items.map(({ label, description, detail }) => `${label}: ${description}. ${detail}`);
    input.selectedItems = choose(input.items);
    input.accept();
  };
  return () => rows;
};

test("worktrees go after their plan was shown, foreign ones only after a question of their own", async () => {
  const run = await reviewed(place, session, "Deflake", WORK, 7);
  const foreign = join(place.root, "elsewhere");
  place.git("worktree", "add", "-q", "-b", "mine", foreign);
  const rows = worktrees((items) => items);
  press("Remove");
  await vscode.commands.executeCommand("kanbots.manageWorktrees");
  expect(rows().map((row) => row.replace(/[\d.]+ K?B/, "SIZE"))).toEqual([expect.stringMatching(/^issue-7-\d+: #7 · in review · SIZE\. /), expect.stringMatching(/^elsewhere: not made by KanBots · SIZE\. /)]);
  expect(shown.messages.filter(({ modal }) => modal).map(({ text }) => text)).toEqual(["This worktree is not of KanBots' making. Remove it all the same?", expect.stringMatching(/^Remove 1 worktree/)]);
  expect([existsSync(run.worktreePath), existsSync(foreign)]).toEqual([false, true]);
  expect(said().at(-1)).toMatch(/^1 worktree removed/);

  person.message = (message) => (message.modal ? message.buttons[0] : undefined);
  worktrees((items) => items.filter(({ label }) => label === "elsewhere"));
  await vscode.commands.executeCommand("kanbots.manageWorktrees");
  expect(existsSync(foreign)).toBe(false);
  expect(place.git("branch", "--list", "mine").trim()).toBe("mine");

  // What was discarded is deleted for good.
  worktrees((items) => items);
  await vscode.commands.executeCommand("kanbots.manageWorktrees");
  expect(shown.messages.at(-2)?.detail).toContain("is deleted for good");
  expect(said().at(-1)).toMatch(/^1 worktree removed, .* freed\.$/);
});

test("a plan that does not hold any more is shown again", async () => {
  const run = await reviewed(place, session, "Deflake", WORK, 7);
  worktrees((items) => items);
  let plans = 0;
  person.message = (message) => {
    if (message.modal && ++plans === 1) {
      place.cli("promote", "#7", "--onto", "next");
    }
    return message.modal ? "Remove" : undefined;
  };
  await vscode.commands.executeCommand("kanbots.manageWorktrees");
  expect(shown.messages.filter(({ modal }) => modal).map(({ text }) => text)).toEqual([expect.stringMatching(/^Remove 1 worktree/), expect.stringMatching(/^The worktrees have changed meanwhile\. Remove 1 worktree/)]);
  expect(existsSync(run.worktreePath)).toBe(false);
});
