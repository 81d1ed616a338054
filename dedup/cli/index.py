"""``dedup index``: what the archive holds is remembered, and new texts are compared with it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from ..errors import DedupIndexError, InputError, SettingsError
from ..model import Document, Settings, Skipped
from ..report import FORMATS, write
from ..report.figures import count
from . import targets
from .configured import Configured
from .links import links
from .options import (
    CONTEXT,
    COPIES,
    INPUT,
    OUTPUT,
    SEARCH,
    SKIPPED,
    STDOUT,
    Command,
    flag,
    option,
    reading,
    setting,
    waiting,
)
from .process import at_work
from .scan import list_skipped
from .screen import say
from .targets import Look, Target, reports

if TYPE_CHECKING:
    from ..index import Added
    from ..read.again import Texts

_LISTED = 20  # lost or missing documents that are named one by one
_LARGEST = "Larger records are passed over; 0 for no limit."

_GROUP_EXAMPLES = """\b
Examples:
  dedup index build memory/ archive/ --store-text
  dedup index query memory/ tonight/
  dedup filter tonight/ -o new/ --rejects copies/ --manifest run.jsonl --index memory/ --commit
  dedup index verify memory/

docs/index.md tells more, docs/format.md what lies in the folder.
"""


@click.group(context_settings=CONTEXT, epilog=_GROUP_EXAMPLES)
def index() -> None:
    """Remember what an archive holds, and compare new texts with it.

    An index is a folder, DIR in the commands below. One process at a time changes it; any number may ask it meanwhile.
    """


_DIR = click.argument("folder", metavar="DIR")
_PATHS = click.argument("paths", nargs=-1, required=True, metavar="PATH...")
_QUIET = flag(OUTPUT, "-q", "--quiet", help="No progress and no messages, only errors.")
_FORMAT = option(OUTPUT, "--format", type=click.Choice(["text", "json"]), default="text", configurable=False,
                 help="How to tell it.")  # fmt: skip


@index.command(cls=Configured)
@_DIR
@_PATHS
@flag(
    COPIES,
    "--store-text",
    configurable=False,
    help="Keep the texts, compressed: then hits are compared exactly. dedup filter and check need them.",
)
@flag(COPIES, "--no-passages", help="Hold only what documents are found by: a fifth of the size.")
@setting(COPIES, "ngram", "Words in a shingle, the unit by which documents are compared.")
@setting(SEARCH, "num_perm", "MinHash permutations in a document's signature, where texts are not stored.")
@setting(SEARCH, "seed", "Seed of the permutations.")
@setting(SEARCH, "jobs", "Threads; the result is the same for any number.", show_default="all cores")
@reading(_LARGEST)
@_QUIET
def build(folder: str, paths: tuple[str, ...], **options: Any) -> int:
    """Make an index of everything under PATH..., whole or not at all."""
    names = ("ngram", "num_perm", "seed", "jobs")
    settings = Settings.of({name: options[name] for name in names} | {"passages": not options["no_passages"]})
    from ..index import Shape
    from ..index.catalogue import check_vacant

    shape = Shape.of(settings, options["store_text"])
    check_vacant(Path(folder))
    asides: list[Path] = []
    with at_work(options["quiet"], partial(_deleted, asides)) as notify:
        from ..index import build as made

        added = made(
            Path(folder), _documents(paths, options), shape, jobs=settings.jobs, begun=asides.append,
            tell=lambda number: notify("reading", number, None) if notify else None,
        )  # fmt: skip
    return _added(folder, added, options)


@index.command(cls=Configured)
@_DIR
@_PATHS
@option(OUTPUT, "--run", metavar="NAME", configurable=False,
        help="Add them as pending, under this name, until dedup index commit.")  # fmt: skip
@setting(SEARCH, "jobs", "Threads; the result is the same for any number.", show_default="all cores")
@waiting(SEARCH)
@reading(_LARGEST)
@_QUIET
def add(folder: str, paths: tuple[str, ...], **options: Any) -> int:
    """Add everything under PATH... to an index.

    A document that is there already, by its id and text, is passed over. Another text under a known id is a new version
    of it; the old one stays until it is removed.
    """
    with at_work(options["quiet"]) as notify:
        from ..index import add as added_to

        added = added_to(
            Path(folder), _documents(paths, options), run=options["run"], wait=options["wait"], jobs=options["jobs"],
            tell=lambda number: notify("reading", number, None) if notify else None,
        )  # fmt: skip
    return _added(folder, added, options)


def _deleted(asides: list[Path]) -> None:
    for aside in asides:
        shutil.rmtree(aside, ignore_errors=True)


def _documents(paths: Sequence[str], options: dict[str, Any]) -> Iterator[Document | Skipped]:
    from ..read import Options, documents

    return documents(paths, Options(*(options[name] for name in Options._fields)))


def _texts(options: dict[str, Any]) -> Texts:
    from ..read import Options
    from ..read.again import Again, Texts

    return Texts(Again(Options(*(options[name] for name in Options._fields))))


def _added(folder: str, added: Added, options: dict[str, Any]) -> int:
    if not options["quiet"]:
        list_skipped(added.skipped, elsewhere="")
        parts = [f"{count(added.added, 'document')} added"]
        if added.versions:
            parts.append(f"{added.versions:,} of them new versions of known ones")
        if added.known:
            parts.append(f"{added.known:,} known already")
        if options.get("run"):
            parts.append(f"pending as run {options['run']}" if added.added else "nothing is pending")
        say(f"{folder}: {', '.join(parts)}")
    return SKIPPED if added.skipped and options["fail_on_skipped"] else 0


@index.command(cls=Configured)
@_DIR
@_PATHS
@setting(
    COPIES,
    "threshold",
    "Documents are copies from this Jaccard similarity on, or with this share in the other.",
)
@setting(COPIES, "passage_similarity", "Passages are copies from this share of words in common on.")
@setting(
    COPIES,
    "min_tokens",
    "Shortest passage, in words; a character of Chinese, Japanese, Thai … is 5/8 of one.",
)
@flag(SEARCH, "--no-documents", help="Do not look for duplicate documents.")
@flag(SEARCH, "--no-passages", help="Do not look for repeated passages.")
@setting(SEARCH, "jobs", "Threads; the result is the same for any number.", show_default="all cores")
@reading(_LARGEST)
@reports(FORMATS, default="text")
@_QUIET
def query(folder: str, paths: tuple[str, ...], **options: Any) -> int:
    """Compare everything under PATH... with what the index holds.

    The result is that of dedup scan; in each cluster the archived copy, marked as such, comes first, unless it lies
    inside a new text. Copies among the new documents alone are left out: dedup scan --index shows these, too.
    """
    chosen = targets.placed(options["targets"] or [Target("text", STDOUT)], options["output"])
    targets.check(chosen, paths)
    items = _documents(paths, options)
    texts = _texts(options)
    with at_work(options["quiet"]) as notify:
        from ..index import Memory, Snapshot
        from ..pipeline import run

        snapshot = Snapshot.of(Path(folder))
        names = ("threshold", "passage_similarity", "min_tokens", "jobs")
        shape = snapshot.shape
        if options["no_documents"] and not shape.passages:
            raise SettingsError(f"{folder}: was built without passages; leave out --no-documents")
        settings = Settings.of(
            {name: options[name] for name in names}
            | {"ngram": shape.ngram, "num_perm": shape.num_perm, "seed": shape.seed}
            | {"documents": not options["no_documents"]}
            | {"passages": shape.passages and not options["no_passages"]}
        )
        memory = Memory(snapshot, settings, alone=True, told=texts.hold)
        if memory.caveat and not options["quiet"]:
            say(memory.caveat)
        report = run(texts.passing(items), settings, notify, archive=memory)
    if not options["quiet"] and Target("text", STDOUT) not in chosen:
        list_skipped(report.skipped)

    def writer(target: Target, stream: BinaryIO, look: Look) -> None:
        write(
            report, target.format, stream, color=look.color, width=look.width, texts=texts.get,
            link=links(target.file), lengths=texts.measured(),
        )  # fmt: skip

    with closing(texts):
        targets.write(chosen, writer)
    return SKIPPED if report.skipped and options["fail_on_skipped"] else 0


@index.command(cls=Command)
@_DIR
@click.argument("ids", nargs=-1, metavar="[ID...]")
@option(
    INPUT,
    "--from",
    "file",
    metavar="FILE",
    configurable=False,
    help='Ids, one a line, as they are or in quotes as JSON; "-" is standard input.',
)
@waiting(SEARCH)
@_QUIET
def remove(folder: str, ids: tuple[str, ...], **options: Any) -> int:
    """Forget documents: all versions of each ID, or one, as ID@VERSION.

    They are left out from now on; dedup index compact gives their room back.
    """
    wanted = [*ids, *(_lines(options["file"]) if options["file"] else ())]
    if not wanted:
        raise click.UsageError("Name the ids to forget, or a file of them with --from.")
    with at_work(quiet=True):
        from ..index import remove as removed_from

        gone, missing = removed_from(Path(folder), wanted, wait=options["wait"])
    if not options["quiet"]:
        _list(missing, "is not in the index")
        say(f"{folder}: {count(gone, 'document')} removed")
    return 0


def _line(name: str) -> str:
    """A name as one line of text: as it is, or as JSON where that could not be read back."""
    return (
        name
        if name.isprintable() and name.strip() == name and name[:1] not in ("", '"')
        else json.dumps(name)
    )


def _lines(file: str) -> list[str]:
    """The names in a file, one a line."""
    try:
        with click.open_file(file, "rb") as stream:
            lines = stream.read().decode("utf-8-sig").replace("\r\n", "\n").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
    return [_name(line) for line in lines if line.strip()]


def _name(line: str) -> str:
    if line.startswith('"'):
        with suppress(ValueError):
            found = json.loads(line)
            return found if isinstance(found, str) else line
    return line


def _list(names: Sequence[str], what: str) -> None:
    for name in names[:_LISTED]:
        say(f"{name}: {what}")
    if len(names) > _LISTED:
        say(f"and {len(names) - _LISTED:,} more")


@index.command(cls=Command)
@_DIR
@_FORMAT
def info(folder: str, format: str) -> int:
    """Say what an index holds: documents, size, settings, pending runs."""
    from ..index import facts

    found = facts(Path(folder))
    if format == "json":
        click.echo(json.dumps(found, indent=2))
        return 0
    shape = found["settings"]
    passages = "documents and passages" if shape["passages"] else "documents only"
    copies = "near copies and passages" if shape["passages"] else "near copies"
    texts = "texts stored" if shape["text"] else f"no texts: {copies} are estimated"
    click.echo(f"{folder}: {count(found['documents'], 'document')} in {count(found['segments'], 'segment')}")
    click.echo(
        f"  {found['bytes']:,} bytes; {passages}; {texts}; shingles of {count(shape['ngram'], 'word')}"
    )
    if found["removed"]:
        click.echo(f"  {found['removed']:,} removed; dedup index compact gives their room back")
    for name, number in found["pending"].items():
        click.echo(f"  pending run {name}: {count(number, 'document')}; dedup index commit or abort")
    return 0


@index.command(cls=Configured)
@_DIR
@click.argument("paths", nargs=-1, metavar="[PATH...]")
@reading(_LARGEST)
@_QUIET
def verify(folder: str, paths: tuple[str, ...], **options: Any) -> int:
    """Read all of an index, and say what is not as it was written.

    With PATH..., the archive, it also names documents that are remembered and whose text is not there: an index must
    never remember what the archive does not hold. The exit code is 2 if anything is wrong.
    """
    with at_work(options["quiet"]):
        from ..index import facts
        from ..index.verify import missing, problems

        found = list(problems(Path(folder)))
        for problem in found:
            click.echo(problem)
        if found:
            raise DedupIndexError(
                f"{folder}: {count(len(found), 'problem')}; dedup index rebuild saves what is left"
            )
        lost, skipped = missing(Path(folder), _documents(paths, options)) if paths else ([], [])
    if not options["quiet"]:
        list_skipped(skipped, elsewhere="")
    for document, version in lost:
        click.echo(_line(f"{document}@{version}"))
    if lost:
        raise DedupIndexError(
            f"{folder}: {count(len(lost), 'document')} not in the archive; "
            "dedup index remove --from FILE takes these lines"
        )
    if not options["quiet"]:
        say(f"{folder}: in order, {count(facts(Path(folder))['documents'], 'document')}")
    return SKIPPED if skipped and options["fail_on_skipped"] else 0


@index.command(cls=Command)
@_DIR
@waiting(SEARCH)
@_QUIET
def compact(folder: str, wait: float, quiet: bool) -> int:
    """Make one segment of all, without what was removed; answers stay the same."""
    with at_work(quiet):
        from ..index import compact as compacted

        before, after = compacted(Path(folder), wait=wait)
    if not quiet:
        say(f"{folder}: {count(before, 'segment')} before, {after:,} now")
    return 0


@index.command(cls=Command)
@_DIR
@click.argument("run", metavar="RUN")
@waiting(SEARCH)
@_QUIET
def commit(folder: str, run: str, wait: float, quiet: bool) -> int:
    """Make a pending run part of the memory: its records are safe in the archive."""
    with at_work(quiet):
        from ..index import commit as committed

        number = committed(Path(folder), run, wait=wait)
    if not quiet:
        say(f"{folder}: {count(number, 'document')} of run {run} added")
    return 0


@index.command(cls=Command)
@_DIR
@click.argument("run", metavar="RUN")
@waiting(SEARCH)
@_QUIET
def abort(folder: str, run: str, wait: float, quiet: bool) -> int:
    """Forget a pending run: its records did not come into the archive."""
    from ..index import abort as aborted

    number = aborted(Path(folder), run, wait=wait)
    if not quiet:
        say(f"{folder}: {count(number, 'document')} of run {run} forgotten")
    return 0


@index.command(cls=Command)
@_DIR
@click.argument("new", metavar="NEW")
@_QUIET
def rebuild(folder: str, new: str, quiet: bool) -> int:
    """Make NEW, an index of all documents of a damaged one whose texts can still be read.

    It names those that are lost; add them from the archive with dedup index add, which passes over what is there.
    Pending runs are not carried over. DIR stays as it is. Where its catalogue is lost, too, what was removed or pending
    may come back: dedup index verify NEW PATH... names it.
    """
    lost: list[str] = []
    asides: list[Path] = []
    with at_work(quiet, partial(_deleted, asides)):
        from ..index import build as made
        from ..index.verify import Lost, salvaged

        shape, items = salvaged(Path(folder))

        def saved() -> Iterator[Document | Skipped]:
            for item in items:
                if isinstance(item, Lost):
                    lost.append(item.what)
                else:
                    yield item

        added = made(Path(new), saved(), shape, begun=asides.append)
    if not quiet:
        _list(lost, "is lost")
        say(f"{new}: {count(added.added, 'document')} saved, {len(lost):,} lost")
    return 0
