"""``dedup scan``: options become settings, the pipeline runs, its report is written."""

from __future__ import annotations

import gc
import os
import sys
import warnings
from collections.abc import Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from ..errors import OutputError
from ..model import Report, Settings
from ..report import FORMATS, WIDTH
from .options import CONTEXT, COPIES, OUTPUT, SEARCH, Command, flag, option, reading, setting
from .screen import interruptible, progress, say

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

SKIPPED = 3

STDOUT = "-"
_MESSAGES = 20  # skipped inputs listed on standard error


class _Target(NamedTuple):
    """One report to write: its format, and a file or standard output."""

    format: str
    file: str


def _targets(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> list[_Target]:
    """``F`` and ``F=FILE`` as targets; a bare format goes to standard output."""
    targets = []
    for value in values:
        name, equals, file = value.partition("=")
        if name not in FORMATS:
            raise click.BadParameter(f"{name!r} is not a format; expected one of {', '.join(FORMATS)}.")
        if equals and not file:
            raise click.BadParameter(f"{value!r} names no file; expected {name}=FILE.")
        targets.append(_Target(name, file or STDOUT))
    return targets


_THRESHOLD = "Documents are copies from this Jaccard similarity on, or with this share of one in the other."
_FORMAT = f"{', '.join(FORMATS)}. With =FILE into that file. May be repeated: one scan, many reports."

_EXAMPLES = """\b
Examples:
  dedup scan articles/
  dedup scan news.jsonl.gz --text-field body --id-field url
  dedup scan articles/ --no-documents --min-tokens 20
  dedup scan articles/ --format text --format json=result.json
  zcat crawl.jsonl.gz | dedup scan - --format jsonl -o result.jsonl

\b
Exit codes:
  0    done, whatever was found
  2    wrong usage, an input that does not exist, or an internal error
  3    done, but inputs were skipped and --fail-on-skipped was given
  130  interrupted
"""


@click.command(cls=Command, no_args_is_help=True, epilog=_EXAMPLES, context_settings=CONTEXT)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@setting(COPIES, "threshold", _THRESHOLD)
@setting(COPIES, "passage_similarity", "Passages are copies from this share of words in common on.")
@setting(
    COPIES,
    "min_tokens",
    "Shortest passage, in words; a character of Chinese, Japanese, Thai … is 5/8 of one.",
)
@setting(COPIES, "ngram", "Words in a shingle, the unit by which documents are compared.")
@flag(SEARCH, "--no-documents", help="Do not look for duplicate documents.")
@flag(SEARCH, "--no-passages", help="Do not look for repeated passages.")
@setting(SEARCH, "num_perm", "MinHash permutations in a document's signature.")
@setting(SEARCH, "seed", "Seed of the permutations.")
@setting(SEARCH, "jobs", "Threads; the result is the same for any number.", show_default="all cores")
@reading("Larger records are passed over; 0 for no limit.")
@option(OUTPUT, "--format", "targets", multiple=True, metavar="F|F=FILE", callback=_targets,
         show_default="text", help=_FORMAT)  # fmt: skip
@option(OUTPUT, "-o", "--output", metavar="FILE", help="Write the report here, whole or not at all.")
@flag(OUTPUT, "-q", "--quiet", help="No progress and no messages, only errors.")
def scan(paths: tuple[str, ...], **options: Any) -> int:
    """Find duplicate documents and repeated passages.

    Each PATH is a file, a directory (read recursively), a URL, or "-", JSON lines on standard input.

    Reads .txt, .md and .html (a document a file), .jsonl, .ndjson, .csv and .tsv (a document a line or row),
    .parquet, .arrow and .feather (a row), .warc and .wet (a record), all these also in .zip and .tar, and each with
    .gz, .bz2, .xz, .zst or .lz4. Some need an extra package, which a message names.

    Inputs are never changed; what cannot be read is listed with its reason and the rest goes on.
    """
    settings = _settings(options)
    targets = _placed(options["targets"], options["output"])
    _check_outputs(targets, paths)
    report = _run(paths, settings, options)
    if not options["quiet"] and _Target("text", STDOUT) not in targets:
        _list_skipped(report)
    # Files first: a reader that closes standard output must not cost anyone a file.
    for target in sorted(targets, key=lambda target: target.file == STDOUT):
        _write(report, target)
    return SKIPPED if report.skipped and options["fail_on_skipped"] else 0


def _settings(options: dict[str, Any]) -> Settings:
    names = ("threshold", "passage_similarity", "min_tokens", "ngram", "num_perm", "seed", "jobs")
    values = {name: options[name] for name in names}
    values["documents"] = not options["no_documents"]
    values["passages"] = not options["no_passages"]
    return Settings.of(values)


def _placed(targets: list[_Target], output: str | None) -> list[_Target]:
    """The reports to write once ``-o`` has its say: it takes the one format that names no file of its own."""
    targets = targets or [_Target("text", STDOUT)]
    bare = [target for target in targets if target.file == STDOUT]
    if len(bare) > 1:
        names = " and ".join(target.format for target in bare)
        raise click.UsageError(f"{names} would go to one place; write --format {bare[-1].format}=FILE.")
    if output is None:
        return targets
    if not bare:
        raise click.UsageError("-o is for a format without a file of its own, and there is none.")
    return [target._replace(file=output) if target is bare[0] else target for target in targets]


def _check_outputs(targets: list[_Target], paths: Sequence[str]) -> None:
    """Refuse, before the work begins, what could not be written or would overwrite an input."""
    from ..read import is_readable_name
    from ..write import atomic

    taken: set[str] = set()
    inputs = [os.path.realpath(path) for path in paths if path != STDOUT]
    for _, file in targets:
        if file == STDOUT:
            if sys.stdout is None:
                raise OutputError("standard output is closed; name a file with -o")
            continue
        real = os.path.realpath(file)
        if real in taken:
            raise OutputError(f"{file}: given for two reports; expected a file for each")
        taken.add(real)
        if real in inputs and not os.path.isdir(real):
            raise OutputError(f"{file}: is one of the inputs, which are never changed; write somewhere else")
        if is_readable_name(real) and any(real.startswith(os.path.join(folder, "")) for folder in inputs):
            raise OutputError(
                f"{file}: would be an input of the next scan; write outside the directories read"
            )
        atomic.check(file)


def _run(paths: Sequence[str], settings: Settings, options: dict[str, Any]) -> Report:
    from ..read import Options, documents
    from ..read.again import Again

    # Before the pipeline is imported: a path that does not exist is told at once.
    reading = Options(*(options[name] for name in Options._fields))
    items = documents(paths, reading)
    # Arrays are filled once and read in order: for that, huge pages cost more to get than they save.
    os.environ.setdefault("NUMPY_MADVISE_HUGEPAGE", "0")
    # The threads of its algebra, of which there is none here, wait busily.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from ..pipeline import run

    warnings.showwarning = lambda message, *_: say(str(message))
    gc.disable()  # millions of objects and no cycles among them; the process ends with the report
    is_shown = not options["quiet"] and sys.stderr is not None and sys.stderr.isatty()
    shown = progress() if is_shown else nullcontext()
    with interruptible(), shown as notify, Again(reading) as again:
        return run(items, settings, notify, again)


def _write(report: Report, target: _Target) -> None:
    from ..report import write
    from ..write.atomic import whole_file

    place: AbstractContextManager[Any] = nullcontext(sys.stdout.buffer)
    if target.file != STDOUT:
        place = whole_file(target.file)
    is_terminal = target.file == STDOUT and sys.stdout.isatty()
    color = is_terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    try:
        with place as stream:
            write(report, target.format, stream, color=color, width=_width() if is_terminal else WIDTH)
            stream.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        name = "standard output" if target.file == STDOUT else target.file
        raise OutputError(f"{name}: cannot be written: {(error.strerror or str(error)).lower()}") from error


def _width() -> int:
    from shutil import get_terminal_size

    return min(get_terminal_size().columns, WIDTH)


def _list_skipped(report: Report) -> None:
    for entry in report.skipped[:_MESSAGES]:
        say(f"skipped {entry.source}: {entry.reason}")
    if len(report.skipped) > _MESSAGES:
        say(f"skipped {len(report.skipped) - _MESSAGES:,} more inputs; the report lists them all")
