"""The beginning of the data as markup, for readers without JavaScript: the same as the script makes of it.

Enters: the page's :class:`~dedup.report.html.data.Data`. Leaves: HTML, every text in it escaped.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from urllib.parse import quote

from ..figures import count
from .compare import Compared, Piece
from .data import Data, Strip
from .findings import Finding, Place

#: What a kind is called, and why the first of its places stands first.
KINDS = {
    "exact": (
        "identical",
        "The same text, letter for letter. Kept is the first in the order of the input.",
    ),
    "near": (
        "near copy",
        "Kept is a text that is no near copy of a longer one; of equal texts it is the first in the order of the input."
        " Each copy was compared with it.",
    ),
    "contained": ("contained", "Kept is the longer text: the others lie inside it."),
    "passage": (
        "passage",
        "The first is the most typical of them, of two the longer: each of the others was compared with it. A scan cuts"
        " nothing.",
    ),
    "periodic": ("periodic", "A text that repeats itself in a row: told once, not once for each copy."),
}
NAMED = 2  # places named where a finding is closed
PLACES = 12  # and where it is open, without JavaScript


def findings(data: Data, shown: int, listed: int) -> str:
    """The first findings whole, the next ones as a list of links' targets, and how many more there are."""
    whole = "\n".join(_finding(data, finding) for finding in data.findings[:shown])
    rest = data.findings[shown : shown + listed]
    if not rest:
        return whole
    lines = "".join(
        f'<li id="{escape(finding.anchor)}">{KINDS[finding.kind][0]}: <bdi>{escape(finding.title)}</bdi>'
        f' <small>{finding.facts} · {_names(data, finding.places)}</small></li>'
        for finding in rest
    )  # fmt: skip
    beyond = len(data.findings) - shown - len(rest)
    more = f"<p>and {count(beyond, 'more finding')}: they are shown with JavaScript</p>" if beyond else ""
    return (
        f"{whole}\n<details><summary>{count(len(rest), 'more finding')}, in brief</summary>"
        f'<ol class="brief">{lines}</ol>{more}</details>'
    )


def _finding(data: Data, finding: Finding) -> str:
    kind, why = KINDS[finding.kind]
    shown = min(len(finding.places), PLACES)
    places = "".join(f"<li>{_place(data, finding, number)}</li>" for number in range(shown))
    beyond = len(finding.places) - shown + finding.places_left
    left = f"<p>and {count(beyond, 'more place')}</p>" if beyond else ""
    return (
        f'<details class="finding" id="{escape(finding.anchor)}"><summary><span class="kind">{kind}</span>'
        f'<span class="said" dir="auto">{escape(finding.title)}</span><span class="facts">{finding.facts}</span>'
        f'<span class="where">{_names(data, finding.places)}</span></summary><div class="body">'
        f'<p class="why">{why}</p><ol class="places">{places}</ol>{left}{_sides(data, finding)}</div></details>'
    )


def _sides(data: Data, finding: Finding) -> str:
    """The first place, and beside it the first other one whose text is there."""
    first = finding.places[0]
    other = next((place for place in finding.places[1:] if place.view >= 0), None)
    view = finding.views[other.view if other else 0] if finding.views else Compared([], False)
    parts = [_side(data, first, view, 0)]
    if other:
        parts.append(_side(data, other, view, 1))
    return f'<div class="sides">{"".join(parts)}</div>'


def _side(data: Data, place: Place, view: Compared, side: int) -> str:
    own = ("del", "ins")[side]
    text = "".join(_piece(piece, side, own) for piece in view.pieces)
    end = '<span class="gap"> … shown as far as here</span>' if view.is_cut else ""
    before, after = place.before, place.after
    if not side:
        before, after = view.before or before, view.after or after
    body = (
        f'<span class="round">{escape(before)}</span><span class="passage">{text}{end}</span>'
        f'<span class="round">{escape(after)}</span>'
        if text
        else '<span class="gap">its text is not on this page</span>'
    )
    name = _name(data, place)
    return f'<section class="side"><h3>{name}</h3><p class="text" dir="auto">{body}</p></section>'


def _piece(piece: Piece, side: int, own: str) -> str:
    if isinstance(piece, int):
        return f'<span class="gap"> … {count(piece, "word")} … </span>'
    if isinstance(piece, str):
        return escape(piece)
    return f"<{own}>{escape(piece[side])}</{own}>" if piece[side] else ""


def _place(data: Data, finding: Finding, number: int) -> str:
    place = finding.places[number]
    is_kept = finding.anchor.startswith("d-")
    role = ("kept" if is_kept else "first") if number == 0 else ("copy" if is_kept else "")
    figures = f' <span class="figures">{place.figures}</span>' if place.figures else ""
    return f'<span class="role">{role}</span> {_name(data, place)}{figures}'


def _name(data: Data, place: Place) -> str:
    name, own, note = named(data, place)
    file = data.documents[place.document][0]
    href = data.files[file][1] if file >= 0 else ""
    href += place.words if href else ""
    shown = f"<bdi>{escape(name)}</bdi>"
    shown = f'<a href="{escape(href)}">{shown}</a>' if href else shown
    return f"{shown}{f' <bdi>{escape(own)}</bdi>' if own else ''}{note}"


def named(data: Data, place: Place) -> tuple[str, str, str]:
    """A place as ``path:line``, the id that a record has of its own, and the line in its text."""
    file, record, own = data.documents[place.document]
    if file < 0:
        return (f"{own}:{place.line}" if place.line else own), "", ""
    path = data.files[file][0]
    if not record:
        return (f"{path}:{place.line}" if place.line else path), own, ""
    return f"{path}:{record}", own, f", line {place.line:,} of its text" if place.line > 1 else ""


def _names(data: Data, places: list[Place]) -> str:
    shown = " · ".join(f"<bdi>{escape(named(data, place)[0])}</bdi>" for place in places[:NAMED])
    return shown + (f" and {len(places) - NAMED:,} more" if len(places) > NAMED else "")


def strips(data: Data, shown: Iterable[Strip]) -> str:
    """Documents as rows, each with its map."""
    rows = []
    for strip in shown:
        name, own, _ = named(data, Place(strip.document, 0, "", 0))
        label = f"<bdi>{escape(name)}</bdi>{f' <bdi>{escape(own)}</bdi>' if own else ''}"
        facts = " in ".join(filter(None, (strip.share, count(strip.findings, "finding"))))
        rows.append(
            f'<li><span class="name">{label}</span><span class="facts">{facts}</span>{_map(data, strip)}</li>'
        )
    return f'<ol class="strips">{"".join(rows)}</ol>'


def _map(data: Data, strip: Strip) -> str:
    """A document as a strip, with what repeats painted; what is a copy as a whole is pale."""
    anchors = {finding: data.findings[finding].anchor for *_, finding in strip.spans if finding >= 0}
    return painted(
        strip.length, ((start, end, anchors.get(finding, "")) for start, end, finding in strip.spans)
    )


def painted(length: int, spans: Iterable[tuple[int, int, str]]) -> str:
    """A text of so many code points as a strip, its spans painted; each leads to the anchor that it names, if any."""
    if not length:
        return ""
    bars = []
    for start, end, anchor in spans:
        kind = "whole" if end - start == length else "part"
        x, width = 1000 * start / length, max(1000 * (end - start) / length, 3)
        bar = f'<rect class="{kind}" x="{x:.1f}" y="0" width="{width:.1f}" height="14"/>'
        bars.append(f'<a href="#{quote(anchor)}" tabindex="-1">{bar}</a>' if anchor else bar)
    return (
        '<svg class="map" viewBox="0 0 1000 14" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        f'<rect class="ground" width="1000" height="14"/>{"".join(bars)}</svg>'
    )
