"""Web pages: their encodings, their text by each extractor, and pages made to harm."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from dedup.errors import DependencyError, SettingsError
from dedup.model import Skipped
from dedup.read import Options, documents
from dedup.read.html import decoded
from tests.unit.reading import found, put, taken, texts

PAGE = """<!doctype html><html><head><title>T</title></head><body>
<nav><ul><li><a href="/">Home</a></li><li><a href="/b">News</a></li></ul></nav>
<main><article><h1>The bridge</h1><p>The bridge will be closed for repairs until the end of March, the city said on
Monday, and drivers should take the ferry.</p><p>A second paragraph, with an é and more to read about it.</p></article>
</main><footer>Imprint and cookies</footer></body></html>"""
MARKUP = Options(html_extractor="none")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("extractor", ["resiliparse", "trafilatura"])
def test_the_main_text_is_the_document(extractor: str) -> None:
    pytest.importorskip(extractor)
    (record,) = taken("a.html", PAGE.encode(), Options(html_extractor=extractor))
    assert record.raw == PAGE.encode()
    (text,) = texts([record])
    assert "with an é and more" in text
    assert "<" not in text
    assert "News" not in text
    assert "cookies" not in text


def test_without_an_extractor_the_markup_is_the_text() -> None:
    assert texts(taken("a.htm", PAGE.encode(), MARKUP)) == [PAGE]


def test_a_page_that_is_all_navigation_is_read_whole() -> None:
    pytest.importorskip("resiliparse")
    assert texts(taken("a.html", b"<nav>Home and more</nav>")) == ["Home and more"]


@pytest.mark.parametrize("data", [b"", b"<", b"no markup", b"\x00\xff\xfe<p", b"<!--", b"<p>" * 5000])
def test_odd_pages(data: bytes) -> None:
    pytest.importorskip("resiliparse")
    assert len(texts(taken("a.html", data))) == 1


class TestEncodings:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
    def test_a_mark_or_utf8(self, encoding: str) -> None:
        assert decoded("<p>é 好".encode(encoding)) == "<p>é 好"

    @pytest.mark.parametrize(
        ("charset", "text"),
        [("iso-8859-1", "café"), ("euc-jp", "日本語"), ("iso-2022-jp", "日本語"), ("windows-1251", "Привет")],
    )
    def test_declared(self, charset: str, text: str) -> None:
        pytest.importorskip("resiliparse")
        page = f'<meta charset="{charset}"><p>{text}'
        assert decoded(page.encode(charset)) == page

    def test_told_by_the_server(self) -> None:
        assert decoded("<p>Привет".encode("cp1251"), "windows-1251") == "<p>Привет"
        assert decoded("<p>caf\xe9".encode("latin-1"), "no-such-charset").startswith("<p>caf")

    def test_bytes_that_fit_none_are_replaced(self) -> None:
        assert "\ufffd" in decoded(b"<meta charset=utf-8>a\xffb\x81")


class TestNestedTooDeeply:
    @pytest.mark.parametrize("data", [b"<div>" * 200_000, b"<div>" * 9000 + b"x" + b"</div>" * 9000])
    def test_it_is_told_soon(self, data: bytes) -> None:
        pytest.importorskip("resiliparse")
        begun = time.monotonic()
        (item,) = documents([put("a.html", data)])
        assert item == Skipped("a.html", "HTML with more than 3,000 elements one in another; not taken apart")
        assert time.monotonic() - begun < 5

    def test_a_long_page_is_not_a_deep_one(self) -> None:
        pytest.importorskip("resiliparse")
        (text,) = texts(taken("a.html", b"<div><p>words of a paragraph</p></div>" * 3000))
        assert text.count("words") == 3000


class TestMissingPackage:
    def test_it_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("dedup.read.formats.find_spec", lambda name: None)
        put("d/a.html", b"<p>x")
        reason = "reading HTML needs resiliparse; pip install 'dedup-spans[html]'"
        assert list(documents(["d"])) == [Skipped("d/a.html", reason)]
        with pytest.raises(DependencyError, match=r"^d/a\.html: reading HTML needs resiliparse; pip"):
            documents(["d/a.html"])
        with pytest.raises(
            DependencyError, match=r"needs trafilatura; pip install 'dedup-spans\[trafilatura\]'"
        ):
            documents(["d/a.html"], Options(html_extractor="trafilatura"))
        assert len(list(documents(["d/a.html"], MARKUP))) == 1

    def test_an_extractor_that_there_is_not(self) -> None:
        put("a.html", b"<p>x")
        with pytest.raises(SettingsError, match="html_extractor is 'x'; expected one of resiliparse, tra"):
            documents(["a.html"], Options(html_extractor="x"))


def test_a_page_above_the_limit() -> None:
    (item,) = taken("a.html", PAGE.encode() * 9, MARKUP._replace(max_record_size=2000))
    assert item.reason is not None
    assert item.reason.endswith("and --max-record-size allows 2,000")


def test_an_extractor_is_loaded_only_for_html() -> None:
    put("a.jsonl", b'{"text": "a"}\n')
    code = (
        "import sys, dedup.read; list(dedup.read.documents(['a.jsonl'])); "
        "print([name for name in ('resiliparse', 'trafilatura', 'fastwarc', 'pyarrow', 'fsspec', 'lz4', 'zipfile', "
        "'tarfile', 'lzma', 'bz2') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"


def test_the_values_of_a_page() -> None:
    entry, _ = found("a.html", b"<p>x", MARKUP)
    assert entry.format == "html"
