"""``dedup index``: what the archive holds is remembered, and new texts are compared with it.

A file for what an index holds (``contents``), for what it is asked (``query``), for its state (``upkeep``); what they
share stands in ``arguments`` and ``names``.
"""

from __future__ import annotations

import click

from ..options import CONTEXT
from ..subcommands import Subcommands

_EXAMPLES = """\b
Examples:
  dedup index build memory/ archive/ --store-text
  dedup index query memory/ tonight/
  dedup filter tonight/ -o new/ --rejects copies/ --manifest run.jsonl --index memory/ --commit
  dedup index verify memory/

docs/index.md tells more, docs/format.md what lies in the folder.
"""


@click.group(context_settings=CONTEXT, epilog=_EXAMPLES)
def index() -> None:
    """Remember what an archive holds, and compare new texts with it.

    An index is a folder, DIR in the commands below. One process at a time changes it; any number may ask it meanwhile.
    """


index.commands = Subcommands(
    __name__,
    {
        "build": ("contents", "build"),
        "add": ("contents", "add"),
        "query": ("query", "query"),
        "remove": ("contents", "remove"),
        "info": ("upkeep", "info"),
        "verify": ("upkeep", "verify"),
        "compact": ("upkeep", "compact"),
        "commit": ("upkeep", "commit"),
        "abort": ("upkeep", "abort"),
        "rebuild": ("contents", "rebuild"),
    },
)
