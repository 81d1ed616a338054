"""Two documents beside each other as one HTML page: no script, nothing from elsewhere, light and dark.

Enters: a ``Comparison``. Leaves: UTF-8. All that is not ours passes :func:`_shown`, so that no text becomes markup; the
content-security policy allows the one style sheet in the page, by its hash, and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator
from html import escape
from typing import BinaryIO

from ..comparison import LABELS, Comparison, SharedMember, SharedPassage
from .aligned import Run, runs, shortened
from .diff_text import PASSAGES, PLACES, extent_of, facts, place
from .excerpt import Word, joined
from .explain import verdict
from .figures import count, percent
from .page import Piece
from .text import named
from .visible import visible

_STYLE = """
:root { color-scheme: light dark; --line: #8a8f98; --faint: #5b616b; --old: #ffe0dc; --new: #d5f3da; }
@media (prefers-color-scheme: dark) { :root { --faint: #a9b0bb; --old: #5a2723; --new: #1f4a2a; } }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 75rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; }
th, td { border: 1px solid var(--line); padding: .3rem .6rem; text-align: start; vertical-align: top; }
.texts td { width: 50%; overflow-wrap: anywhere; contain: paint; }
td, li { overflow-wrap: anywhere; }
del { background: var(--old); } ins { background: var(--new); }
.faint { color: var(--faint); }
@media (max-width: 40rem) { .texts td, .texts th { display: block; width: auto; } }
@media print { del, ins { background: none; } }
"""
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'"


def write(found: Comparison, stream: BinaryIO) -> None:
    """Write the page."""
    for part in _page(found):
        stream.write(f"{part}\n".encode())


_HEAD = f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>dedup diff</title>
<style>{_STYLE}</style>
</head>
<body><main>"""


def _page(found: Comparison) -> Iterator[str]:
    yield _HEAD
    yield f"<h1>Two documents</h1><p>{_shown(verdict(found))}</p>"
    yield '<table><tr><th scope="col"></th><th scope="col">document</th><th scope="col">length</th></tr>'
    for label, side in zip(LABELS, found.sides, strict=True):
        extent = f"{count(side.tokens, 'word')}, {count(side.characters, 'character')}"
        name = _name(named(side.source, side.document))
        yield f'<tr><th scope="row">{label}</th><td>{name}</td><td>{extent}</td></tr>'
    yield "</table><h2>Figures</h2><table>"
    for name, told in facts(found):
        yield f'<tr><th scope="row">{name}</th><td>{_shown(told)}</td></tr>'
    yield "</table>"
    for number, passage in enumerate(found.passages[:PASSAGES], 1):
        yield f"<h2>Passage {number}: {extent_of(passage)}</h2>"
        yield from _passage(found, passage)
    if len(found.passages) > PASSAGES:
        left = len(found.passages) - PASSAGES
        yield f"<p>and {count(left, 'more passage')}</p>"
    yield "</main></body></html>"


def _passage(found: Comparison, passage: SharedPassage) -> Iterator[str]:
    a, b = passage.pair
    aligned = shortened(runs(a.text, b.text))
    heads = "".join(f'<th scope="col">{_place(found, member)}</th>' for member in (a, b))
    old = _text(((run, run.old) for run in aligned), "del")
    new = _text(((run, run.new) for run in aligned), "ins")
    yield f'<table class="texts"><tr>{heads}</tr><tr><td dir="auto">{old}</td><td dir="auto">{new}</td></tr></table>'
    others = [member for member in passage.members if member not in (a, b)]
    if others:
        items = "".join(f"<li>{_place(found, member)}</li>" for member in others[:PLACES])
        left = len(others) - PLACES
        more = f"<li>and {count(left, 'more place')}</li>" if left > 0 else ""
        yield f"<p>Also in:</p><ul>{items}{more}</ul>"


def _text(parts: Iterable[tuple[Run, list[Word]]], mark: str) -> str:
    """One of the two texts, with marks round what only it has."""
    out: list[str] = []
    for run, words in parts:
        space = " " if out and (run.note or (words and words[0].spaced)) else ""
        if run.note:
            out.append(f'{space}<span class="faint">{_shown(run.note)}</span>')
        elif words:
            text = _shown(joined(words))
            out.append(f"{space}{text}" if run.is_same else f"{space}<{mark}>{text}</{mark}>")
    return "".join(out)


def _place(found: Comparison, member: SharedMember) -> str:
    note = "" if member.similarity is None else f", {percent(member.similarity)} alike"
    return f"{LABELS[member.side]}: {_name(place(found, member))}{note}"


def _name(pieces: Iterable[Piece]) -> str:
    return f"<bdi>{_shown(''.join(text for text, _ in pieces))}</bdi>"


def _shown(text: str) -> str:
    """A text that is not ours: nothing in it is markup, and nothing hides."""
    return escape(visible(text))
