"""Verdicts made by hand, for the tests of the formats that write them."""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import replace
from typing import Any

from dedup.model import PassageCluster, PassageMember, Report, Settings, Skipped, Source, Summary
from dedup.report import write_verdict
from dedup.verdict import (
    DOCUMENT,
    EDITED,
    KNOWN,
    MOVED,
    NEW,
    OTHERS,
    PASSAGE,
    STATUSES,
    SUPPRESSED,
    Finding,
    Gate,
    Place,
    Stale,
    Verdict,
)

#: Everything that a text or a name may do to a log, a comment, a terminal, an XML or a JSON file.
HOSTILE = (
    "red \x1b[31m nul \0 turned \u202eeht\u202c half \ud800 raw \udc80 non \ufffe tag \U000e0041 ]]> </script> "
    "</details> <!-- & \"quoted\" 'too' `one` ``` @everyone #123 | a \\| b [x](y) {0} %0A $x$\r\n::error::owned\n"
    "##[error]owned\n  ::add-mask::e\n```\n# heading\n"
)

FIRST = (
    "a joint venture of NASA and its European and Canadian partners, lifted off from French Guiana on "
    "Christmas Day 2021"
)
COPY = (
    "a joint project of NASA and its European and\nCanadian partners, lifted off from French Guiana on\n"
    "Christmas Day 2021"
)


def finding(**fields: Any) -> Finding:
    """A new passage in ``docs/new.md``, lines 12 to 14, that repeats ``docs/old.md``, line 3."""
    given: dict[str, Any] = {
        "rule": PASSAGE,
        "status": NEW,
        "document": "docs/new.md",
        "path": "docs/new.md",
        "start": 400,
        "end": 400 + len(COPY),
        "line": 12,
        "end_line": 14,
        "column": 5,
        "end_column": 19,
        "fingerprint": "2d1b74858b8e9073",
        "cluster": "c1",
        "tokens": 19,
        "similarity": 0.947368,
        "text": COPY,
        "others": (Place("docs/old.md", "docs/old.md", 3),),
    }
    return Finding(**{**given, **fields})


def duplicate(**fields: Any) -> Finding:
    """A new document, ``docs/copy.md``, that is a copy of ``docs/old.md``."""
    given: dict[str, Any] = {
        "rule": DOCUMENT,
        "document": "docs/copy.md",
        "path": "docs/copy.md",
        "start": 0,
        "end": 900,
        "line": 1,
        "end_line": 20,
        "column": 1,
        "end_column": 1,
        "fingerprint": "b0de10cd128d6d3a",
        "cluster": "c2",
        "tokens": 150,
        "similarity": 1.0,
        "text": "",
        "others": (Place("docs/old.md", "docs/old.md", None),),
    }
    return finding(**{**given, **fields})


def record(**fields: Any) -> Finding:
    """A new passage in a record with an id of its own, in a file of records, that stands in three more places."""
    places = [Place(f"w-{number}", "data/b.jsonl", number) for number in range(5, 8)]
    given: dict[str, Any] = {
        "document": "w-4",
        "path": "data/b.jsonl",
        "line": 4,
        "end_line": 4,
        "column": None,
        "end_column": None,
        "fingerprint": "77aa77aa77aa77aa",
        "similarity": None,
        "others": (Place("docs/old.md", "docs/old.md", 3), *places),
    }
    return finding(**{**given, **fields})


def report() -> Report:
    """The result of the scan behind the findings: one passage in two places, and one skipped input."""
    old = PassageMember("docs/old.md", Source("docs/old.md", None, 0), 40, 40 + len(FIRST), 3, 3, None, FIRST)
    new = PassageMember(
        "docs/new.md", Source("docs/new.md", None, 0), 400, 400 + len(COPY), 12, 14, 0.947368, COPY
    )
    return Report(
        settings=Settings(),
        summary=Summary(120, 1, 0, 90_000, 15_000, 1, 1, 1, 300, 0.02),
        skipped=(Skipped("docs/logo.txt", "not UTF-8: byte 0x89 at 0"),),
        empty_documents=(),
        document_clusters=(),
        passage_clusters=(PassageCluster("c1", 19, 0.947368, None, (old, new)),),
    )


def verdict(*findings: Finding, passed: bool | None = None, **fields: Any) -> Verdict:
    """A verdict on findings, which fails if one of them is new unless ``passed`` is given."""
    counts = Counter(entry.status for entry in findings)
    failed = counts[NEW] > 0 if passed is None else not passed
    stale = fields.get("stale", ())
    given: dict[str, Any] = {
        "report": report(),
        "gate": Gate(not failed, *(counts[status] for status in STATUSES), stale=len(stale)),
        "findings": findings,
        "stale": (),
        "reasons": (f"{counts[NEW]} new",) if failed else (),
        "notes": (),
    }
    return Verdict(**{**given, **fields})


def everything() -> Verdict:
    """One of each: new passages and documents, known, moved, edited and suppressed ones, stale entries, notes."""
    return verdict(
        duplicate(),
        finding(status=SUPPRESSED, path="docs/a.md", document="docs/a.md", reason="quoted on purpose"),
        finding(),
        finding(start=900, end=900 + len(COPY), line=40, end_line=42),
        finding(status=KNOWN, path="docs/old.md", document="docs/old.md", line=3, end_line=3),
        finding(status=MOVED, path="docs/moved.md", document="docs/moved.md"),
        finding(status=EDITED, path="docs/edited.md", document="docs/edited.md"),
        record(),
        stale=(Stale(PASSAGE, "docs/gone.md", "0123456789abcdef"),),
        notes=("min_tokens is 12 and was 20 in the baseline",),
    )


def hostile() -> Verdict:
    """Everything that can hold text holds a hostile one."""
    other = Place(HOSTILE, HOSTILE, 1)
    known = report()
    members = tuple(replace(m, document=HOSTILE, text=HOSTILE) for m in known.passage_clusters[0].members)
    cluster = replace(known.passage_clusters[0], members=members)
    fields = {"path": HOSTILE, "document": HOSTILE, "text": HOSTILE, "others": (other, other)}
    return verdict(
        finding(**fields),
        duplicate(**fields),
        finding(**fields, status=SUPPRESSED, reason=HOSTILE),
        report=replace(known, skipped=(Skipped(HOSTILE, HOSTILE),), passage_clusters=(cluster,)),
        stale=(Stale(PASSAGE, HOSTILE, "0123456789abcdef"),),
        reasons=(HOSTILE,),
        notes=(HOSTILE,),
    )


def many(number: int) -> Verdict:
    """So many new passages in as many files, each of which repeats all those before it."""
    places = tuple(Place(f"docs/{index:06}.md", f"docs/{index:06}.md", index + 1) for index in range(number))
    return verdict(
        *(
            finding(
                path=place.path,
                document=place.document,
                line=index + 1,
                end_line=index + 3,
                others=places[:OTHERS],
                more=200 - OTHERS,
                fingerprint=f"{index * 0x9E3779B97F4A7C15 % 2**64:016x}",
            )
            for index, place in enumerate(places)
        )
    )


def written(given: Verdict, format: str, **options: Any) -> bytes:
    """What a format writes of a verdict."""
    stream = io.BytesIO()
    write_verdict(given, format, stream, **options)
    return stream.getvalue()
