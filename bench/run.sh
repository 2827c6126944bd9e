#!/usr/bin/env bash
# Measures the sidecar as it is released, each figure beside its baseline, and prints one table.
#   bench/run.sh [--quick] [MEASURE…]     a few minutes with --quick, about half an hour without; all measures, or those named
set -euo pipefail
cd "$(dirname "$0")/.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
missing() { echo "bench/run.sh: $1"; exit 2; }
command -v git >/dev/null || missing "git is missing. Install it with: apt-get install -y git"
command -v dotnet >/dev/null || missing "the .NET SDK of global.json is missing. ./try.sh says how to install it."
{ command -v node >/dev/null && command -v npm >/dev/null && [ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ]; } || missing "Node.js 20 or later with npm is missing; the baselines need it."

# A linker for the native image; a compiler, make and Python for better-sqlite3, which is built here and not downloaded.
packages=()
command -v gcc >/dev/null || packages+=(gcc libc6-dev)
command -v g++ >/dev/null || packages+=(g++)
command -v make >/dev/null || packages+=(make)
command -v python3 >/dev/null || packages+=(python3)
mkdir -p artifacts/bench
if [ ${#packages[@]} -gt 0 ]; then
  [ "$(id -u)" = 0 ] || missing "install the missing packages with: sudo apt-get install -y ${packages[*]}"
  { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${packages[@]}"; } >artifacts/bench/apt.log 2>&1 || { cat artifacts/bench/apt.log; missing "${packages[*]} could not be installed"; }
fi

want="$(sha256sum bench/package-lock.json | cut -c1-64)"
if [ "$(cat bench/node_modules/.from-lock 2>/dev/null || true)" != "$want" ]; then
  echo "Building the pinned packages of bench" >&2
  prefix="$(node -p 'require("path").resolve(process.execPath, "../..")')"
  [ ! -f "$prefix/include/node/node.h" ] || export npm_config_nodedir="$prefix"
  npm_config_build_from_source=true npm ci --prefix bench --no-audit --no-fund --loglevel=error >&2
  echo "$want" >bench/node_modules/.from-lock
fi

if [ -z "${KANBOTS_EXECUTABLE:-}" ]; then
  echo "Publishing the sidecar as it is released" >&2
  rm -rf artifacts/bench/sidecar
  dotnet publish src/KanBots.Sidecar -p:PublishProfile=aot-linux-x64 --artifacts-path artifacts/bench/build -o artifacts/bench/sidecar -v q --nologo >artifacts/bench/publish.log 2>&1 || { cat artifacts/bench/publish.log; exit 1; }
fi
# The pages are measured in a browser, and in the workbench that the extension's tests drive.
case " $* " in
  *" board "* | "  " | " --quick ")
    vscode-extension/e2e/setup.sh >&2
    [ -d vscode-extension/node_modules ] || npm ci --prefix vscode-extension --ignore-scripts --no-audit --no-fund --loglevel=error >&2
    (cd vscode-extension && node package.mjs linux-x64) >&2 ;;
esac
exec node bench/run.mjs "$@"
