// From the request to the first line of the agent, and to its having the first message, against `git worktree add` of the same repository.
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { median, ms, pause, row } from "./figures.mjs";
import { Place, inMemory } from "./place.mjs";

export async function dispatch({ quick }) {
  return [...(await measure(1_000, quick ? 12 : 30, "1,000")), ...(await measure(20_000, quick ? 4 : 12, "20,000"))];
}

const factor = 1.15;
const extraMs = 60;

async function measure(files, rounds, named) {
  const place = new Place(files, inMemory);
  const said = join(place.root, "started");
  const ours = [];
  const messages = [];
  const git = [];
  try {
    const wire = await place.connectWith(place.agent(`echo "$EPOCHREALTIME" > '${said}.part'\nread -r line\necho "$EPOCHREALTIME" >> '${said}.part'\nmv '${said}.part' '${said}'\ncat > /dev/null\n`));
    for (let i = 0; i < rounds + 1; i++) {
      const card = await place.card(wire, `card ${i}`);
      const one = async () => {
        rmSync(said, { force: true });
        const from = performance.timeOrigin + performance.now();
        const run = await place.dispatch(wire, card);
        while (!existsSync(said)) await pause(5);
        const [exec, message] = readFileSync(said, "utf8").trim().split("\n").map((at) => Number(at) * 1000 - from);
        await wire.ask("run/stop", { runId: run.id });
        await wire.until("stopped", (board) => ["stopped", "finished", "failed"].includes(board.runs.find((r) => r.id === run.id).state));
        place.git(["worktree", "remove", "--force", join(place.repository, ".kanbots", "worktrees", `issue-${run.cardNumber}-${run.id}`)]);
        return { exec, message };
      };
      const other = async () => {
        const from = performance.now();
        place.git(["worktree", "add", "-q", "-b", `bench-${i}`, join(place.root, "tree"), "main"]);
        const took = performance.now() - from;
        place.git(["worktree", "remove", "--force", join(place.root, "tree")]);
        return took;
      };
      // Whoever comes second finds other caches: each is first in half of the rounds. The round that warms both up does not count.
      const [a, b] = i % 2 ? [await one(), await other()] : [await other(), await one()].reverse();
      if (i > 0) {
        ours.push(a.exec);
        messages.push(a.message);
        git.push(b);
      }
    }
  } finally {
    place.remove();
  }
  const [own, plain] = [median(ours), median(git)];
  const baseline = `\`git worktree add\`: ${ms(plain)}`;
  return [
    row(`dispatch to the agent's exec, ${named} files`, ms(own), baseline, own / plain, `≤ ${factor}× + ${extraMs} ms`, own <= plain * factor + extraMs),
    row(`dispatch to the agent's first message, ${named} files`, ms(median(messages)), baseline, median(messages) / plain),
  ];
}
