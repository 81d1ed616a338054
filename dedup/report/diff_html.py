"""Two documents beside each other as one HTML page: no script, nothing from elsewhere, light and dark.

Enters: a ``Comparison``. Leaves: UTF-8, in the style of the page of a scan (:mod:`dedup.report.html`). All that is not
ours passes :func:`_shown`, so that no text becomes markup; the content-security policy allows the one style sheet in
the page, by its hash, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from typing import BinaryIO

from ..comparison import CONTAINED, DIFFERENT, EXACT, LABELS, NEAR, Comparison, SharedMember, SharedPassage
from ..model import Source
from .aligned import Run, runs, shortened
from .diff_text import PASSAGES, PLACES, extent_of, facts, place
from .excerpt import Word, joined
from .explain import verdict
from .figures import count, percent
from .html import part, policy
from .html.findings import Link, directive
from .html.markup import painted
from .html.shown import one_line
from .page import Piece
from .text import named

#: What the two are, as a title.
TITLES = {
    EXACT: "The same text twice",
    NEAR: "Near copies",
    CONTAINED: "One is contained in the other",
    DIFFERENT: "Not copies",
    None: "Two documents",
}


def write(found: Comparison, stream: BinaryIO, link: Link | None = None) -> None:
    """Write the page. ``link`` gives the URL of a path, or None."""
    for section in _page(found, link or (lambda path: None)):
        stream.write(f"{section}\n".encode())


def _page(found: Comparison, link: Link) -> Iterator[str]:
    style, title = part("style.css"), TITLES[found.relation]
    yield f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy(style)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>dedup diff: {title}</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
<main>
<section aria-labelledby="title">
<h1 id="title">{title}</h1>
<p class="lead">{_shown(verdict(found))}</p>
<ol class="strips">{"".join(_document(found, number, link) for number in (0, 1))}</ol>
</section>
<section aria-labelledby="figures">
<h2 id="figures">Figures</h2>
<table class="figures-of">"""
    for name, told in facts(found):
        yield f'<tr><th scope="row">{name}</th><td>{_shown(told)}</td></tr>'
    yield "</table>\n</section>"
    if found.passages:
        yield from _passages(found, link)
    yield "</main>\n</body>\n</html>"


def _document(found: Comparison, number: int, link: Link) -> str:
    """One of the two, and where the passages stand in it."""
    side = found.sides[number]
    spans = [
        (member.start, member.end, f"passage-{passage}")
        for passage, shared in enumerate(found.passages[:PASSAGES], 1)
        for member in shared.members
        if member.side == number
    ]
    name = _linked(_name(named(side.source, side.document)), side.source, link)
    extent = f"{count(side.tokens, 'word')} · {count(side.characters, 'character')}"
    return (
        f'<li><span class="name">{LABELS[number]}: {name}</span>'
        f'<span class="facts">{extent}</span>{painted(side.characters, sorted(spans))}</li>'
    )


def _passages(found: Comparison, link: Link) -> Iterator[str]:
    yield '<section aria-labelledby="passages">\n<h2 id="passages">What stands in both</h2>'
    for number, passage in enumerate(found.passages[:PASSAGES], 1):
        yield f'<section class="shared" id="passage-{number}"><h3>Passage {number}: {extent_of(passage)}</h3>'
        yield from _passage(found, passage, link)
        yield "</section>"
    if len(found.passages) > PASSAGES:
        yield f"<p>and {count(len(found.passages) - PASSAGES, 'more passage')}</p>"
    yield "</section>"


def _passage(found: Comparison, passage: SharedPassage, link: Link) -> Iterator[str]:
    a, b = passage.pair
    aligned = shortened(runs(a.text, b.text))
    texts = (
        _text(((run, run.old) for run in aligned), "del"),
        _text(((run, run.new) for run in aligned), "ins"),
    )
    sides = "".join(
        f'<section class="side"><h4>{_place(found, member, link)}</h4><p class="text" dir="auto">{text}</p></section>'
        for member, text in zip((a, b), texts, strict=True)
    )
    legend = "<p class=legend><del>only in A</del> <ins>only in B</ins></p>"
    yield f'<div class="sides">{sides}{"" if all(run.is_same for run in aligned) else legend}</div>'
    others = [member for member in passage.members if member not in (a, b)]
    if others:
        items = "".join(f"<li>{_place(found, member, link)}</li>" for member in others[:PLACES])
        left = len(others) - PLACES
        more = f"<li>and {count(left, 'more place')}</li>" if left > 0 else ""
        yield f"<p>Also in:</p><ul>{items}{more}</ul>"


def _text(parts: Iterable[tuple[Run, list[Word]]], mark: str) -> str:
    """One of the two texts, with marks round what only it has."""
    out: list[str] = []
    for run, words in parts:
        space = " " if out and (run.note or (words and words[0].spaced)) else ""
        if run.note:
            out.append(f'{space}<span class="gap">{_shown(run.note)}</span>')
        elif words:
            text = _shown(joined(words))
            out.append(f"{space}{text}" if run.is_same else f"{space}<{mark}>{text}</{mark}>")
    return "".join(out)


def _place(found: Comparison, member: SharedMember, link: Link) -> str:
    note = "" if member.similarity is None else f", {percent(member.similarity)} alike"
    name = _linked(_name(place(found, member)), found.sides[member.side].source, link, member.text)
    return f"{LABELS[member.side]}: {name}{note}"


def _linked(name: str, source: Source, link: Link, text: str = "") -> str:
    """A name that leads to the file, in a file of text to the words."""
    url = link(source.path) if source.path else None
    words = directive(text) if text and source.line is None else ""
    return f'<a href="{escape(url + words)}">{name}</a>' if url else name


def _name(pieces: Iterable[Piece]) -> str:
    return f"<bdi>{_shown(''.join(text for text, _ in pieces))}</bdi>"


def _shown(text: str) -> str:
    """A text that is not ours: nothing in it is markup, hides, piles up or has no end."""
    return escape(one_line(text))
