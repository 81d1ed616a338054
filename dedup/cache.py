"""Cache: the report on a corpus that has been looked at before is read back instead of made again.

Enters: documents on their way to the pipeline. Leaves: the report on them, equal to the one that the pipeline makes.

What is kept is the whole report, under a key of everything that shapes it: the code of this package, the kernel, the
settings, every id, place and text in order, every input that was skipped. Files are always read; nothing is concluded
from their times. A check of 10,000 files, 30 MB, takes .9 s of processor time where nothing changed, 1.7 s where one
file did, and 1.6 s without a cache. Nothing smaller than a report is kept. Tokens and signatures depend on one text
alone, but take a tenth of that time, most of it while the next file is read. The rest depends on the corpus as a whole:
words seed a passage only where they are rare in it, and one changed text may change what two others share.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
import unicodedata
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import fields
from itertools import accumulate
from operator import attrgetter
from pathlib import Path
from typing import Any

import orjson

from . import __version__, kernel
from .collect import Reread
from .model import (
    Document,
    DocumentCluster,
    DocumentMember,
    EmptyDocument,
    PassageCluster,
    PassageMember,
    Report,
    Settings,
    Skipped,
    Source,
    Summary,
)
from .pipeline import Progress, run
from .text import Archive
from .write.atomic import is_part, whole_file

KEPT = 8  # reports in a cache
ROOM = 1 << 28  # bytes that they may take together, but for the latest one

_SUFFIX = ".report"
_REPORT = re.compile(rf"[0-9a-f]{{64}}{re.escape(_SUFFIX)}")
_TAG = """\
Signature: 8a477f597d28d172789f06886806bc55
# A cache of dedup, which can be deleted at any time. What the line above means: bford.info/cachedir
"""
_TAGGED = "CACHEDIR.TAG"
_AROUND = {_TAGGED: _TAG, ".gitignore": "*\n"}


def cached_run(
    items: Iterable[Document | Skipped],
    settings: Settings,
    folder: str | None,
    progress: Progress | None = None,
    again: Reread | None = None,
    archive: Archive | None = None,
) -> Report:
    """The report of :func:`dedup.pipeline.run`, from the cache in ``folder`` where it holds it, and put there if not.

    What depends on an ``archive`` is not kept. Raises what that raises. A cache that cannot be read or written is a
    warning at most, and so is a folder that is none; None is no cache. Cost beyond that of the run: a hash of all
    text, and the writing of the report.
    """
    why_not = None if folder is None else _why_not(folder)
    if why_not is not None:
        warnings.warn(f"{folder}: {why_not}, and is not used; --no-cache does without", stacklevel=2)
    if folder is None or why_not is not None or archive is not None:
        return run(items, settings, progress, again, archive=archive)
    cache, corpus = Cache(folder), Key(settings)

    def recall() -> Report | None:
        return cache.report(corpus.digest(), settings, corpus.fits)

    report = run(corpus.of(items), settings, progress, again, recall)
    cache.store(corpus.digest(), report)
    return report


class Key:
    """What a report is kept under, made while the documents pass by."""

    def __init__(self, settings: Settings) -> None:
        shaping = (__version__, kernel.name(), unicodedata.unidata_version, _code(), settings.to_dict())
        self._hash = hashlib.sha256(ascii(shaping).encode())
        self._lengths: dict[tuple[str, Source], int] = {}  # of the texts, in code points
        self._skipped: list[Skipped] = []

    def of(self, items: Iterable[Document | Skipped]) -> Iterator[Document | Skipped]:
        """The items, as they are."""
        for item in items:
            if isinstance(item, Document):
                text = item.text.encode("utf-8", "surrogatepass")
                self._hash.update(ascii((item.id, *item.source, len(text))).encode())
                self._hash.update(text)
                self._lengths[item.id, item.source] = len(item.text)
            else:
                self._hash.update(ascii(tuple(item)).encode())
                self._skipped.append(item)
            yield item

    def digest(self) -> str:
        """64 hexadecimal digits for the settings and the items so far."""
        return self._hash.hexdigest()

    def fits(self, report: Report) -> bool:
        """Whether a report speaks of these items: it names no other one, and no place outside of a text.

        A report that somebody put into the cache can so have no other files read, which happens where it says.
        Raises TypeError for one that holds other types than it should.
        """
        members: list[tuple[EmptyDocument | DocumentMember | PassageMember, int, int]] = [
            *((document, 0, 0) for document in report.empty_documents),
            *((member, 0, 0) for cluster in report.document_clusters for member in cluster.members),
            *((m, m.start, m.end) for cluster in report.passage_clusters for m in cluster.members),
        ]
        return report.skipped == tuple(self._skipped) and all(
            0 <= start <= end <= self._lengths.get((member.document, member.source), -1)
            for member, start, end in members
        )


@functools.cache
def _code() -> str:
    """A digest of this package's files: while it is worked on, its version says nothing."""
    package = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*")):
        if path.suffix in (".py", ".so", ".pyd"):
            content = path.read_bytes()
            digest.update(ascii((path.relative_to(package).parts, len(content))).encode())
            digest.update(content)
    return digest.hexdigest()


class Cache:
    """Reports in a folder, by key; the latest few of them.

    Several processes may use it at once: an entry appears whole, and one that is not what its checksum says is none.
    The checksum is against accidents: who can write the folder can write a report, so it must not come with the inputs.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._held: set[str] = set()  # keys that were read or written here

    def report(self, key: str, settings: Settings, fits: Callable[[Report], bool]) -> Report | None:
        """The report of this key if it is there, undamaged, and ``fits``.

        ``settings``, which the key holds too, stand in it.
        """
        path = self._path(key)
        try:
            with open(path, "rb") as file:
                checksum, _, content = file.read().partition(b"\n")
            if checksum != _checksum(key, content):
                return None
            report = _decoded(orjson.loads(content), settings)
            if not fits(report):
                return None
        except (OSError, ValueError, TypeError, RecursionError):  # none, or nothing that was written here
            return None
        self._held.add(key)
        with suppress(OSError):
            os.utime(path)  # those that were of use last are kept
        return report

    def store(self, key: str, report: Report) -> None:
        """Keeps a report, unless it is there or holds a lone surrogate. Warns if the folder cannot be written."""
        if key in self._held:
            return
        try:
            content = _encoded(report)
        except orjson.JSONEncodeError:
            return
        path = self._path(key)
        try:
            self._prepare()
            if os.path.islink(path):  # which a file that appears under this name would follow
                os.unlink(path)
            with whole_file(path, lasting=False) as file:
                file.write(_checksum(key, content) + b"\n")
                file.write(content)
            self._held.add(key)
            self._make_room()
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            warnings.warn(f"{self._folder}: the cache cannot be written: {why}", RuntimeWarning, stacklevel=2)

    def _path(self, key: str) -> str:
        return os.path.join(self._folder, f"{key}{_SUFFIX}")

    def _prepare(self) -> None:
        """The folder, with the files that tell others to leave it alone."""
        os.makedirs(self._folder, exist_ok=True)
        for name, content in _AROUND.items():
            path = os.path.join(self._folder, name)
            if not os.path.lexists(path):
                with whole_file(path, lasting=False) as file:
                    file.write(content.encode())

    def _make_room(self) -> None:
        """Removes all but the latest entries; what an interrupted process left unfinished counts as one.

        Nothing else that somebody put here is touched.
        """
        states = []
        for name in os.listdir(self._folder):
            path = os.path.join(self._folder, name)
            with suppress(FileNotFoundError):  # another process was faster, here and below
                if _REPORT.fullmatch(name) or is_part(name):
                    states.append((path, os.lstat(path)))
        states.sort(key=lambda pair: pair[1].st_mtime_ns, reverse=True)
        sizes = accumulate(state.st_size for _, state in states)
        for rank, ((path, _), size) in enumerate(zip(states, sizes, strict=True)):
            if rank and (rank >= KEPT or size > ROOM):
                with suppress(FileNotFoundError):
                    os.unlink(path)


def _why_not(folder: str) -> str | None:
    """Why a folder is not to be used, None if it may be: it is this package's by its tag, or is there for anyone.

    A repository may hold a link of this name, and a user other things.
    """
    if os.path.islink(folder):
        return "is a link"
    try:
        names = os.listdir(folder)
    except OSError:  # none, no directory, or not to be listed: what cannot be written is told then
        return None
    if all(map(is_part, names)):  # empty, or another process is just about to write the tag
        return None
    try:
        with open(os.path.join(folder, _TAGGED), encoding="ascii") as file:
            is_ours = file.read(len(_TAG) + 1) == _TAG
    except (OSError, ValueError):
        is_ours = False
    return None if is_ours else f"is no cache of dedup (it has no {_TAGGED} of one)"


def _checksum(key: str, content: bytes) -> bytes:
    return hashlib.sha256(key.encode() + content).hexdigest().encode()


# ---- reports as rows -------------------------------------------------------------------------------------------


_CLASSES = (Summary, EmptyDocument, DocumentCluster, DocumentMember, PassageCluster, PassageMember)
_VALUES: dict[type, Callable[[Any], tuple[Any, ...]]] = {
    Source: lambda source: source[:3],  # no result that speaks of an index is kept
    Skipped: tuple,
    **{kind: attrgetter(*(field.name for field in fields(kind))) for kind in _CLASSES},
}


def _encoded(report: Report) -> bytes:
    """The report without its settings. Raises orjson.JSONEncodeError for a lone surrogate."""
    parts = report.summary, report.skipped, report.empty_documents, report.document_clusters
    return orjson.dumps(
        (*parts, report.passage_clusters),
        default=lambda value: _VALUES[type(value)](value),
        option=orjson.OPT_PASSTHROUGH_DATACLASS,
    )


def _decoded(rows: list[Any], settings: Settings) -> Report:
    """The report whose rows these are. Raises ValueError or TypeError for anything else."""
    summary, skipped, empty, documents, passages = rows
    return Report(
        settings,
        Summary(*summary),
        tuple(Skipped(*row) for row in skipped),
        tuple(EmptyDocument(id, Source(*source)) for id, source in empty),
        tuple(
            DocumentCluster(
                id, kind, kept, tuple(DocumentMember(name, Source(*at), *rest) for name, at, *rest in members)
            )
            for id, kind, kept, members in documents
        ),
        tuple(
            PassageCluster(
                id,
                tokens,
                similarity,
                period,
                tuple(PassageMember(name, Source(*at), *rest) for name, at, *rest in members),
            )
            for id, tokens, similarity, period, members in passages
        ),
    )
