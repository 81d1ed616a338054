"""What a person sees on the terminal beside the data: messages, progress, an interruption that is obeyed.

Enters: messages and counts. Leaves: lines on standard error.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

INTERRUPTED = 130

_REFRESH = 0.1  # seconds between two looks of the progress line
_PATIENCE = 0.3  # seconds that an interruption may wait for the main thread

Notify = Callable[[str, int, "int | None"], None]


def say(message: str) -> None:
    """One line on standard error, with nothing in it that a terminal would obey."""
    from ..report.visible import visible

    with suppress(OSError):
        click.echo(f"dedup: {visible(message)}", err=True)


def close_quietly() -> None:
    """Point the standard streams at nothing, so that the interpreter's last flush meets no broken pipe."""
    for stream in (sys.__stdout__, sys.__stderr__):
        with suppress(OSError, ValueError, AttributeError):
            assert stream is not None
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, stream.fileno())
            os.close(nothing)


@contextmanager
def interruptible() -> Iterator[None]:
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
            say("interrupted")
            os._exit(INTERRUPTED)
    os.close(reader)


@contextmanager
def progress() -> Iterator[Notify]:
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
