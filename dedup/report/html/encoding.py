"""Data as they may stand in a page.

Enters: plain values. Leaves: JSON within which nothing can end an element of HTML, or a line of JavaScript.
"""

from __future__ import annotations

from typing import Any

import orjson

_ESCAPES = (
    (b"<", b"\\u003c"),
    (b">", b"\\u003e"),
    (b"&", b"\\u0026"),
    ("\u2028".encode(), b"\\u2028"),
    ("\u2029".encode(), b"\\u2029"),
)


def encoded(value: Any) -> bytes:
    """JSON that may stand in a script element of HTML: nothing in it can end the element or begin another."""
    text = orjson.dumps(value, default=tuple)
    for character, escape in _ESCAPES:
        text = text.replace(character, escape)
    return text
