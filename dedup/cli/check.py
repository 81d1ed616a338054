"""``dedup check``: the gate for corpora that are kept under version control.

Everything is scanned, and what is new fails: a place that repeats something and that the baseline does not hold.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, BinaryIO

import click
from click.core import ParameterSource

from ..report import CHECK_FORMATS, write_verdict
from ..verdict import BASELINE, FAIL_ON
from . import targets
from .configured import Configured, Paths, configuration
from .options import (
    CONTEXT,
    FAILED,
    INDEX,
    INPUT,
    OUTPUT,
    PATH,
    SKIPPED,
    STDOUT,
    flag,
    option,
    reading,
    reading_of,
    searching,
    settings_of,
)
from .process import at_work
from .scan import list_skipped
from .screen import close_quietly, say
from .targets import Look, Target, reports

if TYPE_CHECKING:
    from ..gate.run import Plan
    from ..model import Report


GATE = "What fails"

_EXAMPLES = """\b
Examples:
  dedup check docs/ --update-baseline    accept all that repeats now
  dedup check docs/                      fail when something new repeats
  dedup check . --changed-since origin/main
  dedup check . --staged
  dedup check . --format text --format sarif=dedup.sarif

\b
Exit codes:
  0    nothing new repeats
  1    the gate failed
  2    wrong usage, a baseline that is missing or damaged, or an internal error
  3    the gate did not fail, but inputs were skipped and --fail-on-skipped was given
  130  interrupted
"""

_CONTRARY = (
    ("baseline", "no_baseline"),
    ("changed_since", "staged"),
    ("update_baseline", "no_baseline"),
    ("update_baseline", "changed_since"),
    ("update_baseline", "staged"),
)
_SINCE = "Tell only of places with lines that changed since this revision, untracked files included."
_STAGED = "Tell only of places with changed lines, in files that are staged for the next commit."
_BASELINE = "What was accepted before."
# What lists skipped inputs itself, where they are looked for; in a log of GitHub, nothing in a name is obeyed there.
_TELLING = (Target("text", STDOUT), Target("github", STDOUT))
_DEFAULT_BASELINE = f"{BASELINE} at the top, if it is there"


@click.command(cls=Configured, epilog=_EXAMPLES, context_settings=CONTEXT)
@click.argument("paths", cls=Paths, nargs=-1, metavar="[PATH...]")
@option(GATE, "--fail-on", type=click.Choice(FAIL_ON), default=FAIL_ON[0],
        help="Findings that fail: new ones, any that are not suppressed, or none.")  # fmt: skip
@option(GATE, "--max-new", type=click.IntRange(0), default=0, metavar="N", help="So many new findings pass.")
@option(GATE, "--max-share", type=click.FloatRange(0, 100), metavar="PERCENT",
        help="Fail, too, when more of the text than this is repeated.")  # fmt: skip
@option(GATE, "--changed-since", metavar="REV", help=_SINCE)
@flag(GATE, "--staged", configurable=False, help=_STAGED)
@option(GATE, "--baseline", metavar="FILE", holds=PATH, show_default=_DEFAULT_BASELINE, help=_BASELINE)
@flag(GATE, "--no-baseline", help="Accept nothing.")
@flag(
    GATE,
    "--update-baseline",
    configurable=False,
    help="Write the baseline anew: accept all that repeats now.",
)
@flag(GATE, "--strict-baseline", help="Fail, too, when the baseline holds something that is gone.")
@searching
@INDEX
@reading("Larger records are passed over; 0 for no limit.")
@flag(GATE, "--allow-empty", help="Pass when there is not one document; else that is an error.")
@option(INPUT, "--exclude", multiple=True, metavar="PATTERN", help="Leave out, in the syntax of .gitignore.")
@flag(INPUT, "--no-ignore-files", help="Do not heed .gitignore and .dedupignore.")
@flag(INPUT, "--no-cache", help="Keep no results in .dedup_cache, and use none.")
@reports(CHECK_FORMATS, default="text, or github in GitHub Actions")
@flag(OUTPUT, "--show-suppressed", help="Show what is suppressed, with the reason.")
@flag(OUTPUT, "-q", "--quiet", help="No progress and no messages, only errors.")
def check(paths: tuple[str, ...], **options: Any) -> int:
    """Fail when a change brings a copy into a corpus, and point at it.

    Everything under the PATHs is scanned as "dedup scan" does it, by default the working directory, but for what
    .gitignore and .dedupignore name. A place that repeats something and that the baseline does not hold is new.

    Text between "dedup: off" and "dedup: on" in comments is left alone, and so is a file with "dedup: ignore" in its
    front matter.
    """
    is_update = options["update_baseline"]
    chosen = [] if is_update else _chosen(options)
    with at_work(options["quiet"]) as notify:
        from ..gate import Policy, run

        plan = _plan(paths or (".",), options)
        targets.check(chosen, plan.paths)
        policy = Policy(*(options[name] for name in ("fail_on", "max_new", "max_share", "strict_baseline")))
        with run.survey(plan, notify, is_update=is_update) as survey:
            if is_update:
                number = run.write_baseline(plan, survey)
                if not options["quiet"]:
                    list_skipped(survey.report.skipped)
                    places = "place is" if number == 1 else "places are"
                    say(f"{plan.baseline_file}: {number:,} {places} accepted")
                return _passed(survey.report, options)
            verdict = survey.verdict(policy, only_changed=plan.staged or plan.changed_since is not None)
    if not options["quiet"] and not any(target in chosen for target in _TELLING):
        list_skipped(verdict.report.skipped)
    show = {"show_known": policy.fail_on == "any", "show_suppressed": options["show_suppressed"]}

    def writer(target: Target, stream: BinaryIO, look: Look) -> None:
        write_verdict(verdict, target.format, stream, color=look.color, width=look.width, **show)

    try:
        targets.write(chosen, writer)
    except BrokenPipeError:  # who reads has seen enough; the gate has failed all the same
        close_quietly()
    return _passed(verdict.report, options) if verdict.gate.passed else FAILED


def _chosen(options: dict[str, Any]) -> list[Target]:
    """The reports to write."""
    return targets.placed(options["targets"] or [Target(_default_format(), STDOUT)], options["output"])


def _passed(report: Report, options: dict[str, Any]) -> int:
    return SKIPPED if report.skipped and options["fail_on_skipped"] else 0


def _default_format() -> str:
    return "github" if os.environ.get("GITHUB_ACTIONS") == "true" else "text"


def _plan(paths: tuple[str, ...], options: dict[str, Any]) -> Plan:
    """What is to be checked. Raises UsageError for options that contradict each other."""
    from ..gate import git
    from ..gate.run import Plan

    for one, other in _CONTRARY:
        if options[one] and options[other]:
            names = [f"--{name.replace('_', '-')}" for name in (one, other)]
            raise click.UsageError(f"{names[0]} and {names[1]} contradict each other; give one of them.")
    context = click.get_current_context()
    for name, told in (("targets", "--format"), ("output", "--output")):
        # One of the configuration is for the checks that follow.
        is_typed = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if options["update_baseline"] and is_typed:
            raise click.UsageError(
                f"--update-baseline writes no report, {told} is for one; check again without the former."
            )
    if options["baseline"] == "":
        raise click.UsageError("--baseline is empty; expected the name of a file, or --no-baseline.")
    found = configuration(context)
    repository = git.top(os.curdir)
    top = repository or os.path.realpath(found.folder or os.curdir)
    return Plan(
        paths,
        top,
        in_repository=repository is not None,
        settings=settings_of(options),
        options=reading_of(options),
        baseline=options["baseline"],
        no_baseline=options["no_baseline"],
        exclude=options["exclude"],
        ignore_files=not options["no_ignore_files"],
        cache=not options["no_cache"],
        allow_empty=options["allow_empty"],
        index=options["index"],
        ignore=found.ignore,
        changed_since=options["changed_since"],
        staged=options["staged"],
    )
