"""One small scan whose result is kept, byte for byte: what changes it must mean to.

``articles`` is the input, ``result.json`` what a scan of it writes. ``python -m tests.golden`` writes it anew;
read the difference before you commit it, and say in the changelog what it means for a user.
"""

from __future__ import annotations

import io
from pathlib import Path
from unittest import mock

from dedup.model import Settings
from dedup.pipeline import run
from dedup.report import write

from .articles import DOCUMENTS

RESULT = Path(__file__).with_name("result.json")


def produced() -> bytes:
    """The result as the kernel in use gives it; the version is left out, so that a release changes nothing."""
    stream = io.BytesIO()
    with mock.patch("dedup.__version__", "0"):
        write(run(DOCUMENTS, Settings()), "json", stream)
    return stream.getvalue()
