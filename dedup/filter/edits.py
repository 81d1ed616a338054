"""Records that go on with a change: marked, cut, or beside a revisit record.

Enters: records, verdicts, what is to be cut. Leaves: the bytes to write, the changes in the record's manifest line, the
counts in the outcome.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from mmap import mmap

from .. import manifest
from ..decide import MARK, Span
from ..errors import OutputError
from ..kept import EXACT, NEW, Verdict
from ..model import Document
from ..read import Input, Record, formats
from ..read.csv import Row
from ..write import cut, edit, mark, warc
from ..write.edit import DELIMITERS, JSON_LIKE, WARCS, Edit
from ..write.ends import is_open
from ..write.sides import ARCHIVES
from .plan import Outcome, Plan
from .registry import Registry

Raw = bytes | mmap

#: What is cut from a text: from where to where, and the copy that stays.
Cut = tuple[int, int, Span]


class Edits:
    """Changes the records of one run, input after input."""

    def __init__(self, plan: Plan, registry: Registry, outcome: Outcome) -> None:
        self.marks = plan.policy.action == MARK
        self._revisits = plan.policy.revisit
        self._field = plan.options.text_field
        self._registry = registry
        self._outcome = outcome
        self._input = Input("", formats.OTHER, "")
        self._header = b""  # of the input, or the entry
        self._delimiter = ""  # in that, of CSV
        self._captures: dict[int, warc.Capture] = {}  # by document number, of records that stay

    def check(self, found: Input) -> None:
        """Raises OutputError for an input whose records cannot be changed as is wished."""
        if self.marks and found.format not in (formats.OTHER, *ARCHIVES):
            mark.check(found.path, found.format)

    def begin(self, found: Input) -> None:
        """Records come from this input from now on."""
        self._input = found
        self._header, self._delimiter = b"", ""

    def header(self, record: Record) -> bytes:
        """The header of what follows as it is to be written. Raises OutputError where it has columns for notes."""
        self._header = bytes(record.raw)
        place = record.place.place if self._input.format in ARCHIVES else record.place
        columns: Collection[str] = getattr(place, "names", ())
        if isinstance(place, Row):
            columns, self._delimiter = place.columns, place.separator
        if not self.marks:
            return self._header
        with _named(record):
            return mark.marked_header(self._source(record), columns)

    def format_of(self, record: Record) -> str:
        """The format that a record is written in: in an archive, that of the entry."""
        return str(record.place.input.format if self._input.format in ARCHIVES else self._input.format)

    def marked(self, record: Record, line: manifest.Line, verdict: Verdict) -> Raw:
        """The record with a note that it is a copy."""
        with _named(record):
            edits = mark.mark(self._source(record), record.raw, self._note(verdict))
        return _edited(record, line, edits, "marked")

    def unmarked(self, record: Record, line: manifest.Line) -> Raw:
        """The record as it came, but for what every record must have if some are marked: the columns of a table."""
        if not (self.marks and len(record.raw)):
            return record.raw
        format = self.format_of(record)
        if format not in (*DELIMITERS, *JSON_LIKE):
            return record.raw
        if format == formats.JSONL and record.document is None:
            return record.raw
        if record.reason is not None and is_open(format, record.raw, self._delimiter):
            return record.raw  # cells would be part of the text that does not end
        with _named(record):
            edits = mark.mark(self._source(record), record.raw, None)
        return _edited(record, line, edits, "kept") if format != formats.JSONL else record.raw

    def cut(self, record: Record, document: Document, line: manifest.Line, cuts: list[Cut]) -> Raw:
        """The record without passages that stay elsewhere; as it came where nothing can be cut out of it."""
        places = [cut.widened(document.text, start, end) for start, end, _ in cuts]
        with _named(record):
            edits = cut.cut(self._source(record), bytes(record.raw), document.text, places)
        if not edits:
            self._outcome.uncut += 1
            return record.raw
        line["cuts"] = [
            {
                "start": start,
                "end": end,
                "text": document.text[start:end],
                "twin": {**self._registry.twin(twin), "start": twin_start, "end": twin_end},
            }
            for (start, end), (_, _, (twin, twin_start, twin_end)) in zip(places, cuts, strict=True)
        ]
        self._outcome.cut += 1
        self._outcome.bytes_cut += sum(len(change.removed) for change in edits)
        return _edited(record, line, edits, "cut")

    def added(self, number: int, record: Record, verdict: Verdict) -> tuple[str, bytes] | None:
        """A record that is put beside what stays, and what it is: of a WARC file the note on a copy, or what stands for
        a copy with the payload of a capture that stays. Such a capture is remembered when it comes."""
        if not (self.marks or self._revisits) or self.format_of(record) not in WARCS:
            return None
        if self.marks:
            if verdict.kind == NEW:
                return None
            return "metadata", mark.metadata(self._source(record), bytes(record.raw), self._note(verdict))
        found = self._revisit(number, record, verdict)
        return None if found is None else ("revisit", found)

    def _revisit(self, number: int, record: Record, verdict: Verdict) -> bytes | None:
        if verdict.kind == NEW:
            found = warc.capture(bytes(record.raw))
            if found is not None:
                self._captures[number] = found
        elif verdict.kind == EXACT and verdict.twin in self._captures:
            return warc.revisit(bytes(record.raw), self._captures[verdict.twin], self._place(record))
        return None

    def _note(self, verdict: Verdict) -> mark.Note:
        return {
            "duplicate_of": self._registry.id(verdict.twin),
            "kind": verdict.kind,
            "jaccard": verdict.jaccard,
            "containment": verdict.containment,
        }

    def _source(self, record: Record) -> edit.Source:
        return edit.Source(
            self.format_of(record), self._field, self._header, self._delimiter, self._place(record)
        )

    def _place(self, record: Record) -> str:
        """What no other record of this run has."""
        return f"{record.source.path} {self._outcome.records}"


def _edited(record: Record, line: manifest.Line, edits: list[Edit], decision: str) -> Raw:
    line["decision"] = decision
    if not edits:
        return record.raw
    line["edits"] = [
        {"at": change.at, "inserted": len(change.inserted), **manifest.text_of(change.removed)}
        for change in edits
    ]
    return edit.applied(record.raw, edits)


@contextmanager
def _named(record: Record) -> Iterator[None]:
    """Where a record cannot be changed, the error begins with its place."""
    try:
        yield
    except OutputError as error:
        path, line = record.source[:2]
        raise OutputError(f"{path}:{line}: {error}" if line is not None else f"{path}: {error}") from error
