"""The gate's verdict for the log of GitHub Actions: the text for people, and annotations at the changed lines.

Enters: a ``Verdict``; the environment's ``GITHUB_STEP_SUMMARY``, a file for Markdown. Leaves: the text and
workflow commands on a stream. GitHub shows ten annotations of a kind for each step (actions/toolkit,
``problem-matchers.md``): where there are more, the summary lists all.
"""

from __future__ import annotations

import io
import os
from hashlib import blake2b
from typing import BinaryIO

from ..verdict import Verdict
from . import markdown, verdict_text
from .figures import count
from .finding import RULES, Shown, message, shown
from .place import region
from .visible import visible

ANNOTATIONS = 10
SUMMARY = 1_000_000  # bytes of the summary; GitHub refuses one above 1 MiB a step
_NEEDED = 50_000  # bytes of room below which nothing is added to it


def write(verdict: Verdict, stream: BinaryIO, *, width: int, known: bool) -> None:
    """Write text and annotations; errors if the gate failed, else warnings."""
    stream.write(_inert(_text(verdict, width, known)))
    entries = shown(verdict, known=known)
    level = "warning" if verdict.gate.passed else "error"
    for entry in entries[:ANNOTATIONS]:
        stream.write(_annotation(level, entry))
    left = len(entries) - ANNOTATIONS
    if left > 0:
        place = "the job summary lists them" if _summarised(verdict, known) else "the log lists them"
        stream.write(_command("notice", {}, f"{count(left, 'more finding')}: {place}"))


def _text(verdict: Verdict, width: int, known: bool) -> bytes:
    stream = io.BytesIO()
    verdict_text.write(verdict, stream, color=False, width=width, known=known, suppressed=False)
    return stream.getvalue()


def _inert(text: bytes) -> bytes:
    """The text, in which the runner obeys no command: a document may hold ``::add-mask::`` or ``##[error]``.

    The word that ends this is a hash of the text, which no text can hold; it is the same each time.
    """
    token = blake2b(text, digest_size=16).hexdigest().encode()
    return b"::stop-commands::" + token + b"\n" + text + b"::" + token + b"::\n"


def _annotation(level: str, entry: Shown) -> bytes:
    finding = entry.finding
    lines = region(finding)
    properties = {"file": finding.path, "line": str(lines.line), "endLine": str(lines.end_line)}
    if lines.line == lines.end_line and lines.column is not None:  # GitHub takes columns of one line only
        properties |= {"col": str(lines.column), "endColumn": str(lines.end_column)}
    properties["title"] = RULES[finding.rule].title
    return _command(level, properties, visible(message(finding)))


def _command(name: str, properties: dict[str, str], data: str) -> bytes:
    named = ",".join(f"{key}={_escaped(value, ':,')}" for key, value in properties.items())
    line = f"::{name} {named}::{_escaped(data)}\n" if named else f"::{name}::{_escaped(data)}\n"
    return line.encode("utf-8", "replace")


def _escaped(text: str, more: str = "") -> str:
    """What would end a command or a property, percent-encoded."""
    for character in f"%\r\n{more}":
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def _summarised(verdict: Verdict, known: bool) -> bool:
    """Whether the verdict was added to the summary; where it cannot be, the log has to do."""
    file = os.environ.get("GITHUB_STEP_SUMMARY")
    if not file:
        return False
    try:
        with open(file, "ab") as summary:
            room = SUMMARY - summary.tell()
            if room < _NEEDED:
                return False
            summary.write(markdown.rendered(verdict, room, known=known))
    except OSError:
        return False
    return True
