"""From documents to a report: they are collected while they are read, and then compared (:mod:`dedup.stages`).

Enters: documents and settings. Leaves: a ``Report``. The door for Python code, and for every command that compares.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from .collect import Collector, Reread
from .errors import InputError
from .model import Document, Report, Settings, Skipped, Source

if TYPE_CHECKING:
    from .text import Archive

#: Called with the stage's name, what is done, and the total where it is known.
Progress = Callable[[str, int, int | None], None]


def scan(documents: Any, /, *, text: str = "text", id: str | None = None, **settings: Any) -> Report:
    """Finds duplicate documents and repeated passages.

    ``documents`` are pairs ``(id, text)``, :class:`Document` objects, or one object with the Arrow C stream
    interface (a polars or pandas frame, a pyarrow table, a DuckDB relation) whose columns ``text`` and ``id``
    name. ``settings`` are the fields of :class:`Settings`. Raises SettingsError for a setting out of range and
    InputError for something that is not a document. Time is about linear in the text.

    >>> line = "it rained for the whole of the afternoon and nobody at the harbour minded in the least"
    >>> report = scan([
    ...     ("a", f"Monday began with a parade, a speech and two marching bands. Then {line}."),
    ...     ("b", f"The mayor, who had come by bicycle as always, told us with a smile that {line}."),
    ... ])
    >>> [member.text == line for member in report.passage_clusters[0].members]
    [True, True]
    """
    checked = Settings.of(settings)
    if hasattr(documents, "__arrow_c_stream__"):
        from .read.arrow import frame_documents

        return run(frame_documents(documents, text, id), checked)
    return run(_given(documents), checked)


def _given(documents: Iterable[Any]) -> Iterable[Document | Skipped]:
    if isinstance(documents, str | bytes) or not isinstance(documents, Iterable):
        raise InputError(
            f"documents is {type(documents).__name__}; expected pairs (id, text), Documents, or a data frame"
        )
    for number, item in enumerate(documents):
        if isinstance(item, Skipped):
            yield item
            continue
        parts = item[:2] if isinstance(item, Document) else item
        if not isinstance(parts, tuple | list) or len(parts) != 2:
            raise InputError(f"document {number} is {type(item).__name__}; expected (id, text) or Document")
        for name, part in zip(("id", "text"), parts, strict=True):
            if not isinstance(part, str):
                raise InputError(f"the {name} of document {number} is {type(part).__name__}; expected str")
        yield item if isinstance(item, Document) else Document(parts[0], parts[1], Source())


def run(
    items: Iterable[Document | Skipped],
    settings: Settings,
    progress: Progress | None = None,
    again: Reread | None = None,
    recall: Callable[[], Report | None] | None = None,
    archive: Archive | None = None,
) -> Report:
    """The report on all documents of ``items``; what was skipped on the way is in it.

    With an ``archive`` they are compared with its documents, too, which come first in every cluster. Texts that
    ``again`` can read again are not held where none of them is likely to be shown. ``recall`` is asked, once all is
    read, for a report that is known already.
    """
    tell = progress or (lambda stage, done, total: None)
    collector, skipped = _read(items, settings, tell, None if settings.passages else again)
    known = recall() if recall else None
    if known is not None:
        return known
    from . import stages  # with NumPy: it is loaded while the tokeniser's threads are still at work

    return stages.compared(collector, skipped, settings, tell, archive)


def _read(
    items: Iterable[Document | Skipped], settings: Settings, tell: Progress, again: Reread | None
) -> tuple[Collector, list[Skipped]]:
    skipped: list[Skipped] = []
    collector = Collector(settings.jobs, again)
    for count, item in enumerate(items, 1):
        if isinstance(item, Document):
            collector.add(item)
            if count % 1024 == 0:
                tell("reading", count, None)
        else:
            skipped.append(item)
    return collector, skipped
