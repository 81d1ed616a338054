"""The words of the project as types: what the stages hand to each other and what a user gets.

Everything here is immutable. Positions in a text are code points, half open (``[start, end)``), in the
*original* text; positions in a token sequence are token indices, half open too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from numbers import Integral, Real
from typing import Any, NamedTuple

from .errors import SettingsError

SCHEMA = "dedup-report/1"


class Source(NamedTuple):
    """Where a document came from.

    ``path`` is as the user gave it (never made absolute), ``-`` for standard input, None for a document
    handed over in memory. ``line`` is the record's line in that file, from 1, and None where the file is
    the document. ``byte_offset`` is where the record begins in the (decompressed) file. ``archived`` is None, or
    the version (32 hexadecimal digits) of a document that comes from an index, where it was put from there.
    """

    path: str | None = None
    line: int | None = None
    byte_offset: int | None = None
    archived: str | None = None


class Document(NamedTuple):
    """One text under one id. The text is never altered."""

    id: str
    text: str
    source: Source = Source()


class Skipped(NamedTuple):
    """An input that was passed over, and why: one line a person understands."""

    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that shapes a result, checked once. The names are those of the options and of the result.

    ``jobs`` is the number of threads (0: all cores); it never changes a result and is not part of one.

    >>> Settings(threshold=0.7).threshold
    0.7
    >>> Settings(threshold=7)
    Traceback (most recent call last):
    dedup.errors.SettingsError: threshold is 7; expected a number above 0 and up to 1
    """

    threshold: float = 0.8
    passage_similarity: float = 0.7
    min_tokens: int = 12
    ngram: int = 5
    num_perm: int = 128
    seed: int = 1
    documents: bool = True
    passages: bool = True
    jobs: int = 0

    def __post_init__(self) -> None:
        for name in ("threshold", "passage_similarity"):
            value = getattr(self, name)
            if not isinstance(value, Real) or isinstance(value, bool) or not 0 < float(value) <= 1:
                raise SettingsError(f"{name} is {value!r}; expected a number above 0 and up to 1")
            object.__setattr__(self, name, float(value))
        for name, low, high in (
            ("min_tokens", 4, 10**6),
            ("ngram", 1, 64),
            ("num_perm", 16, 4096),
            ("seed", 0, 2**32 - 1),
            ("jobs", 0, 4096),
        ):
            value = getattr(self, name)
            if not isinstance(value, Integral) or isinstance(value, bool) or not low <= int(value) <= high:
                raise SettingsError(f"{name} is {value!r}; expected a whole number from {low} to {high}")
            object.__setattr__(self, name, int(value))
        for name in ("documents", "passages"):
            if not isinstance(getattr(self, name), bool):
                raise SettingsError(f"{name} is {getattr(self, name)!r}; expected true or false")
        if not (self.documents or self.passages):
            raise SettingsError(
                "documents and passages are both off: nothing is left to look for; turn one on"
            )

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Settings:
        """Settings from names and values; an unknown name raises SettingsError with the nearest known one."""
        known = [entry.name for entry in fields(cls)]
        for name in values:
            if name not in known:
                from difflib import get_close_matches

                near = get_close_matches(name, known, 1)
                hint = f"; did you mean {near[0]}?" if near else f"; known: {', '.join(known)}"
                raise SettingsError(f"unknown setting {name}{hint}")
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        """The settings that shape a result (all but ``jobs``)."""
        values = asdict(self)
        del values["jobs"]
        return values


@dataclass(frozen=True, slots=True)
class DocumentMember:
    """One document of a cluster. The figures are against the kept document, exact, and None for that one itself.

    ``jaccard`` is shared over all distinct shingles of the two; ``containment`` is the share of this
    member's distinct shingles that the kept document holds too. Both in [0, 1]. A contained member lies in
    ``kept_text[kept_start:kept_end]``, from line ``kept_line`` on (from 1); these are None for others, and for
    one that lies there in scattered pieces, which are reported as passages.
    """

    document: str
    source: Source
    jaccard: float | None = None
    containment: float | None = None
    kept_start: int | None = None
    kept_end: int | None = None
    kept_line: int | None = None


@dataclass(frozen=True, slots=True)
class DocumentCluster:
    """Copies of one document: ``members[0]`` is the one that is kept, each other was verified against it.

    ``kind`` is ``exact`` (all the same text, code point by code point), ``near`` (jaccard at or above the
    threshold, exact copies among them) or ``contained`` (containment at or above it: the members lie inside the
    kept one). ``id`` is a fingerprint of the kept text's words.
    """

    id: str
    kind: str
    kept: str
    members: tuple[DocumentMember, ...]


@dataclass(frozen=True, slots=True)
class PassageMember:
    """One copy of a passage: ``text`` is ``document.text[start:end]``, ``line`` to ``end_line`` its lines, from 1.

    ``similarity`` is 2·LCS/(a+b) over tokens against the cluster's first member, None for that one itself.
    ``copies`` is above 1 only in a periodic passage: how often the unit repeats in this span.
    """

    document: str
    source: Source
    start: int
    end: int
    line: int
    end_line: int
    similarity: float | None
    text: str
    copies: int = 1


@dataclass(frozen=True, slots=True)
class PassageCluster:
    """Copies of one passage, each verified against the first member; or one periodic passage.

    ``tokens`` counts the first member's tokens, ``similarity`` is the lowest of the members'.
    ``period`` is None, or the tokens of the unit that each member repeats ``copies`` times.
    """

    id: str
    tokens: int
    similarity: float
    period: int | None
    members: tuple[PassageMember, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """The counts of a scan. ``repeated_tokens`` lie in copies: everything that could go without losing a text."""

    documents: int
    skipped: int
    empty: int
    characters: int
    tokens: int
    duplicate_documents: int
    document_clusters: int
    passage_clusters: int
    repeated_tokens: int
    repeated_share: float


@dataclass(frozen=True, slots=True)
class EmptyDocument:
    """A document without a single word: counted, named, and a copy of nothing."""

    document: str
    source: Source


@dataclass(frozen=True, slots=True)
class Estimate:
    """What an index without texts knows of an archived document that a new one seems to be like. Nothing is proven.

    ``identical`` means the same text, by its hash. ``estimated_jaccard`` is estimated from signatures, and None where
    it is below the threshold: then passages seem to lie in ``text[estimated_start:estimated_end]``.
    """

    document: str
    source: Source
    archived: str
    archived_source: Source
    identical: bool
    estimated_jaccard: float | None
    estimated_start: int | None
    estimated_end: int | None


def _version() -> str:
    from . import __version__

    return __version__


@dataclass(frozen=True, slots=True)
class Report:
    """What a scan found. Clusters stand in the order of how much text they repeat, most first.

    ``version`` is that of the program which found it. ``estimates`` are None but where an index was asked that holds no
    texts. A report can be handed to ``polars.DataFrame``, ``pyarrow.table`` or ``pandas.DataFrame.from_arrow``: a row
    for each member.
    """

    settings: Settings
    summary: Summary
    skipped: tuple[Skipped, ...]
    empty_documents: tuple[EmptyDocument, ...]
    document_clusters: tuple[DocumentCluster, ...]
    passage_clusters: tuple[PassageCluster, ...]
    version: str = field(default_factory=_version)
    estimates: tuple[Estimate, ...] | None = None

    def outline(self) -> dict[str, Any]:
        """The result in the form of ``--format json``, the clusters in it still objects."""
        estimates = {} if self.estimates is None else {"estimates": self.estimates}
        return {
            "schema": SCHEMA,
            "tool": {"name": "dedup", "version": self.version},
            "settings": self.settings.to_dict(),
            "summary": self.summary,
            "skipped": self.skipped,
            "empty_documents": self.empty_documents,
            "document_clusters": [told(cluster) for cluster in self.document_clusters],
            "passage_clusters": [told(cluster) for cluster in self.passage_clusters],
            **estimates,
        }

    def to_dict(self) -> dict[str, Any]:
        """The result as plain dicts and lists, in the form of ``--format json`` (schema ``dedup-report/1``)."""
        whole: dict[str, Any] = plain(self.outline())
        return whole

    def to_rows(self) -> list[dict[str, Any]]:
        """A dict for each member of each cluster, documents before passages; the columns of ``--format csv``."""
        from .table import rows

        return list(rows(self))

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The rows of :meth:`to_rows` for whoever takes Arrow data. Raises DependencyError without pyarrow."""
        from .table import stream

        return stream(self, requested_schema)


def told(cluster: DocumentCluster | PassageCluster) -> DocumentCluster | PassageCluster | dict[str, Any]:
    """A cluster as results show it: as it is, or with its archived members marked."""
    if all(member.source.archived is None for member in cluster.members):
        return cluster
    members = [
        {**shallow(member), "archived": True} if member.source.archived else member
        for member in cluster.members
    ]
    return {**shallow(cluster), "members": members}


def shallow(value: Any) -> dict[str, Any]:
    """A named tuple or dataclass as a dict; what it holds stays as it is."""
    if isinstance(value, dict):
        return value
    if isinstance(value, Source | Skipped):
        fields = value._asdict()
        if fields.get("archived", "") is None:
            del fields["archived"]
        return fields
    return {name: getattr(value, name) for name in value.__dataclass_fields__}


def plain(value: Any) -> Any:
    """A model object as dicts, lists and scalars, all the way down."""
    if isinstance(value, Source | Skipped) or hasattr(value, "__dataclass_fields__"):
        value = shallow(value)
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return value
