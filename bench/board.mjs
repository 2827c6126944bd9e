// The pages of the extension under load: 500 cards and four live threads. Their longest tasks and memory in a browser, fed with what the real sidecar says of
// four agents that speak without a pause; and, in the real workbench, how long an agent's line takes to the pixels of its card.
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { Bench, packaged } from "../vscode-extension/e2e/bench.mjs";
import { browse } from "../vscode-extension/e2e/pages/page.mjs";
import { begin } from "./lines.mjs";
import { ms, pause, row } from "./figures.mjs";
import { Place } from "./place.mjs";
import { watchStolen } from "./stolen.mjs";

const cards = 500;
const agents = 4;
const extension = new URL("../vscode-extension/", import.meta.url);

/** An agent that says twenty times a second, or as seldom as a file beside it says, what time it is, as the command of a tool, until it is stopped. */
const speaks = (words) => `read -r line
echo "\${line%?},\\"isReplay\\":true}"
echo '${begin}'
exec {never}<> <(:)
pace=0.05
for ((i = 0; ; i++)); do
  [[ -e "$0.pace" ]] && read -r pace < "$0.pace"
  at=\${EPOCHREALTIME/[.,]/}
  printf '{"type":"assistant","message":{"id":"m%d","role":"assistant","content":[{"type":"text","text":"${words}"},{"type":"tool_use","id":"t%d","name":"Bash","input":{"command":"at %d"}}]},"parent_tool_use_id":null,"session_id":"s"}\\n' $i $i $((at / 1000))
  read -rt $pace -u $never # sleep would be a process each time: more work than all that is measured
  printf '{"type":"user","message":{"role":"user","content":[{"type":"tool_result","tool_use_id":"t%d","content":"${words}"}]},"parent_tool_use_id":null,"session_id":"s"}\\n' $i
done
`;

export async function board({ quick }) {
  return [...(await pages(quick ? 30 : 600, quick ? 15 : 120)), ...(await workbench(quick ? 15 : 60))];
}

/** Both pages by themselves, so that what is measured is theirs and not the workbench's. */
async function pages(steady, flood) {
  const place = new Place();
  const browser = await browse("board", extension);
  const stolen = watchStolen();
  try {
    const agent = place.agent(speaks("All of this is said again and again. ".repeat(8)));
    const wire = await place.connectWith(agent);
    const ids = [];
    for (let i = 0; i < cards; i++) ids.push(await place.card(wire, `card ${i} of a large board`));
    const runs = [];
    for (const id of ids.slice(0, agents)) runs.push(await place.dispatch(wire, id));
    await wire.until("all run", (snapshot) => snapshot.runs.filter((run) => run.state === "running" && run.sessionId).length === agents);

    const shown = await fed(browser, { width: 1600, height: 900 });
    const open = [];
    for (let i = 0; i < agents; i++) open.push(await fed(browser, { name: "thread", width: 500, height: 900 }));
    const snapshot = await wire.call("board/get");
    const cardOf = new Map(snapshot.cards.map((card) => [card.id, card]));
    shown.post({ t: "state", state: { kind: "ready" } });
    shown.post({ t: "board", board: snapshot, frame: { repository: "bench", several: false, maxParallel: 64 } });
    for (const [i, run] of runs.entries()) {
      const now = snapshot.runs.find(({ id }) => id === run.id);
      open[i].post({ t: "state", state: { kind: "ready" } });
      open[i].post({ t: "thread", card: cardOf.get(run.cardId), run: now, decisions: [], items: [], atStart: true });
      await wire.call("run/subscribe", { runId: run.id });
    }
    await pause(3000);
    let [changes, items] = [0, 0];
    wire.heard = (parts) => {
      const { method, params } = JSON.parse(Buffer.concat(parts));
      if (method === "board/didChange") {
        changes++;
        const { revision, cards: changed, runs: ran, decisions, removed, spend, notices } = params;
        for (const card of changed) cardOf.set(card.id, card);
        for (const run of ran) open[runs.findIndex(({ id }) => id === run.id)].post({ t: "run", card: cardOf.get(run.cardId), run, decisions: [] });
        shown.post({ t: "change", revision, cards: changed, runs: ran, decisions, removedCards: removed.cardIds, removedRuns: removed.runIds, removedDecisions: removed.decisionIds, spend, notices });
      } else if (method === "run/didAppend") {
        items += params.items.length;
        open[runs.findIndex(({ id }) => id === params.runId)].post({ t: "append", items: params.items });
      }
    };
    const bare = await computes(shown);
    const all = [shown, ...open, { page: bare }];
    const [sizes, tasks] = [[], []];
    /** For so many seconds, in so many parts: the tasks over 50 ms of every page, and how many lines came from each agent in a second. */
    const measured = async (seconds, parts, pace) => {
      const late = all.map(() => []);
      await pause(SETTLE_SECONDS * 1000); // the first items still belong to the load of a page: they compile its code
      writeFileSync(`${agent}.pace`, `${pace}\n`);
      await pause(SETTLE_SECONDS * 1000);
      let [came, clocked] = [0, 0];
      for (let part = 0; part < parts; part++) {
        const traced = Math.min(seconds / parts / 2, TRACED_SECONDS);
        const [before, from] = [items, performance.now()];
        const watched = await Promise.all(all.map(watchTasks));
        await pause((seconds / parts - traced) * 1000);
        for (const [i, tooLong] of watched.entries()) late[i].push(...(await tooLong()));
        came += items - before;
        clocked += (performance.now() - from) / 1000;
        tasks.push(await longestTask(shown, traced * 1000));
        // The collection that is asked for here is a long task of ours, not of the page.
        sizes.push(await Promise.all([shown, open[0]].map(heapMb)));
        await pause(SETTLE_SECONDS * 1000);
      }
      return { lines: came / LINE_ITEMS / clocked / agents, ours: late.slice(0, -1).flat(), bare: late.at(-1) };
    };
    const steadily = await measured(steady, 4, 2 / STEADY_LINES);
    if (steadily.lines < STEADY_LINES * 0.9) throw new Error(`only ${steadily.lines.toFixed(1)} lines a second came from each agent`);
    const flooded = await measured(flood, 1, 0.05);
    wire.heard = () => {};
    const long = (seconds) => (seconds < 60 ? `${seconds} s` : `${seconds / 60} min`);
    const what = `${cards} cards and ${agents} live threads`;
    const steadyWhat = `${what} for ${long(steady)}, ${steadily.lines.toFixed(1)} lines a second each`;
    const floodWhat = `${what} for ${long(flood)}, ${flooded.lines.toFixed(1)} lines a second each`;
    const [from, to] = [sizes[0], sizes.at(-1)];
    const longest = Math.max(...tasks);
    const beside = `beside them a page that only computes for ${COMPUTES_MS} ms ten times a second`;
    /** Those that would have been over 50 ms without the hypervisor too. */
    const own = (tasks) => tasks.filter(({ from, duration }) => duration - stolen.during(from, from + duration) > 50);
    const longestOf = (tasks) => `${tasks.length}${tasks.length > 0 ? `, ${ms(Math.max(...tasks.map(({ duration }) => duration)))}` : ""}`;
    const clock = (tasks) => `${longestOf(tasks)}${tasks.length > 0 ? `; without what the hypervisor took meanwhile ${longestOf(own(tasks))}` : ""}`;
    for (const { from, duration } of [...steadily.ours, ...flooded.ours]) console.error(`  a task of ${ms(duration)} at ${new Date(from).toISOString()}, of which the hypervisor took ${stolen.during(from, from + duration)} ms`);
    const grown = (i) => to[i] - from[i];
    return [
      row(`${steadyWhat}: tasks of over 50 ms by the clock in these ${all.length - 1} pages, the longest; ${beside}`, clock(steadily.ours), clock(steadily.bare), undefined, "none", steadily.ours.length === 0),
      row(`${floodWhat}: tasks of over 50 ms by the clock in these ${all.length - 1} pages, the longest; ${beside}`, clock(flooded.ours), clock(flooded.bare), undefined, "none", flooded.ours.length === 0),
      row(`${what}, both paces: longest task of a page, its processor time (${changes} changes of the board, ${items} items)`, ms(longest), "", undefined, "≤ 50 ms", longest <= 50),
      row(`${what}: memory of the board's page, after a quarter and at the end of both`, `${from[0].toFixed(1)} and ${to[0].toFixed(1)} MB`, "", undefined, "grows by ≤ 5 MB", grown(0) <= 5),
      row(`${what}: memory of a thread's page, after a quarter and at the end of both`, `${from[1].toFixed(1)} and ${to[1].toFixed(1)} MB`, "", undefined, "grows by ≤ 10 MB", grown(1) <= 10),
    ];
  } finally {
    await browser.close();
    await stolen.stop();
    place.remove();
  }
}

/** A page that is fed as VS Code feeds a webview, by messages to its window, and not by the browser's remote control, which would itself run a script in
 * the page for each of them. */
async function fed(browser, options) {
  const page = await browser.open({ ...options, context: { bypassCSP: true } });
  let stream;
  const server = createServer((_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream", "access-control-allow-origin": "*" });
    response.write(":\n\n");
    stream = response;
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  server.unref();
  await page.page.evaluate((port) => new Promise((resolve, reject) => {
    const source = new EventSource(`http://127.0.0.1:${port}/`);
    source.onopen = resolve;
    source.onerror = () => reject(new Error("no feed"));
    source.onmessage = ({ data }) => window.postMessage(JSON.parse(data), "*");
  }), server.address().port);
  return { ...page, post: (message) => stream.write(`data: ${JSON.stringify(message)}\n\n`) };
}

/** Of one agent, all the time: the recorded CLI, whose model answered at once, wrote as many in its busiest second. */
const STEADY_LINES = 20;
/** Of two lines: a text with its tool use, and the result; so of each line on the average. */
const LINE_ITEMS = 3 / 2;
/** Of every part: more is more than Chromium keeps. Tracing is itself work for the cores, so nothing is measured by the clock meanwhile. */
const TRACED_SECONDS = 20;
/** After a page's load, and after what the measure itself asks of a page. */
const SETTLE_SECONDS = 5;
const COMPUTES_MS = 12;

/** What waiting for a core does to a page that has no layout, no paint and nothing of ours. */
async function computes({ page }) {
  const bare = await page.context().browser().newPage(); // a window of its own: the board must not become a tab behind it
  await bare.evaluate((milliseconds) => {
    // Work, and not time: how much is found out once.
    const work = (rounds) => {
      let sum = 0;
      for (let i = 0; i < rounds; i++) sum += Math.sqrt(i);
      return sum;
    };
    let rounds = 100_000;
    for (let took = 0; took < milliseconds; rounds *= 1.2) {
      const from = performance.now();
      work(rounds);
      took = performance.now() - from;
    }
    setInterval(() => work(rounds), 100);
  }, COMPUTES_MS);
  return bare;
}

/** The browser's own list of the page's long tasks, those of more than 50 ms by the clock, from now until it is asked for. */
async function watchTasks({ page }) {
  await page.evaluate(() => {
    window.tasks = [];
    window.observer = new PerformanceObserver((list) => window.tasks.push(...list.getEntries()));
    window.observer.observe({ type: "longtask" });
  });
  return () => page.evaluate(() => {
    window.tasks.push(...window.observer.takeRecords());
    window.observer.disconnect();
    return window.tasks.map(({ startTime, duration }) => ({ from: performance.timeOrigin + startTime, duration }));
  });
}

/** The longest task of any page of the browser in so many milliseconds, by its thread's processor time: the clock also counts while a thread
 * waits for a core. */
async function longestTask({ page }, milliseconds) {
  const browser = page.context().browser();
  await browser.startTracing(page, { categories: ["toplevel"] });
  await pause(milliseconds);
  const { traceEvents } = JSON.parse(await browser.stopTracing());
  const thread = ({ pid, tid }) => `${pid} ${tid}`;
  const mains = new Set(traceEvents.filter(({ name, args }) => name === "thread_name" && args.name === "CrRendererMain").map(thread));
  const tasks = traceEvents.filter((event) => event.ph === "X" && /RunTask$/.test(event.name) && event.tdur !== undefined && mains.has(thread(event)));
  if (tasks.length === 0) throw new Error("the browser traced no task of a page");
  return tasks.reduce((longest, { tdur }) => Math.max(longest, tdur), 0) / 1000;
}

/** Of the page's JavaScript, after a collection. */
async function heapMb({ page }) {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("HeapProfiler.collectGarbage");
  const { usedSize } = await devtools.send("Runtime.getHeapUsage");
  await devtools.detach();
  return usedSize / 1e6;
}

/** The whole way: agent, stream, serve, relay, extension host, message, page, frame. */
async function workbench(seconds) {
  const bench = await Bench.start({ vsix: packaged("linux-x64") });
  try {
    const repository = bench.repository("sample");
    const agent = new Place();
    try {
      repository.cli("config", "agents.claude.path", agent.agent(speaks("word")));
      const all = [];
      for (let i = 0; i < 20; i++) all.push(await repository.card(i + 1, `card ${i + 1}`));
      const window = await bench.open(repository.path);
      const frame = await window.board();
      for (const card of all.slice(0, agents)) await repository.dispatch(card);
      await repository.until("all run", ({ runs }) => runs.filter(({ state }) => state === "running").length === agents);
      await pause(3000);
      const late = await frame.evaluate((duration) => new Promise((resolve) => {
        const seen = new Set();
        const took = [];
        const look = () => {
          for (const [, at] of document.body.textContent.matchAll(/at (\d{13})/g)) {
            if (!seen.has(at)) {
              seen.add(at);
              took.push(Date.now() - Number(at));
            }
          }
        };
        const observer = new MutationObserver(() => requestAnimationFrame(look));
        observer.observe(document.body, { subtree: true, childList: true, characterData: true });
        setTimeout(() => {
          observer.disconnect();
          // The first of each card stood there before anybody looked.
          resolve(took.slice(4));
        }, duration);
      }), seconds * 1000);
      if (late.length < seconds) throw new Error(`only ${late.length} lines were drawn in ${seconds} s`);
      late.sort((a, b) => a - b);
      const p = (share) => late[Math.floor((late.length - 1) * share)];
      return [row(`an agent's line to the pixels of its card, in the workbench (${late.length} lines of ${agents} agents): p50, p95`, `${ms(p(0.5))}, ${ms(p(0.95))}`, "", undefined, "p95 ≤ 100 ms", p(0.95) <= 100)];
    } finally {
      agent.remove();
    }
  } finally {
    await bench.end();
  }
}
