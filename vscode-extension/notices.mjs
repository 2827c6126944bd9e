// The licences of what is in a published sidecar want to go with it.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

const SHIPPED = ["runtime", "native", "runtimeTargets"];

/**
 * The notices of the packages that are in a published sidecar and, where it is linked in, of the .NET runtime.
 * @param obj the folder of the published project in which its restore wrote what it resolved (`project.assets.json`)
 * @param native whether the runtime is linked in; the portable build uses the one that is installed
 */
export function notices(obj, native) {
  const assets = JSON.parse(readFileSync(join(obj, "project.assets.json"), "utf8"));
  const folders = Object.keys(assets.packageFolders);
  const of = (path) => {
    const folder = folders.map((parent) => join(parent, path)).find(existsSync);
    if (folder === undefined) throw new Error(`The package ${path} of the sidecar is in none of ${folders.join(", ")}: its licence cannot go with it.`);
    return notice(folder);
  };
  const packages = Object.entries(Object.values(assets.targets)[0])
    .filter(([, { type, ...kinds }]) => type === "package" && SHIPPED.some((kind) => Object.keys(kinds[kind] ?? {}).some((path) => !path.endsWith("/_._"))))
    .map(([name]) => of(assets.libraries[name].path));
  const runtimes = Object.values(assets.project.frameworks)
    .flatMap(({ downloadDependencies }) => downloadDependencies ?? [])
    .filter(({ name }) => native && name.startsWith("Microsoft.NETCore.App.Runtime.NativeAOT."))
    .map(({ name, version }) => of(`${name.toLowerCase()}/${/^\[([^,]+),/.exec(version)[1]}`));
  if (packages.length === 0 || native === (runtimes.length === 0)) throw new Error(`${obj} does not say what is in the sidecar.`);
  return [...packages, ...runtimes].join(`\n${"-".repeat(80)}\n\n`);
}

function notice(folder) {
  const spec = readFileSync(join(folder, readdirSync(folder).find((name) => name.endsWith(".nuspec"))), "utf8");
  const said = (element) => new RegExp(`<${element}(?: [^>]*)?>([^<]*)</${element}>`).exec(spec)?.[1].trim();
  const kind = /<license type="(\w+)"/.exec(spec)?.[1];
  const [id, version, license, copyright] = ["id", "version", "license", "copyright"].map(said);
  const texts = readdirSync(folder).filter((name) => /^(licen[cs]e|third-?party-?notices)/i.test(name)).sort();
  const known = new URL(`licences/${license}.txt`, import.meta.url);
  const text = [
    // Its own licence is better than the standard's text, which does not name whose it is.
    ...(kind === "expression" && !texts.some((name) => /^licen/i.test(name)) && existsSync(known) ? [`${copyright}\n\n${readFileSync(known, "utf8")}`] : []),
    ...texts.map((name) => readFileSync(join(folder, name), "utf8")),
  ];
  if (text.length === 0) throw new Error(`${id} has no licence to go with it: ${license}`);
  return `${id} ${version} (${kind === "file" ? "its own licence" : license})\n\n${text.map((part) => part.replace(/^\uFEFF/, "").replace(/\r\n/g, "\n").trim()).join("\n\n")}\n`;
}
