#!/usr/bin/env bash
# Runs every test of the project; --long runs the long variants too. Each suite has a budget in minutes and fails when it needs more.
set -euo pipefail
cd "$(dirname "$0")"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
long=0
case "${1:-}" in
  "") ;;
  --long) long=1; export KANBOTS_LONG=1 ;;
  *) echo "Usage: ./test.sh [--long]"; exit 2 ;;
esac

missing() { echo "test.sh: $1"; exit 2; }
command -v git >/dev/null || missing "git is missing. Install it with: apt-get install -y git"
command -v dotnet >/dev/null || missing "the .NET SDK of global.json is missing. ./try.sh says how to install it."
{ command -v node >/dev/null && command -v npm >/dev/null && [ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ]; } || missing "Node.js 20 or later with npm is missing; the real Claude CLI and the wire's conformance suite need it."

# Tools whose repositories the push guard is tried in, of Debian 12; and what links the native image that is released.
packages=()
command -v gcc >/dev/null || packages+=("gcc" "libc6-dev")
command -v git-lfs >/dev/null || packages+=("git-lfs=3.3.*")
command -v pre-commit >/dev/null || packages+=("pre-commit=3.0.*")
if [ ${#packages[@]} -gt 0 ]; then
  [ "$(id -u)" = 0 ] || missing "install the missing packages with: sudo apt-get install -y ${packages[*]}"
  echo "Installing ${packages[*]}"
  mkdir -p artifacts
  { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${packages[@]}"; } >artifacts/apt.log 2>&1 || { cat artifacts/apt.log; missing "${packages[*]} could not be installed"; }
fi

# The pinned packages of a folder, unless what is there came from this very lock file.
pinned() {
  local want; want="$(sha256sum "$1/package-lock.json" | cut -c1-64)"
  if [ "$(cat "$1/node_modules/.from-lock" 2>/dev/null || true)" != "$want" ]; then
    echo "Installing the pinned packages of $1"
    npm ci --prefix "$1" --no-audit --no-fund --loglevel=error
    echo "$want" >"$1/node_modules/.from-lock"
  fi
}
for lock in tests/*/package-lock.json tests/*/*/package-lock.json; do
  [ -f "$lock" ] && pinned "$(dirname "$lock")"
done

dotnet build KanBots.Sidecar.sln -v q --nologo
# The same sources as a later version, for the tests of an upgrade.
dotnet publish src/KanBots.Sidecar -v q --nologo -c Release -p:Version=99.0.0 --artifacts-path artifacts/newer-build -o artifacts/newer
# The scripted agent as native code: hundreds of them are started.
dotnet publish tests/KanBots.FakeAgent -v q --nologo -c Release --use-current-runtime -p:PublishAot=true --artifacts-path artifacts/agent-build -o artifacts/agent

echo "== the main job, as on a fresh machine (at most 5 minutes)"
timeout 5m ./try.sh </dev/null

mkdir -p artifacts
# suite NAME MINUTES FILTER
suite() {
  local minutes=$2
  [ $long = 0 ] || minutes=$(($2 * 6))
  echo "== $1 (at most $minutes minutes)"
  timeout --kill-after=10 "${minutes}m" dotnet test KanBots.Sidecar.sln --no-build -v q --nologo --logger "console;verbosity=normal" --filter "$3" 2>&1 | tee artifacts/suite.log || {
    local code=${PIPESTATUS[0]}
    echo "== failed: $1 (all of it in artifacts/suite.log)"
    grep -A 14 '^ *Failed [A-Z]' artifacts/suite.log | cut -c1-400 | tail -n 120 || true
    [ "$code" != 124 ] || echo "test.sh: the suite '$1' needed more than its $minutes minutes"
    exit 1
  }
}
suite "core, wire, architecture" 30 "FullyQualifiedName!~.Spine.&FullyQualifiedName!~.EndToEnd."
# As it is released, which the suite before has published: native code, which also starts in a quarter of the time.
export KANBOTS_EXECUTABLE="$PWD/artifacts/publish/aot-linux-x64/kanbots-sidecar" KANBOTS_FAKE_AGENT="$PWD/artifacts/agent/kanbots-fake-agent"
suite "real processes" 30 "FullyQualifiedName~.Spine."
suite "real Claude CLI" 8 "FullyQualifiedName~.EndToEnd."

# step NAME MINUTES COMMAND…: a suite of the extension, in its folder
step() {
  local name=$1 minutes=$2 code
  shift 2
  [ $long = 0 ] || minutes=$((minutes * 6))
  echo "== $name (at most $minutes minutes)"
  (cd vscode-extension && timeout --kill-after=10 "${minutes}m" "$@") 2>&1 | tee artifacts/suite.log || {
    code=${PIPESTATUS[0]}
    echo "== failed: $name (all of it in artifacts/suite.log)"
    grep -E '^(FAILED|  FAIL| FAIL|not ok|# fail|.*error TS)' artifacts/suite.log | cut -c1-400 | tail -n 60 || true
    [ "$code" != 124 ] || echo "test.sh: the suite '$name' needed more than its $minutes minutes"
    exit 1
  }
}
pinned vscode-extension
step "the extension: types" 3 npm run --silent check
step "the extension: packages" 8 node package.mjs
step "the extension: units, over the real sidecar" 8 npx vitest run --reporter=dot

# The pages in Debian's Chromium, and the real workbench: VS Code 1.139.1, and 1.103.2 for the smoke. The long run has
# every suite; one of them: node e2e/all.mjs NAME.
vscode-extension/e2e/setup.sh --older
export KANBOTS_SLOW=3 # a wait's bound is for what hangs, and two cores may be busy
step "the extension: the board's page in a browser" 6 node --test-reporter=spec e2e/pages/board.mjs
step "the extension: the thread's page in a browser" 6 node e2e/pages/thread.mjs
if [ $long = 1 ]; then
  step "the extension: the real workbench" 15 node e2e/all.mjs
else
  step "the extension: the real workbench" 20 node e2e/all.mjs smoke walkthrough hostile
fi
