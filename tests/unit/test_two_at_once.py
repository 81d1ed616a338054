"""Two runs at once never mix what they write."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dedup.errors import OutputError
from dedup.write.journal import recover
from dedup.write.outputs import Outputs
from tests.filtering import files
from tests.unit.committing import NEW, OLD, TARGETS, wrote

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "sync", lambda: None)


class TestTwoAtOnce:
    @pytest.mark.parametrize("name", ["kept", "tree", "run"])
    def test_the_second_is_refused_and_the_first_goes_on(self, name: str) -> None:
        first = wrote()
        second = Outputs("other")
        second.file("other").write(b"other")
        with pytest.raises(
            OutputError, match=f"^{name}: another dedup is writing it; wait for that one to end$"
        ):
            second.folder(name) if name == "tree" else second.file(name)
        second.abandon()
        first.commit()
        assert files(".") == NEW

    def test_one_after_the_other(self) -> None:
        wrote().abandon()
        wrote(text="old").commit()
        assert files(".") == OLD
        wrote().commit()
        assert files(".") == NEW

    def test_the_first_one_has_just_finished(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Between the second one's opening of a part and its locking it, the first one commits."""
        first = Outputs("run")
        first.file("kept").write(b"first")
        first.file("run").write(b"first")
        import fcntl

        real, count = fcntl.flock, iter(range(100))

        def late(*arguments: Any) -> None:
            if next(count) == 0:
                first.commit()
            real(*arguments)

        monkeypatch.setattr(fcntl, "flock", late)
        second = Outputs("run")
        second.file("kept").write(b"second")
        second.file("run").write(b"second")
        assert files(".")["kept"] == b"first"
        second.commit()
        assert files(".") == {"kept": b"second", "run": b"second"}

    def test_the_second_one_begins_while_the_first_one_commits(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It takes the first one for one that was cut off: whatever it does, both end well and nothing is lost."""
        for nth in range(4):
            outputs = wrote()
            real_replace, real_rename = os.replace, os.rename
            steps = (step == nth for step in range(100))

            def between(real: Callable[..., None], steps: Iterator[bool] = steps) -> Callable[..., None]:
                def call(*arguments: Any) -> None:
                    if next(steps):
                        code = (
                            "from dedup.write.journal import recover\nfrom dedup.errors import OutputError\n"
                            "try: recover('run', ['kept', 'tree', 'run'])\nexcept OutputError as error: print(error)"
                        )
                        subprocess.run(
                            [sys.executable, "-c", code], check=True, timeout=60,
                            env={**os.environ, "PYTHONPATH": str(ROOT)},
                        )  # fmt: skip
                    real(*arguments)

                return call

            with monkeypatch.context() as patch:
                patch.setattr(os, "replace", between(real_replace))
                patch.setattr(os, "rename", between(real_rename))
                outputs.commit()
            outputs.abandon()
            assert files(".") == NEW, nth
            recover("run", TARGETS)
            assert sorted(os.listdir()) == ["kept", "run", "tree"]
            for name in NEW:
                os.unlink(name)
