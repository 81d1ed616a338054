"""A browser, pages of the report in it, and what they tried to reach. Chromium is the system's own."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

import dedup
from dedup.model import Report, Source
from dedup.report import html

NAMES = ("chromium", "chromium-browser", "google-chrome")
SEEDS = Path(__file__).parents[2] / "seeds"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The browser, without a window."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip("there is no Chromium here; Debian's package is called chromium")
    arguments = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=found, args=arguments)
        yield browser
        browser.close()


@dataclass
class Opened:
    """A page that is open, what it asked for beyond itself, and what it had to say."""

    page: Any
    requests: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


Opener = Callable[..., Opened]


@pytest.fixture
def opened(chromium: Any) -> Iterator[Opener]:
    """Opens a file; the options are those of a browser context. What it asks for or says fails the test at its end."""
    contexts, pages = [], []

    def opened(path: Path, fragment: str = "", script: bool = True, **options: Any) -> Opened:
        context = chromium.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        found = Opened(context.new_page())
        pages.append(found)
        url = path.as_uri()
        found.page.on(
            "request", lambda r: None if r.url.split("#")[0] == url else found.requests.append(r.url)
        )
        found.page.on("console", lambda message: found.said.append(message.text))
        found.page.on("pageerror", lambda error: found.said.append(str(error)))
        found.page.on("dialog", lambda dialog: (found.said.append(dialog.message), dialog.dismiss()))
        found.page.goto(url + fragment)
        if script and options.get("java_script_enabled", True):
            found.page.wait_for_selector("html[data-ready]", state="attached")
        return found

    yield opened
    for context in contexts:
        context.close()
    assert [(page.requests, page.said) for page in pages] == [([], [])] * len(pages)


def link(path: str) -> str:
    return quote(f"./{path}".encode("utf-8", "surrogatepass"))


def page_of(report: Report, file: Path, texts: Iterable[tuple[str, str]] = ()) -> Path:
    """The report as a page in that file."""
    known = dict(texts)
    stream = io.BytesIO()
    html.write(report, stream, lambda document, source: known.get(document), link)
    file.write_bytes(stream.getvalue())
    return file


@pytest.fixture(scope="session")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The articles that come with the project."""
    documents = [
        dedup.Document(f"seeds/{path.name}", path.read_text("utf-8"), Source(f"seeds/{path.name}"))
        for path in sorted(SEEDS.glob("*.txt"))
    ]
    texts = [(document.id, document.text) for document in documents]
    return page_of(dedup.scan(documents), tmp_path_factory.mktemp("seeds") / "report.html", texts)
