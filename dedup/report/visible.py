"""Texts and names as they may be shown: nothing in them can steer a terminal or hide from the reader."""

from __future__ import annotations

import re

# Control characters (a terminal obeys them), what turns the direction of writing or takes no room (it hides
# or reorders what is read; Unicode TR36), tags, and lone surrogates (which cannot be written as UTF-8).
# Joiners and the zero-width space stay: Persian, Indic scripts, Khmer and emoji need them.
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u180e\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff"
    "\ufeff\uffa0\ufff9-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


def visible(text: str) -> str:
    r"""The text with every character that cannot be seen written as its escape.

    >>> print(visible("red \x1b[31m, turned \u202e, broken \ud800"))
    red \x1b[31m, turned \u202e, broken \ud800
    """
    return _UNSEEN.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
