"""axe-core finds nothing to say, and everything can be reached by its name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import dedup
from dedup.report import write_comparison

from .conftest import SEEDS
from .test_page import PHONE


def violations(page: Any) -> list[str]:
    axe = pytest.importorskip("axe_playwright_python", reason="axe-core is not installed")
    page.evaluate((Path(axe.__file__).parent / "axe.min.js").read_text("utf-8"))
    found = page.evaluate("axe.run()")
    return [
        f"{rule['id']}: {node['html'][:200]} {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


def test_no_violation(opened: Callable[..., Any], seeds: Path) -> None:
    page = opened(seeds).page
    assert violations(page) == []
    page.locator(".chart details summary").first.click()
    page.click("#open")
    for viewport in ({"width": 1280, "height": 900}, PHONE["viewport"]):
        page.set_viewport_size(viewport)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            assert violations(page) == []
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("?")
    assert page.locator("#help").is_visible()
    assert violations(page) == []


def test_nor_two_documents_beside_each_other(opened: Callable[..., Any], tmp_path: Path) -> None:
    first, second = (
        (SEEDS / name).read_text("utf-8") for name in ("03_webb_first_images.txt", "04_webb_two_years.txt")
    )
    file = tmp_path / "diff.html"
    with file.open("wb") as stream:
        write_comparison(dedup.compare(first, second), "html", stream)
    page = opened(file, script=False).page
    for viewport, scheme in (({"width": 1280, "height": 900}, "light"), (PHONE["viewport"], "dark")):
        page.set_viewport_size(viewport)
        page.emulate_media(color_scheme=scheme)
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator("del").all_inner_texts() == ["project", "travelled about", "observing", "only in A"]
    page.locator(".map a").first.click()
    assert page.evaluate("location.hash") == "#passage-1"


def test_nor_the_page_without_its_script(opened: Callable[..., Any], seeds: Path, tmp_path: Path) -> None:
    still = tmp_path / "still.html"
    text = seeds.read_text("utf-8")
    still.write_text(text[: text.rindex("<script>")], "utf-8")
    page = opened(still, script=False).page
    assert violations(page) == []
