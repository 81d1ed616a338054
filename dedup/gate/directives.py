"""What documents say of themselves: what in them may repeat.

Enters: the text of a document. Leaves: the ranges that are suppressed in it, and what is wrong with its directives.

A directive is a comment that begins with ``dedup:`` and goes on with ``off`` or ``on`` and perhaps a reason; upper and
lower case are one, and spaces round the colon are free. It counts

- as an HTML comment anywhere in a line, unless it follows a backtick or a backslash (there it is shown, not said), or
- alone on its line, after an opener of another language: ``#  //  //!  %  ;  !  --  ..  .\"  @c  dnl``, round it one of
  ``/* */  /** */  {# #}  {/* */}  {{/* */}}  {{!-- --}}  <%-- --%>  <%# %>  (* *)  {- -}  #| |#``, or in the link
  definition ``[//]: # (…)``, which Markdown does not show;

and nowhere in a fenced block of code or between backticks in a line. Prose that speaks of it is none.
``dedup: ignore`` at the top level of the front matter (YAML between ``---``, TOML between ``+++``) suppresses the whole
document. Between such lines may also stand prose: front matter is only what can be YAML line by line, or is TOML.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_left
from collections.abc import Iterator
from typing import NamedTuple

#: Of a place that is suppressed, this share lies within one range: from it on, two spans are taken for one passage
#: in clusters, too. An end that by chance runs on beyond ``on`` does not undo the range; a passage of which much
#: stands outside is not what was meant.
SHARE = 0.8

# One after the other, each faster and letting more through than the next: 1,000, 150 and 18 MB/s.
_NAMES = ("edup", "EDUP", "eDup")
_ANY = re.compile(r"dedup[\"']?\s*[:=]", re.IGNORECASE)

_HTML = r"(?<![`\\])<!--\s*dedup\s*:\s*(?P<word>\w*)(?P<rest>(?:(?!<!--|-->).)*)-->"
_BLOCKS = {
    "/**": "*/", "/*": "*/", "{#": "#}", "{/*": "*/}", "{{/*": "*/}}", "{{!--": "--}}", "<%--": "--%>", "<%#": "%>",
    "(*": "*)", "{-": "-}", "#|": "|#",
}  # fmt: skip
_WORDS = r"\.\\\"", r"@c(?:omment)?(?=[ \t])", r"dnl(?=[ \t])"  # roff, Texinfo, M4
_LINK = r"\[[^]\n]{1,20}\]:[ ]+(?:#|<>)[ ]+[(\"']"  # a definition in Markdown that no link uses
_OPENER = "|".join(
    [*map(re.escape, _BLOCKS), "#+", "//+!?", "%+", ";+", "!+", "--", r"\.\. ", *_WORDS, _LINK]
)
_LINE = rf"^[ \t]*(?P<opener>{_OPENER})[ \t]*dedup[ \t]*:[ \t]*(?P<switch>off|on)\b(?P<tail>[^\n]*)"
_DIRECTIVE = re.compile(f"(?s:{_HTML})|{_LINE}", re.IGNORECASE | re.MULTILINE)
_CLOSERS = {**_BLOCKS, "(": ")", '"': '"', "'": "'"}
_SPAN = re.compile(r"(?<!`)(`+)(?!`)[^\n]{1,1000}?(?<!`)\1(?!`)")  # of code in a line
_FENCE = re.compile(r"^[ \t]*(?P<marks>`{3,}|~{3,})(?P<info>[^\n]*)$", re.MULTILINE)

_YAML = re.compile(r"---[ \t]*\r?\n(?P<body>.*?)^(?:---|\.\.\.)[ \t]*\r?$", re.DOTALL | re.MULTILINE)
_TOML = re.compile(r"\+\+\+[ \t]*\r?\n(?P<body>.*?)^\+\+\+[ \t]*\r?$", re.DOTALL | re.MULTILINE)
_YAML_KEY = re.compile(r"^([\"']?)dedup\1[ \t]*:(?P<value>[ \t][^\n]*|)$", re.IGNORECASE | re.MULTILINE)
_TOML_KEY = re.compile(r"^[ \t]*([\"']?)dedup\1[ \t]*=(?P<value>[^\n]*)$", re.IGNORECASE | re.MULTILINE)
# Empty or a comment, indented, in a list, the end of one in brackets, a key.
_YAML_LINE = re.compile(
    r"[ \t]*(?:#.*)?|[ \t]+\S.*|-(?:[ \t].*)?|[\]}],?[ \t]*|"
    r"(?:\"[^\"]+\"[ \t]*|'[^']+'[ \t]*|[\w$@][\w \t.$@/-]*):(?:[ \t].*)?"
)
_TOML_TABLE = re.compile(r"^[ \t]*\[", re.MULTILINE)
_VALUE = re.compile(r"[ \t]*([\"']?)(?P<value>[^\"'#]*?)\1[ \t]*(?:#+[ \t]*(?P<reason>.*?))?[ \t\r]*")


class Range(NamedTuple):
    """Text that may repeat: code points ``start`` to ``end``, half open, and the line (from 1) that says so."""

    start: int
    end: int
    line: int
    reason: str
    is_whole: bool = False


class Problem(NamedTuple):
    """A directive that does not do what was meant."""

    line: int
    message: str


class Directives(NamedTuple):
    """What a document says of itself: its ranges in order, none in another, and what is wrong."""

    ranges: tuple[Range, ...]
    problems: tuple[Problem, ...]

    def covering(self, start: int, end: int) -> Range | None:
        """The range that holds at least SHARE of the code points from ``start`` to ``end``; None if there is none.

        >>> directives("<!-- dedup: off licence -->All rights reserved.<!-- dedup: on -->").covering(27, 47).reason
        'licence'
        """
        for found in self.ranges:
            if min(end, found.end) - max(start, found.start) >= max(1, SHARE * (end - start)):
                return found
        return None


def directives(text: str) -> Directives | None:
    """What the text of a document says of itself; None, at the speed of a search, where it does not speak of dedup.

    A range includes its two comments, as a copy does that was made together with them. One that is not closed goes
    to the end of the text.
    """
    if not any(name in text for name in _NAMES) or _ANY.search(text) is None:
        return None
    whole, problems = _front_matter(text)
    if whole is not None:
        return Directives((whole,), ())
    ranges: list[Range] = []
    begun: Range | None = None
    for said in _said(text):
        if said.word == "off" and begun is None:
            begun = Range(said.start, len(text), said.line, said.reason)
        elif said.word == "on" and begun is not None:
            ranges.append(begun._replace(end=said.end))
            begun = None
        else:
            problems.append(Problem(said.line, _wrong(said.word, begun)))
    if begun is not None:
        ranges.append(begun)
        problems.append(Problem(begun.line, "dedup: off is not closed; all that follows is suppressed"))
    problems.sort()
    return Directives(tuple(ranges), tuple(problems)) if ranges or problems else None


class _Said(NamedTuple):
    """One directive: where its comment begins and ends."""

    start: int
    end: int
    line: int
    word: str
    reason: str


def _said(text: str) -> Iterator[_Said]:
    """The directives of a text in order."""
    shown: tuple[list[tuple[int, int]], ...] | None = None
    line, counted = 1, 0
    for match in _DIRECTIVE.finditer(text):
        if match["opener"] is None:
            word, rest = match["word"], match["rest"]
        else:
            word, tail = match["switch"], _unclosed(match["opener"], match["tail"].strip())
            if tail is None:
                continue
            rest = tail
        shown = (_fenced(text), [span.span() for span in _SPAN.finditer(text)]) if shown is None else shown
        if any(_holds(ranges, match.start()) for ranges in shown):
            continue
        line, counted = line + text.count("\n", counted, match.start()), match.start()
        yield _Said(match.start(), match.end(), line, word.lower(), " ".join(rest.split()))


def _unclosed(opener: str, tail: str) -> str | None:
    """What stands before the end of the comment; None where more stands behind it."""
    closer = _CLOSERS.get(opener[-1] if opener.startswith("[") else opener)
    if closer is None or closer not in tail:
        return tail
    return tail.removesuffix(closer) if tail.endswith(closer) else None


def _fenced(text: str) -> list[tuple[int, int]]:
    """Where blocks of code stand between fences (CommonMark 4.5; here they may be indented)."""
    found: list[tuple[int, int]] = []
    begun: re.Match[str] | None = None
    for match in _FENCE.finditer(text):
        marks, info = match["marks"], match["info"].strip()
        if begun is None:
            begun = match if marks[0] == "~" or "`" not in info else None
        elif marks.startswith(begun["marks"]) and not info:
            found.append((begun.start(), match.end()))
            begun = None
    return found if begun is None else [*found, (begun.start(), len(text))]


def _holds(ranges: list[tuple[int, int]], place: int) -> bool:
    """Whether one of the ranges, which are in order, holds a place."""
    at = bisect_left(ranges, (place + 1,))
    return at > 0 and place < ranges[at - 1][1]


def _wrong(word: str, begun: Range | None) -> str:
    """What is wrong with a directive that neither begins nor ends a range."""
    if word == "off" and begun is not None:
        return f"dedup: off within the range that line {begun.line} begins"
    if word == "on":
        return "dedup: on without a dedup: off before it"
    return f"dedup: {word} is not known in a comment; expected off or on"


def _front_matter(text: str) -> tuple[Range | None, list[Problem]]:
    """The range of a whole document whose front matter says so, and what is wrong with it."""
    for block, keys in ((_YAML, _YAML_KEY), (_TOML, _TOML_KEY)):
        front = block.match(text)
        if front is None:
            continue
        start, end = front.span("body")
        if not (_is_toml if block is _TOML else _is_yaml)(front["body"]):
            return None, []
        table = _TOML_TABLE.search(text, start, end) if block is _TOML else None
        key = keys.search(text, start, table.start() if table else end)
        if key is None:
            return None, []
        line = text.count("\n", 0, key.start()) + 1
        value = _VALUE.fullmatch(key["value"])
        if value is not None and value["value"].strip().lower() == "ignore":
            return Range(0, len(text), line, value["reason"] or "", True), []
        return None, [Problem(line, f"dedup is {key['value'].strip() or 'empty'} here; expected ignore")]
    return None, []


def _is_yaml(body: str) -> bool:
    """Whether each line may be one of YAML: prose between two rules is no front matter."""
    return all(_YAML_LINE.fullmatch(line.rstrip("\r")) for line in body.split("\n"))


def _is_toml(body: str) -> bool:
    """Whether it is TOML that names dedup at its top level."""
    try:
        return "dedup" in map(str.lower, tomllib.loads(body.replace("\r\n", "\n")))
    except (tomllib.TOMLDecodeError, RecursionError):
        return False
