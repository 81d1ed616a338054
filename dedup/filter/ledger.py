"""Every record goes to one side, and a line about it to the manifest.

Enters: blocks and verdicts. Leaves: the sides' files, the manifest, an :class:`Outcome`.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from typing import BinaryIO

from .. import manifest
from ..errors import OutputError
from ..kept import EXACT, NEW, Verdict
from ..model import Document, Skipped
from ..read import Input, Record
from ..write import table
from ..write.outputs import Outputs
from ..write.rehearsal import Rehearsal
from ..write.sides import ARCHIVES, LINES, Arrival, Form, Side, check_name
from . import spans
from .arrivals import Arrived, Block, Came, Gone
from .edits import Cut, Edits, Raw
from .originals import Originals, is_sum
from .plan import KEPT, REJECTS, Outcome, Plan
from .registry import Registry


class Ledger:
    """Writes one run."""

    def __init__(
        self, plan: Plan, registry: Registry, outputs: Outputs | Rehearsal, stdout: BinaryIO | None
    ) -> None:
        self.outcome = Outcome()
        self.registry = registry
        self.originals = Originals(plan, outputs)
        self._plan = plan
        self._edits = Edits(plan, registry, self.outcome)
        form = Form(plan.options.text_field, table.ADD if self._edits.marks else "")
        self._sides = {
            KEPT: Side(outputs, plan.kept, plan.is_tree, stdout, form),
            REJECTS: Side(outputs, plan.rejects, plan.is_tree, stdout, form),
        }
        self._manifest = manifest.Writer(outputs.file(plan.manifest) if plan.manifest else None)
        self._manifest.line(plan.header())
        self._names = self.originals.names
        self._arrived: Arrived | None = None
        self._kept: set[int] = set()  # documents that were written to what stays
        self._changed: set[int] = set()  # of these, whose texts were cut
        self._twins: set[int] = set()  # documents of which copies were set aside
        self._next: int | None = None  # the number of the document to be written next

    def write(self, block: Block, verdicts: dict[int, Verdict], cuts: dict[int, list[Cut]]) -> None:
        """Writes a block. Verdicts and cuts are by document number; a document without a word has no verdict."""
        if self._next is None:
            self._next = self.registry.references
        aligned = self._spans(block, verdicts, self._next)
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

    def staying(self) -> list[int]:
        """The documents that stay as they came, but for those marked as copies, in the order in which they came."""
        registry = self.registry
        return sorted(number for number in self._kept - self._changed if registry.is_kept(number))

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
        self._edits.check(found)

    def _begin(self, event: Arrived) -> None:
        self.admit(event.input)
        self._arrived = event
        self._edits.begin(event.input)
        arrival = Arrival(self._names.of(event.input.path), event.input.format, event.input.packing)
        for side in self._sides.values():
            side.begin(arrival)

    def _end(self, event: Gone) -> None:
        for side in self._sides.values():
            side.end()
        original = self.originals.name_of(event.input)
        if event.is_damaged and not is_sum(event.input):
            self.outcome.damaged += 1
            original = original or self.originals.keep(event.input, event.file)
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
                "original": original,
                "problem": event.problem,
            }
        )

    # ---- records

    def _write_other(self, event: Came) -> None:
        """A record without a text that could be compared goes on as it came."""
        record = event.record
        if record.is_frame:
            header = self._edits.header(record)
            for name, side in self._sides.items():
                if header or name == KEPT:  # a directory in an archive stays
                    side.frame(record._replace(raw=header))
            told = manifest.text_of(bytes(record.raw))
            self._manifest.line({"type": "frame", "input": self._number, **told})
            if record.skipped is not None:  # without the text column, no row holds a text
                self.skip(record.skipped)
            return
        line = self._line(event)
        line.update(decision="kept", id=None, reason="not-read" if record.reason else "no-text")
        if record.skipped is not None:
            line["why"] = record.reason
            self.outcome.skipped.append(record.skipped)
        self._put(line, KEPT, record, self._edits.unmarked(record, line))

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
            if self._edits.marks:
                raw = self._edits.marked(record, line, verdict)
            else:
                side, line["decision"] = REJECTS, "diverted"
        else:
            if verdict is not None and verdict.holds:
                line["holds"] = [
                    {**self.registry.twin(held), "containment": share} for held, share in verdict.holds
                ]
            if number in cuts:
                raw = self._edits.cut(record, document, line, cuts[number])
                if "cuts" in line:
                    self._changed.add(number)
            else:
                raw = self._edits.unmarked(record, line)
        added = self._edits.added(number, record, verdict) if verdict is not None else None
        self._put(line, side, record, raw, added)
        if side == KEPT:
            self._kept.add(number)

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

    def _put(
        self,
        line: manifest.Line,
        side: str,
        record: Record,
        raw: Raw,
        added: tuple[str, bytes] | None = None,
    ) -> None:
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
        if added is not None:
            what, data = added
            line[what] = self._sides[KEPT].write(record, data)
            outcome.revisits += what == "revisit"
        self._manifest.line(line)

    def _begins_amid(self, side: str, record: Record) -> bool:
        """Whether the record is the first of an input, with a byte order mark, and not the first in its output."""
        return (
            record.source.byte_offset == 0
            and isinstance(record.raw, bytes)
            and record.raw.startswith(BOM_UTF8)
            and self._edits.format_of(record) in LINES
            and not (self._plan.is_tree or self._arrived is None or self._arrived.input.format in ARCHIVES)
            and self._sides[side].is_begun
        )

    def _tell_copy(self, line: manifest.Line, verdict: Verdict) -> None:
        registry, outcome = self.registry, self.outcome
        self._twins.add(verdict.twin)
        outcome.copies[verdict.kind] = outcome.copies.get(verdict.kind, 0) + 1
        line.update(
            rule=self._rule(verdict.twin),
            jaccard=verdict.jaccard,
            containment=verdict.containment,
            twin=registry.twin(verdict.twin),
        )

    def _rule(self, twin: int) -> str:
        if twin < 0:
            return "index"
        return "reference" if twin < self.registry.references else self._plan.policy.keep

    def _spans(self, block: Block, verdicts: dict[int, Verdict], first: int) -> dict[int, spans.Aligned]:
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

    @property
    def _number(self) -> int:
        assert self._arrived is not None
        return self._arrived.number
