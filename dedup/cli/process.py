"""Settings of the whole process, which a command that compares texts is alone in."""

from __future__ import annotations

import gc
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

from .screen import Notify, interruptible, progress, say


def prepare() -> None:
    """To be called before numpy is imported."""
    # Arrays are filled once and read in order: for that, huge pages cost more to get than they save.
    os.environ.setdefault("NUMPY_MADVISE_HUGEPAGE", "0")
    # The threads of its algebra, of which there is none here, wait busily.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    warnings.showwarning = lambda message, *_: say(str(message))
    gc.disable()  # millions of objects and no cycles among them; the process ends with the result


@contextmanager
def at_work(quiet: bool, last: Callable[[], None] | None = None) -> Iterator[Notify | None]:
    """The process of a scan: prepared, interruptible; yields whom to tell of progress. To be its last work.

    ``last`` is done where an interruption ends the process at once.
    """
    prepare()
    is_shown = not quiet and sys.stderr is not None and sys.stderr.isatty()
    shown = progress() if is_shown else nullcontext()
    with interruptible(last), shown as notify:
        yield notify
