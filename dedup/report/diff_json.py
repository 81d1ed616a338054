"""Two documents and how they compare as one JSON document, schema ``dedup-diff/1`` (``diff.schema.json``)."""

from __future__ import annotations

from typing import Any, BinaryIO

from .. import __version__
from ..comparison import LABELS, Comparison, SharedMember, SharedPassage
from ..model import shallow
from .explain import reasons, verdict
from .json import encode

SCHEMA = "dedup-diff/1"


def write(found: Comparison, stream: BinaryIO) -> None:
    """Write the whole comparison, indented by two."""
    search = None if found.search is None else shallow(found.search)
    figures = {
        "shared_shingles": found.shared_shingles,
        "distinct_shingles": found.distinct_shingles,
        "jaccard": found.jaccard,
        "is_same_words": found.is_same_words,
    }
    whole = {
        "schema": SCHEMA,
        "tool": {"name": "dedup", "version": __version__},
        "settings": found.settings.to_dict(),
        "documents": [
            {"side": label, **shallow(side)} for label, side in zip(LABELS, found.sides, strict=True)
        ],
        "verdict": {
            "relation": found.relation,
            "kept": None if found.kept is None else LABELS[found.kept],
            "explanation": [verdict(found), *(told for _, told in reasons(found))],
        },
        "figures": figures,
        "search": search and {**search, "longer": LABELS[found.longer]},
        "passages": [_passage(passage) for passage in found.passages],
    }
    stream.write(encode(whole, indent=True))


def _passage(passage: SharedPassage) -> dict[str, Any]:
    return {**shallow(passage), "members": [_member(member) for member in passage.members]}


def _member(member: SharedMember) -> dict[str, Any]:
    return {**shallow(member), "side": LABELS[member.side]}
