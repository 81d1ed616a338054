"""The gate's verdict for a person, in a terminal or the log of a build.

Enters: a ``Verdict``. Leaves: lines on a binary stream: each finding as ``path:line:column`` with what it
repeats and its text, what was suppressed if asked for, stale entries of the baseline, notes, skipped inputs; the
last line says whether the gate passed and why not. What is cut for length is counted where it is cut.
"""

from __future__ import annotations

from typing import BinaryIO

from ..verdict import NEW, SUPPRESSED, Verdict
from .figures import count
from .finding import Shown, Texts, message, outcome, remedy, shown, tally
from .page import Page, Piece
from .place import name, where
from .text import listed, more, skipped, summary

FINDINGS = 1000  # findings of each kind shown


def write(
    verdict: Verdict, stream: BinaryIO, *, color: bool, width: int, known: bool, suppressed: bool
) -> None:
    """Write the verdict. Colour never carries meaning alone: without it, marks stand in its place."""
    page = Page(stream, color=color, width=width)
    texts = Texts(verdict.report)
    entries = shown(verdict, known=known, suppressed=suppressed)
    silent = [entry for entry in entries if entry.finding.status == SUPPRESSED]
    loud = [entry for entry in entries if entry.finding.status != SUPPRESSED]
    _findings(page, texts, loud)
    if silent:
        page.title(f"{len(silent):,} suppressed")
        _findings(page, texts, silent)
    if verdict.stale:
        page.title(f"{count(len(verdict.stale), 'entry', 'entries')} of the baseline without a copy any more")
        lines = ([Piece(e.path, "place"), Piece(f"  {e.rule}  {e.fingerprint}")] for e in verdict.stale)
        listed(page, lines, len(verdict.stale))
    skipped(page, verdict.report)
    if entries or verdict.stale or verdict.report.skipped:
        page.line()
    for note in verdict.notes:
        page.line(Piece("note: ", "warning"), Piece(note))
    if not verdict.gate.passed:
        page.paragraph([Piece(remedy(verdict))], 0)
    page.line(Piece(summary(verdict.report), "faint"))
    page.line(Piece(f"{outcome(verdict)} · {tally(verdict.gate)}"))


def _findings(page: Page, texts: Texts, entries: list[Shown]) -> None:
    for entry in entries[:FINDINGS]:
        _finding(page, texts, entry)
    if len(entries) > FINDINGS:
        page.line()
    more(page, len(entries) - FINDINGS, "more finding", "more findings")


def _finding(page: Page, texts: Texts, entry: Shown) -> None:
    """One finding: its place and what it repeats on a line, its text below."""
    finding = entry.finding
    at = where(finding.path, finding.line, finding.column)
    own_id = name(finding).removeprefix(where(finding.path, finding.line)).strip()
    status = "" if finding.status in (NEW, SUPPRESSED) else finding.status
    told = ": ".join(part for part in (own_id, status, message(finding)) if part)
    page.line()
    page.line(Piece(f"{at}:", "place"), Piece(f" {told}"), Piece(f"  {finding.fingerprint}", "faint"))
    if finding.reason:
        page.paragraph([Piece(f"reason: {finding.reason}")], 2)
    page.paragraph(texts.excerpt(finding, color=page.color), 6)
