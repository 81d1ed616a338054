"""Names the marker of the floors that need the shared corpora."""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Registers ``quality``: real corpora, minutes rather than seconds."""
    config.addinivalue_line("markers", "quality: floors over the shared corpora (skipped where they are not)")
