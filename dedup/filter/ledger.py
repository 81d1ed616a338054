"""Every record goes to one side, and a line about it to the manifest.

Enters: blocks and verdicts. Leaves: the sides' files, the manifest, an :class:`Outcome`.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from mmap import mmap
from typing import BinaryIO

from .. import manifest
from ..decide import MARK, Span
from ..errors import OutputError
from ..kept import EXACT, NEW, Verdict
from ..model import Document, Skipped
from ..read import Input, Record, formats
from ..read.csv import Row
from ..write import edit, table, warc
from ..write.edit import Edit
from ..write.outputs import Outputs
from ..write.sides import ARCHIVES, LINES, Arrival, Form, Side, check_name
from . import spans
from .arrivals import Arrived, Block, Came, Gone
from .originals import Originals
from .plan import KEPT, REJECTS, Outcome, Plan
from .registry import Registry

Raw = bytes | mmap

#: What is cut from a text: from where to where, and the copy that stays.
Cut = tuple[int, int, Span]


class Ledger:
    """Writes one run."""

    def __init__(self, plan: Plan, registry: Registry, outputs: Outputs, stdout: BinaryIO | None) -> None:
        self.outcome = Outcome()
        self.registry = registry
        self.originals = Originals(plan, outputs)
        self._plan = plan
        form = Form(plan.options.text_field, table.ADD if plan.policy.action == MARK else "")
        self._sides = {
            KEPT: Side(outputs, plan.kept, plan.is_tree, stdout, form),
            REJECTS: Side(outputs, plan.rejects, plan.is_tree, stdout, form),
        }
        self._manifest = manifest.Writer(outputs.file(plan.manifest) if plan.manifest else None)
        self._manifest.line(plan.header())
        self._names = self.originals.names
        self._arrived: Arrived | None = None
        self._header = b""  # of the input that arrived, or the entry
        self._delimiter = ""  # in that, of CSV
        self._kept: set[int] = set()  # documents that were written to what stays
        self._twins: set[int] = set()  # documents of which copies were set aside
        self._captures: dict[int, warc.Capture] = {}  # by document number, of records that stay
        self._next: int | None = None  # the number of the document to be written next

    def write(self, block: Block, verdicts: dict[int, Verdict], cuts: dict[int, list[Cut]]) -> None:
        """Writes a block. Verdicts and cuts are by document number; a document without a word has no verdict."""
        if self._next is None:
            self._next = self.registry.references
        aligned = self._aligned(block, verdicts, self._next)
        for event in block.events:
            if isinstance(event, Came):
                if event.record.document is None:
                    self._write_other(event)
                else:
                    self._write_document(event, event.record.document, verdicts, cuts, aligned)
            elif isinstance(event, Arrived):
                self._begin(event)
            elif isinstance(event, Gone):
                self._end(event)
            else:
                self.skip(event)
        for side in self._sides.values():
            side.flush()

    def skip(self, skipped: Skipped) -> None:
        """Notes what could not be read."""
        self.outcome.skipped.append(skipped)
        self._manifest.line({"type": "skipped", "source": skipped.source, "reason": skipped.reason})

    def reference(self, event: Gone) -> None:
        """Notes a file of the protected collection."""
        self._manifest.line(
            {
                "type": "reference",
                "path": event.input.path,
                "size": event.file.size,
                "sha256": event.file.sha256,
            }
        )

    def close(self) -> Outcome:
        """Ends all files. Raises OutputError, by a mistake of this program only, where a copy's twin did not stay."""
        for side in self._sides.values():
            side.close()
        outcome = self.outcome
        lost = next((twin for twin in self._twins if not self._is_safe(twin)), None)
        if lost is not None:
            raise OutputError(
                f"{self.registry.ids[lost]}: has a copy that was set aside, and does not stay itself"
            )
        self._manifest.line({"type": "summary", **outcome.to_dict()})
        self._manifest.end()
        return outcome

    def _is_safe(self, number: int) -> bool:
        """Whether a document stays: it is of the protected collection, or was written to what stays."""
        return number < self.registry.references or number in self._kept

    def abandon(self) -> None:
        """Closes what is open, after an error."""
        for side in self._sides.values():
            side.abandon()

    # ---- inputs

    def admit(self, found: Input) -> None:
        """Raises OutputError for an input whose records could not be changed, or not be written where it is wished."""
        if not self._plan.is_tree:
            for target in (self._plan.kept, self._plan.rejects):
                check_name(target, found.format)
        if found.format not in (formats.OTHER, *ARCHIVES):
            edit.check(found.path, found.format, self._plan.policy.action)

    def _begin(self, event: Arrived) -> None:
        self.admit(event.input)
        self._arrived = event
        self._header, self._delimiter = b"", ""
        arrival = Arrival(self._names.of(event.input.path), event.input.format, event.input.packing)
        for side in self._sides.values():
            side.begin(arrival)

    def _end(self, event: Gone) -> None:
        for side in self._sides.values():
            side.end()
        self._manifest.line(
            {
                "type": "input",
                "input": event.number,
                "path": event.input.path,
                "name": self._names.of(event.input.path),
                "format": event.input.format,
                "packing": event.input.packing,
                "size": event.file.size,
                "sha256": event.file.sha256,
                "content": event.content._asdict(),
                "original": self.originals.name_of(event.input),
                "problem": event.problem,
            }
        )

    # ---- records

    def _write_other(self, event: Came) -> None:
        """A record without a text that could be compared goes on as it came."""
        record = event.record
        if record.is_frame:
            header = self._header = bytes(record.raw)
            columns = self._columns(record)
            if self._plan.policy.action == MARK:
                with _named(record):
                    header = edit.marked_header(self._source(record), columns)
            for name, side in self._sides.items():
                if header or name == KEPT:  # a directory in an archive stays
                    side.frame(record._replace(raw=header))
            self._manifest.line({"type": "frame", "input": self._number, **manifest.text_of(self._header)})
            return
        line = self._line(event)
        line.update(decision="kept", id=None, reason="not-read" if record.reason else "no-text")
        if record.skipped is not None:
            line["why"] = record.reason
            self.outcome.skipped.append(record.skipped)
        self._put(line, KEPT, record, self._unmarked(record, line))

    def _write_document(
        self,
        event: Came,
        document: Document,
        verdicts: dict[int, Verdict],
        cuts: dict[int, list[Cut]],
        aligned: dict[int, spans.Aligned],
    ) -> None:
        assert self._next is not None
        number, self._next = self._next, self._next + 1
        self.outcome.documents += 1
        verdict, record = verdicts.get(number), event.record
        line = self._line(event)
        line.update(decision="kept", id=document.id, reason="no-words" if verdict is None else verdict.kind)
        side, raw = KEPT, record.raw
        if verdict is not None and verdict.kind != NEW:
            self._tell_copy(line, verdict)
            line["spans"] = aligned[number]
            if self._plan.policy.action == MARK:
                raw = self._marked(record, line, verdict)
            else:
                side, line["decision"] = REJECTS, "diverted"
        else:
            if verdict is not None and verdict.holds:
                line["holds"] = [
                    {**self.registry.twin(held), "containment": share} for held, share in verdict.holds
                ]
            raw = (
                self._cut(record, document, line, cuts[number])
                if number in cuts
                else self._unmarked(record, line)
            )
        if self._plan.policy.revisit and verdict is not None and self._format_of(record) in edit.WARCS:
            self._revisit(number, record, verdict, line)
        self._put(line, side, record, raw)
        if side == KEPT:
            self._kept.add(number)

    def _revisit(self, number: int, record: Record, verdict: Verdict, line: manifest.Line) -> None:
        """Remembers a capture that stays; a copy with the payload of one gets a record that stands for it."""
        if verdict.kind == NEW:
            found = warc.capture(bytes(record.raw))
            if found is not None:
                self._captures[number] = found
        elif verdict.kind == EXACT and verdict.twin in self._captures:
            added = warc.revisit(bytes(record.raw), self._captures[verdict.twin])
            if added is not None:
                line["revisit"] = self._sides[KEPT].write(record, added)
                self.outcome.revisits += 1

    def _line(self, event: Came) -> manifest.Line:
        source = event.record.source
        return {
            "type": "record",
            "input": self._number,
            "path": source.path,
            "line": source.line,
            "byte_offset": source.byte_offset,
            "length": len(event.record.raw),
            "sha256": event.sha.hex(),
        }

    def _put(self, line: manifest.Line, side: str, record: Record, raw: Raw) -> None:
        outcome, length = self.outcome, len(record.raw)
        outcome.records += 1
        outcome.bytes += length
        if side == KEPT:
            outcome.kept += 1
        else:
            outcome.aside += 1
            outcome.bytes_aside += length
        if self._begins_amid(side, record):
            line["edits"] = [{"at": 0, "inserted": 0, **manifest.text_of(BOM_UTF8)}, *line.get("edits", ())]
            raw = bytes(raw).removeprefix(BOM_UTF8)
        line["output"] = {"side": side, **self._sides[side].write(record, raw)}
        self._manifest.line(line)

    def _begins_amid(self, side: str, record: Record) -> bool:
        """Whether the record is the first of an input, with a byte order mark, and not the first in its output."""
        return (
            isinstance(record.raw, bytes)
            and record.raw.startswith(BOM_UTF8)
            and record.source.byte_offset == 0
            and self._format_of(record) in LINES
            and not (self._is_archive or self._plan.is_tree)
            and self._sides[side].is_begun
        )

    def _tell_copy(self, line: manifest.Line, verdict: Verdict) -> None:
        registry, outcome = self.registry, self.outcome
        self._twins.add(verdict.twin)
        outcome.copies[verdict.kind] = outcome.copies.get(verdict.kind, 0) + 1
        line.update(
            rule="reference" if verdict.twin < registry.references else self._plan.policy.keep,
            jaccard=verdict.jaccard,
            containment=verdict.containment,
            twin=registry.twin(verdict.twin),
        )

    def _aligned(self, block: Block, verdicts: dict[int, Verdict], first: int) -> dict[int, spans.Aligned]:
        """For each copy in the block, where it says the same as its twin."""
        copies = [
            (number, document.text, verdicts[number])
            for number, document in enumerate(block.documents, first)
            if number in verdicts and verdicts[number].kind != NEW
        ]
        found = {number: spans.whole(text) for number, text, verdict in copies if verdict.kind == EXACT}
        others = [(number, text, verdict.twin) for number, text, verdict in copies if verdict.kind != EXACT]
        pairs = [(text, self.registry.text(twin)) for _, text, twin in others]
        told = spans.aligned(pairs, self._plan.settings.jobs)
        found.update(zip((number for number, *_ in others), told, strict=True))
        return found

    # ---- changed records

    def _marked(self, record: Record, line: manifest.Line, verdict: Verdict) -> bytes:
        note = {
            "duplicate_of": self.registry.ids[verdict.twin],
            "kind": verdict.kind,
            "jaccard": verdict.jaccard,
            "containment": verdict.containment,
        }
        with _named(record):
            edits = edit.mark(self._source(record), bytes(record.raw), note)
        return self._edited(record, line, edits, "marked")

    def _unmarked(self, record: Record, line: manifest.Line) -> Raw:
        """The record as it came, but for what every record must have if some are marked: the columns of a table."""
        format = self._format_of(record)
        if self._plan.policy.action != MARK or format not in (*edit.DELIMITERS, *edit.JSON_LIKE):
            return record.raw
        if format == formats.JSONL and record.document is None:
            return record.raw
        with _named(record):
            edits = edit.mark(self._source(record), bytes(record.raw), None)
        return self._edited(record, line, edits, "kept") if format != formats.JSONL else record.raw

    def _cut(self, record: Record, document: Document, line: manifest.Line, cuts: list[Cut]) -> Raw:
        places = [edit.whole(document.text, start, end) for start, end, _ in cuts]
        with _named(record):
            edits = edit.cut(self._source(record), bytes(record.raw), document.text, places)
        if not edits:
            self.outcome.uncut += 1
            return record.raw
        line["cuts"] = [
            {
                "start": start,
                "end": end,
                "text": document.text[start:end],
                "twin": {**self.registry.twin(twin), "start": twin_start, "end": twin_end},
            }
            for (start, end), (_, _, (twin, twin_start, twin_end)) in zip(places, cuts, strict=True)
        ]
        self.outcome.cut += 1
        self.outcome.bytes_cut += sum(len(change.removed) for change in edits)
        return self._edited(record, line, edits, "cut")

    def _edited(self, record: Record, line: manifest.Line, edits: list[Edit], decision: str) -> bytes:
        line["decision"] = decision
        line["edits"] = [
            {"at": change.at, "inserted": len(change.inserted), **manifest.text_of(change.removed)}
            for change in edits
        ]
        return edit.applied(bytes(record.raw), edits)

    @property
    def _number(self) -> int:
        assert self._arrived is not None
        return self._arrived.number

    def _columns(self, record: Record) -> Collection[str]:
        """The names of the columns of the file that the frame begins; what separates fields is remembered."""
        place = record.place.place if self._is_archive else record.place
        if isinstance(place, Row):
            self._delimiter = place.separator
            return place.columns
        return getattr(place, "names", ())

    def _source(self, record: Record) -> edit.Source:
        field = self._plan.options.text_field
        return edit.Source(self._format_of(record), field, self._header, self._delimiter)

    @property
    def _is_archive(self) -> bool:
        assert self._arrived is not None
        return self._arrived.input.format in ARCHIVES

    def _format_of(self, record: Record) -> str:
        """The format that a record is written in: in an archive, that of the entry."""
        assert self._arrived is not None
        return str(record.place.input.format) if self._is_archive else self._arrived.input.format


@contextmanager
def _named(record: Record) -> Iterator[None]:
    """Where a record cannot be changed, the error begins with its place."""
    try:
        yield
    except OutputError as error:
        path, line, _ = record.source
        raise OutputError(f"{path}:{line}: {error}" if line is not None else f"{path}: {error}") from error
