import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
// @ts-expect-error a script without types
import { withSettings } from "../../settings.mjs";
import { OWN_SETTINGS } from "../../src/settings/given";
import { namesOf } from "../../src/settings/settings";
import { ACTION_WORDS } from "../../src/shared/actions";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), "utf8");

interface MenuItem {
  command: string;
  when?: string;
  group?: string;
}
interface Manifest {
  capabilities: { untrustedWorkspaces: { restrictedConfigurations: readonly string[] } };
  activationEvents: readonly string[];
  contributes: {
    commands: readonly { command: string; title: string; category: string }[];
    menus: Readonly<Record<string, readonly MenuItem[]>>;
    views: Readonly<Record<string, readonly { id: string; icon?: string }[]>>;
    viewsWelcome: readonly { view: string; when: string; contents: string }[];
    keybindings: readonly { command: string; key: string }[];
    walkthroughs: readonly { id: string; steps: readonly { id: string; description: string; media: { svg: string; altText: string }; completionEvents: readonly string[] }[] }[];
    configuration: readonly { title: string; properties: Readonly<Record<string, object>> }[];
    configurationDefaults: Readonly<Record<string, unknown>>;
  };
}

const manifest = JSON.parse(read("package.json")) as Manifest;
const { contributes } = manifest;
const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".ts")).map((path) => read(join("src", path))).join("\n");
const declared = contributes.commands.map(({ command }) => command);
const OWN_COMMANDS = /^kanbots\./;

describe("the manifest", () => {
  it("declares each command once, and each is made somewhere", () => {
    expect(declared).toEqual([...new Set(declared)]);
    for (const command of declared) {
      const name = command.replace("kanbots.", "");
      expect(sources.includes(`"${command}"`) || sources.includes(`("${name}"`) || sources.includes(`${name}:`), `${command} is declared and made nowhere`).toBe(true);
    }
  });

  it("names in menus, keys, welcome texts and the walkthrough only commands that are there", () => {
    const links = [...contributes.viewsWelcome.map(({ contents }) => contents), ...contributes.walkthroughs.flatMap(({ steps }) => steps.map(({ description }) => description))].flatMap((text) => [...text.matchAll(/\(command:([\w.]+)/g)].map(([, command]) => command ?? ""));
    const named = [...Object.values(contributes.menus).flat(), ...contributes.keybindings].map(({ command }) => command).concat(links);
    for (const command of named.filter((name) => OWN_COMMANDS.test(name))) {
      expect(declared, `${command} is named and not declared`).toContain(command);
    }
    expect(links.filter((name) => !OWN_COMMANDS.test(name))).toEqual(expect.arrayContaining(["workbench.trust.manage", "workbench.action.files.openFolder"]));
  });

  it("has a command for each action of a card", () => {
    for (const action of Object.keys(ACTION_WORDS)) {
      expect(declared, `the action ${action} is no command`).toContain(`kanbots.${action}`);
    }
  });

  it("offers each action in the menu of an issue where it is allowed", () => {
    const items = (contributes.menus["view/item/context"] ?? []).filter(({ when }) => when?.startsWith("view == kanbots.issues"));
    for (const action of Object.keys(ACTION_WORDS)) {
      expect(items.some(({ command, when }) => command === `kanbots.${action}` && when?.includes(`\\bcan${action.charAt(0).toUpperCase()}${action.slice(1)}\\b`)), `${action} is not in the menu of an issue`).toBe(true);
    }
  });

  it("matches the issues of the GitHub extension, as its own manifest does", () => {
    const item = (contributes.menus["view/item/context"] ?? []).find(({ command }) => command === "kanbots.dispatchGitHubIssue");
    const pattern = new RegExp(/viewItem =~ \/(.*)\//.exec(item?.when ?? "")?.[1] ?? "$^");
    expect(item?.when).toContain("view == issues:github");
    for (const word of ["issue", "currentissue", "continueissue", "linkissue", "linkcurrentissue"]) {
      expect(pattern.test(word), word).toBe(true);
    }
    expect(pattern.test("query")).toBe(false);
  });

  it("has what its pictures and steps name", () => {
    const steps = contributes.walkthroughs.flatMap((walkthrough) => walkthrough.steps);
    expect(steps).toHaveLength(4);
    for (const { media, completionEvents } of steps) {
      expect(existsSync(join(root, media.svg)), media.svg).toBe(true);
      expect(media.altText).not.toBe("");
      for (const event of completionEvents) {
        expect(sources, event).toContain(`"${event.replace("onContext:", "").replace(/\.shown$/, "")}"`);
      }
    }
    for (const view of Object.values(contributes.views).flat()) {
      if (view.icon !== undefined && !view.icon.startsWith("$(")) {
        expect(existsSync(join(root, view.icon)), view.icon).toBe(true);
      }
    }
  });

  it("keeps the worktrees out of watchers and search", () => {
    for (const setting of ["files.watcherExclude", "search.exclude"]) {
      expect(contributes.configurationDefaults[setting]).toEqual({ "**/.kanbots/worktrees/**": true });
    }
  });

  it("has the settings of the sidecar, as its schema describes them", () => {
    const schema = JSON.parse(read("../schema/config.schema.json")) as { properties: Readonly<Record<string, { type: unknown; default: unknown }>> };
    expect(JSON.parse(JSON.stringify(withSettings(manifest, schema))), "package.json has drifted from schema/config.schema.json: run node settings.mjs").toEqual(manifest);
    const properties = Object.assign({}, ...contributes.configuration.map((section) => section.properties)) as Readonly<Record<string, { type: unknown; default: unknown; scope: string }>>;
    expect(namesOf(manifest).toSorted()).toEqual(Object.keys(schema.properties).toSorted());
    for (const [name, { type, default: value }] of Object.entries(schema.properties)) {
      expect(properties[`kanbots.${name}`]).toMatchObject({ type, default: value });
    }
    for (const name of OWN_SETTINGS) {
      expect(properties[`kanbots.${name}`], name).toBeDefined();
      expect(sources, name).toContain(`"${name}"`);
    }
    // What names a program counts in a trusted workspace only.
    const programs = ["kanbots.sidecar.path", "kanbots.agents.claude.path", "kanbots.worktree.setup"];
    expect(manifest.capabilities.untrustedWorkspaces.restrictedConfigurations).toEqual(programs);
    for (const name of programs) {
      expect(properties[name]?.scope).toBe("machine-overridable");
    }
  });

  it("uses no proposed menu", () => {
    // Those of VS Code 1.139.1, from its own list.
    const proposed = /^(scm\/historyItem|scm\/historyItemRef|scm\/history\/|scm\/repositories\/|scm\/inputBox|scm\/artifact|multiDiffEditor\/|editor\/content|diffEditor\/|viewContainer\/|chat\/|agents\/|comments\/commentThread\/additionalActions)/;
    expect(Object.keys(contributes.menus).filter((menu) => proposed.test(menu))).toEqual([]);
  });
});
