"""axe-core finds nothing to say, and everything can be reached by its name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

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


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("options", [{}, PHONE], ids=["desktop", "phone"])
def test_no_violation(opened: Callable[..., Any], seeds: Path, scheme: str, options: dict[str, Any]) -> None:
    page = opened(seeds, color_scheme=scheme, **options).page
    assert violations(page) == []
    page.locator(".chart details summary").first.click()
    page.click("#open")
    assert violations(page) == []


def test_the_help_has_none_either(opened: Callable[..., Any], seeds: Path) -> None:
    page = opened(seeds).page
    page.keyboard.press("?")
    assert violations(page) == []


def test_nor_the_page_without_its_script(opened: Callable[..., Any], seeds: Path, tmp_path: Path) -> None:
    still = tmp_path / "still.html"
    text = seeds.read_text("utf-8")
    still.write_text(text[: text.rindex("<script>")], "utf-8")
    page = opened(still, script=False).page
    assert violations(page) == []
