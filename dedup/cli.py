"""The command ``dedup``: options become settings, the pipeline runs, its report is written.

Enters: arguments, the environment (``NO_COLOR``, ``TERM``, ``DEDUP_DEBUG``). Leaves: data on standard
output or in files, messages on standard error, and an exit code: 0 done, 2 error, 3 done but inputs were
skipped (when asked for), 130 interrupted. The only importer of click. Nothing heavy is imported before a
command has its arguments.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import click

from .errors import DedupError, OutputError
from .model import Report, Settings
from .report import FORMATS, WIDTH

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from rich.progress import Progress, TaskID

ERROR = 2
SKIPPED = 3
INTERRUPTED = 130

STDOUT = "-"
_CONTEXT = {"help_option_names": ["--help", "-h"], "show_default": True}
_MESSAGES = 20  # skipped inputs listed on standard error
_REFRESH = 0.1  # seconds between two looks of the progress line
_PATIENCE = 0.3  # seconds that an interruption may wait for the main thread

Notify = Callable[[str, int, "int | None"], None]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code; an error becomes a line on standard error."""
    try:
        code = dedup.main(args=arguments, prog_name="dedup", standalone_mode=False)
        sys.stdout.flush()
        return int(code or 0)
    except click.ClickException as error:
        error.show()
        return ERROR
    except (click.Abort, KeyboardInterrupt):
        _say("interrupted")
        return INTERRUPTED
    except DedupError as error:
        _say(str(error))
        return error.exit_code
    except (BrokenPipeError, SystemExit):  # click itself meets a broken pipe with sys.exit(1)
        _close_quietly()
        return 0
    except Exception as error:
        if os.environ.get("DEDUP_DEBUG") == "1":
            import traceback

            traceback.print_exc()
        text = " ".join(f"{type(error).__name__}: {error}".split())
        _say(f"internal error: {text} (DEDUP_DEBUG=1 shows where)")
        return ERROR


def command() -> NoReturn:
    """The command as a process: ends at once, for to give back a large corpus piece by piece takes long."""
    code = main()
    with suppress(OSError, ValueError, AttributeError):
        sys.stderr.flush()
    os._exit(code)


class _Option(click.Option):
    """An option that stands under a heading in the help."""

    def __init__(self, *arguments: Any, heading: str, **attributes: Any) -> None:
        super().__init__(*arguments, **attributes)
        self.heading = heading


class _Command(click.Command):
    """A command whose help shows its options under headings."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        headings: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            row = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if row is not None:
                headings.setdefault(getattr(parameter, "heading", "Help"), []).append(row)
        for heading, rows in headings.items():
            with formatter.section(heading):
                formatter.write_dl(rows)


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from . import __version__, kernel

        click.echo(f"dedup {__version__} (kernel: {kernel.name()})")
        ctx.exit()


@click.group(context_settings=_CONTEXT)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version,
    help="Show the version and the kernel in use, and exit.",
)  # fmt: skip
def dedup() -> None:
    """Find duplicate documents and repeated passages in text, and show where they are."""


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


_COPIES, _SEARCH, _INPUT, _OUTPUT = "What counts as a copy", "How it is searched", "Input", "Output"
_DEFAULTS = Settings()

_Decorator = Callable[[Any], Any]


def _option(heading: str, *names: str, **attributes: Any) -> _Decorator:
    return click.option(*names, cls=_Option, heading=heading, **attributes)


def _setting(heading: str, name: str, help: str, **attributes: Any) -> _Decorator:
    """An option for a setting: its name, type and default are those of ``Settings``, which also checks it."""
    default = getattr(_DEFAULTS, name)
    metavar = "SHARE" if isinstance(default, float) else "N"
    given = {"type": type(default), "default": default, "metavar": metavar, "help": help, **attributes}
    return _option(heading, f"--{name.replace('_', '-')}", **given)


def _flag(heading: str, *names: str, help: str) -> _Decorator:
    return _option(heading, *names, is_flag=True, help=help)


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


@dedup.command(cls=_Command, no_args_is_help=True, epilog=_EXAMPLES, context_settings=_CONTEXT)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@_setting(_COPIES, "threshold", _THRESHOLD)
@_setting(_COPIES, "passage_similarity", "Passages are copies from this share of words in common on.")
@_setting(
    _COPIES,
    "min_tokens",
    "Shortest passage, in words; a character of Chinese, Japanese, Thai … is 5/8 of one.",
)
@_setting(_COPIES, "ngram", "Words in a shingle, the unit by which documents are compared.")
@_flag(_SEARCH, "--no-documents", help="Do not look for duplicate documents.")
@_flag(_SEARCH, "--no-passages", help="Do not look for repeated passages.")
@_setting(_SEARCH, "num_perm", "MinHash permutations in a document's signature.")
@_setting(_SEARCH, "seed", "Seed of the permutations.")
@_setting(_SEARCH, "jobs", "Threads; the result is the same for any number.", show_default="all cores")
@_option(_INPUT, "--text-field", metavar="NAME", default="text", help="Where a JSON record holds its text.")
@_option(_INPUT, "--id-field", metavar="NAME", default="id", help="Where a JSON record holds its id.")
@_flag(_INPUT, "--fail-on-skipped", help="Exit with 3 if an input could not be read.")
@_option(_OUTPUT, "--format", "targets", multiple=True, metavar="F|F=FILE", callback=_targets,
         show_default="text", help=_FORMAT)  # fmt: skip
@_option(_OUTPUT, "-o", "--output", metavar="FILE", help="Write the report here, whole or not at all.")
@_flag(_OUTPUT, "-q", "--quiet", help="No progress and no messages, only errors.")
def scan(paths: tuple[str, ...], **options: Any) -> int:
    """Find duplicate documents and repeated passages.

    Each PATH is a file, a directory (read recursively) or "-", JSON lines on standard input.

    Reads .txt and .md (a document a file), .jsonl and .ndjson (a document a line), each also with .gz.
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
    from .read import is_readable_name
    from .report import atomic

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
    from .read import Options, documents
    from .read.again import Again

    # Before the pipeline is imported: a path that does not exist is told at once.
    reading = Options(options["text_field"], options["id_field"])
    items = documents(paths, reading)
    # Arrays are filled once and read in order: for that, huge pages cost more to get than they save.
    os.environ.setdefault("NUMPY_MADVISE_HUGEPAGE", "0")
    # The threads of its algebra, of which there is none here, wait busily.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from .pipeline import run

    warnings.showwarning = lambda message, *_: _say(str(message))
    gc.disable()  # millions of objects and no cycles among them; the process ends with the report
    is_shown = not options["quiet"] and sys.stderr is not None and sys.stderr.isatty()
    shown = _progress() if is_shown else nullcontext()
    with _interruptible(), shown as notify, Again(reading) as again:
        return run(items, settings, notify, again)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Ctrl-C is obeyed within a moment, though the kernel, which knows no signals, may be at work for minutes."""
    if os.name != "posix" or threading.current_thread() is not threading.main_thread():
        yield
        return
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    threading.Thread(target=_end_if_interrupted, args=(reader,), daemon=True).start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        os.close(writer)


def _end_if_interrupted(reader: int) -> None:
    """Ends the process some time after an interruption, unless the main thread has gone on by then."""
    while signals := os.read(reader, 16):
        if signal.SIGINT in signals:
            time.sleep(_PATIENCE)
            if select.select([reader], [], [], 0)[0]:  # the other end is closed: the main thread saw to it
                break
            if sys.stderr is not None and sys.stderr.isatty():
                click.echo(
                    "\r\x1b[2K\x1b[?25h", err=True, nl=False
                )  # the progress line goes, the cursor comes back
            _say("interrupted")
            os._exit(INTERRUPTED)
    os.close(reader)


@contextmanager
def _progress() -> Iterator[Notify]:
    """A line on standard error with the stage at work, gone at the end."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    stage, count = TextColumn("{task.description}"), TextColumn("{task.fields[count]}")
    columns = (SpinnerColumn(), stage, BarColumn(), count, TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield _Stages(progress).notify


class _Stages:
    """Turns the pipeline's calls, of which there may be millions, into one moving line."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._stage = ""
        self._task: TaskID | None = None
        self._next = 0.0

    def notify(self, stage: str, done: int, total: int | None) -> None:
        now = time.monotonic()
        if stage == self._stage and now < self._next:
            return
        self._next = now + _REFRESH
        count = f"{done:,}" if total is None else f"{done:,} of {total:,}"
        if stage != self._stage or self._task is None:
            if self._task is not None:
                self._progress.remove_task(self._task)
            self._stage = stage
            self._task = self._progress.add_task(stage, total=total, completed=done, count=count)
        else:
            self._progress.update(self._task, total=total, completed=done, count=count)


def _write(report: Report, target: _Target) -> None:
    from .report import write
    from .report.atomic import whole_file

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
        _say(f"skipped {entry.source}: {entry.reason}")
    if len(report.skipped) > _MESSAGES:
        _say(f"skipped {len(report.skipped) - _MESSAGES:,} more inputs; the report lists them all")


def _say(message: str) -> None:
    """One line on standard error, with nothing in it that a terminal would obey."""
    from .report.visible import visible

    with suppress(OSError):
        click.echo(f"dedup: {visible(message)}", err=True)


def _close_quietly() -> None:
    """Point the standard streams at nothing, so that the interpreter's last flush meets no broken pipe."""
    for stream in (sys.__stdout__, sys.__stderr__):
        with suppress(OSError, ValueError, AttributeError):
            assert stream is not None
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, stream.fileno())
            os.close(nothing)
