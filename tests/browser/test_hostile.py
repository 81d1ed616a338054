"""Documents that want to be more than text: they are shown, and nothing else happens.

That no request leaves, no script runs and no policy is violated is looked at after every test (``opened``).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import dedup
from dedup.model import Source

from .conftest import page_of

PLAIN = (
    "the harbour office counted every ship that came in before the storm and none that left after it had gone"
)
ATTACKS = {
    "script": "</script><script>window.hit = 1; alert(1)</script>",
    "comment": "<!--<script>window.hit = 1</script>--><!--",
    "image": "<img src=http://127.0.0.1:9/x onerror=window.hit=1>",
    "svg": "<svg/onload=window.hit=1><a href=javascript:window.hit=1>click</a></svg>",
    "style": "</style><style>*{background:url(http://127.0.0.1:9/y)}</style>",
    "frame": "<iframe srcdoc='<script>top.hit=1</script>'></iframe><base href=http://127.0.0.1:9/>",
    "quotes": "\" onmouseover=\"window.hit=1\" ' onclick='window.hit=1' `",
    "template": "${window.hit=1} {{constructor.constructor('window.hit=1')()}} $policy $$ %s",
    "turned": "\u202egnp.exe\u202c \u2066isolated\u2069 \u200f",
    "nothing": "a\x00b \x1b[31m \x08 \ufeff \u2028 \u2029 \x7f",
    "surrogate": "half \ud83d a \udc00 character",
    "marks": "e" + "\u0301" * 100_000,
    "long": "x" * 100_000,
}


def page_with(attack: str, file: Path) -> Path:
    """The attack in texts and round them, in ids and in paths."""
    texts = [
        f"{attack} {PLAIN} {attack} and {PLAIN[::-1]}.",
        f"First of all {attack} {PLAIN} {attack[:40]} {attack} and, different, {PLAIN[::-1]} {attack}!",
        f"A third one: {attack} {PLAIN} {attack}, which says other things of its own, {attack}.",
    ]
    documents = [
        dedup.Document(f"id {attack[:300]}", texts[0], Source(f"{attack[:60]}.jsonl", 1, 0)),
        dedup.Document(f"{attack[:300]}/b.txt", texts[1], Source(f"{attack[:300]}/b.txt")),
        dedup.Document("javascript:window.hit=1", texts[2], Source("javascript:window.hit=1")),
        dedup.Document("copy", texts[2], Source()),
        dedup.Skipped(attack[:300], f"cannot be read: {attack[:300]}"),
        dedup.Document(f"empty {attack[:300]}", "...", Source()),
    ]
    known = [(document.id, document.text) for document in documents if isinstance(document, dedup.Document)]
    return page_of(dedup.scan(documents), file, known)


@pytest.mark.parametrize("name", ATTACKS)
def test_it_is_shown_and_nothing_else(opened: Callable[..., Any], tmp_path: Path, name: str) -> None:
    file = page_with(ATTACKS[name], tmp_path / "report.html")
    assert file.stat().st_size < 400_000
    for options in ({}, {"java_script_enabled": False}):
        page = opened(file, **options).page
        findings = page.locator("#list > .finding > summary")
        assert findings.count() >= 2
        for number in range(findings.count()):
            findings.nth(number).click()
        page.wait_for_timeout(100)
        assert (
            page.locator("main img, main iframe, main script, main style, base, main [onclick]").count() == 0
        )
        assert page.locator("a[href^='javascript']").count() == 0
        if not options:
            assert page.evaluate("window.hit") is None
            page.fill("#search", ATTACKS[name][:20])
            page.wait_for_timeout(200)
            assert page.evaluate("window.hit") is None
        assert (
            page.locator("body").evaluate("element => element.scrollWidth <= innerWidth")
            if not options
            else True
        )


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("script", "</script><script>window.hit = 1; alert(1)</script>"),
        ("image", "<img src=http://127.0.0.1:9/x onerror=window.hit=1>"),
        ("turned", r"\u202egnp.exe\u202c \u2066isolated\u2069 \u200f"),
        ("nothing", r"a\x00b \x1b[31m \x08 \ufeff"),
        ("surrogate", r"half \ud83d a \udc00 character"),
        ("long", " … 59,867 more letters … xx … shown as far as here"),
    ],
)
def test_it_can_be_read(opened: Callable[..., Any], tmp_path: Path, name: str, shown: str) -> None:
    file = page_with(ATTACKS[name], tmp_path / "report.html")
    for options in ({}, {"java_script_enabled": False}):
        page = opened(file, **options).page
        page.locator("#list > .finding > summary").first.click()
        page.wait_for_selector(".finding[open] .sides")
        assert shown in page.inner_text(".finding[open] .sides").replace("\n", " ")


def test_a_pile_of_marks_is_counted_not_piled(opened: Callable[..., Any], tmp_path: Path) -> None:
    page = opened(page_with(ATTACKS["marks"], tmp_path / "report.html")).page
    page.click("#open")
    page.wait_for_selector(".finding[open] .sides")
    text = page.inner_text("#list")
    assert "more marks …" in text
    assert "\u0301" * 9 not in text


def test_text_that_runs_the_other_way_stays_in_its_place(opened: Callable[..., Any], tmp_path: Path) -> None:
    hebrew = "ספינה אחת נכנסה לנמל לפני הסערה ואף אחת לא יצאה ממנו אחרי שהסערה חלפה והים שקט"
    documents = [
        (f"{hebrew} ({number}).txt", f"{word} {hebrew} {word}.") for number, word in enumerate(("One", "Two"))
    ]
    page = opened(page_of(dedup.scan(documents, threshold=1.0), tmp_path / "report.html", documents)).page
    page.click("#open")
    page.wait_for_selector(".finding[open] .sides")
    isolated = (
        "[...document.querySelectorAll('#list bdi, #strips bdi')].map(e => getComputedStyle(e).unicodeBidi)"
    )
    assert set(page.evaluate(isolated)) == {"isolate"}
