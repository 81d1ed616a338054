"""``dedup filter``: options become a plan, it is carried out, its outputs take their names."""

from __future__ import annotations

import os
import shlex
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import DedupIndexError, OutputError
from ..model import Settings
from ..report.figures import count
from .configured import Configured
from .options import (
    CONTEXT,
    COPIES,
    ERROR,
    OUTPUT,
    PATH,
    SEARCH,
    SKIPPED,
    STDOUT,
    flag,
    option,
    reading,
    reading_of,
    setting,
    waiting,
)
from .process import prepare
from .screen import close_quietly, interruptible, orderly, progress, say, undisturbed

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..filter import Outcome, Plan

_STAYS = "Which copy stays"
_MESSAGES = 20  # inputs that were not read, or problems, listed on standard error

_KEEP = (
    "Of copies, keep the first, longest, oldest, newest, or the one with the least field:NAME "
    "(with the greatest: field:NAME:desc)."
)
_ACTION = (
    "divert: copies go to --rejects. mark: they stay, with a note. "
    "cut: as divert, and passages that repeat go out of what stays."
)
_ORIGINALS = "Do not keep compressed inputs beside the manifest; restored, their content is the same."
_REVISIT = "WARC: where a record is set aside whose payload is that of one that stays, a revisit record stands for it."
_THRESHOLD = "Documents are copies from this Jaccard similarity on, or with this share of one in the other."


_EXAMPLES = """\b
Examples:
  dedup filter crawl.jsonl -o new.jsonl --rejects copies.jsonl --manifest run.jsonl
  cat a.jsonl | dedup filter - --rejects copies.jsonl --manifest run.jsonl > new.jsonl
  dedup filter tonight/ -o new/ --rejects copies/ --manifest run.jsonl --reference archive/
  dedup filter crawl.jsonl --action mark > marked.jsonl
  dedup restore run.jsonl -o again/

\b
Exit codes:
  0    done, whatever was found
  2    wrong usage, a PATH that is not there, or an output that cannot be written: nothing was written
       (a file that cannot be read is named, and is no error; see 3); or --commit failed, and the outputs are there
  3    done, but inputs were skipped and --fail-on-skipped was given
  130  interrupted; 143 or 129: ended by SIGTERM or SIGHUP
"""


@click.command(
    name="filter", cls=Configured, no_args_is_help=True, epilog=_EXAMPLES, context_settings=CONTEXT
)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@option(OUTPUT, "-o", "--output", metavar="PATH", default=STDOUT, show_default="standard output",
        configurable=False, help="What stays: a file, or a folder for a tree of files.")  # fmt: skip
@option(OUTPUT, "--rejects", metavar="PATH", configurable=False, help="What is set aside, in the same form.")
@option(OUTPUT, "--manifest", metavar="FILE", configurable=False,
        help="What happened to each record and why; restores everything.")  # fmt: skip
@option(OUTPUT, "--action", metavar="ACTION", default="divert", help=_ACTION)
@flag(
    OUTPUT,
    "--no-originals",
    help=_ORIGINALS,
)
@flag(OUTPUT, "--revisit", help=_REVISIT)
@flag(OUTPUT, "--dry-run", configurable=False, help="Write nothing, only tell what would come of it.")
@flag(OUTPUT, "--force", configurable=False,
      help="Replace outputs that are there already: files; a folder only if it is empty, or an output of the run "
           "whose manifest is replaced with it.")  # fmt: skip
@flag(OUTPUT, "-q", "--quiet", help="No progress and no messages, only errors.")
@option(_STAYS, "--keep", metavar="RULE", default="first", help=_KEEP)
@option(_STAYS, "--date-field", metavar="NAME", help="Where oldest and newest find a record's date.",
        show_default="date, published, timestamp …")  # fmt: skip
@option(_STAYS, "--reference", metavar="PATH", multiple=True, holds=PATH,
        help="A collection that is not written, whose copies always stay. May be repeated.")  # fmt: skip
@option(_STAYS, "--index", metavar="DIR", holds=PATH,
        help="What this index remembers always stays; what is new becomes a pending run of it.")  # fmt: skip
@flag(_STAYS, "--commit", configurable=False,
      help="Make that run part of the index once the outputs are in their places.")  # fmt: skip
@waiting(_STAYS)
@flag(_STAYS, "--no-contained", help="Keep records that lie inside others.")
@setting(COPIES, "threshold", _THRESHOLD)
@setting(COPIES, "passage_similarity", "To cut: passages are copies from this share of words in common on.")
@setting(
    COPIES, "min_tokens", "Shortest text that is looked for inside others, and shortest passage, in words."
)
@setting(COPIES, "ngram", "Words in a shingle, the unit by which documents are compared.")
@setting(SEARCH, "num_perm", "MinHash permutations in a document's signature.")
@setting(SEARCH, "seed", "Seed of the permutations.")
@setting(SEARCH, "jobs", "Threads; the result is the same for any number.", show_default="all cores")
@reading("Larger records are not compared and stay; 0 for no limit.")
@orderly
def filter_(paths: tuple[str, ...], **options: Any) -> int:
    """Set copies aside, and lose nothing.

    Every record of every PATH goes to exactly one of two outputs, byte for byte as it came: to -o what is new, to
    --rejects what is a copy of a record that stays. The manifest tells of each record where it went and why, and
    "dedup restore" puts everything together again. What cannot be read stays.

    Outputs appear all together when everything is done, or not at all. Inputs are never changed.
    """
    plan = _plan(paths, options)
    from ..filter import memory, targets
    from ..write.journal import recover, tidy
    from ..write.outputs import Outputs
    from ..write.rehearsal import Rehearsal

    principal = targets.principal(plan)
    targets.check(plan)
    if principal and not options["dry_run"]:
        with undisturbed:
            told = recover(principal, targets.possible(plan))
            tidy(targets.possible(plan))
        if told and not options["quiet"]:
            say(told)
    taken = targets.in_the_way(plan)
    if taken and not options["force"]:
        if targets.is_finished(plan) and _is_whole(plan):
            if not options["quiet"]:
                say("nothing to do: these outputs are there, of the same inputs and with the same settings")
            _commit(plan, memory.remember_again(plan, options["wait"]), options)
            return 0
        raise OutputError(f"{', '.join(taken)}: there already; write elsewhere, or replace with --force")
    if taken and not options["dry_run"] and memory.is_remembered(plan):
        raise OutputError(
            f"{plan.kept}: {plan.index} remembers what is in it, "
            "and would take it for a copy of itself; write elsewhere"
        )
    targets.check_folders(plan)
    caveat = memory.caveat(plan)
    if caveat and not options["quiet"]:
        say(caveat)
    outputs = Rehearsal() if options["dry_run"] else Outputs(principal, options["force"], undisturbed)
    pending: list[str] = []
    try:
        outcome = _run(plan, outputs, options, pending.append)
        outputs.commit()
    except BrokenPipeError:  # who read our output has gone
        close_quietly()
        return ERROR
    finally:
        outputs.abandon()  # which also makes room on a full disk
        if pending and isinstance(outputs, Outputs) and not outputs.has_begun:
            _forget(plan, pending[0], options["wait"])
    if not options["quiet"]:
        _tell(outcome, plan, options)
    _commit(plan, outcome.run, options)
    return SKIPPED if outcome.skipped and options["fail_on_skipped"] else 0


def _commit(plan: Plan, run: str | None, options: dict[str, Any]) -> None:
    """Makes what is pending in the index part of it, if that is wished; else says how."""
    if plan.index is None or run is None or options["dry_run"]:
        return
    from ..index import commit, pending

    folder = Path(plan.index)
    if run not in pending(folder):
        return
    if options["commit"]:
        try:
            number = commit(folder, run, wait=options["wait"])
        except DedupIndexError as error:
            how = f"the outputs are there, and run {run} is pending: {_asked('commit', plan, run)}"
            raise DedupIndexError(f"{error}; {how}") from error
        if not options["quiet"]:
            say(f"{plan.index}: {count(number, 'document')} added")
    elif not options["quiet"]:
        then = _asked("commit", plan, run)
        say(f"{plan.index}: what stays is pending as run {run}; once it is safe: {then}")


def _asked(command: str, plan: Plan, run: str) -> str:
    """What the user is to say to a shell, to commit or abort a run."""
    return f"dedup index {command} {shlex.quote(plan.index or '')} {run}"


def _forget(plan: Plan, run: str, wait: float) -> None:
    """Forgets the pending run of outputs that come to nothing."""
    from ..filter import memory

    try:
        memory.forget(plan, run, wait)
    except DedupIndexError as error:
        say(f"{error}: run {run} is still pending; {_asked('abort', plan, run)}")


def _plan(paths: tuple[str, ...], options: dict[str, Any]) -> Plan:
    from ..decide import MARK, Policy
    from ..filter import Plan
    from ..filter.targets import is_durable, is_tree

    names = ("threshold", "passage_similarity", "min_tokens", "ngram", "num_perm", "seed", "jobs")
    settings = Settings.of({name: options[name] for name in names})
    policy = Policy(
        options["keep"],
        options["action"],
        not options["no_contained"],
        options["date_field"],
        options["revisit"],
    )
    reading = reading_of(options)
    output, rejects, manifest = options["output"], options["rejects"], options["manifest"]
    for name, value in (("-o", output), ("--rejects", rejects), ("--manifest", manifest)):
        if value == "":
            raise click.UsageError(f"{name} is empty; expected the name of a file or folder.")
    if options["dry_run"] and output == STDOUT:  # perhaps not asked for, and nothing is written to it
        output = None
    if policy.action == MARK:
        if rejects:
            raise click.UsageError("--action mark sets nothing aside; leave out --rejects.")
    elif not ((rejects and manifest) or options["dry_run"]):
        missing = " and ".join(
            name for name, value in (("--rejects", rejects), ("--manifest", manifest)) if not value
        )
        raise click.UsageError(
            f"Copies would be lost without {missing}: name where they go and where it is written down, "
            f"or let them stay with --action mark, or look first with --dry-run."
        )
    for name, value in (("--rejects", rejects), ("--manifest", manifest)):
        if value == STDOUT:
            raise click.UsageError(f"{name} must be a file; standard output is for what stays.")
    if options["commit"] and options["index"] is None:
        raise click.UsageError("--commit is for an index; name one with --index.")
    if options["commit"] and output is not None and not is_durable(output):
        place = "standard output" if output == STDOUT else output
        raise click.UsageError(
            f"--commit waits until outputs are safe, and nobody knows that of {place}; "
            "leave it out, and say dedup index commit when what stays is in the archive."
        )
    is_folder = rejects and rejects.endswith(("/", os.sep))
    tree = is_tree(paths, reading, rejects if is_folder and output != STDOUT else output)
    if is_folder and not tree:
        raise click.UsageError(f"--rejects {rejects} is a folder, and standard output is a file; name both.")
    return Plan(
        paths, output, rejects, manifest, tree, not options["no_originals"], options["reference"], options["index"],
        settings, policy, reading,
    )  # fmt: skip


def _is_whole(plan: Plan) -> bool:
    """Whether the outputs that stand there are, byte for byte, what the run has written that made their manifest."""
    from ..restore import Archive

    assert plan.manifest is not None
    with interruptible(), Archive(plan.manifest) as archive:
        return archive.is_whole()


def _run(plan: Plan, outputs: Any, options: dict[str, Any], pending: Callable[[str], object]) -> Outcome:
    prepare()
    from ..filter import run

    is_shown = not options["quiet"] and sys.stderr is not None and sys.stderr.isatty()
    if plan.kept == STDOUT and sys.stdout is None:
        raise OutputError("standard output is closed; name a file with -o")
    stdout = sys.stdout.buffer if plan.kept == STDOUT else None
    with interruptible(outputs.abandon), progress() if is_shown else nullcontext() as notify:
        return run(plan, outputs, stdout=stdout, progress=notify, pending=pending, wait=options["wait"])


def _tell(outcome: Outcome, plan: Plan, options: dict[str, Any]) -> None:
    """What came of it, in a few lines."""
    is_dry = options["dry_run"]
    for entry in outcome.skipped[:_MESSAGES]:
        say(f"not read: {entry.source}: {entry.reason}")
    if len(outcome.skipped) > _MESSAGES:
        say(f"not read: {len(outcome.skipped) - _MESSAGES:,} more; the manifest lists them all")
    if len(outcome.skipped) > outcome.damaged:
        say("what is not read is not compared, and stays")
    if outcome.damaged:
        where = f", only in {plan.manifest}.originals" if plan.manifest else ""
        verb = "is" if outcome.damaged == 1 else "are"
        told = count(outcome.damaged, "input")
        say(f"{told} {verb} damaged: what cannot be unpacked is not in the output{where}")
    copies = sum(outcome.copies.values())
    kinds = ", ".join(f"{number:,} {kind}" for kind, number in sorted(outcome.copies.items()))
    told = f" ({kinds})" if kinds else ""
    say(f"{count(outcome.records, 'record')} came, {_size(outcome.bytes)}")
    if outcome.aside or plan.policy.action != "mark":
        share = f", {_size(outcome.bytes_aside)} saved" if outcome.aside else ""
        verb = _are(outcome.aside, is_dry)
        say(f"{_stay(outcome.kept)}, {outcome.aside:,} {verb} set aside{told}{share}")
    else:
        say(f"{_stay(outcome.kept)}, {copies:,} of them {_are(copies, is_dry)} marked as copies{told}")
    if outcome.cut:
        verb = _are(outcome.cut, is_dry)
        say(f"{count(outcome.cut, 'record')} {verb} cut, by {_size(outcome.bytes_cut)}")
    if outcome.uncut:
        told = count(outcome.uncut, "record")
        say(f"{told} with repeated passages left whole: nothing can be cut out of their format")
    if outcome.revisits:
        verb = _are(outcome.revisits, is_dry)
        say(f"{count(outcome.revisits, 'revisit record')} {verb} added for payloads that stay elsewhere")
    if copies * 2 > outcome.records:
        say(
            "warning: more than half of the records are copies; is that what you expect? See --threshold, --text-field"
        )
    if not plan.policy.one_pass and not options["dry_run"]:
        why = f"--keep {plan.policy.keep}" if plan.policy.action != "cut" else "--action cut"
        say(f"the inputs were read twice: {why} needs all records before the first is written")


def _are(number: int, is_dry: bool) -> str:
    return "would be" if is_dry else "is" if number == 1 else "are"


def _stay(number: int) -> str:
    return f"{number:,} stays" if number == 1 else f"{number:,} stay"


def _size(number: int) -> str:
    """Bytes as a person reads them."""
    for unit, step in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if number >= step:
            return f"{number / step:,.1f} {unit}"
    return f"{number} bytes"
