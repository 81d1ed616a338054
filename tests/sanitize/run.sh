#!/bin/sh
# The kernel's tests under the sanitizers: builds the extension with them into a temporary directory, beside a copy of
# the package, and runs the property tests there: all of them for addresses and undefined behaviour, those with
# threads for data races. Then memory.cpp: memory that runs out at every place in turn. Anything a sanitizer sees ends the run with an error. Needs GCC with libasan and libtsan.
# PYTHON names the interpreter; arguments go to pytest.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
python=${PYTHON:-python3}
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

cp -r "$root/dedup" "$root/tests" "$root/setup.py" "$root/setup.cfg" "$root/pyproject.toml" "$place"
for file in README.md LICENSE; do [ ! -e "$root/$file" ] || cp "$root/$file" "$place"; done
cd "$place"

# build NAME: the extension under that sanitizer; the interpreter has none in it, so the runtime is loaded first.
build() {
    rm -rf build dedup/kernel/_native*.so
    DEDUP_BUILD=native DEDUP_CXXFLAGS="-fsanitize=$1 -fno-omit-frame-pointer -g -O1 $2" DEDUP_LDFLAGS="-fsanitize=$1" \
        "$python" setup.py -q build_ext --inplace
}

# run LIBRARY TEST...: pytest with that runtime.
run() {
    library=$("${CXX:-g++}" -print-file-name="$1")
    shift
    LD_PRELOAD="$library $("${CXX:-g++}" -print-file-name=libstdc++.so)" \
    ASAN_OPTIONS=detect_leaks=0:detect_stack_use_after_return=1:abort_on_error=0 \
    UBSAN_OPTIONS=print_stacktrace=1 TSAN_OPTIONS=exitcode=66 OPENBLAS_NUM_THREADS=1 \
    PYTHONPATH="$place" PYTHONMALLOC=malloc DEDUP_KERNEL=native \
        "$python" -m pytest -p no:cacheprovider -q "$@"
}

# exhaust: memory.cpp with the tokeniser, under all the sanitizers that go together.
exhaust() {
    "${CXX:-g++}" -std=c++17 -g -O1 -pthread -fsanitize=address,undefined -fno-sanitize-recover=undefined \
        -Idedup/kernel tests/sanitize/memory.cpp dedup/kernel/tokenise.cpp -o memory
    timeout 300 ./memory
}

build address,undefined -fno-sanitize-recover=undefined  # the interpreter leaks on purpose: leaks are not looked for
run libasan.so tests/property/test_kernels.py tests/property/test_tokens.py "$@"

build thread ""
run libtsan.so tests/property/test_tokens.py tests/property/test_kernels.py -k "thread or lots or let_go" "$@"

exhaust
