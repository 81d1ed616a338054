"""The kernel that is compared with the reference."""

from __future__ import annotations

import importlib.util
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def native() -> ModuleType:
    """The native kernel; a package that was built without one has nothing to compare."""
    if importlib.util.find_spec("dedup.kernel._native") is None:
        pytest.skip("the native kernel is not built")
    from dedup.kernel import native

    return native
