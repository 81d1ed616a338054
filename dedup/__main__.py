"""The command ``dedup`` as a process: what it is installed as, and ``python -m dedup``."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import NoReturn


def command() -> NoReturn:
    """Runs the command line; Ctrl-C counts as soon as this is begun, before all else is imported."""
    try:
        from .cli import command as run

        run()
    except KeyboardInterrupt:  # before cli has a handler of its own
        with suppress(OSError, ValueError, AttributeError):
            os.write(sys.stderr.fileno(), b"dedup: interrupted\n")
        os._exit(130)


if __name__ == "__main__":
    command()
