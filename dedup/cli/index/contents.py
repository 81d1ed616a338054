"""What an index holds: ``dedup index build``, ``add``, ``remove``, ``rebuild``."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...model import Document, Settings, Skipped
from ...report.figures import count
from ..configured import Configured
from ..options import COPIES, INPUT, OUTPUT, SEARCH, SKIPPED, Command, flag, option, reading, setting, waiting
from ..process import at_work
from ..scan import list_skipped
from ..screen import say
from .arguments import DIR, LARGEST, PATHS, QUIET, documents
from .names import lines, listed

if TYPE_CHECKING:
    from ...index import Added


@click.command(cls=Configured)
@DIR
@PATHS
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
@reading(LARGEST)
@QUIET
def build(folder: str, paths: tuple[str, ...], **options: Any) -> int:
    """Make an index of everything under PATH..., whole or not at all."""
    names = ("ngram", "num_perm", "seed", "jobs")
    settings = Settings.of({name: options[name] for name in names} | {"passages": not options["no_passages"]})
    from ...index import Shape
    from ...index.catalogue import check_vacant

    shape = Shape.of(settings, options["store_text"])
    check_vacant(Path(folder))
    asides: list[Path] = []
    with at_work(options["quiet"], partial(_deleted, asides)) as notify:
        from ...index import build as made

        added = made(
            Path(folder), documents(paths, options), shape, jobs=settings.jobs, begun=asides.append,
            tell=lambda number: notify("reading", number, None) if notify else None,
        )  # fmt: skip
    return _added(folder, added, options)


@click.command(cls=Configured)
@DIR
@PATHS
@option(OUTPUT, "--run", metavar="NAME", configurable=False,
        help="Add them as pending, under this name, until dedup index commit.")  # fmt: skip
@setting(SEARCH, "jobs", "Threads; the result is the same for any number.", show_default="all cores")
@waiting(SEARCH)
@reading(LARGEST)
@QUIET
def add(folder: str, paths: tuple[str, ...], **options: Any) -> int:
    """Add everything under PATH... to an index.

    A document that is there already, by its id and text, is passed over. Another text under a known id is a new version
    of it; the old one stays until it is removed.
    """
    with at_work(options["quiet"]) as notify:
        from ...index import add as added_to

        added = added_to(
            Path(folder), documents(paths, options), run=options["run"], wait=options["wait"], jobs=options["jobs"],
            tell=lambda number: notify("reading", number, None) if notify else None,
        )  # fmt: skip
    return _added(folder, added, options)


@click.command(cls=Command)
@DIR
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
@QUIET
def remove(folder: str, ids: tuple[str, ...], **options: Any) -> int:
    """Forget documents: all versions of each ID, or one, as ID@VERSION.

    They are left out from now on; dedup index compact gives their room back.
    """
    wanted = [*ids, *(lines(options["file"]) if options["file"] else ())]
    if not wanted:
        raise click.UsageError("Name the ids to forget, or a file of them with --from.")
    with at_work(quiet=True):
        from ...index import remove as removed_from

        gone, missing = removed_from(Path(folder), wanted, wait=options["wait"])
    if not options["quiet"]:
        listed(missing, "is not in the index")
        say(f"{folder}: {count(gone, 'document')} removed")
    return 0


@click.command(cls=Command)
@DIR
@click.argument("new", metavar="NEW")
@QUIET
def rebuild(folder: str, new: str, quiet: bool) -> int:
    """Make NEW, an index of all documents of a damaged one whose texts can still be read.

    It names those that are lost; add them from the archive with dedup index add, which passes over what is there.
    Pending runs are not carried over. DIR stays as it is. Where its catalogue is lost, too, what was removed or pending
    may come back: dedup index verify NEW PATH... names it.
    """
    lost: list[str] = []
    asides: list[Path] = []
    with at_work(quiet, partial(_deleted, asides)):
        from ...index import build as made
        from ...index.verify import Lost, salvaged

        shape, items = salvaged(Path(folder))

        def saved() -> Iterator[Document | Skipped]:
            for item in items:
                if isinstance(item, Lost):
                    lost.append(item.what)
                else:
                    yield item

        added = made(Path(new), saved(), shape, begun=asides.append)
    if not quiet:
        listed(lost, "is lost")
        say(f"{new}: {count(added.added, 'document')} saved, {len(lost):,} lost")
    return 0


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


def _deleted(asides: list[Path]) -> None:
    for aside in asides:
        shutil.rmtree(aside, ignore_errors=True)
