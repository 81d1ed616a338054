"""Large results: the page is usable at once, of bounded size, and says what it leaves out."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dedup.model import (
    DocumentCluster,
    DocumentMember,
    PassageCluster,
    PassageMember,
    Report,
    Settings,
    Source,
    Summary,
)

from .conftest import page_of

MEGABYTE = 1 << 20


def made_report(clusters: int, places: int, words: int) -> tuple[Report, dict[str, str]]:
    """A report on made-up articles, and their texts: each passage stands in so many of them, one word changed."""
    rng = random.Random(1)
    stock = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randrange(3, 11))) for _ in range(5000)]
    texts, passages, copies = {}, [], []
    for number in range(clusters):
        passage = rng.choices(stock, k=words)
        members = []
        for place in range(places):
            passage[rng.randrange(words)] = rng.choice(stock)
            name, text = f"news/{number % 97}/{number}-{place}.txt", " ".join(passage)
            before, after = (" ".join(rng.choices(stock, k=60)) for _ in range(2))
            texts[name] = f"{before} {text} {after}"
            start = len(before) + 1
            similarity = 1 - place / words if place else None
            members.append(
                PassageMember(name, Source(name), start, start + len(text), 1, 1, similarity, text)
            )
        passages.append(PassageCluster(f"{number:016x}", words, 1 - places / words, None, tuple(members)))
        if number % 5 == 0:
            near = [
                DocumentMember(m.document, m.source, *((0.9, 0.9) if i else ()))
                for i, m in enumerate(members)
            ]
            copies.append(DocumentCluster(f"{number:016x}", "near", members[0].document, tuple(near)))
    characters = sum(map(len, texts.values()))
    summary = Summary(
        len(texts), 0, 0, characters, characters // 7, 0, len(copies), clusters, characters // 20, 0.35
    )
    return Report(Settings(), summary, (), (), tuple(copies), tuple(passages)), texts


@pytest.fixture(scope="module")
def five_thousand(tmp_path_factory: pytest.TempPathFactory) -> Path:
    report, texts = made_report(4200, 3, 60)
    assert len(report.document_clusters) + len(report.passage_clusters) > 5000
    return page_of(report, tmp_path_factory.mktemp("large") / "report.html", texts.items())


def test_5000_clusters_are_there_whole(five_thousand: Path) -> None:
    assert five_thousand.stat().st_size <= 25 * MEGABYTE
    assert (
        "left out" not in five_thousand.read_text("utf-8")[:200_000].split("<main>")[1].split("#findings")[0]
    )


def test_5000_clusters_are_usable_at_once(opened: Callable[..., Any], five_thousand: Path) -> None:
    took = []
    for _ in range(2):
        begun = time.perf_counter()
        page = opened(five_thousand).page
        page.locator("#list summary").first.click()
        page.wait_for_selector(".finding[open] .sides")
        took.append(time.perf_counter() - begun)
    print(f"usable after {min(took):.2f} s")
    assert min(took) < 4  # 1.5 s on a quiet machine


def test_5000_clusters_can_be_searched_and_walked(opened: Callable[..., Any], five_thousand: Path) -> None:
    page = opened(five_thousand).page
    findings = page.locator("#list > .finding")
    assert findings.count() < 200
    data = json.loads(page.locator("#data").text_content())
    begun = time.perf_counter()
    page.fill("#search", data["findings"][-1][9][0][0][0][:40])
    page.wait_for_selector("#count:has-text('1 of')")
    assert findings.count() == 1
    assert time.perf_counter() - begun < 4
    page.keyboard.press("Escape")
    page.wait_for_selector("#count:not(:has-text('of'))")
    page.emulate_media(media="print")
    assert page.inner_text(".rest").startswith("and 4,9")  # a print says what is not on it
    page.emulate_media(media="screen")
    for _ in range(70):
        page.keyboard.press("j")
    here = "[...document.querySelectorAll('.finding')].indexOf(document.activeElement.parentElement)"
    assert page.evaluate(here) == 69  # more than are there at first


def test_100_megabytes_become_a_bounded_page_that_says_so(opened: Callable[..., Any], tmp_path: Path) -> None:
    report, texts = made_report(30_000, 4, 120)
    assert sum(map(len, texts.values())) > 100 * MEGABYTE
    file = page_of(report, tmp_path / "report.html", texts.items())
    assert file.stat().st_size <= 25 * MEGABYTE
    page = opened(file).page
    note = page.inner_text(".note")
    assert "Not all is on this page." in note
    assert "findings that repeat least are left out" in note
    assert "findings told briefly" in note
    assert page.inner_text(".tiles").count("30,000") == 1
