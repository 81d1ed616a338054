"""What a person sees on the terminal beside the data: messages, progress, an interruption that is obeyed.

Enters: messages and counts. Leaves: lines on standard error.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import wraps
from typing import TYPE_CHECKING, Any

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


class Undisturbed:
    """Moments in which nobody is interrupted: an ending that comes meanwhile is raised when they are over."""

    def __init__(self) -> None:
        self._depth = 0
        self._waiting: BaseException | None = None

    def __enter__(self) -> None:
        self._depth += 1

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        if not self._depth and self._waiting is not None:
            ending, self._waiting = self._waiting, None
            raise ending

    def end(self, ending: BaseException) -> None:
        """Raises the ending now, or soon."""
        if not self._depth:
            raise ending
        self._waiting = self._waiting or ending


#: Of this process, as its signals are.
undisturbed = Undisturbed()


class Interruption:
    """What SIGINT is met with while a command runs, and who tells of it: nobody does so twice."""

    def __init__(self) -> None:
        self._first: float | None = None
        self._told = threading.Lock()
        self.last: Callable[[], None] | None = None  # to be done before the process ends

    def __call__(self, *_: object) -> None:
        """The handler. The first one is an exception; those of a person who insists end the process themselves.

        In between they do nothing: an exception more would meet the command while it puts things in order.
        """
        now = time.monotonic()
        if self._first is None:
            self._first = now
            undisturbed.end(KeyboardInterrupt())
        elif now - self._first > _PATIENCE:
            self.end()

    def tell(self) -> None:
        """Says that the command was interrupted, unless the process is just ending with these words."""
        self._told.acquire()  # and never given back: whoever comes later has nothing to say
        with suppress(OSError, ValueError):
            click.echo(_last_words(), err=True, nl=False)

    def end(self) -> None:
        """Says so and ends the process, unless somebody is at it already."""
        if not self._told.acquire(blocking=False):
            return
        # Not by the stream: the main thread may be within it, and is not waited for.
        with suppress(OSError, ValueError, AttributeError):
            os.write(sys.stderr.fileno(), _last_words().encode())
        with suppress(Exception):
            if self.last is not None:
                self.last()
        os._exit(INTERRUPTED)


def _last_words() -> str:
    # On a terminal the progress line goes, and the ^C that it showed, and the cursor comes back.
    is_terminal = sys.stderr is not None and sys.stderr.isatty()
    return ("\r\x1b[2K\x1b[?25h" if is_terminal else "") + "dedup: interrupted\n"


@contextmanager
def interruptions() -> Iterator[Interruption]:
    """From here on Ctrl-C raises KeyboardInterrupt once, however often it is pressed.

    Inside of itself it does nothing. A program that has a handler of its own for SIGINT keeps it.
    """
    before = signal.getsignal(signal.SIGINT)
    if isinstance(before, Interruption):
        yield before
        return
    interruption = Interruption()
    if before is not signal.default_int_handler or threading.current_thread() is not threading.main_thread():
        yield interruption
        return
    signal.signal(signal.SIGINT, interruption)
    try:
        yield interruption
    finally:
        signal.signal(signal.SIGINT, before)


class EndedError(BaseException):
    """The process was asked to end by a signal other than that of Ctrl-C."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = 128 + number


@contextmanager
def endings() -> Iterator[None]:
    """From here on SIGTERM and SIGHUP raise EndedError, once, so that what is open is put in order.

    A signal that is ignored (``nohup``), or for which a program has a handler of its own, stays with that.
    """
    wanted = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    is_main = threading.current_thread() is threading.main_thread()
    ours = [number for number in wanted if is_main and signal.getsignal(number) is signal.SIG_DFL]
    met: list[int] = []

    def end(number: int, _: object) -> None:
        met.append(number)
        if len(met) == 1:
            undisturbed.end(EndedError(number))

    try:
        for number in ours:
            signal.signal(number, end)
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


@contextmanager
def interruptible(last: Callable[[], None] | None = None) -> Iterator[None]:
    """Ctrl-C is obeyed within a moment, though the kernel, which knows no signals, may be at work for minutes.

    The process may end anywhere inside, and puts nothing in order then but by ``last``.
    """
    with interruptions() as interruption, ExitStack() as undo:
        undo.callback(setattr, interruption, "last", interruption.last)
        interruption.last = last
        is_main = threading.current_thread() is threading.main_thread()
        # Another handler than ours is that of a program which may not mean to end at all.
        is_ours = signal.getsignal(signal.SIGINT) == interruption
        if os.name == "posix" and is_main and is_ours:
            with suppress(OSError, RuntimeError):  # no pipe or no thread to be had: it goes on without
                _watch(interruption, undo)
        yield


def _watch(interruption: Interruption, undo: ExitStack) -> None:
    """Starts a thread that the system tells of signals, whatever the main thread does; ``undo`` ends it."""
    reader, writer = os.pipe()
    left = threading.Event()
    watchdog = threading.Thread(target=_end_if_interrupted, args=(reader, left, interruption), daemon=True)
    try:
        os.set_blocking(writer, False)
        watchdog.start()
    except BaseException:
        os.close(reader)
        os.close(writer)
        raise
    undo.callback(os.close, writer)
    undo.callback(signal.set_wakeup_fd, signal.set_wakeup_fd(writer, warn_on_full_buffer=False))
    undo.callback(left.set)


def _end_if_interrupted(reader: int, left: threading.Event, interruption: Interruption) -> None:
    """Ends the process some time after an interruption, unless the main thread has gone on by then."""
    while signals := os.read(reader, 16):  # nothing: the other end is closed
        if signal.SIGINT in signals and not left.wait(_PATIENCE):
            interruption.end()
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


def orderly(command: Callable[..., int]) -> Callable[..., int]:
    """A command that puts everything in order when it is told to end, and then exits as the signal would have it."""

    @wraps(command)
    def call(*arguments: Any, **options: Any) -> int:
        try:
            with endings():
                return command(*arguments, **options)
        except EndedError as ended:
            say("ended by a signal")
            return ended.exit_code

    return call
