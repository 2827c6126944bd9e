// Boards to try the page with: one with a card in every state, one that is large.
const NOW = Date.now();
const ago = (minutes) => new Date(NOW - minutes * 60_000).toISOString();

export const card = (id, number, column, title, more = {}) => ({ id, number, source: { kind: "local" }, title, body: "", column, position: id, labels: [], dot: "none", costMicroUsd: 0, runIds: [], ...more });

export const run = (id, of, state, more = {}) => ({
  id, cardId: of.id, cardNumber: of.number, state, agent: "claude", permissionMode: "ask", branch: `kanbots/issue-${of.number}-${id}`, worktreePath: `/r/.kanbots/worktrees/${of.number}-${id}`, baseRef: "main",
  baseCommit: "0".repeat(40), launch: 1, costMicroUsd: 0, costIsEstimate: false, budget: { microUsd: 5_000_000 }, turns: 3, dirty: false, leftRunning: 0, sessionId: "s", startedAt: ago(8), ...more,
});

export const question = (id, of, text, options, more = {}) => ({
  id, runId: of.id, cardNumber: of.cardNumber, kind: "question", state: "open", askedAt: ago(2), questions: [{ id: "q1", text, options: options.map((label) => ({ label })), multiSelect: false }], ...more,
});

const place = (column, rows) => rows.map(([id, number, title, more]) => card(id, number, column, title, more));

/** A card in every state that a board has. */
export function everyState() {
  const cards = [
    ...place("backlog", [[1, 93, "Document the retry policy", { labels: ["docs"] }], [2, 94, "Move CI to the new runners"]]),
    ...place("todo", [
      [3, 91, "Cache the font metrics between renders", { labels: ["perf"] }],
      [4, 92, "Drop the legacy export", { parentNumber: 90 }],
      [5, 95, "Translate the settings page", { dot: "queued", activeRunId: 5, runIds: [5] }],
    ]),
    ...place("inProgress", [
      [6, 89, "Deflake the auth test", { labels: ["flaky"], dot: "running", activeRunId: 6, runIds: [6], costMicroUsd: 4_150_000 }],
      [7, 87, "Upgrade the parser", { dot: "interrupted", runIds: [7], costMicroUsd: 420_000 }],
      [8, 88, "Add toast component", { labels: ["ui"], dot: "awaitingDecision", activeRunId: 8, runIds: [8], costMicroUsd: 710_000 }],
      [9, 96, "Sign the release archives", { labels: ["release", "security", "ci", "later"], dot: "awaitingDecision", activeRunId: 9, runIds: [9], costMicroUsd: 90_000 }],
      [10, 97, "Generate the client from the schema", { dot: "running", activeRunId: 10, runIds: [10] }],
    ]),
    ...place("review", [
      [11, 90, "Audit unused dependencies", { labels: ["deps"], dot: "inReview", runIds: [11], costMicroUsd: 120_000 }],
      [12, 86, "Port the scheduler", { dot: "failed", runIds: [12] }],
    ]),
    ...place("done", [
      [13, 84, "Try the new bundler", { runIds: [13], costMicroUsd: 640_000 }],
      [14, 85, "Fix the date picker in Safari", { runIds: [14], costMicroUsd: 310_000 }],
    ]),
    card(15, 80, "done", "An archived card that nobody sees", { archived: true }),
  ];
  const of = (number) => cards.find((item) => item.number === number);
  const runs = [
    run(5, of(95), "queued", { startedAt: undefined }),
    run(6, of(89), "running", { costMicroUsd: 4_150_000, currentTool: "Bash npm test -- auth --repeat 50 --reporter=dot", diffStat: { files: 1, insertions: 4, deletions: 1 } }),
    run(7, of(87), "interrupted", { costMicroUsd: 420_000, reason: { kind: "lost", message: "The agent's process was found dead after a restart. Its worktree has 3 uncommitted files, kept." } }),
    run(8, of(88), "awaitingDecision", { costMicroUsd: 710_000, diffStat: { files: 2, insertions: 86, deletions: 3 } }),
    run(9, of(96), "awaitingDecision", { costMicroUsd: 90_000, stall: { kind: "silent", since: ago(1), message: "Silent for a while." } }),
    run(10, of(97), "preparing", { startedAt: ago(0.5), setup: { waiting: false, since: ago(0.5), lastLine: "npm ci: added 412 packages" } }),
    run(11, of(90), "inReview", { costMicroUsd: 120_000, startedAt: ago(10), endedAt: ago(8.5), diffStat: { files: 2, insertions: 0, deletions: 412 }, conflicts: [{ runId: 8, paths: ["package.json"] }, { target: "main", paths: ["a.json", "b.json", "c.json", "d.json"] }] }),
    run(12, of(86), "failed", { sessionId: undefined, reason: { kind: "notSignedIn", message: "Claude is not signed in. Run \"claude /login\" in a terminal, then try again." }, endedAt: ago(7) }),
    run(13, of(84), "discarded", { costMicroUsd: 640_000, startedAt: ago(212), endedAt: ago(200), restorableUntil: ago(-4000) }),
    run(14, of(85), "promoted", { costMicroUsd: 310_000, startedAt: ago(258), endedAt: ago(240), promotion: { branch: "main", commit: "1".repeat(40), at: ago(230) } }),
  ];
  const by = (number) => runs.find((item) => item.cardNumber === number);
  const decisions = [
    question("d1", by(88), "Use Radix or build from scratch?", ["Radix", "Scratch"]),
    { id: "d2", runId: 9, cardNumber: 96, kind: "permission", state: "open", askedAt: ago(1), questions: [], tool: { name: "Bash", input: { command: "gpg --detach-sign dist/*.tar.gz" }, description: "Sign the archives" } },
  ];
  return { epoch: "e", revision: 1, columns: ["backlog", "todo", "inProgress", "review", "done"], cards, runs, decisions, spend: { todayMicroUsd: 1_840_000, totalMicroUsd: 9_000_000, dayBudgetMicroUsd: 50_000_000 } };
}

export const FRAME = { repository: "sample", folder: "/r", several: false, maxParallel: 4 };
export const READY = { t: "state", state: { kind: "ready" } };
export const asBoard = (board, frame = FRAME) => ({ t: "board", board, frame });
export const change = (more) => ({ t: "change", revision: 2, cards: [], runs: [], decisions: [], removedCards: [], removedRuns: [], removedDecisions: [], ...more });

/** 500 cards, four of them running. */
export function large(count = 500) {
  const columns = ["backlog", "todo", "inProgress", "review", "done"];
  const cards = [];
  const runs = [];
  for (let id = 1; id <= count; id++) {
    const live = id <= 4;
    const item = card(id, id, live ? "inProgress" : columns[id % 5], `Card ${id}: something that ought to be done in the repository`, { labels: id % 3 === 0 ? ["ui"] : [], costMicroUsd: id * 1000 });
    if (live || id % 5 === 3 || id % 5 === 4) {
      const state = live ? "running" : id % 5 === 3 ? "inReview" : "promoted";
      runs.push(run(id, item, state, { costMicroUsd: id * 1000, diffStat: { files: 2, insertions: id, deletions: 3 }, ...(live ? { currentTool: "Bash npm test" } : { endedAt: ago(1) }) }));
      item.runIds = [id];
      item.dot = live ? "running" : state === "inReview" ? "inReview" : "none";
      if (live) {
        item.activeRunId = id;
      }
    }
    cards.push(item);
  }
  return { epoch: "e", revision: 1, columns, cards, runs, decisions: [], spend: { todayMicroUsd: 0, totalMicroUsd: 0 } };
}
