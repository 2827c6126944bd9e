// A client of the wire over the pipes of a child process.
import { randomUUID } from "node:crypto";

export class Wire {
  #buffered = [];
  #bytes = 0;
  #need = 0;
  #waiting = new Map();
  #next = 1;

  constructor(child) {
    this.child = child;
    this.heard = () => {};
    child.stdout.on("data", (chunk) => this.#take(chunk));
    child.once("exit", (code) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`the connection ended with ${code}`));
      this.#waiting.clear();
    });
  }

  get pid() { return this.child.pid; }

  call(method, params = {}) {
    const id = this.#next++;
    const body = JSON.stringify({ jsonrpc: "2.0", id, method, params });
    this.child.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  /** A call that changes something. */
  ask(method, params) { return this.call(method, { requestId: randomUUID(), ...params }); }

  /** The board, once it is as wanted. */
  async until(what, wanted, seconds = 120) {
    for (const started = performance.now(); ; ) {
      const board = await this.call("board/get");
      if (wanted(board)) return board;
      if (performance.now() - started > seconds * 1000) throw new Error(`never: ${what}; ${JSON.stringify(board.runs).slice(0, 2000)}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  end() {
    this.child.stdin.end();
    this.child.kill();
  }

  // Joined only when a message is complete, so that a large one costs its size once.
  #take(chunk) {
    this.#buffered.push(chunk);
    this.#bytes += chunk.length;
    while (this.#bytes > 0 && this.#bytes >= this.#need) {
      const all = this.#buffered.length === 1 ? this.#buffered[0] : Buffer.concat(this.#buffered);
      this.#buffered = [all];
      const head = all.indexOf("\r\n\r\n");
      if (head < 0) return;
      const to = head + 4 + Number(/Content-Length: (\d+)/i.exec(all.subarray(0, head).toString("latin1"))[1]);
      this.#need = to;
      if (all.length < to) return;
      this.#buffered = [all.subarray(to)];
      this.#bytes -= to;
      this.#need = 0;
      this.#handle(all.subarray(head + 4, to));
    }
  }

  #handle(body) {
    // What was said by itself is handed on unread: a measure decides what reading it costs.
    const start = body.subarray(0, 200).toString("latin1");
    if (!start.startsWith('{"jsonrpc":"2.0","id"')) return this.heard(body, start);
    const message = JSON.parse(body);
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.error) waiting.reject(new Error(`${message.error.message} ${JSON.stringify(message.error.data ?? {})}`));
    else waiting.resolve(message.result);
  }
}
