"""The kernel: native where it was built, else the reference, the same results to the byte.

``DEDUP_KERNEL=native|python|auto`` chooses. A forced kernel that is not there is a KernelError; ``auto`` (the
default) falls back, with a warning, only where the extension was never built: one that is there and broken is
an error, not a silent slowness.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import warnings
from types import ModuleType
from typing import TYPE_CHECKING

from ..errors import KernelError

if TYPE_CHECKING:  # both modules have these functions; the reference documents them
    from .reference import (
        Tokeniser,
        band_pairs,
        common,
        contained_pairs,
        explained,
        locate,
        overlaps,
        passages,
        periods,
        places,
        recurrences,
        sampled,
        seed_index,
        shingles,
        sign,
        tokenise,
    )

__all__ = [
    "Tokeniser",
    "band_pairs",
    "common",
    "contained_pairs",
    "explained",
    "locate",
    "name",
    "overlaps",
    "passages",
    "periods",
    "places",
    "recurrences",
    "sampled",
    "seed_index",
    "shingles",
    "sign",
    "tokenise",
]

_chosen: ModuleType | None = None


def name() -> str:
    """``native`` or ``python``: the kernel that answers, or would; loads nothing heavy."""
    wanted = os.environ.get("DEDUP_KERNEL", "auto") or "auto"
    if wanted not in ("native", "python", "auto"):
        raise KernelError(f"DEDUP_KERNEL is {wanted!r}; expected native, python or auto")
    built = importlib.util.find_spec("dedup.kernel._native") is not None
    if wanted == "native" and not built:
        raise KernelError(
            "DEDUP_KERNEL=native, and the native kernel is not built; install a C++17 compiler and install dedup again"
        )
    return "native" if built and wanted != "python" else "python"


def _choose() -> ModuleType:
    global _chosen
    if _chosen is None:
        is_native = name() == "native"
        if not is_native and os.environ.get("DEDUP_KERNEL") != "python":
            warnings.warn(
                "the native kernel is not built: using the slow Python kernel, with the same results",
                RuntimeWarning,
                stacklevel=3,
            )
        _chosen = importlib.import_module(".native" if is_native else ".reference", __package__)
    return _chosen


if not TYPE_CHECKING:

    def __getattr__(attribute: str) -> object:
        if attribute == "Tokeniser" and _chosen is None and name() == "native":
            return importlib.import_module(
                ".native_tokeniser", __package__
            ).Tokeniser  # wanted before NumPy is
        if attribute in __all__:
            return getattr(_choose(), attribute)
        raise AttributeError(f"module {__name__!r} has no attribute {attribute!r}")
