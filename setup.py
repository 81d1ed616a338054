"""Builds the native kernel; everything else is in setup.cfg.

Without a compiler the package installs all the same and uses its slow kernel; DEDUP_BUILD=native makes a
failed build an error.
"""

import os
import sys

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

WINDOWS = sys.platform == "win32"
COMPILE = (
    ["/std:c++17", "/O2", "/EHsc"]
    if WINDOWS
    else ["-std=c++17", "-O3", "-g0", "-Wall", "-Wextra", "-fvisibility=hidden"]
)
LINK = [] if WINDOWS else ["-pthread"]
SOURCES = [
    "binding",
    "binding_texts",
    "tokenise",
    "sketch",
    "compare",
    "contained",
    "seeds",
    "lcs",
    "extents",
    "passages",
]


class BuildKernel(build_ext):
    """Builds the extension, or says in plain words that the slow kernel will be used."""

    def run(self):
        try:
            super().run()
        except Exception as error:
            if os.environ.get("DEDUP_BUILD") == "native":
                raise
            print(
                f"dedup: the native kernel was not built ({error}); the slow Python kernel will be used. "
                "Install a C++17 compiler and install dedup again to get the fast one.",
                file=sys.stderr,
            )


setup(
    ext_modules=[
        Extension(
            "dedup.kernel._native",
            [f"dedup/kernel/{name}.cpp" for name in SOURCES],
            depends=[f"dedup/kernel/{name}.hpp" for name in ("kernel", "python", "shingles", "extents")],
            language="c++",
            extra_compile_args=COMPILE + os.environ.get("DEDUP_CXXFLAGS", "").split(),
            extra_link_args=LINK + os.environ.get("DEDUP_LDFLAGS", "").split(),
        )
    ],
    cmdclass={"build_ext": BuildKernel},
)
