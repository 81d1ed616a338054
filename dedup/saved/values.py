"""Values of parsed JSON, checked one by one, and objects made of them.

Enters: what a JSON reader gives. Leaves: what was expected, or a :class:`WrongError` that names the place.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

EXPECTED = "expected what dedup scan or dedup check wrote with --format json"

LARGEST = 2**63 - 1  # of a number: what every format, and every reader of one, can hold

Kind = Callable[[Any], Any]


class WrongError(Exception):
    """What is wrong, and where: ``place`` grows from the inside out."""

    def __init__(self, problem: str, place: str = "") -> None:
        super().__init__(problem)
        self.problem, self.place = problem, place

    def inside(self, step: str) -> WrongError:
        """The same, seen from one level above."""
        return WrongError(self.problem, step + self.place)

    def __str__(self) -> str:
        return f"{self.place.lstrip('.')} {self.problem}" if self.place else self.problem


def bad(value: Any, expected: str) -> WrongError:
    """A value that is not what was expected."""
    if isinstance(value, dict | list):
        shown = "an object" if isinstance(value, dict) else "an array"
    else:
        shown = json.dumps(value)
    return WrongError(f"is {shown if len(shown) <= 60 else shown[:60] + ' …'}; expected {expected}")


def text(value: Any) -> Any:
    """A string."""
    if type(value) is not str:
        raise bad(value, "a string")
    return value


def name(value: Any) -> Any:
    """A string that is not empty."""
    if type(value) is not str or not value:
        raise bad(value, "a string that is not empty")
    return value


def flag(value: Any) -> Any:
    """True or false."""
    if type(value) is not bool:
        raise bad(value, "true or false")
    return value


def count(value: Any) -> Any:
    """A whole number from 0 on, of 64 bits."""
    if type(value) is not int or not 0 <= value <= LARGEST:
        raise bad(value, "a whole number from 0 on, of 64 bits at most")
    return value


def positive(value: Any) -> Any:
    """A whole number from 1 on, of 64 bits."""
    if type(value) is not int or not 1 <= value <= LARGEST:
        raise bad(value, "a whole number from 1 on, of 64 bits at most")
    return value


def share(value: Any) -> Any:
    """A number from 0 to 1, as a float."""
    if type(value) not in (float, int) or not 0 <= value <= 1:
        raise bad(value, "a number from 0 to 1")
    return float(value)


def or_null(kind: Kind) -> Kind:
    """What is null, or of this kind."""
    return lambda value: None if value is None else kind(value)


def one_of(*values: str) -> Kind:
    """One of these strings."""

    def check(value: Any) -> Any:
        if value not in values:
            raise bad(value, f"one of {', '.join(values)}")
        return value

    return check


def list_of(kind: Kind, least: int = 0) -> Kind:
    """An array of so many or more, as a tuple."""

    def check(value: Any) -> Any:
        if type(value) is not list or len(value) < least:
            raise bad(value, f"an array of {least} or more" if least else "an array")
        items = []
        for item in value:
            try:
                items.append(kind(item))
            except WrongError as error:
                raise error.inside(f"[{len(items)}]") from None
        return tuple(items)

    return check


_NONE: Mapping[str, Kind] = {}


def object_of(
    make: Callable[..., Any], kinds: Mapping[str, Kind], optional: Mapping[str, Kind] = _NONE
) -> Kind:
    """An object with exactly these members, of which ``make`` is given the values in this order.

    Those that are ``optional`` it is given by their names, where they are there.
    """

    def check(value: Any) -> Any:
        if type(value) is not dict:
            raise bad(value, "an object")
        more = {key: kind for key, kind in optional.items() if key in value}
        if len(value) != len(kinds) + len(more) or not kinds.keys() <= value.keys():
            raise _members(value, kinds, more)
        values = []
        for key, kind in (*kinds.items(), *more.items()):
            try:
                values.append(kind(value[key]))
            except WrongError as error:
                raise error.inside(f".{key}") from None
        return make(*values[: len(kinds)], **dict(zip(more, values[len(kinds) :], strict=True)))

    return check


def _members(value: dict[str, Any], kinds: Mapping[str, Kind], more: Mapping[str, Kind]) -> WrongError:
    """An object that lacks a member, or has one too many."""
    missing = [key for key in kinds if key not in value]
    if missing:
        return WrongError(f"is missing; {EXPECTED}", f".{missing[0]}")
    extra = next(key for key in value if key not in kinds and key not in more)
    return WrongError(f"is not a field of a result; {EXPECTED}", f".{extra[:60]}")
