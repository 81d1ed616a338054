"""Filter: records come in, what is new goes on as it came, copies are set aside with the reason.

The order of things. Records are read in blocks (``arrivals``); each block is judged against all that stays
(``dedup.kept``), by another thread, then written (``ledger``): every record to exactly one side, a line about it to the
manifest. Where a later record may be preferred to an earlier one, all are judged before any is written, and the inputs
are read twice.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from .. import decide, index, kernel, pipeline, read
from ..decide import CUT
from ..errors import InputError
from ..kept import NEW, Kept, Shape, Verdict
from ..kernel.types import Array
from ..model import Document, PassageMember, Skipped, Source
from ..pipeline import Progress
from ..read.again import Again
from ..write.outputs import Outputs
from ..write.rehearsal import Rehearsal
from . import memory
from .arrivals import BLOCK, GROWTH, Arrived, Block, Came, Gone, blocks
from .edits import Cut
from .ledger import Ledger
from .plan import Outcome, Plan
from .registry import Registry, room, temporary

__all__ = ["Outcome", "Plan", "run"]


def run(
    plan: Plan,
    outputs: Outputs | Rehearsal,
    *,
    stdin: BinaryIO | None = None,
    stdout: BinaryIO | None = None,
    progress: Progress | None = None,
    pending: Callable[[str], object] = lambda run: None,
    wait: float = index.WAIT,
) -> Outcome:
    """Filters as planned, into ``outputs``, which the caller commits or abandons; into a rehearsal nothing is written.

    ``pending`` is told the name of the run before it is pending in the index, to be forgotten by a caller who abandons;
    that is not begun where another process still changes the index after ``wait`` seconds.

    Raises InputError, OutputError, DedupIndexError, DependencyError or SettingsError. What stays takes about 8 bytes a
    word of memory, and text that cannot be read again from its file lies in a temporary one.
    """
    with temporary("texts that stay") as texts, Again(plan.options) as again:
        ledger = Ledger(plan, Registry(texts, again), outputs, stdout)
        job = _Job(plan, ledger, stdin, progress or (lambda stage, done, total: None))
        try:
            outcome = job.one_pass() if plan.policy.one_pass else job.two_passes()
        except BaseException:
            ledger.abandon()
            raise
        if not isinstance(outputs, Rehearsal):
            job.remember(pending, wait)
        return outcome


class _Text(NamedTuple):
    """A text that waits for those preferred to it; the least ``rank`` comes first."""

    rank: tuple[Any, ...]
    number: int
    letters: int
    tokens: Array


class _Job:
    def __init__(self, plan: Plan, ledger: Ledger, stdin: BinaryIO | None, progress: Progress) -> None:
        settings = plan.settings
        shape = Shape(
            settings.threshold, settings.ngram, settings.num_perm, settings.seed, settings.min_tokens,
            plan.policy.contained,
        )  # fmt: skip
        self._plan = plan
        self._stdin = stdin
        self._progress = progress
        self._ledger = ledger
        self._registry = ledger.registry
        self._kept = Kept(shape, settings.jobs)
        self._memory = memory.asked(plan)
        self._recalled: set[tuple[str, Source]] = set()
        self._worded: set[int] = set()  # documents that have words, where they are to be remembered
        self._numbers: list[int] = []  # in the registry, of the texts that stay

    def one_pass(self) -> Outcome:
        """Judges and writes block by block."""
        if read.STDIN in (*self._plan.paths, *self._plan.reference):
            _standard_input(self._stdin)
        self._reference()

        with closing(self._judged()) as judged:
            for block, verdicts in judged:
                self._ledger.write(block, verdicts, {})
                del block, verdicts  # before the next one is read
        return self._closed()

    def _judged(self) -> Generator[tuple[Block, dict[int, Verdict]], None, None]:
        """Each block and what its texts are. A block is judged while the one before it is written and the one after it
        is read; so there are two of them in memory."""
        waiting: deque[tuple[Block, Future[dict[int, Verdict]]]] = deque()
        with ThreadPoolExecutor(1) as thread:
            for block in self._blocks(self._plan.paths, "reading", copies=self._ledger.originals.copy):
                waiting.append((block, thread.submit(self._judge, block)))
                del block
                if len(waiting) > 1:
                    yield _done(*waiting.popleft())
            while waiting:
                yield _done(*waiting.popleft())

    def two_passes(self) -> Outcome:
        """Judges everything in the order of preference, then reads the inputs again and writes."""
        for path in self._plan.paths:
            if path != read.STDIN and read.is_passing(path):
                raise InputError(
                    f"{path}: can be read only once, and twice is needed; give it as standard input, which is copied"
                )
        with _readable_twice(self._stdin, self._plan.paths) as self._stdin:
            if read.STDIN in self._plan.reference:
                _standard_input(self._stdin)
            self._reference()
            texts, inputs = self._survey()
            verdicts: dict[int, Verdict] = {}
            for part in _parts(texts):
                self._progress("comparing documents", len(verdicts), len(texts))
                verdicts.update(self._judge_texts(part))
            cuts: dict[int, list[Cut]] = {}
            if self._plan.policy.action == CUT:
                self._progress("looking for passages", 0, None)
                cuts = self._cuts([text.number for text in texts])

            _rewind(self._stdin)
            copies = self._ledger.originals.copy
            for block in self._blocks(self._plan.paths, "writing", tokenise=False, copies=copies):
                for event in block.events:
                    if isinstance(event, Gone) and inputs.pop(event.number, None) != event:
                        raise InputError(f"{event.input.path}: changed while it was read")
                self._ledger.write(block, verdicts, cuts)
                del block
        for event in inputs.values():
            raise InputError(f"{event.input.path}: is gone; it was there at first")
        return self._closed()

    # ---- reading

    def _blocks(self, paths: tuple[str, ...], stage: str, **more: Any) -> Iterator[Block]:
        def tell(count: int) -> None:
            self._progress(stage, count, None)

        jobs = self._plan.settings.jobs
        return blocks(paths, self._plan.options, self._stdin, tell, jobs, **more) if paths else iter(())

    def _reference(self) -> None:
        """Takes in the collection that is protected, before anything else: its texts stay."""
        for block in self._blocks(self._plan.reference, "reading the reference"):
            for event in block.events:
                skipped = event.record.skipped if isinstance(event, Came) else event
                if isinstance(skipped, Skipped):
                    self._ledger.skip(skipped)
                elif isinstance(event, Gone):
                    self._ledger.reference(event)
            self._judge(block)
        self._registry.references = len(self._registry.ids)

    def _survey(self) -> tuple[list[_Text], dict[int, Gone]]:
        """Reads all inputs once: the texts that have words, in the order of preference, and what ended how."""
        policy, options = self._plan.policy, self._plan.options
        prefers = decide.preference(policy)
        texts: list[_Text] = []
        ended: dict[int, Gone] = {}
        arrived: Arrived | None = None
        for block in self._blocks(self._plan.paths, "reading"):
            fields: list[decide.Fields] = []
            for event in block.events:
                if isinstance(event, Arrived):
                    self._ledger.admit(event.input)
                    arrived = event
                elif isinstance(event, Gone):
                    ended[event.number] = event
                elif isinstance(event, Came) and event.record.document is not None:
                    assert arrived is not None
                    fields.append(
                        read.values(event.record, arrived.input, options) if policy.needs_fields else {}
                    )
            numbers = self._registry.add(block.documents, block.shas)
            words = block.words()
            self._registry.put_texts((numbers[place], block.documents[place].text) for place in words.places)
            bounds = itertools.pairwise(words.offsets.tolist())
            for place, (start, end), letters in zip(
                words.places, bounds, words.letters.tolist(), strict=True
            ):
                number = numbers[place]
                rank = (*prefers(end - start, fields[place]), number)
                texts.append(_Text(rank, number, letters, words.tokens[start:end]))
        return sorted(texts, key=lambda text: text.rank), ended

    # ---- judging: verdicts by document number, in which twins are told by theirs

    def _judge(self, block: Block) -> dict[int, Verdict]:
        numbers = self._registry.add(block.documents, block.shas)
        words = block.words()
        self._recall(words.tokens, words.offsets)
        found = self._told(
            [numbers[place] for place in words.places],
            self._kept.judge(words.tokens, words.offsets, words.letters),
        )
        self._registry.put_texts(
            (numbers[place], block.documents[place].text)
            for place in words.places
            if found[numbers[place]].kind == NEW
        )
        return found

    def _judge_texts(self, texts: list[_Text]) -> dict[int, Verdict]:
        offsets = np.cumsum([0, *(len(text.tokens) for text in texts)])
        tokens = np.concatenate([text.tokens for text in texts])
        letters = np.array([text.letters for text in texts], "i8")
        self._recall(tokens, offsets)
        return self._told([text.number for text in texts], self._kept.judge(tokens, offsets, letters))

    def _recall(self, tokens: Array, offsets: Array) -> None:
        """Lets the archived documents stay that texts with these tokens may be copies of."""
        if self._memory is None:
            return
        found = [
            d for d in self._memory.near(tokens, offsets).documents if (d.id, d.source) not in self._recalled
        ]
        if found:
            self._recalled.update((document.id, document.source) for document in found)
            words = kernel.tokenise([document.text for document in found], jobs=self._plan.settings.jobs)
            letters = np.array([hash(document.text) for document in found], "i8")
            self._numbers += self._registry.archived(found)
            self._kept.hold(words.hashes, words.offsets, letters)

    def remember(self, pending: Callable[[str], object], wait: float) -> None:
        """Adds what stays to the index, as a pending run."""
        plan, run = self._plan, self._ledger.outcome.run
        if plan.index is not None and run is not None:
            pending(run)
            documents = (self._registry.document(number) for number in self._staying())
            jobs = plan.settings.jobs
            index.add(Path(plan.index), documents, run=run, again=True, wait=wait, jobs=jobs)

    def _staying(self) -> list[int]:
        return [number for number in self._ledger.staying() if number in self._worded]

    def _closed(self) -> Outcome:
        if self._plan.index is not None and (staying := self._staying()):
            names = hashlib.sha256(ascii(tuple(self._plan.options)).encode())
            for number in staying:
                names.update(self._registry.named(number))
            self._ledger.outcome.run = names.hexdigest()[:12]
        return self._ledger.close()

    def _told(self, numbers: list[int], verdicts: list[Verdict]) -> dict[int, Verdict]:
        pairs = list(zip(numbers, verdicts, strict=True))
        if self._memory is not None:
            self._worded.update(numbers)
        self._numbers += [number for number, verdict in pairs if verdict.kind == NEW]
        found = {}
        for number, verdict in pairs:
            if verdict.kind != NEW:
                self._registry.stays[number] = False
                found[number] = verdict._replace(twin=self._numbers[verdict.twin])
            else:
                holds = verdict.holds and tuple((self._numbers[held], share) for held, share in verdict.holds)
                found[number] = Verdict(NEW, number, holds=holds)
        return found

    def _cuts(self, preferred: list[int]) -> dict[int, list[Cut]]:
        """What is to be cut from the texts that stay; nothing from the reference."""
        registry, settings = self._registry, self._plan.settings
        order = [number for number in (*self._numbers, *preferred) if registry.is_kept(number)]
        rank = {number: place for place, number in enumerate(dict.fromkeys(order))}
        items = (Document(str(number), registry.text(number)) for number in sorted(rank))
        wanted = dataclasses.replace(settings, documents=False, passages=True)
        found = []
        for cluster in pipeline.run(items, wanted).passage_clusters:
            spans = [
                span for member in cluster.members for span in _units(member, cluster.period, settings.jobs)
            ]
            spans.sort(key=lambda span: (rank[span[0]], span[1]))
            protected = [span for span in spans if span[0] < registry.references]
            found.append(protected[:1] + [span for span in spans if span[0] >= registry.references])
        found.sort(key=lambda spans: (rank[spans[0][0]], spans[0][1], -spans[0][2]))
        return decide.cuts(found)


def _done(block: Block, verdicts: Future[dict[int, Verdict]]) -> tuple[Block, dict[int, Verdict]]:
    return block, verdicts.result()


def _parts(texts: list[_Text]) -> Iterator[list[_Text]]:
    """The texts in their order, in parts that are judged at once; as with blocks, later ones are larger."""
    part: list[_Text] = []
    before = filled = 0
    for text in texts:
        part.append(text)
        filled += len(text.tokens)
        if filled >= max(BLOCK // 8, before * GROWTH):
            yield part
            before, filled, part = before + filled, 0, []
    if part:
        yield part


def _units(member: PassageMember, period: int | None, jobs: int) -> list[decide.Span]:
    """A copy of a passage as spans of a document; one that repeats within itself as its first unit and the rest."""
    number, start, end = int(member.document), member.start, member.end
    if period is None:
        return [(number, start, end)]
    tokens = kernel.tokenise([member.text], spans=True, jobs=jobs)
    unit, rest = start + int(tokens.ends[period - 1]), start + int(tokens.starts[period])
    return [(number, start, unit), (number, rest, end)]


@contextmanager
def _readable_twice(stdin: BinaryIO | None, paths: tuple[str, ...]) -> Iterator[BinaryIO | None]:
    """Standard input, where it is asked for, as something that can be read twice."""
    if read.STDIN not in paths:
        yield stdin
        return
    source = _standard_input(stdin)
    with temporary("standard input") as copy:
        while chunk := source.read(1 << 20):
            with room("standard input"):
                copy.write(chunk)
        with room("standard input"):
            _rewind(copy)
        yield copy


def _standard_input(stdin: BinaryIO | None) -> BinaryIO:
    """Standard input, or what stands for it. Raises InputError where it is closed."""
    source = stdin or (sys.stdin and sys.stdin.buffer)
    if not source:
        raise InputError("-: standard input is closed")
    return source


def _rewind(stream: BinaryIO | None) -> None:
    if stream is not None and stream.seekable():
        stream.seek(0)
