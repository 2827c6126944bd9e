// Runs mocha inside the extension host, where VS Code's own test runner would, without its download: the workbench's page takes the place of the desktop.
import { mkdirSync, symlinkSync } from "node:fs";
import { format } from "node:util";
import { join } from "node:path";
import { build } from "esbuild";
import { root } from "./bench.mjs";
import { until } from "./until.mjs";

/** Bundles the tests with mocha, and opens a window that runs them on a folder. Returns mocha's lines; throws when a test failed. */
export async function runInHost(bench, folder, { extension, tests }) {
  const out = join(bench.root, "host-tests");
  mkdirSync(out, { recursive: true });
  await build({ entryPoints: [join(root, "vscode-extension/test/host", tests)], outfile: join(out, "tests.js"), bundle: true, platform: "node", target: "node20", format: "cjs", external: ["vscode", "mocha"], logLevel: "warning" });
  symlinkSync(join(root, "vscode-extension/e2e/node_modules"), join(out, "node_modules"));
  const at = (path) => `vscode-remote://127.0.0.1:${bench.port}${path}`;
  const lines = [];
  let code;
  const window = await bench.open(folder, {
    active: false,
    payload: [["extensionDevelopmentPath", at(extension)], ["extensionTestsPath", at(join(out, "tests.js"))], ["skipWelcome", "true"]],
    expose: {
      codeAutomationLog: (_type, args) => void lines.push(format(...args)),
      codeAutomationExit: (given) => void (code = given),
    },
  });
  await until("the tests have ended", () => code !== undefined, { seconds: 90, detail: () => lines.slice(-20).join("\n") });
  const shown = lines.filter((line) => /✔|passing|failing|^\s+\d+\)|Error/.test(line));
  if (code !== 0) throw new Error(`The tests in the extension host failed:\n${lines.slice(-60).join("\n")}`);
  return { window, shown };
}
