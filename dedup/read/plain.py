"""Plain text (``.txt``, ``.md``): the file is the document.

Enters: a path and its bytes. Leaves: one ``Document`` whose id is the path, or the reason why there is none.
Line ends stay as they are; a byte order mark is not part of the text.
"""

from __future__ import annotations

import codecs
from typing import BinaryIO

from ..model import Document, Skipped, Source
from .stream import reason


def document(path: str, stream: BinaryIO) -> Document | Skipped:
    """The file as one document. A damaged file is skipped whole: half a text is not the text."""
    try:
        data = stream.read()
    except OSError as error:
        return Skipped(path, reason(error))
    begin = len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else 0
    try:
        text = data[begin:].decode("utf-8") if begin else data.decode("utf-8")
    except UnicodeDecodeError as error:
        return Skipped(path, not_utf8(error, begin))
    return Document(path, text, Source(path, None, 0))


def not_utf8(error: UnicodeDecodeError, begin: int) -> str:
    """The reason for bytes that are not UTF-8, with the place of the first one in the (decompressed) file."""
    return f"not UTF-8: byte 0x{error.object[error.start]:02x} at byte offset {begin + error.start}"
