#!/bin/sh
# Builds the shim for the libtorch that find-libtorch.sh names, in a folder of its own per libtorch, and prints the path of the library.
# $1: the folder that holds the build folders. MS_CUDA=ON in the environment builds the CUDA entry points.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
found=$("$here/find-libtorch.sh")
cmake_folder=$(echo "$found" | sed -n 1p)
version=$(echo "$found" | sed -n 2p)
cuda=${MS_CUDA:-OFF}
key=$(printf '%s %s %s' "$cmake_folder" "$version" "$cuda" | sha256sum | cut -c 1-8)
build="$1/libtorch-${version:-unknown}-$key"
library="$build/libmaisi_torch.so"

# One build at a time: several projects of a solution may ask at once.
mkdir -p "$build"
exec 9>"$build/lock"
flock 9

stale=no
[ -f "$library" ] || stale=yes
for source in "$here"/CMakeLists.txt "$here"/include/*.h "$here"/src/* "$cmake_folder/TorchConfigVersion.cmake"; do
  [ "$stale" = yes ] || [ ! "$source" -nt "$library" ] || stale=yes
done
if [ "$stale" = yes ]; then
  command -v cmake >/dev/null || { echo "cmake is missing, which builds the native tensor library. Install it (Debian, Ubuntu: apt-get install cmake g++ ninja-build)." >&2; exit 1; }
  generator="Unix Makefiles"
  if command -v ninja >/dev/null; then generator=Ninja; fi
  if ! { cmake -S "$here" -B "$build" -G "$generator" -DTorch_DIR="$cmake_folder" -DMS_CUDA="$cuda" && cmake --build "$build" --parallel; } >"$build/build.log" 2>&1; then
    echo "The native tensor library did not build against libtorch ${version:-of unknown version} in $cmake_folder. The log is $build/build.log; its errors:" >&2
    grep -iE 'error' "$build/build.log" | head -n 8 >&2 || tail -n 8 "$build/build.log" >&2
    exit 1
  fi
  touch "$library"
fi
echo "$library"
