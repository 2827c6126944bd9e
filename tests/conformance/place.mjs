// A real repository with a board of its own, and clients of the built executable through vscode-jsonrpc.
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { randomUUID } from "node:crypto";
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from "vscode-jsonrpc/node";

const root = resolve(import.meta.dirname, "../..");
const built = (project, name) =>
  ["Debug", "Release"].map((configuration) => join(root, project, "bin", configuration, "net10.0", name)).find((path) => existsSync(path));

export const sidecar = process.env.KANBOTS_TEST_SIDECAR ?? built("src/KanBots.Sidecar", "kanbots-sidecar");
export const fakeAgent = process.env.KANBOTS_TEST_AGENT ?? built("tests/KanBots.FakeAgent", "kanbots-fake-agent");

export class Place {
  root = mkdtempSync(join(tmpdir(), "kb-node-"));
  repository = join(this.root, "Übung eins");
  scripts = join(this.root, "scripts");
  state = join(this.repository, ".git", "kanbots");
  clients = [];

  constructor() {
    if (!sidecar || !fakeAgent) {
      throw new Error("The sidecar and the scripted agent are not built: run ./test.sh, or dotnet build.");
    }
    mkdirSync(this.scripts);
    mkdirSync(join(this.root, "run"));
    const git = (...words) => execFileSync("git", words, { cwd: this.root, stdio: "pipe" });
    git("init", "-q", "-b", "main", this.repository);
    writeFileSync(join(this.repository, "readme.txt"), "one\n");
    git("-C", this.repository, "add", "-A");
    git("-C", this.repository, "-c", "user.name=T", "-c", "user.email=t@example.com", "commit", "-q", "-m", "first");
  }

  script(name, steps) {
    writeFileSync(join(this.scripts, `${name}.json`), JSON.stringify(steps));
  }

  spawn() {
    const child = spawn(sidecar, ["--stdio"], {
      cwd: this.repository,
      env: {
        ...process.env,
        XDG_CACHE_HOME: join(this.root, "cache"),
        XDG_RUNTIME_DIR: join(this.root, "run"),
        FAKE_AGENT_SCRIPTS: this.scripts,
      },
    });
    child.exited = new Promise((done) => child.once("exit", done));
    return child;
  }

  async connect(clientName = "node", trusted = true) {
    const client = new Client(this.spawn());
    this.clients.push(client);
    client.hello = await client.call("initialize", { clientName, workspaceFolder: this.repository, trusted, capabilities: [] });
    await client.connection.sendNotification("initialized", {});
    return client;
  }

  /** Connected, with the scripted agent. */
  async start() {
    const client = await this.connect();
    await client.ask("config/set", { values: { "agents.claude.path": fakeAgent } });
    return client;
  }

  async dispose() {
    for (const client of this.clients) {
      client.connection.dispose();
      client.child.kill("SIGKILL");
      await client.child.exited;
    }
    for (const name of existsSync(this.state) ? readdirSync(this.state, { recursive: true }) : []) {
      if (name === "serve.json" || name.endsWith("host.json")) {
        const { pid, hostPid } = JSON.parse(readFileSync(join(this.state, name), "utf8"));
        end(pid ?? hostPid);
      }
    }
    rmSync(this.root, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Only what is still ours: a pid may be somebody else's by now. */
function end(pid) {
  try {
    if (readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("kanbots-sidecar")) {
      process.kill(pid, "SIGKILL");
    }
  } catch {
    // It has ended.
  }
}

export class Client {
  notes = [];
  waiting = [];

  constructor(child) {
    this.child = child;
    this.connection = createMessageConnection(new StreamMessageReader(child.stdout), new StreamMessageWriter(child.stdin));
    this.connection.onNotification((method, params) => {
      this.notes.push({ method, params });
      this.waiting.forEach((look) => look());
    });
    this.connection.listen();
  }

  call(method, params, token) {
    return token ? this.connection.sendRequest(method, params, token) : this.connection.sendRequest(method, params);
  }

  /** A call that changes state. */
  ask(method, params, token) {
    return this.call(method, { requestId: randomUUID(), ...params }, token);
  }

  of(method) {
    return this.notes.filter((note) => note.method === method).map((note) => note.params);
  }

  /** Waits until the notifications that came are as wanted. */
  until(what, wanted, seconds = 100) {
    return new Promise((done, fail) => {
      const deadline = setTimeout(() => {
        this.waiting = this.waiting.filter((other) => other !== look);
        fail(new Error(`never within ${seconds} s: ${what}. Came: ${JSON.stringify(this.notes.slice(-10))}`));
      }, seconds * 1000);
      const look = () => {
        const found = wanted();
        if (found) {
          clearTimeout(deadline);
          this.waiting = this.waiting.filter((other) => other !== look);
          done(found);
        }
      };
      this.waiting.push(look);
      look();
    });
  }

  /** The newest that was told of a run. */
  run(id) {
    return this.of("board/didChange").flatMap((change) => change.runs).filter((run) => run.id === id).at(-1);
  }

  untilState(id, ...states) {
    return this.until(`run ${id} is ${states}`, () => (states.includes(this.run(id)?.state) ? this.run(id) : undefined));
  }
}
