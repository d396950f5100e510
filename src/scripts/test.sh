#!/usr/bin/env bash
# Every test of the project. The last line is "N passed, N failed, N skipped", summed from the runners' own counters.
set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
"$root/src/scripts/install-prerequisites.sh" || exit 1
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
status=0
dotnet build -c Release -v q --nologo || status=1
if [ "$status" -eq 0 ]; then
  dotnet test -c Release --no-build --nologo -v q --logger "trx" --logger "console;verbosity=minimal" --results-directory "$results" "$@" || status=1
fi
if [ "$status" -eq 0 ] && [ "${CI:-}" = true ]; then
  dotnet format --verify-no-changes --no-restore || { echo "dotnet format: run 'dotnet format' and commit"; status=1; }
fi
if [ $# -eq 0 ] && [ -d python/tests ]; then
  /usr/bin/python3 -m pytest -q --junit-xml="$results/pytest.xml" || status=1
fi
/usr/bin/python3 "$root/src/scripts/sum_results.py" "$results" "$status"
