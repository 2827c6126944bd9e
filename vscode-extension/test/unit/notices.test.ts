import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
// @ts-expect-error a script without types
import { notices } from "../../notices.mjs";

const said = notices as (obj: string, native: boolean) => string;

describe("the licences that go with the sidecar", () => {
  let place = "";
  beforeEach(() => { place = mkdtempSync(join(tmpdir(), "kb-notices-")); });
  afterEach(() => rmSync(place, { recursive: true }));

  const made = (path: string, licence: string, files: Record<string, string> = {}) => {
    const [id, version] = path.split("/");
    const folder = join(place, "packages", path);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${id}.nuspec`), `<package><metadata><id>${id}</id><version>${version}</version>${licence}<copyright>Copyright ${id}'s makers</copyright></metadata></package>`);
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  };
  const resolved = (targets: Record<string, object>, downloadDependencies: object[] = []) =>
    writeFileSync(join(place, "project.assets.json"), JSON.stringify({
      packageFolders: { [join(place, "packages/")]: {} },
      targets: { net10: targets },
      libraries: Object.fromEntries(Object.keys(targets).map((name) => [name, { path: name.toLowerCase() }])),
      project: { frameworks: { net10: { downloadDependencies } } },
    }));
  const assembly = { type: "package", runtime: { "lib/a.dll": {} } };

  it("name every package that is shipped, with its own text or the standard's and whose it is, and none that only builds", () => {
    made("mit/1.0.0", '<license type="expression">MIT</license>');
    made("own/2.0.0", '<license type="file">LICENSE.txt</license>', { "LICENSE.txt": "\uFEFFDo as you like.\r\nReally.\r\n" });
    made("analyzer/3.0.0", '<license type="expression">MIT</license>');
    resolved({ "Mit/1.0.0": assembly, "Own/2.0.0": { type: "package", runtimeTargets: { "runtimes/a.so": {} } }, "Analyzer/3.0.0": { type: "package", build: { "a.targets": {} }, runtime: { "lib/_._": {} } }, "Ours/1.0.0": { ...assembly, type: "project" } });
    const text = said(place, false);
    expect(text).toMatch(/^mit 1\.0\.0 \(MIT\)\n\nCopyright mit's makers\n\nPermission is hereby granted/);
    expect(text).toContain("own 2.0.0 (its own licence)\n\nDo as you like.\nReally.\n");
    expect(text).not.toMatch(/analyzer|ours/);
  });

  it("name the runtime and all that it uses where it is linked in, and only there", () => {
    made("mit/1.0.0", '<license type="expression">MIT</license>');
    made("microsoft.netcore.app.runtime.nativeaot.linux-x64/10.0.1", '<license type="expression">MIT</license>', { "LICENSE.TXT": "Copyright the runtime's", "THIRD-PARTY-NOTICES.TXT": "zlib and others" });
    const runtimes = [{ name: "Microsoft.NETCore.App.Runtime.NativeAOT.linux-x64", version: "[10.0.1, 10.0.1]" }, { name: "Microsoft.AspNetCore.App.Runtime.linux-x64", version: "[10.0.1, 10.0.1]" }];
    resolved({ "Mit/1.0.0": assembly }, runtimes);
    expect(said(place, true)).toMatch(/nativeaot\.linux-x64 10\.0\.1 \(MIT\)\n\nCopyright the runtime's\n\nzlib and others\n$/);
    expect(said(place, false)).not.toContain("nativeaot");
    resolved({ "Mit/1.0.0": assembly });
    expect(() => said(place, true)).toThrow("does not say what is in the sidecar");
  });

  it("are refused when one is not known, or not there", () => {
    made("odd/1.0.0", '<license type="expression">Odd-1.0</license>');
    resolved({ "Odd/1.0.0": assembly });
    expect(() => said(place, false)).toThrow("odd has no licence to go with it: Odd-1.0");
    resolved({ "Gone/1.0.0": assembly });
    expect(() => said(place, false)).toThrow("The package gone/1.0.0 of the sidecar is in none of");
  });
});
