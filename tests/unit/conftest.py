"""Both kernels, by name: a test that takes ``kernel`` runs on each."""

from __future__ import annotations

import importlib
import importlib.util
import os
from types import ModuleType

import pytest

KERNELS = ("native", "python")


def load(name: str) -> ModuleType:
    """The kernel of that name; skips where a package was built without the native one."""
    if name == "native" and importlib.util.find_spec("dedup.kernel._native") is None:
        pytest.skip("the native kernel is not built")
    return importlib.import_module("dedup.kernel." + {"native": "native", "python": "reference"}[name])


@pytest.fixture(autouse=True, scope="session")
def _no_warning_where_nothing_was_built() -> None:
    """Where there was no compiler the Python kernel is meant: its warning would be an error in every test."""
    if importlib.util.find_spec("dedup.kernel._native") is None:
        os.environ.setdefault("DEDUP_KERNEL", "python")


@pytest.fixture(params=KERNELS)
def kernel(request: pytest.FixtureRequest) -> ModuleType:
    """One kernel after the other, as a module."""
    return load(request.param)


@pytest.fixture(params=KERNELS)
def stages_on(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """One kernel after the other under all stages; its name."""
    monkeypatch.setattr("dedup.kernel._chosen", load(request.param))
    return str(request.param)
