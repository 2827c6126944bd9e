import { type ChildProcess, spawn } from "node:child_process";
import { CancellationToken, createMessageConnection, Emitter, type Message, type MessageConnection, StreamMessageReader, StreamMessageWriter } from "vscode-jsonrpc/node";
import type { InitializeParams, InitializeResult, Notifications, Requests } from "../shared/protocol";
import { SidecarFailure } from "./failure";
import type { SidecarCommand } from "./locate";

/** Of stderr that is kept to say why a process ended, in characters. */
const STDERR_KEPT = 4_000;
/** The relay gives up after 10 s; a little more, so that its own words are what is shown. */
const INITIALIZE_MS = 15_000;
/** Between closing its input and killing it. */
const END_MS = 3_000;

export type Trace = "off" | "messages" | "verbose";

export interface Ended {
  code: number | null;
  /** The last line that it wrote to stderr. */
  said: string;
}

/** A message to a process that is gone is nobody's error: `ended` tells of it, and what waits is told by that. Without this jsonrpc leaves a rejection that nobody can take. */
class Writer extends StreamMessageWriter {
  override async write(message: Message): Promise<void> {
    await super.write(message).catch(() => undefined);
  }
}

/** One process `kanbots-sidecar --stdio` and the conversation with it, from its start to its end. */
export class Connection {
  private readonly child: ChildProcess;
  private readonly rpc: MessageConnection;
  private readonly didNotify = new Emitter<{ method: keyof Notifications; params: unknown }>();
  private stderr = "";
  readonly onDidNotify = this.didNotify.event;
  /** Settles when the process is gone and its pipes are read to the end; never fails. */
  readonly ended: Promise<Ended>;

  constructor(command: SidecarCommand, folder: string, environment: NodeJS.ProcessEnv, private readonly log: (line: string) => void, private readonly trace: () => Trace) {
    this.child = spawn(command.command, [...command.args, "--stdio"], { cwd: folder, env: environment, stdio: ["pipe", "pipe", "pipe"], windowsHide: true });
    const { stdin, stdout, stderr } = this.child;
    if (stdin === null || stdout === null || stderr === null) {
      throw new Error("A process without pipes was started.");
    }
    stderr.setEncoding("utf8");
    stderr.on("data", (text: string) => {
      this.stderr = (this.stderr + text).slice(-STDERR_KEPT);
      for (const line of text.split("\n")) {
        if (line.trim() !== "") {
          log(line);
        }
      }
    });
    // A peer that is gone is told by `ended`; without a listener the pipe's own error would end the extension host.
    stdin.on("error", () => undefined);
    this.rpc = createMessageConnection(new StreamMessageReader(stdout), new Writer(stdin), { error: log, warn: log, info: log, log });
    this.rpc.onNotification((method, params) => {
      this.traced("<-", method, params);
      this.didNotify.fire({ method: method as keyof Notifications, params });
    });
    this.rpc.onError(([error]) => log(`The connection has a fault: ${error.message}`));
    this.rpc.listen();
    this.ended = new Promise((resolve) => {
      this.child.once("error", (error) => resolve({ code: null, said: `${command.command} could not be started: ${error.message}` }));
      this.child.once("close", (code) => resolve({ code, said: this.stderr.trim().split("\n").at(-1) ?? "" }));
    });
    void this.ended.then(() => this.rpc.dispose());
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  async initialize(params: InitializeParams): Promise<InitializeResult> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new SidecarFailure("notReached", `The sidecar did not answer within ${INITIALIZE_MS / 1000} s.`)), INITIALIZE_MS);
    });
    try {
      const result = await Promise.race([this.request("initialize", params), late]);
      await this.notify("initialized", {});
      return result;
    } finally {
      clearTimeout(timer);
    }
  }

  async request<M extends keyof Requests>(method: M, params: Requests[M]["params"], cancel: CancellationToken = CancellationToken.None): Promise<Requests[M]["result"]> {
    this.traced("->", method, params);
    // `ended` wins over an answer that will not come: jsonrpc does not fail what was pending when a pipe just ends.
    const gone = this.ended.then(() => Promise.reject(new SidecarFailure("connectionLost", "The sidecar ended before it answered.")));
    gone.catch(() => undefined);
    const result = await Promise.race([this.rpc.sendRequest(method, params, cancel) as Promise<Requests[M]["result"]>, gone]);
    this.traced("<-", method, result);
    return result;
  }

  async notify<M extends keyof Notifications>(method: M, params: Notifications[M]): Promise<void> {
    this.traced("->", method, params);
    await this.rpc.sendNotification(method, params);
  }

  /** Ends the conversation: its input is closed, and what does not leave then is killed. Agents live on in their hosts. */
  async end(): Promise<void> {
    this.child.stdin?.end();
    const timer = setTimeout(() => this.child.kill("SIGKILL"), END_MS);
    await this.ended;
    clearTimeout(timer);
  }

  private traced(arrow: string, method: string, params: unknown): void {
    const trace = this.trace();
    if (trace !== "off") {
      this.log(trace === "messages" ? `${arrow} ${method}` : `${arrow} ${method} ${JSON.stringify(params)?.slice(0, 2_000) ?? ""}`);
    }
  }
}
