import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type * as vscode from "vscode";
import { Settings } from "../../src/settings/settings";
import type { Session } from "../../src/sidecar/session";
import type { Workspaces } from "../../src/sidecar/workspaces";
import { Place, until } from "../place";
import * as stub from "../vscode-stub";

const names = ["runs.maxParallel", "runs.budget.minutes", "worktree.include", "worktree.root"];
const manifest = { contributes: { configuration: [{ properties: Object.fromEntries([...names, "sidecar.path", "no.such"].map((name) => [`kanbots.${name}`, {}])) }] } };

let place: Place;
let session: Session;
let given: Record<string, { globalValue?: unknown; workspaceValue?: unknown }>;
let changed: (names: readonly string[]) => void;
let settings: Settings;
const warnings: string[] = [];
const log = { info: () => undefined, warn: (line: string) => warnings.push(line), error: (line: string) => warnings.push(line), show: () => undefined } as unknown as vscode.LogOutputChannel;
const none = () => ({ dispose: () => undefined });

/** What the terminal client says of a setting: it has asked nobody but the sidecar. */
const has = (name: string) => place.cli("config", name).trim();

beforeEach(async () => {
  stub.reset();
  given = {};
  warnings.length = 0;
  const listeners = new Set<(change: { affectsConfiguration(name: string): boolean }) => void>();
  changed = (of) => listeners.forEach((listener) => listener({ affectsConfiguration: (name) => of.some((one) => name === `kanbots.${one}`) }));
  Object.assign(stub.workspace, {
    onDidChangeConfiguration: (listener: (change: { affectsConfiguration(name: string): boolean }) => void) => {
      listeners.add(listener);
      return { dispose: () => listeners.delete(listener) };
    },
    getConfiguration: () => ({ get: (_name: string, fallback: unknown) => fallback, inspect: (name: string) => given[name] }),
  });
  place = new Place();
  session = await place.session();
});

afterEach(async () => {
  settings.dispose();
  await place.end();
});

const start = () => {
  settings = new Settings({ extension: { packageJSON: manifest } } as unknown as vscode.ExtensionContext, { sessions: [session], onDidOpen: none } as unknown as Workspaces, log);
};

describe("settings of VS Code", () => {
  it("reach the sidecar where a person has set them, and only there", async () => {
    place.cli("config", "runs.budget.minutes", "77");
    given = { "runs.maxParallel": { globalValue: 2, workspaceValue: 3 }, "worktree.include": { workspaceValue: [".env"] } };
    start();
    await until("both are set", () => has("runs.maxParallel").includes("3") && has("worktree.include").includes(".env"), () => JSON.stringify([has("runs.maxParallel"), warnings]));
    expect(has("runs.budget.minutes")).toContain("77");
    // Removed here, the default is back; what was set in the terminal stays.
    given = { "worktree.include": { workspaceValue: [".env"] } };
    changed(["runs.maxParallel"]);
    await until("the default is back", () => has("runs.maxParallel").includes("4"));
    expect(has("worktree.include")).toContain(".env");
    expect(has("runs.budget.minutes")).toContain("77");
    expect(warnings).toEqual([]);
  });

  it("that are wrong are named once, and the others are taken", async () => {
    given = { "no.such": { globalValue: true }, "worktree.root": { globalValue: "../outside" }, "runs.maxParallel": { globalValue: 2 } };
    start();
    await until("the right one is set", () => has("runs.maxParallel").includes("2"));
    await until("both wrong ones are named", () => stub.shown.messages.length === 2, () => JSON.stringify(stub.shown.messages));
    expect(stub.shown.messages.map(({ text }) => /kanbots\.[\w.]+\w/.exec(text)?.[0]).toSorted()).toEqual(["kanbots.no.such", "kanbots.worktree.root"]);
    expect(stub.shown.messages.every(({ buttons }) => buttons.includes("Open Settings"))).toBe(true);
    given["runs.maxParallel"] = { globalValue: 5 };
    changed(["runs.maxParallel"]);
    await until("the next change is taken", () => has("runs.maxParallel").includes("5"));
    expect(stub.shown.messages).toHaveLength(2);
  });
});
