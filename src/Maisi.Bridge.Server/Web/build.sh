#!/usr/bin/env bash
# Bundles NiiVue of npm (package-lock.json says which) for the service's page: build.sh FOLDER makes niivue.js.gz and niivue-licenses.txt there.
# The build runs it. Where there is no npm, or the registry cannot be reached, the page shows pictures in place of the viewer.
set -euo pipefail
target=$1
command -v npm >/dev/null && command -v node >/dev/null || exit 0
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp package.json package-lock.json "$work"
cd "$work"
npm ci --ignore-scripts --no-fund --no-audit --fetch-retries=1 --fetch-timeout=30000 >/dev/null 2>&1 || exit 0
echo 'export { Niivue } from "@niivue/niivue";' > entry.js
node node_modules/esbuild/bin/esbuild entry.js --bundle --minify --format=esm --outfile=niivue.js --log-level=error
for package in $(npm ls --omit=dev --all --parseable | tail -n +2); do
  node -p "const p = require('$package/package.json'); \`\${p.name} \${p.version}, \${p.license}, \${p.repository?.url ?? ''}\`"
  find "$package" -maxdepth 1 -iname 'licen*' -exec cat {} +
  echo
done > licenses.txt
mkdir -p "$target"
mv licenses.txt "$target/niivue-licenses.txt"
gzip -9 -n -c niivue.js > "$target/niivue.js.gz.new"
mv "$target/niivue.js.gz.new" "$target/niivue.js.gz"
