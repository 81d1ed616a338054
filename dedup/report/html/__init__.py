"""The result as one HTML page: nothing is fetched, nothing of a document can act, the size is bounded.

Enters: a ``Report``; where they can be had, the texts of its documents and what to link a path to. Leaves: a page
that is readable as it is and better with its script. One file a part: ``places`` (where repetition sits), ``data`` and
``findings`` (what the page holds), ``markup`` (the beginning of that as HTML), ``charts``, and ``page.html``,
``style.css`` and ``script.js``, which are put together here. The policy in the page allows this style and this script,
by their hashes, and nothing else.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from html import escape
from importlib.resources import files
from string import Template
from typing import BinaryIO

from ...model import Report
from ..figures import count, percent
from ..text import estimated, estimates
from .charts import charts
from .data import Data, gathered
from .encoding import encoded
from .findings import Link
from .markup import KINDS, findings, strips
from .places import Folder, Lengths, Survey, Texts, survey
from .shown import one_line

WHOLE = 40  # findings that are there without JavaScript, with their texts
LISTED = 2000  # and in brief
STRIPS = 8  # documents painted at first
FOLDERS = 8  # folders named
INPUTS = 200  # estimates, skipped inputs and empty documents named


def write(
    report: Report,
    stream: BinaryIO,
    texts: Texts | None = None,
    link: Link | None = None,
    lengths: Lengths | None = None,
) -> None:
    """Write the page. ``texts`` gives a document's text, or None; ``link`` the URL of a path, or None.

    ``lengths`` are those of all documents that were read; without them the texts are asked.
    """
    known = texts or (lambda document, source: None)
    found = survey(report, known, lengths)
    data = gathered(report, found, known, link or (lambda path: None))
    style, script = part("style.css"), part("script.js")
    stream.write(Template(part("page.html")).substitute(_filled(report, found, data, style, script)).encode())


def _filled(report: Report, found: Survey, data: Data, style: str, script: str) -> dict[str, str]:
    """What stands where in the page."""
    from ... import __version__

    summary = report.summary
    heading = "Nothing is proven" if report.estimates else "Nothing repeats"
    if data.findings:
        heading = f"{percent(summary.repeated_share)} of {count(summary.tokens, 'word')} repeated"
    embedded = {"kinds": KINDS, **data._asdict()}
    return {
        "policy": policy(style, script),
        "version": __version__,
        "title": f"dedup: {heading}",
        "style": style,
        "heading": heading,
        "lead": _lead(report),
        "tiles": _tiles(report),
        "left": _left(data),
        "charts": charts(found, summary),
        "places": _places(found, data),
        "count": count(len(data.findings), "finding") if data.findings else f"{heading}.",
        "findings": findings(data, WHOLE, LISTED),
        "others": _others(report),
        "footer": f"dedup {__version__} · {_settings(report)}",
        "data": encoded(embedded).decode(),
        "script": script,
    }


def part(name: str) -> str:
    """A part of the page, by the name of its file."""
    return files(__package__).joinpath(name).read_text("utf-8")


def policy(style: str, script: str | None = None) -> str:
    """The content-security policy that allows this style, this script and nothing else."""
    allowed = f"script-src {_hash(script)}; " if script else ""
    return f"default-src 'none'; style-src {_hash(style)}; {allowed}img-src data:; base-uri 'none'; form-action 'none'"


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _lead(report: Report) -> str:
    """In a sentence: what was read, and what of it could go."""
    summary = report.summary
    if not report.document_clusters and not report.passage_clusters:
        if report.estimates:
            return f"{estimates(report)}. They stand below."
        return f"{count(summary.documents, 'document')} read, {count(summary.tokens, 'word')}: nothing of it repeats."
    return (
        f"{count(summary.repeated_tokens, 'word')} in {count(summary.documents, 'document')} could go without losing"
        " a text: they lie in copies of documents, or in passages that stand earlier or elsewhere, too."
    )


def _tiles(report: Report) -> str:
    summary, settings = report.summary, report.settings
    clusters = f"in {count(summary.document_clusters, 'cluster')}"
    tiles = [("documents", f"{summary.documents:,}", f"{count(summary.characters, 'character')}")]
    tiles.append(
        ("copies of documents", f"{summary.duplicate_documents:,}", clusters)
        if settings.documents
        else ("copies of documents", "–", "not looked for")
    )
    tiles.append(
        ("repeated passages", f"{summary.passage_clusters:,}", f"of {settings.min_tokens:,} words and more")
        if settings.passages
        else ("repeated passages", "–", "not looked for")
    )
    tiles += [("empty", f"{summary.empty:,}", "documents without a word")] if summary.empty else []
    tiles += [("skipped", f"{summary.skipped:,}", "inputs that could not be read")] if summary.skipped else []
    return "".join(
        f"<div><dt>{name}</dt><dd>{value}<small>{note}</small></dd></div>" for name, value, note in tiles
    )


def _left(data: Data) -> str:
    """What the page does not hold; nothing where it holds all."""
    if not data.left:
        return ""
    items = "".join(f"<li>{sentence}</li>" for sentence in data.left)
    return (
        '<div class="note"><p><strong>Not all is on this page.</strong> The result as JSON holds everything.</p>'
        f"<ul>{items}</ul></div>"
    )


def _places(found: Survey, data: Data) -> str:
    if not found.documents:
        return "<p>Nowhere: nothing repeats.</p>"
    rows = "".join(_folder(folder, found.folders) for folder in found.folders[:FOLDERS])
    is_known = found.folders[0].length is not None
    told = (
        "How much of the text in each stands elsewhere too; the one that holds most of it first."
        if is_known
        else "What stands elsewhere too: how much of all of it lies in each."
    )
    folders = len(found.folders) - FOLDERS
    more = (
        f"<p class=more>and {count(folders, 'more folder or file', 'more folders and files')}</p>"
        if folders > 0
        else ""
    )
    documents = len(found.documents) - STRIPS
    beyond = (
        f'<p class="more" id="strips-left"{"" if documents > 0 else " hidden"}>'
        f"and {count(max(documents, 0), 'more document')}</p>"
    )
    painted = (
        "From first word to last: painted is what stands elsewhere too, paler what is a copy as a whole. A click leads"
        " to the finding."
        if any(strip.length for strip in data.strips)
        else "Those that hold most of what stands elsewhere too. How long they are is not known: nothing is painted."
    )
    return (
        '<div class="sits"><section aria-labelledby="folders"><h3 id="folders">Folders and files</h3>'
        f'<p class="quieter">{told}</p><ol class="strips">{rows}</ol>{more}</section>'
        '<section aria-labelledby="maps"><h3 id="maps">Documents</h3>'
        f'<p class="quieter">{painted}</p><label class="find" hidden>Find a document<input type="search"'
        ' id="find" placeholder="part of its name" autocomplete="off" spellcheck="false"></label>'
        f'<div id="strips" data-documents="{len(found.documents)}">{strips(data, data.strips[:STRIPS])}</div>{beyond}'
        "</section></div>"
    )


def _folder(folder: Folder, all: Sequence[Folder]) -> str:
    """A folder as a row: how much of its text repeats; if that is not known, its part of what repeats in all."""
    if folder.length is None:
        whole = sum(other.repeated for other in all)
        documents = count(folder.documents, "document")
    else:
        whole = folder.length
        documents = f"{folder.documents:,} of {count(folder.all or 0, 'document')}"
    share = min(folder.repeated / whole, 1.0) if whole else None
    facts = documents if share is None else f"{percent(share)} in {documents}"
    return (
        f'<li><span class="name"><bdi>{escape(one_line(folder.name))}</bdi></span><span class="facts">{facts}</span>'
        '<svg class="map" viewBox="0 0 1000 14" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        '<rect class="ground" width="1000" height="14"/>'
        f'<rect class="bar" width="{1000 * (share or 0):.1f}" height="14"/></svg></li>'
    )


def _others(report: Report) -> str:
    """Estimates, the inputs that were passed over, and the documents without a word."""
    guessed = [
        f"<bdi>{escape(one_line(''.join(text for text, _ in estimated(estimate))))}</bdi>"
        for estimate in report.estimates or ()
    ]
    skipped = [
        f"<bdi>{escape(one_line(entry.source))}</bdi>: {escape(one_line(entry.reason))}"
        for entry in report.skipped
    ]
    empty = [f"<bdi>{escape(one_line(entry.document))}</bdi>" for entry in report.empty_documents]
    return (
        _listed("estimates", estimates(report), guessed)
        + _listed("skipped", f"{count(len(skipped), 'input')} skipped", skipped)
        + _listed("empty", f"{count(len(empty), 'document')} without a word", empty)
    )


def _listed(name: str, title: str, items: list[str]) -> str:
    if not items:
        return ""
    left = len(items) - INPUTS
    more = f"<p>and {left:,} more</p>" if left > 0 else ""
    lines = "".join(f"<li>{item}</li>" for item in items[:INPUTS])
    return (
        f'<section id="{name}"><h2>{title}</h2><details><summary>Show them</summary>'
        f'<ul class="inputs">{lines}</ul>{more}</details></section>'
    )


def _settings(report: Report) -> str:
    return ", ".join(f"{name} {str(value).lower()}" for name, value in report.settings.to_dict().items())
