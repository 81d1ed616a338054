"""Report: a result becomes bytes, in one of several formats, one file each.

Enters: a ``Report`` and a binary stream. Leaves: UTF-8 on that stream, the same bytes for the same report
(with ``text``, for the same width and colour too). Nothing is imported before a format is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, BinaryIO

from ..errors import SettingsError
from ..model import Report, Source

if TYPE_CHECKING:
    from ..comparison import Comparison
    from ..verdict import Verdict

FORMATS = ("text", "json", "jsonl", "markdown", "csv", "html")
CHECK_FORMATS = ("text", "json", "sarif", "github", "gitlab", "junit", "markdown")
SAVED_FORMATS = ("text", "json", "gitlab", "junit", "markdown")  # of a verdict that was read from its JSON
DIFF_FORMATS = ("text", "json", "html")
WIDTH = 100


def write(
    report: Report,
    format: str,
    stream: BinaryIO,
    *,
    color: bool = False,
    width: int = WIDTH,
    texts: Callable[[str, Source], str | None] | None = None,
    link: Callable[[str], str | None] | None = None,
    lengths: Iterable[tuple[tuple[str, Source], int]] | None = None,
) -> None:
    """Write a report. ``color`` and ``width`` (in terminal columns) matter to ``text`` only.

    ``texts``, ``link`` and ``lengths`` matter to ``html`` only. The first two give the text of a document, by its id
    and source, and the URL of a path, each None where there is none; ``lengths`` are the code points of every document
    that was read, with its id and source. Without texts it shows passages alone, and no copies of documents; without
    lengths it asks the texts, and does not know how much of a folder repeats.
    """
    if format == "text":
        from . import text

        text.write(report, stream, color=color, width=width)
    elif format == "json":
        from . import json

        json.write(report, stream)
    elif format == "jsonl":
        from . import jsonl

        jsonl.write(report, stream)
    elif format == "markdown":
        from . import clusters_markdown

        clusters_markdown.write(report, stream)
    elif format == "csv":
        from . import csv

        csv.write(report, stream)
    elif format == "html":
        from . import html

        html.write(report, stream, texts, link, lengths)
    else:
        raise SettingsError(f"format is {format!r}; expected one of {', '.join(FORMATS)}")


def write_verdict(
    verdict: Verdict,
    format: str,
    stream: BinaryIO,
    *,
    color: bool = False,
    width: int = WIDTH,
    show_known: bool = False,
    show_suppressed: bool = False,
) -> None:
    """Write what the gate said: the findings that are new, and only those unless more is asked for.

    ``show_known`` adds those that are known, moved or edited, in every format: the gate may fail for them. The
    ones that are suppressed are shown by ``text`` and ``sarif`` with ``show_suppressed``. ``json`` always holds
    all. ``color`` matters to ``text`` only, ``width`` (in terminal columns) to ``text`` and ``github``.
    """
    if format == "text":
        from . import verdict_text

        verdict_text.write(
            verdict, stream, color=color, width=width, known=show_known, suppressed=show_suppressed
        )
    elif format == "json":
        from . import json

        json.write_verdict(verdict, stream)
    elif format == "sarif":
        from . import sarif

        sarif.write(verdict, stream, known=show_known, suppressed=show_suppressed)
    elif format == "github":
        from . import github

        github.write(verdict, stream, width=width, known=show_known)
    elif format == "gitlab":
        from . import gitlab

        gitlab.write(verdict, stream, known=show_known)
    elif format == "junit":
        from . import junit

        junit.write(verdict, stream, known=show_known)
    elif format == "markdown":
        from . import markdown

        markdown.write(verdict, stream, known=show_known)
    else:
        raise SettingsError(f"format is {format!r}; expected one of {', '.join(CHECK_FORMATS)}")


def write_comparison(
    found: Comparison,
    format: str,
    stream: BinaryIO,
    *,
    color: bool = False,
    width: int = WIDTH,
    link: Callable[[str], str | None] | None = None,
) -> None:
    """Write how two documents compare. ``color`` and ``width`` (in terminal columns) matter to ``text`` only.

    ``link`` matters to ``html`` only: it gives the URL of a path, or None.
    """
    if format == "text":
        from . import diff_text

        diff_text.write(found, stream, color=color, width=width)
    elif format == "json":
        from . import diff_json

        diff_json.write(found, stream)
    elif format == "html":
        from . import diff_html

        diff_html.write(found, stream, link)
    else:
        raise SettingsError(f"format is {format!r}; expected one of {', '.join(DIFF_FORMATS)}")


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) that every ``json`` result meets."""
    return _schema("schema.json")


def diff_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) that every comparison written as ``json`` meets."""
    return _schema("diff.schema.json")


def _schema(name: str) -> dict[str, Any]:
    import json as standard_json
    from importlib.resources import files

    loaded: dict[str, Any] = standard_json.loads(files(__package__).joinpath(name).read_text("utf-8"))
    return loaded
