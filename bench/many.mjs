// Many dispatches at once, against as many `git worktree add` one after the other: what git alone would need without a clash.
import { spawn } from "node:child_process";
import { readdirSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { ms, pause, row } from "./figures.mjs";
import { Place, inMemory } from "./place.mjs";

export async function many() {
  return [await measure(8), await measure(32)];
}

async function measure(count) {
  const place = new Place(1_000, inMemory);
  try {
    const said = join(place.root, "said");
    mkdirSync(said);
    const wire = await place.connectWith(place.agent(`cd '${said}' && mktemp -p . -q XXXXXXXX > /dev/null\ncat > /dev/null\n`));
    const cards = [];
    for (let i = 0; i < count; i++) cards.push(await place.card(wire, `card ${i}`));

    let from = performance.now();
    const runs = await Promise.all(cards.map((card) => place.dispatch(wire, card)));
    while (readdirSync(said).length < count && performance.now() - from < 120_000) await pause(10);
    const took = performance.now() - from;
    const board = await wire.call("board/get");
    const failed = count - runs.filter((run) => board.runs.find((r) => r.id === run.id)?.state === "running").length;
    await Promise.all(runs.map((run) => wire.ask("run/stop", { runId: run.id })));

    from = performance.now();
    for (let i = 0; i < count; i++) place.git(["worktree", "add", "-q", "-b", `bench-${i}`, join(place.root, "trees", `${i}`), "main"]);
    const one = performance.now() - from;
    const clashed = (await Promise.all(cards.map((_, i) => exitOf(place, ["worktree", "add", "-q", "--track", "-b", `clash-${i}`, join(place.root, "clashes", `${i}`), "main"])))).filter((code) => code !== 0).length;
    return row(`${count} dispatches at once, 1,000 files`, `${ms(took)}, ${failed} failed`, `\`git worktree add\` ${count} times in a row: ${ms(one)} (all at once with \`--track\`: ${clashed} fail)`, took / one, "none fails", failed === 0);
  } finally {
    place.remove();
  }
}

const exitOf = (place, args) => new Promise((resolve) => spawn("git", args, { cwd: place.repository, env: place.environment, stdio: "ignore" }).once("exit", resolve));
