import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type * as vscode from "vscode";
import { type Asked, Decisions } from "../../src/decisions/decisions";
import { DecisionsView } from "../../src/decisions/decisionsView";
import { Dispatch } from "../../src/dispatch/dispatch";
import type { Session } from "../../src/sidecar/session";
import type { Workspaces } from "../../src/sidecar/workspaces";
import { Place, until } from "../place";
import * as stub from "../vscode-stub";

interface Toast {
  message: string;
  buttons: readonly string[];
  isOpen: boolean;
  /** Clicks a button by its title, or closes it. */
  end(title: string | undefined): void;
}

let place: Place;
let session: Session;
let toasts: Toast[];
let toEnd: { dispose(): unknown }[];
let view: DecisionsView;
let decisions: Decisions;
const failures: string[] = [];

const only = () => workspacesOf([session]);
const workspacesOf = (sessions: readonly Session[]): Workspaces => ({ sessions, log: logOf(), state: { kind: "ready" }, start: () => undefined, onDidOpen: none, onDidChange: none }) as unknown as Workspaces;
const none = () => ({ dispose: () => undefined });
const logOf = () => ({ info: () => undefined, warn: (line: string) => failures.push(line), error: (line: string) => failures.push(line), show: () => undefined }) as unknown as vscode.LogOutputChannel;
const contextOf = () => {
  const stored = new Map<string, unknown>();
  return { workspaceState: { get: (key: string, fallback: unknown) => stored.get(key) ?? fallback, update: async (key: string, value: unknown) => stored.set(key, value) } } as unknown as vscode.ExtensionContext;
};

/** Notifications as VS Code keeps them: one stays until it is clicked or closed, and an equal one takes its place. */
function showing(message: string, ...items: { title: string }[]): Promise<unknown> {
  return new Promise((resolve) => {
    const toast: Toast = {
      message,
      buttons: items.map(({ title }) => title),
      isOpen: true,
      end(title) {
        toast.isOpen = false;
        resolve(items.find((item) => item.title === title));
      },
    };
    toasts.find((other) => other.isOpen && other.message === message)?.end(undefined);
    toasts.push(toast);
  });
}

const open = () => toasts.filter(({ isOpen }) => isOpen);
const rows = () => view.getChildren() as Asked[];
const labels = () => rows().map((row) => String(view.getTreeItem(row).label));
const answersIn = (cardNumber: number) => {
  const run = session.board?.runs.find((one) => one.cardNumber === cardNumber);
  return JSON.parse(readFileSync(join(run?.worktreePath ?? "", ".fake-answers.json"), "utf8")) as unknown;
};
const stateOf = (cardNumber: number) => session.board?.runs.find((one) => one.cardNumber === cardNumber)?.state;

async function dispatched(number: number, title: string, script: string): Promise<number> {
  const { card } = await session.change("card/create", { number, title, body: `[[fake:${script}]]`, column: "todo" });
  await stub.commands.executeCommand("kanbots.dispatch", { session, cardId: card.id });
  return card.id;
}

beforeEach(async () => {
  stub.reset();
  toasts = [];
  failures.length = 0;
  Object.assign(stub.window, { showInformationMessage: showing, showWarningMessage: showing, showErrorMessage: async (message: string) => void failures.push(message) });
  place = new Place();
  place.script("choose", [{ ask: [{ question: "Use Radix or build from scratch?", header: "Toast", multiSelect: false, options: [{ label: "Radix" }, { label: "From scratch" }] }] }, { say: "Done." }]);
  place.script("several", [
    { ask: [{ question: "Which parts?", header: "Parts", multiSelect: true, options: [{ label: "Header" }, { label: "Footer" }, { label: "Menu" }] }, { question: "How fast?", header: "Pace", multiSelect: false, options: [{ label: "Now" }, { label: "Later" }] }] },
    { say: "Done." },
  ]);
  session = await place.session();
  decisions = new Decisions(contextOf(), only(), logOf());
  view = new DecisionsView(decisions);
  toEnd = [decisions, view, new Dispatch(contextOf(), only(), logOf())];
});

afterEach(async () => {
  for (const one of toEnd) {
    one.dispose();
  }
  await place.end();
});

describe("what an agent asks", () => {
  it("is answered by a button of its notification, in the agent's own words", async () => {
    await dispatched(88, "add toast component", "choose");
    await until("the question is shown", () => open().length === 1);
    expect(open()[0]).toMatchObject({ message: "#88 Use Radix or build from scratch?", buttons: ["Radix", "From scratch", "Other…", "Show"] });
    expect(labels()).toEqual(["#88 Use Radix or build from scratch?"]);
    open()[0]?.end("From scratch");
    await until("the run has ended", () => ["finished", "inReview"].includes(stateOf(88) ?? ""), () => JSON.stringify([stateOf(88), failures]));
    expect(JSON.stringify(answersIn(88))).toContain("From scratch");
    expect(labels()).toEqual([]);
    expect(open()).toEqual([]);
    expect(failures).toEqual([]);
  });

  it("stays in the view when its notification is closed, and is answered from the keyboard", async () => {
    await dispatched(88, "add toast component", "choose");
    await until("the question is shown", () => open().length === 1);
    open()[0]?.end(undefined);
    await session.change("card/create", { title: "Something else" });
    await until("the board has another card", () => session.board?.cards.length === 2);
    expect(open()).toEqual([]);
    expect(labels()).toHaveLength(1);
    const seen: string[] = [];
    stub.person.input = (input) => {
      seen.push(`${input.title ?? ""}: ${input.kind === "pick" ? input.items.map(({ label }) => label).join("|") : (input.prompt ?? "")}`);
      if (input.kind === "pick") {
        input.selectedItems = input.items.filter(({ label }) => label === "Other…");
        input.accept();
      } else {
        input.type("   ");
        input.accept();
        seen.push(input.validationMessage ?? "");
        input.type("Ask the designers");
        input.accept();
      }
    };
    await stub.commands.executeCommand("kanbots.answerOldest");
    expect(seen).toEqual(["#88 Toast: Radix|From scratch|Other…|Show the thread", "#88 Toast: Use Radix or build from scratch?", "An answer has at least one word."]);
    await until("the run has ended", () => ["finished", "inReview"].includes(stateOf(88) ?? ""));
    expect(JSON.stringify(answersIn(88))).toContain("Ask the designers");
    expect(labels()).toEqual([]);
  });

  it("asks several questions in steps with a way back, and any number of options where they may be several", async () => {
    await dispatched(88, "the page", "several");
    await until("the questions are shown", () => open().length === 1);
    expect(open()[0]?.buttons).toEqual(["Answer…", "Show"]);
    const seen: string[] = [];
    let went = false;
    stub.person.input = (input) => {
      const { step, totalSteps } = input as unknown as { step?: number; totalSteps?: number };
      seen.push(`${step}/${totalSteps} ${input.canSelectMany ? "many" : "one"}`);
      if (input.canSelectMany) {
        input.selectedItems = input.items.filter(({ label }) => label === "Header" || label === "Menu");
        input.accept();
      } else if (!went) {
        went = true;
        input.press(input.buttons[0] ?? {});
      } else {
        input.selectedItems = input.items.filter(({ label }) => label === "Later");
        input.accept();
      }
    };
    open()[0]?.end("Answer…");
    await until("the run has ended", () => ["finished", "inReview"].includes(stateOf(88) ?? ""), () => JSON.stringify([seen, failures]));
    expect(seen).toEqual(["1/2 many", "2/2 one", "1/2 many", "2/2 one"]);
    const said = JSON.stringify(answersIn(88));
    expect(said).toMatch(/Header.*Menu/);
    expect(said).toContain("Later");
    expect(said).not.toContain("Footer");
  });

  it("is taken away everywhere when it is answered in a terminal; what others ask stays", async () => {
    await dispatched(88, "first", "choose");
    await until("the first is shown", () => open().length === 1);
    await dispatched(89, "second", "choose");
    await until("both are shown", () => open().length === 2);
    let hidden = 0;
    stub.person.input = () => undefined;
    const dialogs: { hidden: boolean }[] = [];
    const create = stub.window.createQuickPick;
    stub.window.createQuickPick = () => {
      const input = create();
      const dialog = { hidden: false };
      dialogs.push(dialog);
      const dispose = input.dispose;
      input.dispose = () => {
        dialog.hidden = true;
        return dispose();
      };
      return input;
    };
    try {
      void stub.commands.executeCommand("kanbots.answer", { key: rows()[0]?.key });
      await until("the dialog is open", () => dialogs.length === 1);
      place.cli("answer", "88", "Radix");
      await until("the dialog is gone", () => dialogs[0]?.hidden === true);
    } finally {
      stub.window.createQuickPick = create;
    }
    await until("the other one is shown again", () => stub.shown.executed.some(({ command }) => command === "notifications.hideToasts") && labels().length === 1);
    hidden = stub.shown.executed.filter(({ command }) => command === "notifications.clearAll").length;
    expect(hidden).toBe(0);
    expect(open().map(({ message }) => message)).toContain("#89 Use Radix or build from scratch?");
    // An answer that comes too late from a notification that VS Code still keeps in its bell is told quietly, and changes nothing.
    toasts.find(({ message }) => message.startsWith("#88"))?.end("From scratch");
    await until("the first has ended", () => ["finished", "inReview"].includes(stateOf(88) ?? ""));
    expect(JSON.stringify(answersIn(88))).toContain("Radix");
    expect(labels()).toEqual(["#89 Use Radix or build from scratch?"]);
    expect(failures).toEqual([]);
  });

  it("of permission is denied with a reason, or allowed for the card", async () => {
    place.script("write", [{ permission: "Write", input: { file_path: "a.txt", content: "x" } }, { say: "Done." }]);
    const { card } = await session.change("card/create", { number: 90, title: "write", body: "[[fake:write]]", column: "todo" });
    await session.change("run/dispatch", { cardId: card.id, permissionMode: "ask" });
    await until("the permission is shown", () => open().length === 1);
    expect(open()[0]).toMatchObject({ message: "#90 wants to use Write: a.txt", buttons: ["Allow once", "Allow for this card", "Deny…", "Show"] });
    stub.person.input = (input) => {
      input.type("Not this file");
      input.accept();
    };
    open()[0]?.end("Deny…");
    await until("the run has ended", () => ["finished", "inReview"].includes(stateOf(90) ?? ""), () => JSON.stringify([stateOf(90), failures]));
    const thread = await session.request("run/events", { runId: session.board?.runs[0]?.id ?? 0 });
    expect(JSON.stringify(thread.items)).toContain("Not this file");
  });

  it("is dismissed with a reason from the view", async () => {
    await dispatched(88, "first", "choose");
    await until("it is in the view", () => labels().length === 1);
    stub.person.input = (input) => {
      input.type("Decide yourself");
      input.accept();
    };
    await stub.commands.executeCommand("kanbots.dismissDecision", rows()[0]);
    await until("it is gone", () => labels().length === 0 && ["finished", "inReview"].includes(stateOf(88) ?? ""));
    expect(failures).toEqual([]);
  });
});
