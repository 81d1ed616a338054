#!/bin/sh
# The kernel's tests under the address and undefined-behaviour sanitizers: builds the extension with them into a
# temporary directory, beside a copy of the package, and runs the property tests there. Anything a sanitizer sees
# ends the run with an error. Needs GCC with libasan. PYTHON names the interpreter; arguments go to pytest.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
python=${PYTHON:-python3}
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

cp -r "$root/dedup" "$root/tests" "$root/setup.py" "$root/setup.cfg" "$root/pyproject.toml" "$place"
for file in README.md LICENSE; do [ ! -e "$root/$file" ] || cp "$root/$file" "$place"; done
cd "$place"
rm -f dedup/kernel/_native*.so

flags="-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -g -O1"
DEDUP_BUILD=native DEDUP_CXXFLAGS="$flags" DEDUP_LDFLAGS="-fsanitize=address,undefined" \
    "$python" setup.py -q build_ext --inplace

# The interpreter itself has no sanitizer in it, so the runtime is loaded first; it leaks on purpose.
LD_PRELOAD="$(${CXX:-g++} -print-file-name=libasan.so) $(${CXX:-g++} -print-file-name=libstdc++.so)" \
ASAN_OPTIONS=detect_leaks=0:detect_stack_use_after_return=1:abort_on_error=0 \
UBSAN_OPTIONS=print_stacktrace=1 \
PYTHONPATH="$place" PYTHONMALLOC=malloc DEDUP_KERNEL=native \
    "$python" -m pytest -p no:cacheprovider -q tests/property/test_kernels.py tests/property/test_tokens.py "$@"
