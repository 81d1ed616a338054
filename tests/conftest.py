"""What holds for all tests."""

from __future__ import annotations

import signal


def pytest_configure() -> None:
    """Who starts the tests in the background, or with ``nohup``, has them inherit signals that are ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in ("SIGHUP", "SIGTERM"):
        if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) is signal.SIG_IGN:
            signal.signal(getattr(signal, name), signal.SIG_DFL)
