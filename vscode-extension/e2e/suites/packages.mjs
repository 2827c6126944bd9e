// What is in the packages, and that each of them installs and finds its own sidecar.
import { execFileSync } from "node:child_process";
import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { packaged } from "../bench.mjs";

export default async function ({ step, bench: start }) {
  const bench = await start({ vsix: undefined });
  const at = () => readdirSync(bench.extensions).filter((name) => name.startsWith("kanbots.kanbots-")).map((name) => join(bench.extensions, name))[0];

  await step("the universal package installs, with the portable sidecar", () => {
    assert.match(bench.install(packaged("universal")), /kanbots\.kanbots@0\.1\.0/);
    assert.deepEqual(readdirSync(join(at(), "bin")), ["portable"]);
    const version = execFileSync("dotnet", [join(at(), "bin/portable/kanbots-sidecar.dll"), "--version"], { env: bench.environment, encoding: "utf8" });
    assert.match(version, /0\.1\.0/);
  });
  await step("the universal package shows a board", async () => {
    const repository = bench.repository("portable");
    await repository.card(1, "a card of the portable sidecar");
    const window = await bench.open(repository.path);
    await (await window.board()).getByText("a card of the portable sidecar").first().waitFor();
    window.clean();
    await bench.clear();
  });
  await step("the package for Linux takes its place, with an executable", () => {
    bench.install(packaged("linux-x64"));
    assert.deepEqual(readdirSync(join(at(), "bin")), ["linux-x64"]);
    const executable = join(at(), "bin/linux-x64/kanbots-sidecar");
    assert.equal(statSync(executable).mode & 0o111, 0o111, "the executable bit was lost");
    assert.match(execFileSync(executable, ["--version"], { encoding: "utf8" }), /0\.1\.0/);
  });
  await step("the installed manifest has what the gallery and the editor read", () => {
    const manifest = JSON.parse(readFileSync(join(at(), "package.json"), "utf8"));
    assert.equal(manifest.enabledApiProposals, undefined, "a published extension may not use proposed API");
    assert.ok(existsSync(join(at(), manifest.icon)));
    for (const name of ["board", "thread"]) assert.ok(statSync(join(at(), `dist/${name}.js`)).size > 0);
    for (const key of ["scripts", "devDependencies", "private"]) assert.equal(manifest[key], undefined);
  });
}
