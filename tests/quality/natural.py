"""Real corpora with natural copies, where they lie beside the project.

Enters: nothing. Leaves: (id, text) of newspaper articles in five languages and of installation guides in
nineteen, whose near copies nobody planted. Their truth is computed (``pairs.near_pairs``), not read.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator

from .base import SHARED

NATURAL = ("news_multilingual", "install_guides")


def there(name: str) -> bool:
    """Whether the corpus is here."""
    return (SHARED / name / "docs.jsonl.gz").exists()


def documents(name: str) -> Iterator[tuple[str, str]]:
    """The corpus' documents."""
    with gzip.open(SHARED / name / "docs.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            yield record["id"], record["text"]
