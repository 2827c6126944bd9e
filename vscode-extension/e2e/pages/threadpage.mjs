// One page of a thread at a time, and checks of it: what thread.mjs tries the page with.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { browse, feed } from "./page.mjs";
import { card, run } from "./threads.mjs";

export const pictures = process.argv[2];
if (pictures !== undefined) {
  mkdirSync(pictures, { recursive: true });
}
const root = new URL("../../", import.meta.url);
export const browser = await browse("thread", root);
export const READY = { t: "state", state: { kind: "ready" } };
const PATIENCE = 60_000;
let failed = 0;

/** Opens a page with a thread, and lets the harness answer what it asks for. */
export async function open({ theme, width = 640, height = 800, state = "running", more = {}, items = [], atStart = true, checkpoints = [], decisions = [], context, answer } = {}) {
  const opened = await browser.open({ theme, width, height, context });
  const { page } = opened;
  const at = { sent: 0, stopped: false };
  const helper = {
    ...opened,
    shot: async (name) => pictures !== undefined && page.screenshot({ path: `${pictures}/thread-${name}.png` }),
    sent: (t) => page.evaluate((kind) => window.sent.filter((message) => message.t === kind), t),
    until: (what, fn, ...args) => page.waitForFunction(fn, ...(args.length === 0 ? [undefined] : args), { timeout: PATIENCE }).catch(() => assert.fail(`after ${PATIENCE / 1000} s: not ${what}`)),
    text: (selector) => page.locator(selector).first().innerText(),
    async answerAll() {
      const messages = await page.evaluate((from) => window.sent.slice(from), at.sent);
      at.sent += messages.length;
      const replies = messages.flatMap((message) => answer?.(message) ?? []);
      if (replies.length > 0) {
        await feed(page, ...replies);
      }
      return replies.length;
    },
  };
  if (answer !== undefined) {
    void (async () => {
      while (!at.stopped) {
        await helper.answerAll().catch(() => (at.stopped = true));
        await new Promise((resolve) => setTimeout(resolve, 15));
      }
    })();
  }
  helper.end = async () => {
    at.stopped = true;
    const violations = await page.evaluate(() => window.violations);
    assert.deepEqual(violations, [], "the content security policy was broken");
    assert.deepEqual(opened.problems, [], "the console has errors");
    await opened.close();
  };
  await feed(page, READY, { t: "thread", card, run: run(state, more), decisions, items, atStart, checkpoints });
  return helper;
}

export async function check(name, body) {
  if (process.argv[3] !== undefined && !name.includes(process.argv[3])) {
    return;
  }
  const began = Date.now();
  try {
    await body();
    console.log(`ok      ${name} (${Date.now() - began} ms)`);
  } catch (error) {
    failed++;
    console.log(`FAILED  ${name}\n${error instanceof Error ? error.stack : error}`);
  }
}

/** Closes the browser and says whether all is as it must be. */
export async function finish() {
  await browser.close();
  console.log(failed === 0 ? "all as it must be" : `${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}
