#!/usr/bin/env bash
# Runs the main job: three agents at once, each in its own worktree, on one live board.
#   ./try.sh                                        the scripted agent on a sample repository; no account, no key
#   ./try.sh --agent claude [--repo PATH] "task"…   Claude Code on a repository of yours
#   ./try.sh --vscode [--port N] [--check]          the VS Code extension in a workbench of its own, on the sample repository
set -euo pipefail
root="$(cd "$(dirname "$0")" && pwd)"
agent=scripted repo="" tasks=() vscode=0 workbench=()
while [ $# -gt 0 ]; do
  case "$1" in
    --agent) agent="${2:?--agent needs a name: scripted or claude}"; shift 2 ;;
    --repo) repo="$(cd "${2:?--repo needs a path}" && pwd)"; shift 2 ;;
    --vscode) vscode=1; shift ;;
    --port) workbench+=(--port "${2:?--port needs a number}"); shift 2 ;;
    --check) workbench+=(--check); shift ;;
    -h|--help) sed -n '2,5p' "$0"; exit 0 ;;
    *) tasks+=("$1"); shift ;;
  esac
done

wanted="$(sed -n 's/.*"version": *"\([^"]*\)".*/\1/p' "$root/global.json")"
if ! command -v dotnet >/dev/null || ! (cd "$root" && dotnet --version >/dev/null 2>&1); then
  echo "The .NET SDK $wanted is missing. Install it with:"
  echo "  curl -sSL https://dot.net/v1/dotnet-install.sh | bash -s -- --version $wanted --install-dir \"\$HOME/.dotnet\" && export PATH=\"\$HOME/.dotnet:\$PATH\""
  exit 2
fi
command -v git >/dev/null || { echo "git is missing. Install it with: apt-get install -y git"; exit 2; }

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
build="$root/artifacts/try"
sources="$(cd "$root" && find src tests/KanBots.FakeAgent global.json Directory.*.props -type f -not -path '*/bin/*' -not -path '*/obj/*' -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -c1-16)"
if [ "$(cat "$build/sources" 2>/dev/null || true)" != "$sources" ]; then
  echo "Building (once)…"
  mkdir -p "$build"
  for project in src/KanBots.Sidecar tests/KanBots.FakeAgent; do
    dotnet publish "$root/$project" -c Release -o "$build/$(basename "$project")" -v q --nologo >"$build.log" 2>&1 || { cat "$build.log"; exit 1; }
  done
  echo "$sources" >"$build/sources"
fi
kanbots="$build/KanBots.Sidecar/kanbots-sidecar"

if [ $vscode = 1 ]; then
  command -v npm >/dev/null || { echo "Node.js 20 or later with npm is missing; the workbench needs it."; exit 2; }
  extension="$root/vscode-extension"
  [ -d "$extension/node_modules/esbuild" ] || npm ci --prefix "$extension" --no-audit --no-fund --loglevel=error
  "$extension/e2e/setup.sh"
  KANBOTS_EXECUTABLE="$kanbots" KANBOTS_FAKE_AGENT="$build/KanBots.FakeAgent/kanbots-fake-agent" exec node "$extension/e2e/try.mjs" ${workbench[@]+"${workbench[@]}"}
fi

if [ "$agent" = scripted ]; then
  place="$(mktemp -d)"
  repo="$place/sample"
  export XDG_CACHE_HOME="$place/cache" XDG_RUNTIME_DIR="$place"
  git init -q -b main "$repo"
  mkdir -p "$repo/src/components" "$repo/test"
  echo '{ "name": "sample", "dependencies": { "react": "^19.0.0", "left-pad": "^1.3.0", "moment": "^2.30.0" } }' >"$repo/package.json"
  echo 'export const Button = () => <button />;' >"$repo/src/components/Button.tsx"
  echo 'test("signs in", async () => {});' >"$repo/test/auth.test.ts"
  git -C "$repo" config user.name Sample && git -C "$repo" config user.email sample@example.com
  git -C "$repo" add . && git -C "$repo" commit -qm "Sample project"
fi
cd "${repo:-$PWD}"
shown=""
cleanup() {
  [ -n "$shown" ] && kill "$shown" 2>/dev/null || true
  if [ "$agent" = scripted ]; then
    # Left early: agents go on without a board, as they should, so that their sample must not vanish under them.
    for card in "${cards[@]}"; do "$kanbots" stop "$card" >/dev/null 2>&1 || true; done
    pid="$(sed -n 's/.*"pid":\([0-9]*\).*/\1/p' "$repo/.git/kanbots/serve.json" 2>/dev/null || true)"
    [ -n "$pid" ] && kill "$pid" 2>/dev/null || true
    rm -rf "$place"
  fi
}
cards=()
trap cleanup EXIT

if [ "$agent" = scripted ]; then
  "$kanbots" config agents.claude.path "$build/KanBots.FakeAgent/kanbots-fake-agent" >/dev/null
  "$kanbots" card add "add toast component" --number 88 --body "[[fake:toast]]"
  "$kanbots" card add "deflake the auth test" --number 89 --body "[[fake:auth]]"
  "$kanbots" card add "audit unused dependencies" --number 90 --body "[[fake:deps]]"
  cards=(88 89 90)
else
  [ ${#tasks[@]} -gt 0 ] || { echo 'Say what is to be done: ./try.sh --agent claude "task" …'; exit 2; }
  for task in "${tasks[@]}"; do
    cards+=("$("$kanbots" card add "$task" | sed 's/^#\([0-9]*\).*/\1/')")
  done
fi
"$kanbots" dispatch "${cards[@]}"
echo

if [ -t 0 ] && [ -t 1 ]; then
  "$kanbots" board --until-idle
else
  "$kanbots" board --until-idle &
  shown=$!
  if [ "$agent" = scripted ]; then
    # Nobody sits at a terminal here: wait until the dependencies card is in review and the toast card asks, then answer.
    for _ in $(seq 1 120); do
      board="$("$kanbots" board --once)"
      if grep -q '#90 .*in review' <<<"$board" && grep -q 'Use Radix' <<<"$board"; then
        echo "(no terminal: answering \"Radix\" for you)"
        "$kanbots" answer 88 Radix
        break
      fi
      sleep 0.5
    done
  fi
fi
[ -z "$shown" ] || wait "$shown" || true
shown=""
echo
echo "Summary"
"$kanbots" board --once
echo
git worktree list
if [ "$agent" = scripted ]; then
  [ "$("$kanbots" board --once | grep -c 'in review')" = 3 ] || { echo "Not every card reached review."; exit 1; }
  say() { printf '\n> kanbots-sidecar %s\n' "$*"; "$kanbots" "$@"; }
  echo
  echo "One is reviewed and lands on a branch; another is thrown away, and brought back."
  say changes 88
  say promote 88 --onto feature/toast
  say discard 90
  say restore 90
  echo
fi
git --no-pager log --oneline --graph --branches -7
