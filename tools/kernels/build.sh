# Compiles the driver and the C kernels; included by tools/test-aarch64 and tools/test-sanitizers.

# Prints the clang beside the Swift compiler, or else the one on the path.
find_clang() {
  local beside
  beside="$(dirname "$(readlink -f "$(command -v swift)")")/clang"
  if [ -x "$beside" ]; then
    echo "$beside"
  elif ! command -v clang; then
    echo "no clang in the Swift toolchain or on the path" >&2
    return 1
  fi
}

# compile CLANG FOLDER FLAGS...: objects of every source into the folder, on every core.
compile() {
  local clang=$1 folder=$2
  shift 2
  printf '%s\n' Sources/CBlockKernels/kernels_*.c Sources/CBlockKernels/[!k]*.c tools/kernels/*.c |
    FOLDER=$folder CLANG=$clang xargs -P "$(nproc)" -I SOURCE bash -c '
      source=$1
      shift
      "$CLANG" "$@" -Wall -Wextra -Werror -ISources/CBlockKernels/include -ISources/CBlockKernels \
        -c "$source" -o "$FOLDER/$(basename "$source" .c).o"' compile SOURCE "$@"
}
