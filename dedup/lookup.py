"""Documents by name: the one in a file, or records among many by their ids or places.

Enters: names and paths. Leaves: two documents. A name that stands for none, or for several, is an error that says so.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from .errors import InputError
from .model import Document, Report, Skipped, Source
from .read import STDIN, Options, documents
from .read.again import Again, Texts

Pair = tuple[Document, Document]
Skip = Callable[[Skipped], object]
Lookup = Callable[[str, Source], str | None]

NAMED = 3  # places of an ambiguous name that an error tells of


def single(path: str, options: Options) -> Document:
    """The document in a file. Raises InputError unless there is one, and nothing in the file is passed over."""
    found = None
    for item in documents([path], options):
        if isinstance(item, Skipped):
            raise InputError(f"{item.source}: {item.reason}")
        if found is not None:
            raise InputError(
                f"{path}: holds more than one document; name two of them, by id or place, with --in {path}"
            )
        found = item
    if found is None:
        raise InputError(f"{path}: holds no document; expected one")
    return found


def both(first: str, second: str, options: Options) -> Pair:
    """The documents in two files; standard input can be one of them."""
    if first == second == STDIN:
        raise InputError("-: given twice; standard input can be read only once")
    return single(first, options), single(second, options)


def among(names: tuple[str, str], paths: Sequence[str], options: Options, skip: Skip) -> Pair:
    """The documents of these names, ids or ``path:line``, in files and directories; ``skip`` is told of the others."""
    found = _all_among(names, paths, options, skip)
    return _one(names[0], found[0], _in(paths)), _one(names[1], found[1], _in(paths))


def one_among(name: str, paths: Sequence[str], options: Options, skip: Skip) -> Document:
    """The document of one name."""
    [found] = _all_among((name,), paths, options, skip)
    return _one(name, found, _in(paths))


def _all_among(
    names: Sequence[str], paths: Sequence[str], options: Options, skip: Skip
) -> tuple[list[Document], ...]:
    found: tuple[list[Document], ...] = tuple([] for _ in names)
    for item in documents(paths, options):
        if isinstance(item, Skipped):
            skip(item)
            continue
        for name, here in zip(names, found, strict=True):
            if name in (item.id, place(item.source)):
                here.append(item)
    return found


def _in(paths: Sequence[str]) -> str:
    return f"in {', '.join(paths)}"


def remembered(
    names: tuple[str, str], archived: Callable[[str], list[Document]], others: Callable[[str], Document]
) -> Pair:
    """The documents of these names: archived ones by their ids or ``id@version``, and ``others``."""
    found = []
    for name in names:
        versions = archived(name)
        if len(versions) > 1:
            told = ", ".join(f"{item.id}@{item.source.archived}" for item in versions[:NAMED])
            raise InputError(f"{name}: {len(versions):,} versions are archived; name one of them: {told}")
        found.append(versions[0] if versions else others(name))
    return found[0], found[1]


def place(source: Source) -> str | None:
    """A document's place as ``path:line``, or its path where that is all there is to say."""
    return source.path if source.line is None else f"{source.path}:{source.line}"


def _one(name: str, found: list[Document], where: str) -> Document:
    if not found:
        raise InputError(f"{name}: no document is called so, by its id or its place, {where}")
    if len(found) > 1:
        places = ", ".join(str(place(item.source)) for item in found[:NAMED])
        more = " …" if len(found) > NAMED else ""
        raise InputError(
            f"{name}: {len(found):,} documents are called so {where}: {places}{more}; name one by its place"
        )
    return found[0]


# ---- documents that a result names -----------------------------------------------------------------------------

Key = tuple[str, Source]


def of_result(names: tuple[str, str], report: Report, result: str, options: Options, skip: Skip) -> Pair:
    """The documents of these names in a result, read again from where they came.

    Raises InputError where the result does not name them, where they came from nowhere that can be read again, and
    where their passages are not what they were.
    """
    keys = [_key(name, report, result) for name in names]
    paths = list(dict.fromkeys(_file(source, name) for name, (_, source) in zip(names, keys, strict=True)))
    found: dict[Key, Document] = {}
    for item in documents(paths, options):
        if isinstance(item, Skipped):
            skip(item)
        elif (item.id, item.source) in keys:
            found[item.id, item.source] = item
    for name, key in zip(names, keys, strict=True):
        if key not in found or not _is_unchanged(found[key], report):
            raise InputError(f"{name}: is not what it was when {result} was written; scan again")
    return found[keys[0]], found[keys[1]]


def _members(report: Report) -> Iterator[Key]:
    for documents_ in report.document_clusters:
        yield from ((member.document, member.source) for member in documents_.members)
    for passages in report.passage_clusters:
        yield from ((member.document, member.source) for member in passages.members)
    yield from ((empty.document, empty.source) for empty in report.empty_documents)


def _key(name: str, report: Report, result: str) -> Key:
    keys = list(dict.fromkeys(key for key in _members(report) if name in (key[0], place(key[1]))))
    if not keys:
        raise InputError(
            f"{name}: {result} names no such document, for it names only those that repeat something; "
            "give the files with --in"
        )
    return keys[0] if len(keys) == 1 else _only(name, keys, result)


def _only(name: str, keys: list[Key], result: str) -> Key:
    texts = [Document(id, "", source) for id, source in keys]
    one = _one(name, texts, f"in {result}")
    return one.id, one.source


def _file(source: Source, name: str) -> str:
    """The file that a document came from; of one inside an archive, the archive."""
    if source.path is None or source.path == STDIN:
        came = "was handed over in memory" if source.path is None else "came on standard input"
        raise InputError(f"{name}: {came} and cannot be read again; give a file with --in")
    return _holding(source.path)


def _holding(path: str) -> str:
    """The file at a path, or the archive that holds it."""
    if os.path.exists(path):
        return path
    archives = (path[:at] for at, letter in enumerate(path) if letter == "!")
    return next((archive for archive in archives if os.path.isfile(archive)), path)


@contextmanager
def texts_of(report: Report, written: float | None, options: Options, skip: Skip) -> Iterator[Lookup]:
    """The texts of the documents that a result names, from their files; ``skip`` is told of what cannot be read.

    Nothing is fetched. A file that is newer than the result (``written``, seconds since the epoch) is passed over: it
    may be another than the one that was compared.
    """
    wanted = set(_members(report))
    paths = []
    for path in files_of(report):
        if written is not None and os.stat(path).st_mtime > written:
            skip(Skipped(path, "changed since the result was written"))
        else:
            paths.append(path)

    def chosen() -> Iterator[Document]:
        for item in documents(paths, options) if paths else ():
            if isinstance(item, Skipped):
                skip(item)
            elif (item.id, item.source) in wanted:
                yield item

    with Again(options) as again:
        texts = Texts(again)
        known = {(item.id, item.source) for item in texts.passing(chosen()) if isinstance(item, Document)}
        yield lambda document, source: texts.get(document, source) if (document, source) in known else None


def files_of(report: Report) -> list[str]:
    """The files on this machine that the documents which a result names came from."""
    return sorted({path for _, source in _members(report) if (path := _again(source)) is not None})


def _again(source: Source) -> str | None:
    """The regular file that a document came from, or None."""
    if source.path is None or source.path == STDIN:
        return None
    path = _holding(source.path)
    return path if os.path.isfile(path) else None


def _is_unchanged(document: Document, report: Report) -> bool:
    return all(
        document.text[member.start : member.end] == member.text
        for cluster in report.passage_clusters
        for member in cluster.members
        if (member.document, member.source) == (document.id, document.source)
    )
