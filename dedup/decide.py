"""Which copy stays, and why: policy, apart from what is a copy of what.

Enters: what the user wishes, and of each record its text and fields. Leaves: the order in which records are
preferred (:func:`preference`), and which copies of a passage go (:func:`cuts`).
"""

from __future__ import annotations

import re
from bisect import bisect_right, insort
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from typing import Any

from .errors import SettingsError

DIVERT, MARK, CUT = "divert", "mark", "cut"
ACTIONS = (DIVERT, MARK, CUT)
FIRST, LONGEST, OLDEST, NEWEST = "first", "longest", "oldest", "newest"
FIELD = re.compile(r"field:(?P<name>.+?)(?P<desc>:desc)?", re.DOTALL)

_NUMBER = re.compile(r"\s*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\s*")
_DAY = re.compile("[0-9]{8}")

#: Where a record's date is looked for unless the user names a field; the first that is there counts.
DATE_FIELDS = (
    "date", "published", "published_at", "publication_date", "date_published", "created", "created_at",
    "timestamp", "time", "WARC-Date", "mtime",
)  # fmt: skip

Fields = Mapping[str, Any]
Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """What the user wishes to stay, checked once; the names are those of the options.

    ``keep`` is ``first``, ``longest``, ``oldest``, ``newest`` or ``field:NAME`` with ``:desc`` added where the
    greatest stays. ``date_field`` is for ``oldest`` and ``newest``; None looks for one of DATE_FIELDS. ``revisit``
    puts a revisit record beside what stays for each record of a WARC file with the payload of one that stays.

    >>> Policy(keep="newest").one_pass, Policy().one_pass
    (False, True)
    >>> Policy(keep="shortest")
    Traceback (most recent call last):
    dedup.errors.SettingsError: keep is 'shortest'; expected first, longest, oldest, newest or field:NAME[:desc]
    """

    keep: str = FIRST
    action: str = DIVERT
    contained: bool = True
    date_field: str | None = None
    revisit: bool = False

    def __post_init__(self) -> None:
        if self.keep not in (FIRST, LONGEST, OLDEST, NEWEST) and not FIELD.fullmatch(self.keep):
            raise SettingsError(
                f"keep is {self.keep!r}; expected first, longest, oldest, newest or field:NAME[:desc]"
            )
        if self.action not in ACTIONS:
            raise SettingsError(f"action is {self.action!r}; expected {', '.join(ACTIONS)}")
        if self.date_field is not None and self.keep not in (OLDEST, NEWEST):
            raise SettingsError(f"date_field is for keep oldest and newest; keep is {self.keep}")
        if self.revisit and (self.keep, self.action) != (FIRST, DIVERT):
            raise SettingsError("revisit is for keep first and action divert: it points to an earlier record")

    def to_dict(self) -> dict[str, Any]:
        """The wishes by name."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @property
    def one_pass(self) -> bool:
        """Whether what has gone by decides."""
        return self.keep == FIRST and self.action != CUT

    @property
    def needs_fields(self) -> bool:
        """Whether more of a record than its text decides."""
        return self.keep not in (FIRST, LONGEST)


def preference(policy: Policy) -> Callable[[int, Fields], Key]:
    """A function of a record's tokens and fields; the record with the least value stays, of equals the earliest.

    A record without the field, or with a date that cannot be read, comes after all others.
    """
    if policy.keep == LONGEST:
        return lambda tokens, fields: (-tokens,)
    if policy.keep in (OLDEST, NEWEST):
        sign = 1 if policy.keep == OLDEST else -1
        names = DATE_FIELDS if policy.date_field is None else (policy.date_field,)

        def by_date(tokens: int, fields: Fields) -> Key:
            found = next((seconds(fields[name]) for name in names if fields.get(name) is not None), None)
            return (1,) if found is None else (0, sign * found)

        return by_date
    match = FIELD.fullmatch(policy.keep)
    if match is None:
        return lambda tokens, fields: ()
    name, is_descending = match["name"], bool(match["desc"])
    return lambda tokens, fields: _ranked(fields.get(name), is_descending)


class _Reversed(str):
    """Text that sorts the other way."""

    def __lt__(self, other: str) -> bool:
        return str.__gt__(self, other)


def _ranked(value: Any, is_descending: bool) -> Key:
    """Numbers before dates before text before nothing."""
    if isinstance(value, timedelta):
        value = value.total_seconds()
    number = _number(value)
    if number is not None:
        return (0, _negated(number) if is_descending else number)
    if isinstance(value, date):  # a datetime is one
        moment = seconds(value)
        return (3,) if moment is None else (1, -moment if is_descending else moment)
    if isinstance(value, time):
        value = value.isoformat()
    if isinstance(value, str) and value:
        return (2, _Reversed(value) if is_descending else value)
    return (3,)


def _number(value: Any) -> int | float | Decimal | None:
    """A number, or one that is written as text; None for anything else."""
    if isinstance(value, str):
        if not _NUMBER.fullmatch(value):
            return None
        try:
            return Decimal(value.strip())
        except InvalidOperation:  # beyond all exponents
            return None
    if isinstance(value, Decimal):
        return None if value.is_nan() else value
    return value if isinstance(value, int | float) and value == value else None


def _negated(number: float | Decimal) -> float | Decimal:
    return number.copy_negate() if isinstance(number, Decimal) else -number  # the other way would round


def seconds(value: Any) -> float | None:
    """A date as seconds since 1970 UTC: a number, ISO 8601 or RFC 2822 text; None for what cannot be read as one.

    A number may be written as text; eight digits are a day (20240501). A date without a time zone is taken as UTC.

    >>> seconds("2024-05-01T12:00:00Z") == seconds("Wed, 01 May 2024 14:00:00 +0200") == seconds(1714564800)
    True
    """
    if isinstance(value, bool):
        return None
    is_day = isinstance(value, str) and _DAY.fullmatch(value.strip())
    number = None if is_day else _number(value)
    if number is not None:
        try:
            return float(number)
        except OverflowError:
            return None
    if isinstance(value, datetime):
        found = value
    else:
        text = str(value).strip()
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            try:
                found = parsedate_to_datetime(text)
            except (ValueError, TypeError, OverflowError):
                return None
    try:
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (OverflowError, ValueError):
        return None


Span = tuple[int, int, int]  # a text, and from where to where


def cuts(passages: Iterable[Iterable[Span]]) -> dict[int, list[tuple[int, int, Span]]]:
    """What goes when every passage is to be there once: by text, ``(start, end, the copy that stays)``, in order.

    Each passage comes as its copies, the most preferred first. The first copy that nothing was cut from stays, and
    nothing is cut from it later; copies that overlap what stays, stay too. So whatever is cut has a whole copy left.

    >>> cuts([[(0, 10, 50), (1, 0, 40)], [(1, 30, 60), (2, 5, 35)]])
    {1: [(0, 40, (0, 10, 50))]}
    """
    staying: dict[int, _Spans] = {}
    going: dict[int, _Spans] = {}
    found: dict[int, list[tuple[int, int, Span]]] = {}
    for copies in passages:
        stays: Span | None = None
        for text, start, end in copies:
            if stays is None:
                if not going.get(text, _NOTHING).meets(start, end):
                    stays = (text, start, end)
                    staying.setdefault(text, _Spans()).add(start, end)
                continue
            if staying.get(text, _NOTHING).meets(start, end) or going.get(text, _NOTHING).meets(start, end):
                continue
            going.setdefault(text, _Spans()).add(start, end)
            found.setdefault(text, []).append((start, end, stays))
    return {text: sorted(spans) for text, spans in sorted(found.items())}


class _Spans:
    """Spans of one text, which may overlap."""

    def __init__(self) -> None:
        self._spans: list[tuple[int, int]] = []
        self._longest = 0

    def add(self, start: int, end: int) -> None:
        insort(self._spans, (start, end))
        self._longest = max(self._longest, end - start)

    def meets(self, start: int, end: int) -> bool:
        """Whether one of them overlaps this one."""
        at = bisect_right(self._spans, (end - 1, 1 << 62))
        while at and self._spans[at - 1][0] > start - self._longest:
            at -= 1
            if self._spans[at][1] > start:
                return True
        return False


_NOTHING = _Spans()
