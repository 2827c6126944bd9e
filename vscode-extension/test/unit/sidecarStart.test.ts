import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readExit, waitBefore } from "../../src/sidecar/backoff";
import { locate, runtimeId } from "../../src/sidecar/locate";

const linux = { platform: "linux", arch: "x64", musl: false };
const only = (...paths: string[]) => (path: string) => paths.includes(path);

describe("where the sidecar is", () => {
  test.each([
    [linux, "linux-x64"],
    [{ platform: "linux", arch: "arm64", musl: true }, "linux-musl-arm64"],
    [{ platform: "darwin", arch: "arm64", musl: false }, "osx-arm64"],
    [{ platform: "win32", arch: "ia32", musl: false }, "win-x86"],
  ])("%o is %s", (machine, id) => expect(runtimeId(machine)).toBe(id));

  test("the setting wins over what came with the extension", () => {
    const bundled = join("/ext", "bin", "linux-x64", "kanbots-sidecar");
    expect(locate("/ext", "/opt/kanbots", linux, only("/opt/kanbots", bundled), undefined)).toEqual({ kind: "found", command: { command: "/opt/kanbots", args: [], from: "setting" } });
    expect(locate("/ext", "", linux, only(bundled), "/usr/bin/dotnet")).toMatchObject({ command: { command: bundled, from: "bundled" } });
  });

  test("a .dll is run by dotnet, as arguments and not as a line", () => {
    expect(locate("/ext", "/a b/kanbots-sidecar.dll", linux, () => true, "/usr/bin/dotnet")).toMatchObject({ command: { command: "/usr/bin/dotnet", args: ["/a b/kanbots-sidecar.dll"] } });
  });

  test("the executable of Windows has its ending", () => {
    const machine = { platform: "win32", arch: "x64", musl: false };
    expect(locate("/ext", "", machine, only(join("/ext", "bin", "win-x64", "kanbots-sidecar.exe")), undefined).kind).toBe("found");
  });

  test("the portable build needs .NET, and what is missing is said with the next step", () => {
    const portable = join("/ext", "bin", "portable", "kanbots-sidecar.dll");
    expect(locate("/ext", "", linux, only(portable), "/usr/bin/dotnet")).toMatchObject({ command: { command: "/usr/bin/dotnet", args: [portable], from: "portable" } });
    expect(locate("/ext", "", linux, only(portable), undefined)).toMatchObject({ kind: "missing", nextStep: expect.stringContaining(".NET") });
    expect(locate("/ext", "/gone", linux, () => false, undefined)).toMatchObject({ kind: "missing", message: expect.stringContaining("/gone"), nextStep: expect.stringContaining("kanbots.sidecar.path") });
    expect(locate("/ext", "", linux, () => false, undefined)).toMatchObject({ kind: "missing", message: expect.stringContaining("linux-x64") });
  });
});

describe("what follows an end", () => {
  test("the first start after an end is at once, later ones wait longer, and none for ever", () => {
    expect([1, 2, 3, 4, 5, 6, 7, 8, 1_000].map(waitBefore)).toEqual([0, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 30_000, 30_000]);
  });

  test("a refusal and a folder without a repository are not tried again; everything else is", () => {
    expect(readExit(5, "another user's")).toMatchObject({ kind: "stay", message: "another user's" });
    expect(readExit(6, "")).toMatchObject({ kind: "stay", nextStep: expect.stringContaining("Initialize") });
    for (const code of [0, 1, 3, 4, 134, null]) {
      expect(readExit(code, "")).toEqual({ kind: "again" });
    }
  });
});
