// Runs in the extension host of a real workbench: what VS Code itself makes of the manifest and of the extension.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import Mocha from "mocha";
import * as vscode from "vscode";

export function run() {
  const mocha = new Mocha({ ui: "bdd", color: false, timeout: 30_000 });
  mocha.suite.emit("pre-require", globalThis, "tests", mocha);
  define();
  return new Promise((resolve, reject) => mocha.run((failures) => (failures === 0 ? resolve() : reject(new Error(`${failures} failed`)))));
}

async function until(what, holds) {
  const end = Date.now() + 20_000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`After 20 s it is not so that ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function define() {
  const { describe, it, before } = globalThis;
  describe("the extension in its host", () => {
    const extension = vscode.extensions.getExtension("kanbots.kanbots");
    const manifest = extension.packageJSON;

    it("is there, and is not active before something of it is wanted", () => {
      assert.ok(extension);
      assert.equal(extension.isActive, false, "it was activated without need");
    });

    it("activates within two seconds", async () => {
      const began = Date.now();
      await extension.activate();
      assert.ok(extension.isActive);
      assert.ok(Date.now() - began < 2_000 * Number(process.env.KANBOTS_SLOW ?? 1), `it took ${Date.now() - began} ms`);
    });

    it("registers exactly the commands of its manifest", async () => {
      const contributed = manifest.contributes.commands.map(({ command }) => command).sort();
      const registered = (await vscode.commands.getCommands(true)).filter((command) => command.startsWith("kanbots.") && !/\.(focus|open|resetViewLocation|removeView|toggleVisibility)$/.test(command)).sort();
      assert.deepEqual(registered.filter((command) => contributed.includes(command)), contributed, "a command of the manifest is registered by nobody");
      assert.deepEqual(registered.filter((command) => !contributed.includes(command)), [], "a command is registered that the manifest does not name");
    });

    it("has the settings of the manifest with their defaults, as VS Code reads them", () => {
      const sections = [manifest.contributes.configuration].flat();
      const properties = Object.assign({}, ...sections.map(({ properties }) => properties));
      assert.ok(Object.keys(properties).length > 5);
      for (const [name, setting] of Object.entries(properties)) {
        const known = vscode.workspace.getConfiguration().inspect(name);
        assert.ok(known, `${name} is not known`);
        if (setting.default !== undefined) assert.deepEqual(known.defaultValue, setting.default, name);
      }
    });

    it("keeps the worktrees out of watchers and search by default", () => {
      for (const section of ["files.watcherExclude", "search.exclude"]) {
        const excluded = Object.keys(vscode.workspace.getConfiguration().get(section));
        assert.ok(excluded.some((pattern) => pattern.includes(".kanbots/worktrees")), `${section} has no pattern for the worktrees`);
      }
    });

    it("names only what is there: icons, walkthrough media, menus' commands", () => {
      const commands = new Set(manifest.contributes.commands.map(({ command }) => command));
      for (const items of Object.values(manifest.contributes.menus)) {
        for (const item of items) if (item.command !== undefined) assert.ok(commands.has(item.command), item.command);
      }
      for (const { steps } of manifest.contributes.walkthroughs) {
        for (const { media } of steps) {
          for (const path of Object.values(media)) if (typeof path === "string" && /\.(svg|png|md)$/.test(path)) readFileSync(join(extension.extensionPath, path));
        }
      }
    });

    describe("with the board open", () => {
      before(async () => vscode.commands.executeCommand("kanbots.openBoard"));

      it("the board is a tab of its own, and a second call does not make another", async () => {
        const boards = () => vscode.window.tabGroups.all.flatMap(({ tabs }) => tabs).filter((tab) => tab.input instanceof vscode.TabInputWebview && tab.input.viewType.endsWith("kanbots.board"));
        await until("a tab of the board is there", () => boards().length === 1);
        await vscode.commands.executeCommand("kanbots.openBoard");
        assert.equal(boards().length, 1);
      });
    });
  });
}
