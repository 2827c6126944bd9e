// Takes the pictures of the README from the real workbench into ../media/pictures: node pictures.mjs
import { join } from "node:path";
import { Bench, packaged, root } from "./bench.mjs";

const FILES = {
  "README.md": "# Shop\n",
  "src/components/Button.tsx": "export function Button(props: { label: string }) {\n  return <button>{props.label}</button>;\n}\n",
  "test/auth.test.ts": 'import { expect, test } from "vitest";\nimport { signIn } from "../src/auth";\n\ntest("signs in", async () => {\n  const session = await signIn("ada");\n  expect(session.user).toBe("ada");\n});\n',
  "src/auth.ts": "export async function signIn(name: string) {\n  return { user: name };\n}\n",
};
const gate = (name) => `while [ ! -e '${name}' ]; do sleep 0.1; done`;

const bench = await Bench.start({ vsix: packaged("linux-x64"), settings: { "workbench.colorTheme": process.env.THEME ?? "Default Dark Modern", "window.menuBarVisibility": "hidden", "workbench.layoutControl.enabled": false } });
try {
  const repository = bench.repository("shop", { files: FILES });
  const hold = join(bench.root, "hold");
  bench.script("toast", [{ say: "I look at how the existing components are built.", usd: 0.11 }, { tool: "Read", input: { file_path: "src/components/Button.tsx" }, result: FILES["src/components/Button.tsx"], usd: 0.04 },
    { ask: [{ question: "Use Radix or build from scratch?", header: "Toast", multiSelect: false, options: [{ label: "Radix", description: "Accessible, one more dependency" }, { label: "From scratch", description: "Small, ours to maintain" }] }], usd: 0.09 }, { say: "Done." }]);
  bench.script("default", [
    { say: "The test fails about once in twenty runs. I look at **what it waits for**.", usd: 0.18 }, { tool: "Read", input: { file_path: "test/auth.test.ts" }, result: FILES["test/auth.test.ts"], usd: 0.07 },
    { tool: "Bash", input: { command: "npx vitest run test/auth.test.ts --repeat 20" }, result: "Test Files  1 failed (1)\n     Tests  1 failed | 19 passed (20)", usd: 0.12 }, { say: "`signIn` resolves before the session is stored. I wait for the store instead of the clock.", usd: 0.2 },
    { tool: "Edit", input: { file_path: "src/auth.ts", old_string: "  return { user: name };", new_string: "  await stored(name);\n  return { user: name };" }, result: "edited", usd: 0.1 }, { tool: "Bash", input: { command: "npx vitest run --repeat 50" }, sh: gate(hold), result: "ok", usd: 0.02 },
  ]);
  bench.script("deps", [{ sh: "printf '# Unused dependencies\\n\\n| package | last used |\\n|---|---|\\n| left-pad | never |\\n| moment | 2024-03 |\\n' > DEPENDENCIES.md; printf 'export async function signIn(name: string) {\\n  const user = name.trim();\\n  return { user };\\n}\\n' > src/auth.ts",
    usd: 0.42 }, { say: "Two dependencies are not used any more.", usd: 0.05 }]);
  bench.script("fails", [{ say: "I try.", usd: 0.05 }, { error: "The provider is overloaded." }]);
  await repository.change("config/set", { values: { "runs.budget.microUsd": 2_000_000 } });
  for (const [number, title, script, column, labels] of [[88, "add toast component", "toast", "todo", ["ui"]], [89, "deflake the auth test", undefined, "todo", ["tests"]], [90, "audit unused dependencies", "deps", "todo", ["chore"]], [91, "move the settings page to the new router", undefined, "todo",
    ["ui"]], [92, "write a changelog", undefined, "backlog", []], [93, "dark theme for the charts", undefined, "backlog", ["ui"]], [94, "faster start of the dev server", "fails", "todo", []]]) {
    await repository.change("card/create", { number, title, column, labels, body: script ? `[[fake:${script}]]` : number === 89 ? "It fails about once in twenty runs on CI." : "" });
  }
  const window = await bench.open(repository.path, { viewport: { width: 1440, height: 860 } });
  const shot = (name) => window.page.screenshot({ path: join(root, "vscode-extension/media/pictures", `${name}.png`) });
  const board = await window.board();
  await window.activity("KanBots");
  await window.settled();
  // Off the activity bar, whose tooltip would be in the picture.
  await window.page.mouse.move(900, 780);
  const cards = (await repository.board()).cards;
  const dispatch = (number) => repository.dispatch(cards.find((card) => card.number === number));
  for (const number of [89, 90, 94]) await dispatch(number);
  await repository.runIn(90, "inReview");
  await repository.runIn(94, "failed");
  await dispatch(88);
  await window.toast("Use Radix").first().waitFor();
  await board.getByText("npx vitest run --repeat 50").first().waitFor();
  await shot("question");
  await window.command("View: Toggle Primary Side Bar Visibility");
  await window.page.evaluate(() => document.activeElement?.blur());
  await window.command("Notifications: Clear All Notifications");
  await shot("board");
  await window.command("KanBots: Show Thread Beside…");
  await window.pick(/^#89 /);
  const thread = await window.webview("kb-thread");
  await thread.getByText("signIn").first().waitFor();
  await shot("thread");
  await window.command("KanBots: Review Changes…");
  await window.pick(/^#90 /);
  await window.multiDiff().filter({ hasText: "left-pad" }).first().waitFor();
  await window.command("View: Close Other Editors in Group").catch(() => {});
  await shot("review");
} finally {
  await bench.end();
}
