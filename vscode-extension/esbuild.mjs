// Bundles the extension and its two webviews into dist/.
import { build } from "esbuild";
import { rmSync } from "node:fs";

rmSync("dist", { recursive: true, force: true });
const common = { bundle: true, minify: !process.argv.includes("--debug"), sourcemap: process.argv.includes("--debug") ? "inline" : false, logLevel: "warning", legalComments: "none" };
await build({ ...common, entryPoints: { extension: "src/extension.ts" }, outdir: "dist", platform: "node", target: "node20", format: "cjs", external: ["vscode"] });
await build({ ...common, entryPoints: { board: "webview/board/main.ts", thread: "webview/thread/main.ts" }, outdir: "dist", platform: "browser", target: "es2022", format: "iife", conditions: ["browser", "production"] });
