// A scratch git repository whose agents are scripted, seen from outside the editor: by git, by the files, and by a client of its own on the wire.
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import rpc from "vscode-jsonrpc/node.js";
import { until } from "./until.mjs";

const LIVE = ["queued", "preparing", "running", "awaitingDecision"];

export const SAMPLE = {
  "package.json": '{ "name": "sample", "dependencies": { "react": "^19.0.0", "left-pad": "^1.3.0", "moment": "^2.30.0" } }\n',
  "src/components/Button.tsx": "export const Button = () => <button />;\n",
  "test/auth.test.ts": 'test("signs in", async () => {});\n',
};

const briefly = ({ cards, runs, decisions }) => ({
  cards: cards.map(({ number, column, dot }) => ({ number, column, dot })),
  runs: runs.map(({ id, cardNumber, state, reason }) => ({ id, cardNumber, state, reason })),
  decisions: decisions.map(({ cardNumber, state }) => ({ cardNumber, state })),
});

export class Repository {
  #client;
  #process;

  constructor(bench, name, { files = SAMPLE, agent = bench.agent, init = true } = {}) {
    this.bench = bench;
    this.path = join(bench.root, name);
    mkdirSync(this.path, { recursive: true });
    if (!init) return;
    this.git("init", "-q", "-b", "main");
    for (const [path, text] of Object.entries(files)) this.write(path, text);
    this.git("add", ".");
    this.git("commit", "-qm", "Sample project");
    if (agent !== null) this.cli("config", "agents.claude.path", agent);
  }

  git(...args) {
    return execFileSync("git", args, { cwd: this.path, env: this.bench.environment, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  }

  /** The sidecar's own terminal client. */
  cli(...args) {
    return execFileSync(this.bench.sidecar, args, { cwd: this.path, env: this.bench.environment, encoding: "utf8", timeout: 60_000, stdio: ["ignore", "pipe", "pipe"] });
  }

  write(path, text) {
    mkdirSync(dirname(join(this.path, path)), { recursive: true });
    writeFileSync(join(this.path, path), text);
  }

  read(path) {
    return readFileSync(join(this.path, path), "utf8");
  }

  /** A card whose agent plays a script (tests/KanBots.FakeAgent/README.md). */
  async card(number, title, script, column = "todo") {
    return (await this.change("card/create", { number, title, column, body: script === undefined ? "" : `[[fake:${script}]]` })).card;
  }

  async dispatch(card, more = {}) {
    return (await this.change("run/dispatch", { cardId: card.id, ...more })).run;
  }

  async #connected() {
    if (this.#client === undefined) {
      // In a group of its own: Ctrl+C is for us, who still need it to end what runs.
      this.#process = spawn(this.bench.sidecar, ["--stdio"], { cwd: this.path, env: this.bench.environment, stdio: ["pipe", "pipe", "ignore"], detached: true });
      const client = (this.#client = rpc.createMessageConnection(this.#process.stdout, this.#process.stdin));
      client.onError(() => {});
      client.onClose(() => {
        if (this.#client === client) this.#client = undefined;
        client.dispose(); // what it was asked is refused, not waited for
      });
      client.listen();
      await this.#client.sendRequest("initialize", { clientName: "e2e", workspaceFolder: this.path, trusted: true, capabilities: [] });
    }
    return this.#client;
  }

  async request(method, params = {}) {
    return (await this.#connected()).sendRequest(method, params);
  }

  change(method, params = {}) {
    return this.request(method, { requestId: crypto.randomUUID(), ...params });
  }

  board() {
    return this.request("board/get");
  }

  /** Waits until the board, as this client sees it, is as wanted. */
  async until(what, wanted, seconds = 30) {
    let board;
    const isWanted = async () => wanted((board = await this.board()));
    return until(what, isWanted, { seconds, detail: () => `The board: ${JSON.stringify(board === undefined ? {} : briefly(board))}` });
  }

  /** The latest run of a card, once it has one of the states. */
  runIn(number, ...states) {
    return this.until(`the run of #${number} is ${states.join(" or ")}`, (board) => board.runs.filter((run) => run.cardNumber === number && states.includes(run.state)).sort((a, b) => b.id - a.id)[0]);
  }

  /** The pid of the serve of this repository, by its own file; none when it does not run. */
  servePid() {
    const path = join(this.path, ".git", "kanbots", "serve.json");
    if (!existsSync(path)) return undefined;
    const { pid } = JSON.parse(readFileSync(path, "utf8"));
    return existsSync(`/proc/${pid}`) ? pid : undefined;
  }

  /** Agents outlive every editor, as they should; so they are stopped here. Serve is left to the end of the bench: an editor that still has the folder open would start it again. */
  async end() {
    if (this.servePid() !== undefined) {
      const { runs } = await this.board();
      for (const run of runs.filter(({ state }) => LIVE.includes(state))) await this.change("run/stop", { runId: run.id }).catch(() => {});
    }
    this.#client?.dispose();
    this.#process?.kill();
  }
}
