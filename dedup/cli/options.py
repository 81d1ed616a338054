"""Options as the commands share them: under headings in the help, checked by ``Settings``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from ..errors import DedupError
from ..model import Settings

if TYPE_CHECKING:
    from ..read import Options

#: Exit codes: the gate has failed; an error; done, but inputs were skipped, and that was asked for.
FAILED, ERROR, SKIPPED = 1, 2, 3

#: Stands for standard output among names of files.
STDOUT = "-"

CONTEXT = {"help_option_names": ["--help", "-h"], "show_default": True}

CONFIGURATION = "dedup.configuration"  # where a context holds the configuration that is in force
# What a value is, beside a string: a file, a format with perhaps a file after "=", a number of bytes.
PATH, REPORT, SIZE = "path", "report", "size"


class Option(click.Option):
    """An option that stands under a heading in the help, and may be set by a configuration.

    ``holds`` says what the value is: a file (PATH, and REPORT after its ``=``), which is relative to the configuration
    that names it, or a SIZE. An option that is not ``configurable`` belongs to one call: what it writes, or replaces.
    """

    def __init__(
        self, *arguments: Any, heading: str, holds: str = "", configurable: bool = True, **attributes: Any
    ) -> None:
        super().__init__(*arguments, **attributes)
        self.heading = heading
        self.holds = holds
        self.configurable = configurable
        self.key = max(self.opts, key=len).lstrip("-")

    def get_error_hint(self, ctx: click.Context | None) -> str:
        place = origin(self, ctx) if ctx is not None else None
        return f"{self.key} ({place})" if place else super().get_error_hint(ctx)


def origin(parameter: click.Parameter, ctx: click.Context) -> str | None:
    """Where a value comes from that was not given on the command line and is no default, for messages."""
    source = ctx.get_parameter_source(parameter.name or "")
    if source is ParameterSource.ENVIRONMENT:
        return f"from {parameter.envvar}"
    if source is ParameterSource.DEFAULT_MAP:
        return f"from {ctx.meta[CONFIGURATION].path}"
    return None


class Command(click.Command):
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


COPIES, SEARCH, INPUT, OUTPUT = "What counts as a copy", "How it is searched", "Input", "Output"
_DEFAULTS = Settings()

Decorator = Callable[[Any], Any]


def option(heading: str, *names: str, **attributes: Any) -> Decorator:
    return click.option(*names, cls=Option, heading=heading, **attributes)


def setting(heading: str, name: str, help: str, **attributes: Any) -> Decorator:
    """An option for a setting: its name, type and default are those of ``Settings``, which also checks it."""
    default = getattr(_DEFAULTS, name)
    metavar = "SHARE" if isinstance(default, float) else "N"
    given = {"type": type(default), "default": default, "metavar": metavar, "help": help, **attributes}
    return option(heading, f"--{name.replace('_', '-')}", **given)


def flag(heading: str, *names: str, help: str, **attributes: Any) -> Decorator:
    return option(heading, *names, is_flag=True, help=help, **attributes)


def _size(_: click.Context, __: click.Parameter, value: str) -> int:
    """A number of bytes, written 100MB or so."""
    from ..read.options import size

    try:
        return size(value)
    except DedupError as error:
        raise click.BadParameter(str(error)) from error


_EXTRACTOR = "Takes the text out of HTML: resiliparse, trafilatura, or none: the markup is the text."
_INPUT_FORMAT = "Format of standard input and of files with an odd suffix, as a suffix: csv, warc.gz."


def reading(largest: str) -> Decorator:
    """The options that become the :class:`dedup.read.Options` of a command; :func:`reading_of` makes them.

    ``largest`` says what happens to records above the size.
    """
    options = (
        option(
            INPUT, "--text-field", metavar="NAME", default="text", help="Field or column that holds the text."
        ),
        option(INPUT, "--id-field", metavar="NAME", default="id", help="Field or column that holds the id."),
        option(INPUT, "--html-extractor", metavar="NAME", default="resiliparse", help=_EXTRACTOR),
        option(INPUT, "--max-record-size", metavar="SIZE", default="100MB", callback=_size, holds=SIZE,
               help=largest),
        option(INPUT, "--input-format", metavar="SUFFIX", default="auto", help=_INPUT_FORMAT),
        flag(INPUT, "--fail-on-skipped", help="Exit with 3 if an input could not be read."),
    )  # fmt: skip

    def decorate(command: Any) -> Any:
        for one in reversed(options):
            command = one(command)
        return command

    return decorate


def reading_of(options: dict[str, Any]) -> Options:
    """How inputs are read, as the options of :func:`reading` have it."""
    from ..read import Options

    return Options(*(options[name] for name in Options._fields))


_THRESHOLD = "Documents are copies from this Jaccard similarity on, or with this share of one in the other."
_MIN_TOKENS = "Shortest passage, in words; a character of Chinese, Japanese, Thai … is 5/8 of one."
_SEARCH = (
    setting(COPIES, "threshold", _THRESHOLD),
    setting(COPIES, "passage_similarity", "Passages are copies from this share of words in common on."),
    setting(COPIES, "min_tokens", _MIN_TOKENS),
    setting(COPIES, "ngram", "Words in a shingle, the unit by which documents are compared."),
    flag(SEARCH, "--no-documents", help="Do not look for duplicate documents."),
    flag(SEARCH, "--no-passages", help="Do not look for repeated passages."),
    setting(SEARCH, "num_perm", "MinHash permutations in a document's signature."),
    setting(SEARCH, "seed", "Seed of the permutations."),
    setting(SEARCH, "jobs", "Threads; the result is the same for any number.", show_default="all cores"),
)


INDEX = option(
    SEARCH, "--index", metavar="DIR", holds=PATH,
    help="Compare with what this index holds, too; see dedup index.",
)  # fmt: skip


def waiting(heading: str) -> Decorator:
    """The option that says how long another process that changes an index is waited for."""
    return option(
        heading, "--wait", type=click.FloatRange(0), default=10.0, metavar="SECONDS", configurable=False,
        help="How long to wait for another process that is writing to the index.",
    )  # fmt: skip


def searching(command: Any) -> Any:
    """The options that become the :class:`Settings` of a scan; :func:`settings_of` makes them."""
    for one in reversed(_SEARCH):
        command = one(command)
    return command


def settings_of(options: dict[str, Any]) -> Settings:
    """The settings that the options of :func:`searching` give."""
    names = ("threshold", "passage_similarity", "min_tokens", "ngram", "num_perm", "seed", "jobs")
    values = {name: options[name] for name in names}
    values["documents"] = not options["no_documents"]
    values["passages"] = not options["no_passages"]
    return Settings.of(values)
