"""``dedup report``: a saved result in any format, without the texts that it was made of."""

from __future__ import annotations

from typing import Any, BinaryIO

import click

from ..errors import SettingsError
from ..model import Report
from ..report import CHECK_FORMATS, FORMATS, SAVED_FORMATS, write, write_verdict
from . import targets
from .links import links
from .options import CONTEXT, OUTPUT, STDOUT, Command, flag
from .process import at_work
from .targets import Look, Target, reports

_EXAMPLES = """\b
Examples:
  dedup report result.json
  dedup report result.json.gz --format markdown -o copies.md
  dedup report result.json --format csv=copies.csv --format json=again.json
  dedup check docs/ --format json | dedup report - --format junit

\b
Exit codes:
  0    done
  2    wrong usage, a file that is no result or damaged, or an internal error
  130  interrupted
"""


@click.command(cls=Command, no_args_is_help=True, epilog=_EXAMPLES, context_settings=CONTEXT)
@click.argument("result", metavar="RESULT.json")
@reports(tuple(dict.fromkeys((*FORMATS, *CHECK_FORMATS))), default="text", configurable=False)
@flag(OUTPUT, "--show-known", configurable=False,
      help="Of a check: show what is known, moved or edited, too.")  # fmt: skip
@flag(OUTPUT, "--show-suppressed", configurable=False,
      help="Of a check: show what is suppressed, with the reason.")  # fmt: skip
def report(result: str, **options: Any) -> int:
    """Show a saved result again, in any format, without a new scan.

    RESULT.json is what "dedup scan" or "dedup check" wrote with --format json; it may be compressed (.gz, .bz2, .xz,
    .zst, .lz4), or "-", standard input. With --format json the same bytes come out.

    The result of a check can be written as text, json, markdown, gitlab and junit with its findings; the other
    formats hold the clusters behind them, but for sarif and github, which need the texts.
    """
    chosen = targets.placed(options["targets"] or [Target("text", STDOUT)], options["output"])
    targets.check(chosen, [result])
    with at_work(quiet=True):
        from ..saved import read

        found = read(result)
    show = {"show_known": options["show_known"], "show_suppressed": options["show_suppressed"]}
    is_scan = isinstance(found, Report)
    for format, _ in chosen:
        _check_format(format, result, is_scan=is_scan)

    def writer(target: Target, stream: BinaryIO, look: Look) -> None:
        if isinstance(found, Report):
            write(found, target.format, stream, color=look.color, width=look.width, link=links(target.file))
        elif target.format in SAVED_FORMATS:
            write_verdict(found, target.format, stream, color=look.color, width=look.width, **show)
        else:
            write(found.report, target.format, stream, link=links(target.file))

    targets.write(chosen, writer)
    return 0


def _check_format(format: str, result: str, *, is_scan: bool) -> None:
    """Raises SettingsError for a format that this result cannot be written in."""
    if is_scan and format not in FORMATS:
        known = ", ".join(FORMATS)
        raise SettingsError(
            f"{result}: is of a scan, and {format} is for findings of dedup check; expected {known}"
        )
    if not is_scan and format not in (*FORMATS, *SAVED_FORMATS):
        raise SettingsError(
            f"{result}: {format} shows columns of texts that a result does not hold; "
            f"have dedup check write it, --format {format}=FILE"
        )
