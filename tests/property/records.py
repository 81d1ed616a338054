"""Files for property tests of filters: records that are copies of each other, as people and programs write them.

A format to be added gets a line in :data:`FORMATS`: a suffix and a strategy for the unpacked content of a file. A
compression gets one in ``tests.filtering``.
"""

from __future__ import annotations

import json
import random
from typing import Any

from hypothesis import strategies as st

from tests.filtering import PACKINGS
from tests.unit.prose import Prose

_PROSE = Prose(20)
POOL = [
    _PROSE.words(40),
    ". ".join(_PROSE.words(13).capitalize() for _ in range(4)) + ".",
    _PROSE.words(25).replace(" ", " \U0001f600 ", 3),
    _PROSE.han(60),
    _PROSE.words(30).replace(" ", "\n", 4),
    _PROSE.words(20).replace("a", "á").replace("e", "e\u0301"),
    _PROSE.words(6),
    f"{_PROSE.words(10)} \x00\x1f\x7f\u2028 “{_PROSE.words(10)}”",
]


def _near(text: str, seed: int) -> str:
    """One word exchanged."""
    words, dice = text.split(" "), random.Random(seed)
    words[dice.randrange(len(words))] = f"other{seed}"
    return " ".join(words)


def _part(text: str, seed: int) -> str:
    words, dice = text.split(" "), random.Random(seed)
    start = dice.randrange(max(1, len(words) - 14))
    return " ".join(words[start : start + 14 + seed % 7])


def _around(text: str, seed: int) -> str:
    prose = Prose(seed)
    return f"{prose.words(seed % 30)}. {text} {prose.words(9)}!\n{POOL[seed % len(POOL)]}"


def _twice(text: str, seed: int) -> str:
    return " ".join([text] * (2 + seed % 3))


_CHANGES = [
    lambda text, seed: text,
    lambda text, seed: text,
    lambda text, seed: text.upper(),
    lambda text, seed: f" {text}\r\n",
    lambda text, seed: Prose(seed + 50).words(12 + seed),
    _near,
    _near,
    _part,
    _around,
    _around,
    _twice,
]

SEEDS = st.integers(0, 40)
COPIES = st.builds(
    lambda text, change, seed: change(text, seed), st.sampled_from(POOL), st.sampled_from(_CHANGES), SEEDS
)

#: Texts that UTF-8 can hold, and such as only an escape can.
WRITABLE = COPIES | COPIES | COPIES | st.text(max_size=12) | st.sampled_from(["", " ", "…", "one", "one two"])
TEXTS = WRITABLE | st.builds(
    lambda text, odd: text.replace(" ", odd, 2), COPIES, st.sampled_from(["\ud800", " \udfff ", " \ud83d"])
)

_IDS = st.one_of(
    st.integers(0, 3),
    st.sampled_from(
        [None, "", "a", "\ud800", "\x00", "💡", 1.5, True, [1], {"a": 1}, 2**63, -(2**70), "x" * 300, "a:1"]
    ),
    st.text(max_size=4),
)
_DATES = st.one_of(
    st.integers(-5, 5),
    st.sampled_from(
        ["2024-05-01", "2024-05-01T12:00:00+02:00", "Wed, 01 May 2024 12:00:00 GMT", "soon", "", None, True, [],
         1e300, 10**30]
    ),
)  # fmt: skip
_MORE = st.dictionaries(
    st.sampled_from(["n", "é", "dedup", "text ", "a b", "\ud800"]),
    st.one_of(st.none(), st.floats(), st.integers(-(2**80), 2**80), st.text(max_size=3), st.just({"text": "x"})),
    max_size=2,
)  # fmt: skip
#: Instead of what a record has at that place.
_SCRIPTS = st.sampled_from(["plain", "plain", "plain", "ascii", "tight", "loose", "twice", "escaped"])


def _written(text: str, ident: Any, date: Any, more: dict[str, Any], order: int, script: str) -> bytes:
    """A record as a line without its end."""
    fields: list[tuple[str, Any]] = [("text", text), ("id", ident), ("date", date), *more.items()]
    random.Random(order).shuffle(fields)
    separators = {"tight": (",", ":"), "loose": (" ,\t", " : ")}.get(script, (", ", ": "))
    data = json.dumps(dict(fields), ensure_ascii=True, separators=separators)
    if script in ("plain", "tight", "loose"):
        plain = json.dumps(dict(fields), ensure_ascii=False, separators=separators)
        try:
            return plain.encode()
        except UnicodeEncodeError:
            return data.encode()
    if script == "twice":  # the last of equal keys counts
        return f'{{"text": "not this one", {data[1:]}'.encode()
    if script == "escaped":
        return data.replace('"text"', '"\\u0074ext"', 1).replace("a", "\\u0061").encode() + b"  "
    return data.encode()


RECORDS = st.builds(_written, TEXTS, _IDS, _DATES, _MORE, st.integers(0, 5), _SCRIPTS)
_DAMAGED = st.one_of(
    st.sampled_from(
        [b"", b" \t", b"{}", b"[1]", b'{"text": 1}', b'{"text": null}', b"\xff\xfe", b'{"text": "cut of', b"null",
         b'"text"', b"\xef\xbb\xbf", b"\x00", b'{"text": "a\xff"}', b'{"text": "a\x01b"}', b"\x85"]
    ),
    st.binary(max_size=8).map(lambda data: data.replace(b"\n", b"")),
)  # fmt: skip
_LINES = RECORDS | RECORDS | RECORDS | _DAMAGED
_ENDS = st.sampled_from([b"\n", b"\n", b"\n", b"\r\n", b" \n", b"\n\n", b"\n \r\n\n"])


def _joined(bom: bool, rows: list[tuple[bytes, bytes]], is_open: bool) -> bytes:
    data = b"".join(line + end for line, end in rows)
    return (b"\xef\xbb\xbf" if bom else b"") + (data.rstrip(b"\r\n") if is_open else data)


def _heap(seed: int, count: int) -> list[tuple[bytes, bytes]]:
    """Many lines at once, most of them with a text that others have too."""
    dice, rows = random.Random(seed), []
    for number in range(count):
        text = dice.choice(_CHANGES)(dice.choice(POOL), dice.randrange(8))
        if dice.random() < 0.3:
            text = dice.choice(_CHANGES)(text, dice.randrange(8))
        ident, date = (
            dice.choice([None, number, "a", "é", "\ud800"]),
            dice.choice([None, 1, 2, "2024-05-01", "x"]),
        )
        script = dice.choice(["plain", "plain", "ascii", "tight", "loose", "twice", "escaped"])
        line = _written(text, ident, date, {}, dice.randrange(6), script)
        rows.append((line, dice.choice([b"\n", b"\n", b"\r\n", b"\n\n"])))
    return rows


_HEAPS = st.builds(_heap, st.integers(0, 10**6), st.integers(2, 15))
_ROWS = st.lists(_HEAPS | st.lists(st.tuples(_LINES, _ENDS), max_size=3), max_size=4).map(
    lambda parts: [row for part in parts for row in part]
)
JSONL = st.builds(_joined, st.booleans(), _ROWS, st.booleans())
PLAIN = st.one_of(
    *[COPIES.map(lambda text: text.encode())] * 4,
    st.builds(lambda text, bom: (b"\xef\xbb\xbf" if bom else b"") + text.encode(), WRITABLE, st.booleans()),
    st.binary(max_size=20),
)

#: What stands in a file, by its suffix.
FORMATS: dict[str, st.SearchStrategy[bytes]] = {
    ".jsonl": JSONL,
    ".ndjson": JSONL,
    ".txt": PLAIN,
    ".md": PLAIN,
    ".png": st.binary(max_size=20),
}
#: Formats whose files can go into one.
RECORDS_IN_LINES = [".jsonl", ".ndjson"]


@st.composite
def files(draw: st.DrawFn, suffixes: list[str], most: int = 5, damaged: bool = True) -> dict[str, bytes]:
    """Names and bytes of a few files; now and then a compressed one is cut off."""
    found = {}
    for number in range(draw(st.integers(1, most))):
        suffix, packing = draw(st.sampled_from(suffixes)), draw(st.sampled_from(sorted(PACKINGS)))
        data = PACKINGS[packing].pack(draw(FORMATS[suffix]))
        if packing == ".gz" and damaged and draw(st.integers(0, 9)) == 0:
            data = data[: draw(st.integers(0, len(data)))]
        folder = draw(st.sampled_from(["", "", "d/", "d/e/", "é f/"]))
        found[f"{folder}{number}{suffix}{packing}"] = data
    return found
