import { randomUUID } from "node:crypto";
import { CancellationToken, type Disposable, Emitter } from "vscode-jsonrpc/node";
import { applyChange } from "../shared/board";
import type { SidecarState } from "../shared/messages";
import type {
  BoardDidChangeParams, BoardSnapshot, Decision, DecisionDidRequestParams, DecisionDidWithdrawParams, LogDidAppendParams, Notifications, ProgressParams, Requests, ReviewDidChangeParams, RunDidAppendParams, ThreadItem,
} from "../shared/protocol";
import { isWorthTelling, readExit, waitBefore, WORKED_MS } from "./backoff";
import { Connection, type Trace } from "./connection";
import { asFailure, SidecarFailure } from "./failure";
import type { Located } from "./locate";

type Changing = { [M in keyof Requests]: Requests[M]["params"] extends { requestId: string } ? M : never }[keyof Requests];
type Reading = Exclude<keyof Requests, Changing>;

interface InFlight {
  method: keyof Requests;
  params: unknown;
  cancel: CancellationToken;
  resolve(result: unknown): void;
  reject(error: SidecarFailure): void;
  sentOn: Connection | undefined;
}

/** Who watches a thread. */
export interface Follower {
  append(items: readonly ThreadItem[]): void;
  /** The sidecar has a new database: cursors of before mean nothing, and the thread has to be asked for anew. */
  startOver(): void;
}

/** A place in a thread: the last item that somebody has. */
export type Place = Pick<ThreadItem, "cursor" | "seq">;

/** Requests that may wait for an answer at once. A page that asks without end is a fault, not a reason to grow. */
const IN_FLIGHT_MAX = 500;

export interface SessionOptions {
  folder: string;
  /** Asked as soon as the root of the repository is known. False: another session of the window is of that repository, and this one ends. */
  claim(root: string | undefined): boolean;
  clientVersion: string;
  locate(): Located;
  environment(): NodeJS.ProcessEnv;
  trace(): Trace;
  log(line: string): void;
  /** Fires its callback after so many milliseconds; an argument so that tests need not wait. */
  later(milliseconds: number, callback: () => void): Disposable;
  now(): number;
}

/**
 * The conversation with the sidecar of one repository, over any number of its processes. It holds the board as it was last told, repeats what was
 * in flight when a process ends (by `requestId`, so that nothing happens twice), and goes on following threads from the last item it has.
 */
export class Session implements Disposable {
  private connection: Connection | undefined;
  private current: BoardSnapshot | undefined;
  private standing: SidecarState = { kind: "starting" };
  private failures = 0;
  private wait: Disposable | undefined;
  private disposed = false;
  private rootOfRepository: string | undefined;
  private readonly inFlight = new Set<InFlight>();
  private readonly followers = new Map<number, Map<Follower, Place | undefined>>();
  private readonly didChangeState = new Emitter<SidecarState>();
  private readonly didChangeBoard = new Emitter<{ board: BoardSnapshot; change?: BoardDidChangeParams }>();
  private readonly didRequestDecision = new Emitter<Decision>();
  private readonly didWithdrawDecision = new Emitter<DecisionDidWithdrawParams>();
  private readonly didChangeReview = new Emitter<number>();
  private readonly didProgress = new Emitter<ProgressParams>();
  private readonly didLog = new Emitter<LogDidAppendParams>();
  readonly onDidChangeState = this.didChangeState.event;
  /** `change` is absent when the board came whole: after a start, or after a gap. */
  readonly onDidChangeBoard = this.didChangeBoard.event;
  readonly onDidRequestDecision = this.didRequestDecision.event;
  readonly onDidWithdrawDecision = this.didWithdrawDecision.event;
  /** The files of a run's worktree have changed since they were asked for. */
  readonly onDidChangeReview = this.didChangeReview.event;
  readonly onDidProgress = this.didProgress.event;
  readonly onDidLog = this.didLog.event;

  constructor(private readonly options: SessionOptions) {}

  get folder(): string {
    return this.options.folder;
  }

  get state(): SidecarState {
    return this.standing;
  }

  get board(): BoardSnapshot | undefined {
    return this.current;
  }

  /** Absolute path of the main working tree, once the sidecar has said it. */
  get repositoryRoot(): string | undefined {
    return this.rootOfRepository;
  }

  start(): void {
    this.failures = 0;
    this.begin();
  }

  /** Ends the process, if there is one, and starts the next at once. What was in flight is repeated. */
  async restart(): Promise<void> {
    this.wait?.dispose();
    this.wait = undefined;
    const old = this.connection;
    this.connection = undefined;
    this.failures = 0;
    await old?.end();
    this.begin();
  }

  dispose(): void {
    this.disposed = true;
    this.wait?.dispose();
    const old = this.connection;
    this.connection = undefined;
    void old?.end();
    for (const request of [...this.inFlight]) {
      this.inFlight.delete(request);
      request.reject(new SidecarFailure("closed", "The window has closed this repository."));
    }
    for (const emitter of [this.didChangeState, this.didChangeBoard, this.didRequestDecision, this.didWithdrawDecision, this.didChangeReview, this.didProgress, this.didLog]) {
      emitter.dispose();
    }
  }

  /** A request that only reads. @throws SidecarFailure */
  request<M extends Reading>(method: M, params: Requests[M]["params"], cancel: CancellationToken = CancellationToken.None): Promise<Requests[M]["result"]> {
    return this.send(method, params, cancel);
  }

  /** A request that changes something; it happens once, however often it has to be sent. @throws SidecarFailure */
  change<M extends Changing>(method: M, params: Omit<Requests[M]["params"], "requestId">, cancel: CancellationToken = CancellationToken.None): Promise<Requests[M]["result"]> {
    return this.send(method, { ...params, requestId: randomUUID() } as unknown as Requests[M]["params"], cancel);
  }

  /**
   * Tells of the items of a thread that come after `after`, over restarts of the sidecar too, each once.
   * @param after the last item that the caller has; absent: from the beginning
   */
  follow(runId: number, after: Place | undefined, follower: Follower): Disposable {
    const followers = this.followers.get(runId) ?? new Map<Follower, Place | undefined>();
    this.followers.set(runId, followers);
    followers.set(follower, after);
    this.subscribe(runId);
    return {
      dispose: () => {
        followers.delete(follower);
        if (followers.size === 0 && this.followers.get(runId) === followers) {
          this.followers.delete(runId);
          if (this.standing.kind === "ready") {
            void this.request("run/unsubscribe", { runId }).catch((error: unknown) => this.options.log(`run/unsubscribe: ${asFailure(error).message}`));
          }
        }
      },
    };
  }

  private begin(): void {
    if (this.disposed || this.connection !== undefined) {
      return;
    }
    const located = this.options.locate();
    if (located.kind === "missing") {
      this.stand({ kind: "failed", message: located.message, nextStep: located.nextStep, actions: [{ id: "openSettings", label: "Open Settings" }, { id: "restartSidecar", label: "Try Again" }] });
      return;
    }
    if (!isWorthTelling(this.failures)) {
      this.stand({ kind: this.current === undefined ? "starting" : "reconnecting" });
    }
    this.options.log(`Starting ${located.command.command} (${located.command.from}) in ${this.folder}`);
    const connection = new Connection(located.command, this.folder, this.options.environment(), this.options.log, this.options.trace);
    this.connection = connection;
    connection.onDidNotify(({ method, params }) => this.hear(connection, method, params));
    let readyAt: number | undefined;
    void this.open(connection).then(
      () => {
        readyAt = this.options.now();
      },
      (error: unknown) => {
        this.options.log(`The sidecar did not get ready: ${asFailure(error).message}`);
        void connection.end();
      },
    );
    void connection.ended.then(({ code, said }) => {
      if (this.connection !== connection) {
        return;
      }
      this.connection = undefined;
      this.options.log(`The sidecar ended (code ${code ?? "none"}). ${said}`);
      const exit = readExit(code, said);
      if (exit.kind === "stay") {
        this.stand({ kind: "failed", message: exit.message, nextStep: exit.nextStep, actions: [{ id: "restartSidecar", label: "Restart Sidecar" }, { id: "showLog", label: "Show Log" }] });
        this.refuseInFlight(exit.message);
        return;
      }
      this.failures = readyAt !== undefined && this.options.now() - readyAt > WORKED_MS ? 1 : this.failures + 1;
      const wait = waitBefore(this.failures);
      const message = isWorthTelling(this.failures) ? `The sidecar has ended ${this.failures} times in a row${said === "" ? "." : `: ${said}`}` : undefined;
      this.stand({ kind: "reconnecting", message, nextStep: message === undefined ? undefined : `It is started again${wait >= 1_000 ? ` in ${wait / 1000} s` : ""}. Agents go on meanwhile.`, actions: message === undefined ? undefined : [{ id: "restartSidecar", label: "Try Now" }, { id: "showLog", label: "Show Log" }] });
      this.wait = this.options.later(wait, () => {
        this.wait = undefined;
        this.begin();
      });
    });
  }

  private async open(connection: Connection): Promise<void> {
    const hello = await connection.initialize({ clientName: "vscode", clientVersion: this.options.clientVersion, workspaceFolder: this.folder, trusted: true, capabilities: [] });
    if (!this.options.claim(hello.repositoryRoot)) {
      this.dispose();
      return;
    }
    this.rootOfRepository = hello.repositoryRoot;
    const board = await connection.request("board/get", {});
    if (this.connection !== connection) {
      return;
    }
    this.take(board);
    this.stand({ kind: "ready" });
    this.didChangeBoard.fire({ board });
    for (const request of this.inFlight) {
      this.carry(request);
    }
    for (const runId of this.followers.keys()) {
      this.subscribe(runId);
    }
  }

  private send<M extends keyof Requests>(method: M, params: Requests[M]["params"], cancel: CancellationToken): Promise<Requests[M]["result"]> {
    if (this.disposed) {
      return Promise.reject(new SidecarFailure("closed", "The window has closed this repository."));
    }
    if (this.standing.kind === "failed") {
      return Promise.reject(new SidecarFailure("notReached", this.standing.message ?? "The sidecar is not running.", { nextStep: this.standing.nextStep }));
    }
    if (this.inFlight.size >= IN_FLIGHT_MAX) {
      return Promise.reject(new SidecarFailure("limitExceeded", `More than ${IN_FLIGHT_MAX} requests wait for the sidecar.`));
    }
    return new Promise((resolve, reject) => {
      const request: InFlight = { method, params, cancel, resolve: resolve as (result: unknown) => void, reject, sentOn: undefined };
      this.inFlight.add(request);
      // Who waits for a sidecar that is not there can still cancel.
      cancel.onCancellationRequested(() => {
        if (request.sentOn === undefined && this.inFlight.delete(request)) {
          reject(new SidecarFailure("requestCancelled", "Cancelled."));
        }
      });
      if (this.standing.kind === "ready") {
        this.carry(request);
      }
    });
  }

  private carry(request: InFlight): void {
    const connection = this.connection;
    if (connection === undefined || request.sentOn === connection) {
      return;
    }
    request.sentOn = connection;
    connection.request(request.method, request.params as never, request.cancel).then(
      (result) => {
        if (this.inFlight.delete(request)) {
          request.resolve(result);
        }
      },
      (error: unknown) => {
        const failure = asFailure(error);
        // A process that went (or a serve that is leaving) has answered nothing: the next one is asked.
        if (!this.disposed && (failure.kind === "connectionLost" || failure.kind === "serveLeaving" || connection !== this.connection)) {
          if (request.sentOn === connection) {
            request.sentOn = undefined;
          }
          return;
        }
        if (this.inFlight.delete(request)) {
          request.reject(failure);
        }
      },
    );
  }

  private refuseInFlight(message: string): void {
    for (const request of [...this.inFlight]) {
      this.inFlight.delete(request);
      request.reject(new SidecarFailure("notReached", message));
    }
  }

  private hear(connection: Connection, method: keyof Notifications, params: unknown): void {
    if (connection !== this.connection) {
      return;
    }
    switch (method) {
      case "board/didChange":
        this.changeBoard(connection, params as BoardDidChangeParams);
        break;
      case "run/didAppend":
        this.append(params as RunDidAppendParams);
        break;
      case "decision/didRequest":
        this.didRequestDecision.fire((params as DecisionDidRequestParams).decision);
        break;
      case "decision/didWithdraw":
        this.didWithdrawDecision.fire(params as DecisionDidWithdrawParams);
        break;
      case "review/didChange":
        this.didChangeReview.fire((params as ReviewDidChangeParams).runId);
        break;
      case "$/progress":
        this.didProgress.fire(params as ProgressParams);
        break;
      case "log/didAppend":
        this.didLog.fire(params as LogDidAppendParams);
        break;
      default:
        break;
    }
  }

  private changeBoard(connection: Connection, change: BoardDidChangeParams): void {
    if (this.standing.kind !== "ready" || this.current === undefined) {
      // The whole board is on its way and holds this change, or the next one shows the gap.
      return;
    }
    const applied = applyChange(this.current, change);
    if (applied.kind === "board") {
      this.current = applied.board;
      this.didChangeBoard.fire({ board: applied.board, change });
    } else if (applied.kind === "gap") {
      void this.reread(connection);
    }
  }

  private async reread(connection: Connection): Promise<void> {
    try {
      const board = await connection.request("board/get", {});
      if (this.connection === connection && (this.current?.epoch !== board.epoch || board.revision > this.current.revision)) {
        this.take(board);
        this.didChangeBoard.fire({ board });
      }
    } catch (error) {
      this.options.log(`board/get: ${asFailure(error).message}`);
    }
  }

  /** Holds a whole board. A board over another database ends what rested on cursors of the one before; a serve that was started anew does not. */
  private take(board: BoardSnapshot): void {
    const isAnother = this.current !== undefined && this.current.threadEpoch !== board.threadEpoch;
    this.current = board;
    if (isAnother) {
      for (const followers of [...this.followers.values()]) {
        for (const follower of [...followers.keys()]) {
          followers.set(follower, undefined);
          follower.startOver();
        }
      }
    }
  }

  private subscribe(runId: number): void {
    const followers = this.followers.get(runId);
    const connection = this.connection;
    if (this.standing.kind !== "ready" || connection === undefined || followers === undefined) {
      return;
    }
    // One subscription serves all who follow, from where the last of them is; who is ahead drops what it has.
    const places = [...followers.values()];
    const after = places.includes(undefined) ? undefined : places.reduce((least, place) => (place !== undefined && least !== undefined && place.seq < least.seq ? place : least));
    connection.request("run/subscribe", { runId, after: after?.cursor }).catch((error: unknown) => {
      if (this.connection === connection) {
        this.options.log(`run/subscribe ${runId}: ${asFailure(error).message}`);
      }
    });
  }

  private append({ runId, items }: RunDidAppendParams): void {
    const followers = this.followers.get(runId);
    for (const [follower, place] of [...(followers ?? [])]) {
      const fresh = place === undefined ? items : items.filter((item) => item.seq > place.seq);
      const last = fresh.at(-1);
      if (last !== undefined && followers?.has(follower) === true) {
        followers.set(follower, { cursor: last.cursor, seq: last.seq });
        follower.append(fresh);
      }
    }
  }

  private stand(state: SidecarState): void {
    if (this.disposed) {
      return;
    }
    this.standing = state;
    this.didChangeState.fire(state);
  }
}
