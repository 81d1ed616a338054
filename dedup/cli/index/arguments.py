"""Arguments and options that commands for an index share, and what becomes of PATH...

Enters: options. Leaves: documents.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import click

from ...model import Document, Skipped
from ..options import OUTPUT, flag, reading_of

DIR = click.argument("folder", metavar="DIR")
PATHS = click.argument("paths", nargs=-1, required=True, metavar="PATH...")
QUIET = flag(OUTPUT, "-q", "--quiet", help="No progress and no messages, only errors.")

#: What is said of records that are too large.
LARGEST = "Larger records are passed over; 0 for no limit."


def documents(paths: Sequence[str], options: dict[str, Any]) -> Iterator[Document | Skipped]:
    """The documents under the paths, read as the options have it."""
    from ... import read

    return read.documents(paths, reading_of(options))
