"""What an index is asked: ``dedup index query``."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from ...errors import SettingsError
from ...model import Settings
from ...report import FORMATS, write
from .. import targets
from ..configured import Configured
from ..links import links
from ..options import COPIES, SEARCH, SKIPPED, STDOUT, flag, reading, reading_of, setting
from ..process import at_work
from ..scan import list_skipped
from ..screen import say
from ..targets import Look, Target, reports
from .arguments import DIR, LARGEST, PATHS, QUIET, documents

if TYPE_CHECKING:
    from ...index import Shape


@click.command(cls=Configured)
@DIR
@PATHS
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
@reading(LARGEST)
@reports(FORMATS, default="text")
@QUIET
def query(folder: str, paths: tuple[str, ...], **options: Any) -> int:
    """Compare everything under PATH... with what the index holds.

    The result is that of dedup scan; in each cluster the archived copy, marked as such, comes first, unless it lies
    inside a new text. Copies among the new documents alone are left out: dedup scan --index shows these, too.
    """
    chosen = targets.placed(options["targets"] or [Target("text", STDOUT)], options["output"])
    targets.check(chosen, paths)
    items = documents(paths, options)
    from ...read.again import Again, Texts

    texts = Texts(Again(reading_of(options)))
    with at_work(options["quiet"]) as notify:
        from ...index import Memory, Snapshot
        from ...pipeline import run

        snapshot = Snapshot.of(Path(folder))
        settings = _settings(snapshot.shape, folder, options)
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


def _settings(shape: Shape, folder: str, options: dict[str, Any]) -> Settings:
    """Those of the index, and what is asked for. Raises SettingsError where it cannot tell that."""
    if options["no_documents"] and not shape.passages:
        raise SettingsError(f"{folder}: was built without passages; leave out --no-documents")
    asked = {name: options[name] for name in ("threshold", "passage_similarity", "min_tokens", "jobs")}
    built = {"ngram": shape.ngram, "num_perm": shape.num_perm, "seed": shape.seed}
    passages = shape.passages and not options["no_passages"]
    return Settings.of(asked | built | {"documents": not options["no_documents"], "passages": passages})
