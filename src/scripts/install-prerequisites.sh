#!/usr/bin/env bash
# Installs what building and testing needs on Debian and Ubuntu: libtorch, a BLAS, CMake, Python with torch, pydicom and DCMTK for the tests,
# npm for the viewer of the service's page, and Chromium, in which that page is tested.
set -euo pipefail
packages=(libtorch-dev libopenblas0-pthread cmake ninja-build g++ python3 python3-torch python3-numpy python3-scipy python3-nibabel python3-yaml python3-pydicom python3-pytest dcmtk chromium)
# Node from elsewhere brings npm along and does not go together with Debian's.
{ command -v node && command -v npm; } >/dev/null || packages+=(nodejs npm)
missing=()
for p in "${packages[@]}"; do
  dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'install ok installed' || missing+=("$p")
done
[ ${#missing[@]} -eq 0 ] && exit 0
if ! command -v apt-get >/dev/null; then
  echo "maisi: this system has no apt-get; install the equivalents of: ${missing[*]}"
  exit 1
fi
sudo=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "maisi: run as root: apt-get install ${missing[*]}"; exit 1; }
  sudo=(sudo)
fi
echo "maisi: installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { "${sudo[@]}" apt-get update && "${sudo[@]}" apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
  tail -n 20 "$log"
  echo "maisi: apt-get failed; see above"
  exit 1
fi
