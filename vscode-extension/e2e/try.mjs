// Starts the workbench with the extension and a sample repository: node try.mjs [--port N] [--check]   Called by ../../try.sh --vscode.
import { execFileSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Bench, packaged } from "./bench.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const args = process.argv.slice(2);
const check = args.includes("--check");
const port = args.includes("--port") ? Number(args[args.indexOf("--port") + 1]) : undefined;
if (port !== undefined && !(port > 0 && port < 65536)) {
  console.error("--port needs a number from 1 to 65535.");
  process.exit(2);
}
execFileSync("node", ["package.mjs", "linux-x64"], { cwd: join(here, ".."), stdio: "inherit" });
const bench = await Bench.start({ vsix: packaged("linux-x64"), port, grace: 60 });
let code = 0;
try {
  const repository = bench.repository("sample");
  const step = (say) => ({ say, usd: 0.01 });
  bench.script("toast", [step("I look at how the existing components are built."), { tool: "Read", input: { file_path: "src/components/Button.tsx" }, ms: 2000 },
    { ask: [{ question: "Use Radix or build from scratch?", header: "Toast", multiSelect: false, options: [{ label: "Radix", description: "Accessible, one more dependency" }, { label: "From scratch", description: "Small, ours to maintain" }] }] },
    { tool: "Write", input: { file_path: "src/components/Toast.tsx" }, ms: 1500, sh: "echo 'export const Toast = () => <div role=\"status\" />;' > src/components/Toast.tsx" }, step("The toast component is in place.")]);
  bench.script("auth", [step("I run the test a few times."), { tool: "Bash", input: { command: "npm test -- --repeat 20" }, ms: 8000, result: "19 passed, 1 failed" }, { sh: "echo 'test(\"signs in\", async () => { await ready(); });' > test/auth.test.ts" }, step("It waits for the server now.")]);
  bench.script("deps", [{ tool: "Grep", input: { pattern: "left-pad" }, ms: 1500, result: "no matches" }, { sh: "printf '# Unused dependencies\\n\\n- left-pad\\n- moment\\n' > DEPENDENCIES.md" }, step("Two dependencies are not used.")]);
  const cards = [await repository.card(88, "add toast component", "toast"), await repository.card(89, "deflake the auth test", "auth"), await repository.card(90, "audit unused dependencies", "deps")];
  const url = bench.url(repository.path);
  if (check) {
    const window = await bench.open(repository.path);
    const board = await window.board();
    for (const card of cards) {
      await board.getByText(card.title).first().waitFor();
      await repository.dispatch(card);
    }
    await repository.runIn(90, "inReview");
    await board.getByRole("button", { name: "Review", exact: true }).first().waitFor();
    window.clean();
    console.log("The board shows three cards, and one of them in review.");
  } else {
    console.log(`\nOpen ${url}\nThen run "KanBots: Open Board" from the command palette (F1), or the KanBots view on the left. Ctrl+C ends everything and takes the sample away.`);
    await new Promise((resolve) => {
      for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, resolve);
    });
    console.log("\nEnding…");
  }
} catch (error) {
  console.error(error.message);
  code = 1;
} finally {
  await bench.end().catch((error) => {
    console.error(error.message);
    code = 1;
  });
}
process.exit(code);
