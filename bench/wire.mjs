// A client of the wire over the pipes of a child process.
import { randomUUID } from "node:crypto";

export class Wire {
  #buffered = [];
  #bytes = 0;
  #need = 0;
  #head = 0;
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

  // A message is joined only when it is complete and has to be read, so that what is measured is not this client.
  #take(chunk) {
    this.#buffered.push(chunk);
    this.#bytes += chunk.length;
    while (this.#bytes > 0 && this.#bytes >= this.#need) {
      if (this.#need === 0) {
        const head = this.#buffered[0].indexOf("\r\n\r\n");
        if (head < 0) {
          if (this.#buffered.length === 1) return;
          this.#buffered = [Buffer.concat(this.#buffered)];
          continue;
        }
        this.#head = head + 4;
        this.#need = this.#head + Number(/Content-Length: (\d+)/i.exec(this.#buffered[0].subarray(0, head).toString("latin1"))[1]);
        continue;
      }
      const parts = [];
      for (let missing = this.#need; missing > 0; ) {
        const part = this.#buffered.shift();
        if (part.length > missing) this.#buffered.unshift(part.subarray(missing));
        parts.push(part.subarray(0, missing));
        missing -= Math.min(missing, part.length);
      }
      this.#bytes -= this.#need;
      this.#need = 0;
      parts[0] = parts[0].subarray(this.#head);
      this.#handle(parts);
    }
  }

  #handle(parts) {
    // What was said by itself is handed on unread: a measure decides what reading it costs.
    const start = (parts[0].length < 200 ? Buffer.concat(parts.slice(0, 2)) : parts[0]).subarray(0, 200).toString("latin1");
    if (!start.startsWith('{"jsonrpc":"2.0","id"')) return this.heard(parts, start);
    const message = JSON.parse(Buffer.concat(parts));
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.error) waiting.reject(new Error(`${message.error.message} ${JSON.stringify(message.error.data ?? {})}`));
    else waiting.resolve(message.result);
  }
}
