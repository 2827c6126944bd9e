// Puts VS Code's check of proposed API back into a code-server, which answers "yes" for every extension: what a published extension may not
// use must fail here as it does in VS Code. Fails itself when a bundle has neither form, so that a new workbench cannot lose the check unseen.
// Usage: node proposals.mjs FOLDER-OF-THE-CODE-SERVER-PACKAGE
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const bundles = ["server-main.js", "vs/workbench/api/node/extensionHostProcess.js", "vs/workbench/api/worker/extensionHostWorkerMain.js", "vs/code/browser/workbench/workbench.js"];
// The question "is it enabled", told by its neighbour: the function after it throws when the answer is no.
const name = "[\\w$]+";
const neighbour = `(?=function ${name}\\(\\k<extension>,\\k<proposal>\\)\\{if\\(!\\k<ask>\\(\\k<extension>,\\k<proposal>\\)\\)throw new Error\\()`;
const head = `function (?<ask>${name})\\((?<extension>${name}),(?<proposal>${name})\\)`;
const open = new RegExp(`${head}\\{return!0\\}${neighbour}`);
const checked = new RegExp(`${head}\\{return!!\\k<extension>\\.enabledApiProposals\\?\\.includes\\(\\k<proposal>\\)\\}${neighbour}`);

const out = join(process.argv[2], "lib/vscode/out");
for (const bundle of bundles) {
  const path = join(out, bundle);
  const source = readFileSync(path, "utf8");
  if (checked.test(source)) continue;
  if (!open.test(source)) throw new Error(`${bundle} has no check of proposed API that could be restored: look at it, and change proposals.mjs.`);
  writeFileSync(path, source.replace(open, (...found) => {
    const { ask, extension, proposal } = found.at(-1);
    return `function ${ask}(${extension},${proposal}){return!!${extension}.enabledApiProposals?.includes(${proposal})}`;
  }));
}
