#!/usr/bin/env bash
# Runs every test of the project.
set -euo pipefail
cd "$(dirname "$0")"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
(cd tests/conformance && npm ci --no-audit --no-fund --loglevel=error)
dotnet test KanBots.Sidecar.sln -v q --logger "console;verbosity=normal"
