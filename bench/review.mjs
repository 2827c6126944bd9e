// What looking at a run's changes, keeping them, and putting its worktree aside cost, against the git commands of which they are made.
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { begin, done } from "./lines.mjs";
import { median, ms, row } from "./figures.mjs";
import { Place, echoes, inMemory } from "./place.mjs";

export async function review({ quick }) {
  const rows = [];
  for (const [files, named, rounds] of quick ? [[1_000, "1,000", 8], [20_000, "20,000", 5]] : [[1_000, "1,000", 20], [20_000, "20,000", 12], [80_000, "80,000", 6]]) rows.push(...(await measure(files, named, rounds)));
  return rows;
}

async function measure(files, named, rounds) {
  const place = new Place(files, inMemory);
  const times = { changes: [], same: [], git: [], discard: [], restore: [] };
  try {
    const wire = await place.connectWith(place.agent(`${echoes}echo '${begin}'\nfor i in 1 2 3 4 5 6 7 8 9 10; do echo changed >> folder-0/file-$i.txt; echo new > new-$i.txt; done\necho '${done}'\ncat > /dev/null\n`));
    const run = await place.dispatch(wire, await place.card(wire, "review"));
    await wire.until("in review", (board) => board.runs.find((r) => r.id === run.id).state === "inReview");
    const worktree = join(place.repository, ".kanbots", "worktrees", `issue-${run.cardNumber}-${run.id}`);
    const timed = async (into, work) => {
      const from = performance.now();
      await work();
      into.push(performance.now() - from);
    };
    const look = () => wire.call("review/changes", { runId: run.id });
    const git = () => {
      place.git(["status", "--porcelain"], worktree);
      place.git(["diff", "--numstat", "HEAD"], worktree);
    };
    await look();
    git();
    for (let i = 0; i < rounds; i++) {
      appendFileSync(join(worktree, "folder-0", "file-1.txt"), "again\n");
      const both = [() => timed(times.changes, look), () => timed(times.git, git)];
      for (const one of i % 2 ? both : both.reverse()) await one();
      await timed(times.same, look);
      await timed(times.discard, () => wire.ask("run/discard", { runId: run.id }));
      await timed(times.restore, () => wire.ask("run/restore", { runId: run.id }));
    }
  } finally {
    place.remove();
  }
  const [changes, same, git, discard, restore] = [times.changes, times.same, times.git, times.discard, times.restore].map(median);
  return [
    row(`\`review/changes\`, ${named} files`, ms(changes), `\`git status\` and \`git diff --numstat\`: ${ms(git)}`, changes / git, "≤ 1.3×", changes / git <= 1.3),
    row(`the same again, nothing changed, ${named} files`, ms(same), "", undefined, "≤ 5 ms", same <= 5),
    row(`discard, ${named} files`, ms(discard), "", undefined, files === 20_000 ? "≤ 200 ms" : undefined, files === 20_000 ? discard <= 200 : undefined),
    row(`restore, ${named} files`, ms(restore), "", undefined, files === 20_000 ? "≤ 200 ms" : undefined, files === 20_000 ? restore <= 200 : undefined),
  ];
}
