import { join } from "node:path";

/** How the sidecar is started: a program and its arguments, never a line for a shell. */
export interface SidecarCommand {
  command: string;
  args: readonly string[];
  /** Where it was found, for the log. */
  from: "setting" | "bundled" | "portable";
}

export type Located = { kind: "found"; command: SidecarCommand } | { kind: "missing"; message: string; nextStep: string };

export interface Machine {
  platform: string;
  arch: string;
  /** Whether the C library is musl, which the executable for glibc does not run on. */
  musl: boolean;
}

/** .NET's name for a machine, as the folders of the package are named. */
export function runtimeId(machine: Machine): string {
  const system = machine.platform === "win32" ? "win" : machine.platform === "darwin" ? "osx" : machine.musl ? "linux-musl" : "linux";
  return `${system}-${machine.arch === "ia32" ? "x86" : machine.arch}`;
}

/**
 * Looks for the sidecar: the setting, then the executable that came with the extension, then the portable build, which needs .NET.
 * @param setting `kanbots.sidecar.path`: an executable, or a `.dll` that `dotnet` runs. Empty: not set.
 * @param exists whether a file is there
 */
export function locate(extensionFolder: string, setting: string, machine: Machine, exists: (path: string) => boolean, dotnet: string | undefined): Located {
  if (setting !== "") {
    if (!exists(setting)) {
      return { kind: "missing", message: `The sidecar was not found at ${setting}.`, nextStep: "Correct the setting kanbots.sidecar.path, or clear it to use the one that came with the extension." };
    }
    return { kind: "found", command: setting.endsWith(".dll") ? { command: dotnet ?? "dotnet", args: [setting], from: "setting" } : { command: setting, args: [], from: "setting" } };
  }
  const id = runtimeId(machine);
  const bundled = join(extensionFolder, "bin", id, machine.platform === "win32" ? "kanbots-sidecar.exe" : "kanbots-sidecar");
  if (exists(bundled)) {
    return { kind: "found", command: { command: bundled, args: [], from: "bundled" } };
  }
  const portable = join(extensionFolder, "bin", "portable", "kanbots-sidecar.dll");
  if (exists(portable)) {
    if (dotnet === undefined) {
      return { kind: "missing", message: `This package has no executable for ${id}, and the .NET runtime that its portable build needs was not found.`, nextStep: "Install the .NET runtime 10, or set kanbots.sidecar.path to an executable." };
    }
    return { kind: "found", command: { command: dotnet, args: [portable], from: "portable" } };
  }
  return { kind: "missing", message: `This package has no sidecar for ${id}.`, nextStep: "Install the package for this platform, or set kanbots.sidecar.path to an executable." };
}
