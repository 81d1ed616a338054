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
from dedup.report import write_comparison

from .conftest import page_of
from .test_page import PHONE, settle

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


#: How some of them are shown.
READ = {
    "script": ATTACKS["script"],
    "image": ATTACKS["image"],
    "turned": r"\u202egnp.exe\u202c \u2066isolated\u2069 \u200f",
    "nothing": r"a\x00b \x1b[31m \x08 \ufeff",
    "surrogate": r"half \ud83d a \udc00 character",
    "long": " more letters … xx",
    "marks": " more marks …",
}
FORBIDDEN = "main img, main iframe, main script, main style, main form:not(.filters), base, main [onclick]"


def plain(name: str) -> str:
    """A sentence that stands round one attack only."""
    words = [f"{word}{name[:2]}" for word in PLAIN.split()]
    return " ".join(words)


def documents_with(name: str) -> list[dedup.Document | dedup.Skipped]:
    """The attack in texts and round them, in ids and in paths."""
    attack, text = ATTACKS[name], plain(name)
    texts = [
        f"{attack} {text} {attack} and {text[::-1]}.",
        f"First of all {attack} {text} {attack[:40]} {attack} and, different, {text[::-1]} {attack}!",
        f"A third one: {attack} {text} {attack}, which says other things of its own, {attack}.",
    ]
    return [
        dedup.Document(f"id {attack[:300]}", texts[0], Source(f"{attack[:60]}.jsonl", 1, 0)),
        dedup.Document(f"{attack[:300]}/b.txt", texts[1], Source(f"{attack[:300]}/b.txt")),
        dedup.Document(
            f"javascript:window.hit='{name}'", texts[2], Source(f"javascript:window.hit='{name}'")
        ),
        dedup.Document(f"copy {name}", texts[2], Source()),
        dedup.Skipped(attack[:300], f"cannot be read: {attack[:300]}"),
        dedup.Document(f"empty {attack[:300]}", "...", Source()),
    ]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All attacks on one page."""
    documents = [document for name in ATTACKS for document in documents_with(name)]
    known = [(document.id, document.text) for document in documents if isinstance(document, dedup.Document)]
    file = page_of(dedup.scan(documents), tmp_path_factory.mktemp("hostile") / "report.html", known)
    assert file.stat().st_size < 2_000_000
    return file


def assert_shown(text: str) -> None:
    assert {name: said for name, said in READ.items() if said not in text.replace("\n", " ")} == {}
    assert "\u0301" * 9 not in text


def test_it_is_shown_and_nothing_else(opened: Callable[..., Any], hostile: Path) -> None:
    page = opened(hostile).page
    page.click("#open")
    assert page.locator(".finding[open] .sides").count() >= 2 * len(ATTACKS)
    assert_shown(page.inner_text("#list"))
    for name, attack in ATTACKS.items():
        page.fill("#search", attack[:20].replace("\x00", ""))
        settle(page)
        assert page.evaluate("window.hit") is None, name
    assert page.locator(FORBIDDEN).count() == 0
    assert page.locator("a[href^='javascript']").count() == 0
    assert page.locator("body").evaluate("element => element.scrollWidth <= innerWidth")


def test_nor_without_javascript(opened: Callable[..., Any], hostile: Path) -> None:
    page = opened(hostile, java_script_enabled=False).page
    assert page.locator("#list > .finding").count() >= 2 * len(ATTACKS)
    assert_shown(page.locator("#list").text_content())
    assert page.locator(FORBIDDEN).count() == 0
    assert page.locator("a[href^='javascript']").count() == 0


def test_two_documents_beside_each_other(opened: Callable[..., Any], tmp_path: Path) -> None:
    sides = [
        " ".join(f"{attack} {plain(name)} {word} {attack}" for name, attack in ATTACKS.items())
        for word in ("one", "other")
    ]
    name = " ".join(attack[:60] for attack in ATTACKS.values())
    documents = [dedup.Document(f"{name} {number}", text, Source(name)) for number, text in enumerate(sides)]
    file = tmp_path / "diff.html"
    with file.open("wb") as stream:
        write_comparison(dedup.compare(*documents), "html", stream)
    for options in ({}, PHONE):
        page = opened(file, script=False, **options).page
        assert page.evaluate("window.hit") is None
        assert page.locator(f"{FORBIDDEN}, script").count() == 0
        assert page.locator("body").evaluate("element => element.scrollWidth <= innerWidth")
        assert "\u0301" * 9 not in page.inner_text("main")
    assert READ["turned"] in page.inner_text("main")


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
