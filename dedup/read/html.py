"""Web pages (``.html``, ``.htm``): the main text of the file is the document.

Enters: the bytes of a page. Leaves: its text without markup, navigation and footers, as resiliparse or trafilatura
sees it; or the markup itself, where that is asked for. The bytes are text by their byte order mark, else as UTF-8 if
they are valid, else by the charset that they declare, else by the one they look like.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from functools import cache, partial
from importlib import import_module
from typing import Any

from ..errors import DependencyError
from ..model import Document, Skipped, Source
from .formats import Input
from .options import Options
from .plain import whole
from .record import Record
from .stream import Stream

_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
# Elements one in another; resiliparse 2.0 takes 0.2 s for these and its time grows with the square.
_DEEP = 3000


class DeepError(ValueError):
    """A page cannot be read in reasonable time; its text is the reason."""


def records(found: Input, stream: Stream, options: Options) -> Iterator[Record | Skipped]:
    """The page as one record."""
    return whole(found, stream, options, partial(_document, options=options))


def _document(path: str, data: bytes, options: Options) -> Document | Skipped:
    try:
        return Document(path, main_text(decoded(data), options), Source(path, None, 0))
    except DeepError as error:
        return Skipped(path, str(error))


def decoded(data: bytes, charset: str | None = None) -> str:
    """The characters of a page, for which a server may have told the charset. What fits none of them is replaced."""
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    if b"\x1b" not in data:  # escapes to Chinese or Japanese are UTF-8 too, by chance
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            pass
    try:
        encodings = import_module("resiliparse.parse.encoding")
    except ImportError:  # another extractor is in use, or none
        return data.decode(charset if charset and _is_known(charset) else "cp1252", "replace")
    name = charset if charset and _is_known(charset) else encodings.detect_encoding(data, from_html_meta=True)
    text: str = encodings.bytes_to_str(data, name or "utf-8", "replace", ())
    return text


def main_text(html: str, options: Options) -> str:
    """The text of a page by the extractor of the options.

    Raises DeepError for a page that is nested too deeply, DependencyError where the extractor cannot be loaded.
    """
    if options.html_extractor == "none":
        return html
    if options.html_extractor == "trafilatura":
        return _loaded("trafilatura").extract(html) or ""
    if html.count("<") > _DEEP and _depth(html) > _DEEP:
        raise DeepError(f"HTML with more than {_DEEP:,} elements one in another; not taken apart")
    extract = _loaded("resiliparse.extract.html2text").extract_plain_text
    # A page in which all looks like navigation is better compared whole than not at all.
    text: str = extract(html, main_content=True, alt_texts=False) or extract(html, alt_texts=False)
    return text


def _is_known(charset: str) -> bool:
    try:
        codecs.lookup(charset)
    except (LookupError, ValueError):
        return False
    return True


def _depth(html: str) -> int:
    """How deeply elements are nested; stops where it is too deep."""
    node: Any = _loaded("resiliparse.parse.html").HTMLTree.parse(html).document
    depth = deepest = 0
    while node is not None and deepest <= _DEEP:
        child = node.first_child
        if child is not None:
            node, depth = child, depth + 1
            deepest = max(deepest, depth)
            continue
        while node is not None and node.next is None:
            node, depth = node.parent, depth - 1
        node = node and node.next
    return deepest


@cache
def _loaded(module: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        text = str(error).partition("\n")[0]
        raise DependencyError(f"{module.partition('.')[0]} cannot be loaded: {text}") from error
