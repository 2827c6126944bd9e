// Mocha inside the extension host. A workbench that is driven for tests shows no notifications, so that this is one of its own.
import assert from "node:assert/strict";
import { join } from "node:path";
import { artifacts } from "../bench.mjs";
import { runInHost } from "../host.mjs";

export default async function ({ step, bench: start }) {
  const bench = await start({ vsix: undefined, tests: true });
  // Nothing of ours has been in it: only then may the extension sleep until it is wanted.
  const repository = bench.repository("host", { agent: null });
  await step("the tests in the extension host pass", async () => {
    const { shown } = await runInHost(bench, repository.path, { extension: join(artifacts, "vsix/stage/linux-x64"), tests: "index.mjs" });
    for (const line of shown) console.log(`       ${line.trim()}`);
    assert.ok(shown.some((line) => /[1-9]\d* passing/.test(line)), "no test ran");
  });
}
