"""Why something cannot be read: errors as one line for a person.

Enters: an error. Leaves: its reason, without the path, which stands beside it.
"""

from __future__ import annotations

_LONGEST = 160  # characters of an error's text that are told


class UnreadableError(OSError):
    """An input cannot be read, or not further; its text is the whole reason."""


def told(error: Exception) -> str:
    """What a library says of an error, in one line that begins small and is not too long to read."""
    text = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return f"{text[:1].lower()}{text[1:]}"


def reason(error: OSError) -> str:
    """Why a file could not be read, for a person, without the path."""
    if isinstance(error, UnreadableError):
        return str(error)
    text = error.strerror or str(error)
    return f"cannot be read: {text[:1].lower()}{text[1:]}"
