// What keeping a worktree's files at the end of a turn costs, refs and all, against the two git commands that take them in.
import { copyFileSync, existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { begin, done } from "./lines.mjs";
import { median, ms, row } from "./figures.mjs";
import { Place, inMemory } from "./place.mjs";

export async function checkpoint({ quick }) {
  const rows = [];
  for (const [files, named, rounds] of quick ? [[1_000, "1,000", 6], [20_000, "20,000", 4]] : [[1_000, "1,000", 16], [20_000, "20,000", 10], [80_000, "80,000", 5]]) rows.push(await measure(files, named, rounds));
  return rows;
}

async function measure(files, named, rounds) {
  const place = new Place(files, inMemory);
  // git itself says when each command that serve starts begins and ends.
  const trace = join(place.root, "trace");
  const [own, git] = [[], []];
  try {
    place.environment.GIT_TRACE2_EVENT = trace;
    const wire = await place.connectWith(place.agent(`while read -r line; do case $line in *'"type":"user"'*) ;; *) continue ;; esac\necho "\${line%?},\\"isReplay\\":true}"\necho '${begin}'\nfor i in 1 2 3 4 5; do echo changed >> folder-0/file-$i.txt; echo new > new-$i-$RANDOM.txt; done\necho '${done}'\ndone\n`));
    delete place.environment.GIT_TRACE2_EVENT;
    const run = await place.dispatch(wire, await place.card(wire, "checkpoint"));
    const worktree = join(place.repository, ".kanbots", "worktrees", `issue-${run.cardNumber}-${run.id}`);
    const over = (launch) => wire.until("in review", (board) => board.runs.some((r) => r.id === run.id && r.launch === launch && r.state === "inReview"));
    const kept = async () => (await wire.call("run/details", { runId: run.id })).checkpoints.length;
    await over(1);
    const index = place.git(["rev-parse", "--path-format=absolute", "--git-path", "index"], worktree);
    const copy = join(place.root, "index");
    for (let i = 0; i < rounds; i++) {
      const before = existsSync(trace) ? readFileSync(trace, "utf8").length : 0;
      const count = await kept();
      await wire.ask("run/reply", { runId: run.id, text: "more" });
      await over(i + 2);
      while ((await kept()) === count) await new Promise((resolve) => setTimeout(resolve, 5));
      own.push(lasted(readFileSync(trace, "utf8").slice(before)));
      const from = performance.now();
      copyFileSync(index, copy);
      const environment = { ...place.environment, GIT_INDEX_FILE: copy };
      place.git(["add", "-A"], worktree, environment);
      place.git(["write-tree"], worktree, environment);
      git.push(performance.now() - from);
      rmSync(copy);
    }
  } finally {
    place.remove();
  }
  const [a, b] = [median(own), median(git)];
  return row(`a checkpoint with its refs, ${named} files`, ms(a), `\`git add -A\` and \`git write-tree\` on a copy: ${ms(b)}`, a / b, "≤ 1.2×", a / b <= 1.2);
}

/** From the first git of the first checkpoint to its last. */
function lasted(events) {
  const lines = events.split("\n").filter((line) => line).map((line) => JSON.parse(line));
  // Some are begun ahead and ended for nothing: what counts is the update-ref that came to its end, and what led to its tree.
  const started = (wanted, before = "~") => lines.filter((e) => e.event === "start" && wanted(e.argv) && e.time < before).at(-1);
  const kept = lines.filter((e) => e.event === "start" && e.argv.includes("update-ref"));
  const end = lines.find((e) => e.event === "atexit" && kept.some(({ sid }) => sid === e.sid));
  const tree = started((argv) => argv.includes("write-tree"), end.time);
  const first = [started((argv) => argv.includes("add"), tree.time), started((argv) => argv.some((word) => word.startsWith("refs/kanbots/runs/")), tree.time)].filter((e) => e).sort((x, y) => x.time.localeCompare(y.time))[0];
  return new Date(end.time) - new Date(first.time) + (micro(end.time) - micro(first.time)) / 1000;
}

const micro = (time) => Number(time.slice(23, 26));
