// Runs the suites one after another in the real workbench: node all.mjs [NAME…]   Screenshots and what a failure leaves are in artifacts/e2e.
// Packages and installs once before; what was built of the same sources stays.
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { artifacts, Bench, packaged } from "./bench.mjs";
import { Steps } from "./suite.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const SUITES = ["packages", "host", "smoke", "walkthrough", "board", "decisions", "prompts", "multiroot", "native", "review", "landing", "hostile", "cards", "boardpage", "files", "messages", "crash", "untrusted", "claude"];
const wanted = process.argv.length > 2 ? process.argv.slice(2) : SUITES;
for (const name of wanted) {
  if (!SUITES.includes(name)) throw new Error(`There is no suite "${name}". There is: ${SUITES.join(", ")}.`);
}
mkdirSync(join(artifacts, "e2e"), { recursive: true });
execFileSync("node", ["package.mjs", ...(wanted.includes("packages") ? [] : ["linux-x64"])], { cwd: join(here, ".."), stdio: "inherit" });

/** One workbench for all suites that only need a repository of their own in it; started when the first asks. */
let common;
const failed = [];
const began = Date.now();
let steps = 0;

for (const name of wanted) {
  const own = [];
  const suite = new Steps(name, () => [...own, ...(common ? [common] : [])]);
  const start = Date.now();
  console.log(`== ${name}`);
  try {
    const { default: run } = await import(`./suites/${name}.mjs`);
    await run({
      step: (words, action) => suite.step(words, action),
      /** A workbench of the suite's own. */
      bench: async (options) => {
        const bench = await Bench.start({ vsix: packaged("linux-x64"), ...options });
        own.push(bench);
        return bench;
      },
      /** The common workbench; the windows and repositories that the suite opens in it end with the suite. */
      shared: async () => {
        common ??= await Bench.start({ vsix: packaged("linux-x64") });
        return common;
      },
    });
    for (const bench of [...own, ...(common ? [common] : [])]) {
      for (const window of bench.windows) await suite.step("nothing on a console, nothing asked of the outside", () => window.clean());
    }
  } catch (error) {
    failed.push(`${name}: ${error.message}`);
    console.log(error.stack ?? error);
  } finally {
    for (const bench of own) {
      await bench.end().catch((error) => {
        failed.push(`${name}: ${error.message}`);
        console.log(error.message);
      });
    }
    await common?.clear().catch((error) => {
      failed.push(`${name}: ${error.message}`);
      console.log(error.message);
    });
  }
  steps += suite.count;
  console.log(`== ${name}: ${suite.count} steps, ${((Date.now() - start) / 1000).toFixed(0)} s`);
}
await common?.end().catch((error) => failed.push(error.message));

console.log(`${steps} steps in ${((Date.now() - began) / 1000).toFixed(0)} s, ${failed.length} failed`);
for (const line of failed) console.log(`FAILED ${line.split("\n")[0]}`);
process.exit(failed.length === 0 ? 0 : 1);
