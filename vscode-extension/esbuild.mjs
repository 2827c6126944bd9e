// Bundles the extension and its two webviews into dist/.
import { build } from "esbuild";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";

rmSync("dist", { recursive: true, force: true });
const common = { bundle: true, minify: !process.argv.includes("--debug"), sourcemap: process.argv.includes("--debug") ? "inline" : false, logLevel: "warning", legalComments: "none", metafile: true };
const extension = await build({ ...common, entryPoints: { extension: "src/extension.ts" }, outdir: "dist", platform: "node", target: "node20", format: "cjs", external: ["vscode"] });
const pages = await build({ ...common, entryPoints: { board: "webview/board/main.ts", thread: "webview/thread/main.ts" }, outdir: "dist", platform: "browser", target: "es2022", format: "iife", conditions: ["browser", "production"] });

// The licences of what is bundled want to go with it.
const inputs = [extension, pages].flatMap(({ metafile }) => Object.keys(metafile.inputs));
const packages = [...new Set(inputs.flatMap((path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []))].sort();
const notices = packages.map((name) => {
  const folder = `node_modules/${name}`;
  const { version, license } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  if (file === undefined) throw new Error(`${name} has no licence to go with it`);
  return `${name} ${version} (${license})\n\n${readFileSync(`${folder}/${file}`, "utf8").trim()}\n`;
});
const icons = "The icons are drawn from Codicons by Microsoft (https://github.com/microsoft/vscode-codicons), under Creative Commons Attribution 4.0 International (https://creativecommons.org/licenses/by/4.0/).\n";
writeFileSync("dist/ThirdPartyNotices.txt", [...notices, icons].join(`\n${"-".repeat(80)}\n\n`));
