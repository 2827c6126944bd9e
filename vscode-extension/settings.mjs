// Writes the settings of package.json: the extension's own, and those of the sidecar from schema/config.schema.json.
//   node settings.mjs          writes
//   node settings.mjs --check  says whether it would
import { readFileSync, writeFileSync } from "node:fs";

const manifestUrl = new URL("package.json", import.meta.url);
const schemaUrl = new URL("../schema/config.schema.json", import.meta.url);

/** Settings that name programs: they count in a trusted workspace only. */
const PROGRAMS = ["agents.claude.path", "worktree.setup"];

const own = {
  "kanbots.sidecar.path": { type: "string", default: "", scope: "machine-overridable", order: 1, markdownDescription: "The sidecar to start: an executable, or a `.dll` that `dotnet` runs. Empty: the one that came with the extension." },
  "kanbots.notifications": {
    type: "string", enum: ["decisions", "off"], default: "decisions", scope: "window", order: 2,
    enumDescriptions: ["What waits for you is shown as a notification with its options.", "Nothing pops up: the Decisions view and the status bar say what waits."],
    markdownDescription: "What is shown as a notification.",
  },
  "kanbots.trace.server": { type: "string", enum: ["off", "messages", "verbose"], default: "off", scope: "window", order: 3, markdownDescription: "What is written to the log of the conversation with the sidecar." },
};

/** @param schema the sidecar's schema; its properties are named by their whole names, such as `runs.maxParallel` */
export function configurationOf(schema) {
  const sections = new Map();
  for (const [name, property] of Object.entries(schema.properties)) {
    const title = TITLES[name.split(".")[0]] ?? "Other";
    sections.set(title, { ...sections.get(title), [`kanbots.${name}`]: settingOf(name, property) });
  }
  return [{ title: "KanBots", properties: own }, ...[...sections].sort(([a], [b]) => a.localeCompare(b)).map(([title, properties]) => ({ title, properties }))];
}

const TITLES = { agents: "Agents", runs: "Runs", worktree: "Worktrees", checkpoints: "Checkpoints", promote: "Promote", integrations: "Integrations" };

function settingOf(name, { title: _title, unit, description, ...property }) {
  return { ...property, scope: PROGRAMS.includes(name) ? "machine-overridable" : "resource", markdownDescription: `${description}${unit === undefined ? "" : ` In ${unit}.`}\n\nSet here, it counts for this repository's sidecar; not set here, the sidecar's own value does.` };
}

/** The manifest as it should be. */
export function withSettings(manifest, schema) {
  const next = structuredClone(manifest);
  next.contributes.configuration = configurationOf(schema);
  next.capabilities.untrustedWorkspaces.restrictedConfigurations = ["kanbots.sidecar.path", ...PROGRAMS.map((name) => `kanbots.${name}`)];
  return next;
}

if (process.argv[1] !== undefined && import.meta.url === new URL(`file://${process.argv[1]}`).href) {
  const manifest = JSON.parse(readFileSync(manifestUrl, "utf8"));
  const text = `${JSON.stringify(withSettings(manifest, JSON.parse(readFileSync(schemaUrl, "utf8"))), null, 2)}\n`;
  if (text !== readFileSync(manifestUrl, "utf8")) {
    if (process.argv.includes("--check")) {
      console.error("The settings of package.json are not those of schema/config.schema.json. Run: node settings.mjs");
      process.exitCode = 1;
    } else {
      writeFileSync(manifestUrl, text);
    }
  }
}
