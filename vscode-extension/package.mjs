// Makes the packages that users install: for Linux with the native sidecar inside, and a universal one with the portable build, which needs .NET.
// Usage: node package.mjs [linux-x64|universal]…   into ../artifacts/vsix
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { notices } from "./notices.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..");
const out = join(root, "artifacts/vsix");
const TARGETS = {
  "linux-x64": { profile: "aot-linux-x64", folder: "linux-x64", executable: "kanbots-sidecar", megabytes: 12 },
  universal: { profile: "portable", folder: "portable", executable: undefined, megabytes: 20 },
};

const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(TARGETS);
for (const target of wanted) {
  if (TARGETS[target] === undefined) throw new Error(`There is no package "${target}". There is: ${Object.keys(TARGETS).join(", ")}.`);
}
mkdirSync(out, { recursive: true });
run("node", ["esbuild.mjs"], here);
for (const target of wanted) make(target, TARGETS[target]);

function run(command, args, cwd) {
  try {
    return execFileSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], maxBuffer: 1 << 26, env: { ...process.env, DOTNET_CLI_TELEMETRY_OPTOUT: "1", DOTNET_NOLOGO: "1" } });
  } catch (error) {
    throw new Error(`${command} ${args.join(" ")} failed:\n${error.stdout ?? ""}${error.stderr ?? error.message}`);
  }
}

function files(folder, skip = () => false) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return skip(entry.name) ? [] : entry.isDirectory() ? files(path, skip) : [path];
  }).sort();
}

/** What the restore of a publish profile resolved. */
function resolved(profile) {
  return join(root, "artifacts/publish-build", profile, "obj/KanBots.Sidecar");
}

/** Publishes the sidecar, unless what is there came from these very sources without a warning. The tests of the publish profiles keep theirs in the same place, by the same stamp. */
function sidecar(profile) {
  const to = join(root, "artifacts/publish", profile);
  const stamp = `${to}.sources`;
  const sources = [...files(join(root, "src"), (name) => ["bin", "obj"].includes(name)), ...["Directory.Build.props", "Directory.Packages.props", "global.json", ".editorconfig"].map((name) => join(root, name))].sort();
  const hex = (bytes) => createHash("sha256").update(bytes).digest("hex").toUpperCase();
  const now = hex(sources.map((path) => `${relative(root, path).split("\\").join("/")} ${hex(readFileSync(path))}`).join("\n"));
  if (existsSync(to) && existsSync(resolved(profile)) && existsSync(stamp) && readFileSync(stamp, "utf8") === now) return to;
  console.log(`Publishing the sidecar (${profile})`);
  rmSync(stamp, { force: true });
  rmSync(to, { recursive: true, force: true });
  const said = run("dotnet", ["publish", "src/KanBots.Sidecar", `-p:PublishProfile=${profile}`, "--artifacts-path", join(root, "artifacts/publish-build", profile), "--disable-build-servers", "-v", "q", "--nologo"], root);
  if (!/\b(warning|error)\b/i.test(said)) writeFileSync(stamp, now);
  return to;
}

function make(target, { profile, folder, executable, megabytes }) {
  const stage = join(out, "stage", target);
  rmSync(stage, { recursive: true, force: true });
  mkdirSync(join(stage, "bin"), { recursive: true });
  for (const name of ["dist", "media", "README.md"]) cpSync(join(here, name), join(stage, name), { recursive: true });
  for (const name of ["LICENSE", "CHANGELOG.md"]) cpSync(join(root, name), join(stage, name));
  cpSync(sidecar(profile), join(stage, "bin", folder), { recursive: true, filter: (path) => !/\.(pdb|dbg|xml)$/.test(path) });
  writeFileSync(join(stage, "bin", folder, "ThirdPartyNotices.txt"), notices(resolved(profile), executable !== undefined));
  if (executable !== undefined) chmodSync(join(stage, "bin", folder, executable), 0o755);
  const manifest = JSON.parse(readFileSync(join(here, "package.json"), "utf8"));
  // What is bundled needs no packages, and nobody builds in an installed extension.
  for (const key of ["scripts", "dependencies", "devDependencies", "overrides", "private"]) delete manifest[key];
  writeFileSync(join(stage, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);

  const vsix = join(out, `kanbots-${target}.vsix`);
  rmSync(vsix, { force: true });
  run("node", [join(here, "node_modules/@vscode/vsce/vsce"), "package", "--no-dependencies", "--allow-missing-repository", "--no-rewrite-relative-links", "--skip-license", "-o", vsix, ...(target === "universal" ? [] : ["--target", target])], stage);
  check(target, vsix, stage, folder, megabytes);
}

/** What a package must not have, and must not weigh. */
function check(target, vsix, stage, folder, megabytes) {
  const inside = files(stage).map((path) => relative(stage, path));
  const wrong = inside.filter((path) => /\.(ts|map|pdb|dbg|cs|mjs|vsix|log)$|node_modules|(^|\/)(src|webview|test|e2e)\//.test(path));
  if (wrong.length > 0) throw new Error(`The package ${target} has what no user needs: ${wrong.join(", ")}`);
  for (const path of ["package.json", "README.md", "LICENSE", "CHANGELOG.md", "media/icon.png", "dist/extension.js", "dist/board.js", "dist/thread.js", "dist/ThirdPartyNotices.txt", `bin/${folder}/ThirdPartyNotices.txt`]) {
    if (!inside.includes(path)) throw new Error(`The package ${target} lacks ${path}.`);
  }
  const size = statSync(vsix).size / 1e6;
  if (size > megabytes) throw new Error(`The package ${target} has ${size.toFixed(1)} MB; at most ${megabytes} are meant.`);
  console.log(`${relative(root, vsix)}: ${size.toFixed(1)} MB, ${inside.length} files`);
}
