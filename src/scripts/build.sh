#!/usr/bin/env bash
# Builds the command line in Release into artifacts/maisi. Output is shown only when the build fails.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
echo "maisi: building (about a minute the first time)"
mkdir -p "$root/artifacts"
log="$root/artifacts/build.log"
publish() { dotnet publish "$root/src/Maisi.Bridge.Cli" -c Release -o "$root/artifacts/maisi" -v q --nologo "$@" >"$log" 2>&1; }
# Compiled ahead of time; where the compiler's package cannot be had, code is compiled as it runs.
if ! publish -p:PublishReadyToRun=true && ! publish; then
  grep -E 'error|warning' "$log" | sort -u | head -n 20 || tail -n 20 "$log"
  echo "maisi: the build failed; the whole log is $log"
  exit 1
fi
touch "$root/artifacts/maisi/maisi.dll"
