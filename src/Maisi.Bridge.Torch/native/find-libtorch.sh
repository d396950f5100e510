#!/bin/sh
# Prints the libtorch to build against, as two lines: its CMake folder and its version.
# Looked for in this order: $LIBTORCH, the torch of /usr/bin/python3, the system's libtorch-dev.
set -u

version_of() {   # $1: CMake folder
  sed -n 's/^ *set(PACKAGE_VERSION "\([^"]*\)").*/\1/p' "$1/TorchConfigVersion.cmake" 2>/dev/null | head -n 1
}

take() {   # $1: CMake folder
  [ -f "$1/TorchConfig.cmake" ] || return 1
  echo "$1"
  version_of "$1"
  exit 0
}

if [ -n "${LIBTORCH:-}" ]; then
  for folder in "$LIBTORCH/share/cmake/Torch" "$LIBTORCH/lib/cmake/Torch" "$LIBTORCH"/lib/*/cmake/Torch "$LIBTORCH/cmake/Torch" "$LIBTORCH"; do
    take "$folder"
  done
  echo "LIBTORCH is $LIBTORCH, but there is no TorchConfig.cmake in it. It must name an unpacked libtorch or a Python torch package folder." >&2
  exit 1
fi

if [ -x /usr/bin/python3 ]; then
  package=$(/usr/bin/python3 -c 'import importlib.util as u; s = u.find_spec("torch"); print(s.submodule_search_locations[0] if s else "")' 2>/dev/null)
  [ -n "$package" ] && take "$package/share/cmake/Torch"
fi

for folder in /usr/lib/*/cmake/Torch /usr/share/cmake/Torch /usr/local/share/cmake/Torch /opt/libtorch/share/cmake/Torch; do
  take "$folder"
done

echo "No libtorch was found. Install it (Debian, Ubuntu: apt-get install libtorch-dev), or set LIBTORCH to an unpacked libtorch or to a Python torch package folder." >&2
exit 1
