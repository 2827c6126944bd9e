import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type * as vscode from "vscode";
import { Dispatch } from "../../src/dispatch/dispatch";
import { GitHubIssues } from "../../src/issues/githubIssues";
import { IssuesView } from "../../src/issues/issuesView";
import type { Session } from "../../src/sidecar/session";
import type { Workspaces } from "../../src/sidecar/workspaces";
import { Place, until } from "../place";
import * as stub from "../vscode-stub";

let place: Place;
let session: Session;
let toEnd: { dispose(): unknown }[];
const errors: string[] = [];
const log = { info: () => undefined, warn: (line: string) => errors.push(line), error: (line: string) => errors.push(line), show: () => undefined } as unknown as vscode.LogOutputChannel;
const none = () => ({ dispose: () => undefined });

const card = async (number: number, title: string, body: string) => (await session.change("card/create", { number, title, body, column: "todo" })).card;
const runsOf = (number: number) => session.board?.runs.filter((run) => run.cardNumber === number) ?? [];

beforeEach(async () => {
  stub.reset();
  errors.length = 0;
  place = new Place();
  place.git("branch", "develop");
  place.script("say", [{ say: "Done." }]);
  session = await place.session();
  const workspaces = { sessions: [session], log, state: { kind: "ready" }, start: () => undefined, pick: async () => session, onDidOpen: none, onDidChange: none } as unknown as Workspaces;
  const stored = new Map<string, unknown>();
  const context = { workspaceState: { get: (key: string) => stored.get(key), update: async (key: string, value: unknown) => stored.set(key, value) } } as unknown as vscode.ExtensionContext;
  toEnd = [new Dispatch(context, workspaces, log), new GitHubIssues(workspaces, log), new IssuesView(workspaces)];
});

afterEach(async () => {
  toEnd.forEach((one) => one.dispose());
  await place.end();
});

describe("dispatching", () => {
  it("asks with what in six steps, remembers it, and offers it as the first entry the next time", async () => {
    const one = await card(1, "one", "[[fake:say]]");
    const two = await card(2, "two", "[[fake:say]]");
    const seen: string[] = [];
    // The scripted agent has no account, which is said and not passed over.
    stub.person.message = ({ text, modal, buttons }) => {
      seen.push(`${modal} ${text.split(". ")[0]}: ${buttons.join("|")}`);
      return "Use Anyway";
    };
    stub.person.input = (input) => {
      const { step, totalSteps } = input as unknown as { step: number; totalSteps: number };
      const choose = (label: string) => {
        const items = input.items.filter((item) => item.label === label);
        if (items.length === 0) {
          // Agents and branches are still being asked for.
          setTimeout(() => stub.person.input(input), 20);
          return;
        }
        seen.push(`${step}/${totalSteps} ${label}`);
        input.selectedItems = items;
        input.accept();
      };
      if (step === 1) {
        choose("Claude Code");
      } else if (input.kind === "pick") {
        choose({ 2: "Default", 3: "Ask before using tools", 4: "Other…" }[step] ?? "");
      } else if (step === 4) {
        seen.push("4 typed");
        input.type("develop");
        input.accept();
      } else if (step === 5) {
        input.type("nothing");
        input.accept();
        seen.push(`5 ${input.validationMessage ?? ""}`);
        input.type("2.50");
        input.accept();
      } else {
        seen.push("6");
        input.type("Be brief.");
        input.accept();
      }
    };
    await stub.commands.executeCommand("kanbots.dispatchWith", { session, cardId: one.id });
    await until("it is dispatched", () => runsOf(1).length === 1, () => JSON.stringify([seen, errors, stub.shown.messages]));
    expect(seen).toEqual(["1/6 Claude Code", "true Claude Code: not signed in: Try Again|Check Setup|Use Anyway", "2/6 Default", "3/6 Ask before using tools", "4/6 Other…", "4 typed", "5 Dollars, such as 5 or 2.50. Empty: the budget of the settings.", "6"]);
    await until("its base is known", () => runsOf(1)[0]?.baseRef === "develop", () => JSON.stringify(runsOf(1)));
    expect(runsOf(1)[0]).toMatchObject({ permissionMode: "ask", budget: { microUsd: 2_500_000 } });

    let first: readonly string[] = [];
    stub.person.input = (input) => {
      if (input.items.length === 0) {
        setTimeout(() => stub.person.input(input), 20);
        return;
      }
      first = [input.items[0]?.label ?? "", input.items[0]?.description ?? ""];
      input.selectedItems = input.items.slice(0, 1);
      input.accept();
    };
    await stub.commands.executeCommand("kanbots.dispatchWith", { session, cardId: two.id });
    await until("the second is dispatched", () => runsOf(2).length === 1);
    expect(first).toEqual(["Dispatch with the last choice", "claude, default model, ask before using tools, from develop, $2.50"]);
    expect(runsOf(2)[0]).toMatchObject({ permissionMode: "ask", budget: { microUsd: 2_500_000 } });
  });

  it("sends several at once with one summary, and says which were refused", async () => {
    const ids = [await card(1, "one", "[[fake:say]]"), await card(2, "two", "[[fake:say]]")].map(({ id }) => id);
    await until("the board has both", () => session.board?.cards.length === 2);
    await stub.commands.executeCommand("kanbots.dispatch", [...ids, 4711].map((cardId) => ({ session, cardId })));
    await until("both are dispatched", () => runsOf(1).length + runsOf(2).length === 2);
    expect(stub.shown.statusMessages.filter((text) => text.includes("dispatched"))).toEqual(["$(rocket) 2 cards dispatched, 1 refused"]);
    expect(stub.shown.messages.filter(({ level }) => level === "error")).toHaveLength(1);
  });

  it("makes a card of an issue of another extension, once", async () => {
    const issue = { number: 412, title: "Deflake the auth test", body: "[[fake:say]]", html_url: "https://github.com/acme/sample/issues/412" };
    await stub.commands.executeCommand("kanbots.dispatchGitHubIssue", issue);
    await until("it runs", () => runsOf(412).length === 1, () => JSON.stringify([errors, stub.shown.messages]));
    await until("it has ended", () => runsOf(412)[0]?.state === "finished", () => JSON.stringify(runsOf(412)));
    await stub.commands.executeCommand("kanbots.dispatchGitHubIssue", issue);
    await until("it runs again", () => runsOf(412).length === 2);
    expect(session.board?.cards.map(({ number, body }) => [number, body])).toEqual([[412, "Issue: https://github.com/acme/sample/issues/412\n\n[[fake:say]]"]]);
    await stub.commands.executeCommand("kanbots.dispatchGitHubIssue", { label: "a query" });
    expect(stub.shown.messages.at(-1)?.text).toMatch(/no issue/);
  });

  it("shows the issues as they change, and only what changed", async () => {
    const one = await card(1, "one", "[[fake:say]]");
    const tree = stub.trees.get("kanbots.issues");
    const provider = tree?.options.treeDataProvider as unknown as IssuesView;
    const shown = () => provider.getChildren().flatMap((group) => provider.getChildren(group)).map((node) => provider.getTreeItem(node)).map((item) => `${String(item.label)} (${String(item.description)})`);
    await until("the card is listed", () => shown().join() === "#1 one ()", () => shown().join());
    const before = provider.getChildren(provider.getChildren()[0])[0];
    const fired: unknown[] = [];
    provider.onDidChangeTreeData((nodes) => fired.push(nodes));
    await session.change("card/update", { cardId: one.id, title: "renamed" });
    await until("the new title is listed", () => shown().join() === "#1 renamed ()", () => shown().join());
    await until("it was told", () => fired.length > 0);
    expect(fired).toEqual([[before]]);
    expect(provider.getChildren(provider.getChildren()[0])[0]).toBe(before);
    await stub.commands.executeCommand("kanbots.dispatch", { session, cardId: one.id });
    await until("its end is listed", () => shown().join().includes("finished without changes"), () => shown().join());
    expect(stub.shown.contexts.get("kanbots.state")).toBe("ready");
  });
});
