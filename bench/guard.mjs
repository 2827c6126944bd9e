// What the guard's hooks cost an agent's git: a commit and 20 ref updates, with the environment of a real launch and without it.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { median, ms, pause, row } from "./figures.mjs";
import { Place } from "./place.mjs";

const refs = 20;

export async function guard({ quick }) {
  const place = new Place(200);
  const times = { plain: [], guarded: [] };
  try {
    // An agent that says which environment it was given, and waits.
    const said = join(place.root, "environment");
    const wire = await place.connectWith(place.agent(`env -0 > '${said}.part'\nmv '${said}.part' '${said}'\ncat > /dev/null\n`));
    const run = await place.dispatch(wire, await place.card(wire, "guard"));
    while (!existsSync(said)) await pause(10);
    const guarded = Object.fromEntries(readFileSync(said, "utf8").split("\0").filter(Boolean).map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]));
    if (!guarded.GIT_CONFIG_COUNT) throw new Error("the launch had no guard in its environment");
    const worktree = join(place.repository, ".kanbots", "worktrees", `issue-${run.cardNumber}-${run.id}`);
    const commits = [place.git(["rev-parse", "HEAD"], worktree), place.git(["commit-tree", "-m", "other", "HEAD^{tree}"], worktree)];
    let flips = 0;
    for (let i = 0; i < (quick ? 40 : 120); i++) {
      for (const name of i % 2 ? ["plain", "guarded"] : ["guarded", "plain"]) {
        const environment = name === "plain" ? place.environment : guarded;
        writeFileSync(join(worktree, "folder-0", "file-1.txt"), `${name} ${i}\n`);
        const to = commits[flips++ % 2];
        const updates = Array.from({ length: refs }, (_, ref) => `update refs/remotes/bench/${ref} ${to}\n`).join("");
        const started = performance.now();
        place.git(["commit", "-qam", "work"], worktree, environment);
        place.git(["update-ref", "--stdin"], worktree, environment, updates);
        times[name].push(performance.now() - started);
      }
    }
  } finally {
    place.remove();
  }
  const [own, plain] = [median(times.guarded), median(times.plain)];
  return [row(`a commit and ${refs} ref updates under the guard`, ms(own), `without it: ${ms(plain)}`, own / plain, "≤ 1.2×", own / plain <= 1.2)];
}
