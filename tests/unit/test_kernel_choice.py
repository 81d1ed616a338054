"""Which kernel answers, proven in processes of their own: a choice is made once and cannot be taken back here."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import dedup

PACKAGE = Path(dedup.__file__).parent

WHO = """
import sys, dedup.kernel
print(dedup.kernel.name(), dedup.kernel.sign.__module__, "dedup.kernel._native" in sys.modules)
"""

WARNING = "the native kernel is not built: using the slow Python kernel, with the same results"
NOT_BUILT = "DEDUP_KERNEL=native, and the native kernel is not built; install a C++17 compiler and install dedup again"
NATIVE = "native dedup.kernel.native True"
PYTHON = "python dedup.kernel.reference False"

built = pytest.mark.skipif(
    importlib.util.find_spec("dedup.kernel._native") is None, reason="the native kernel is not built"
)


def run(place: Path, wanted: str | None, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A fresh Python with the package that lies in a place, and that DEDUP_KERNEL."""
    environment = {
        name: value for name, value in os.environ.items() if name not in ("DEDUP_KERNEL", "PYTHONWARNINGS")
    }
    environment |= {"PYTHONPATH": str(place)} | ({} if wanted is None else {"DEDUP_KERNEL": wanted})
    command = [sys.executable, "-P", *arguments]
    return subprocess.run(
        command, env=environment, cwd=place, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture(scope="module")
def without(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A place with the package as it is where there was no compiler."""
    place = tmp_path_factory.mktemp("without")
    shutil.copytree(
        PACKAGE, place / "dedup", ignore=shutil.ignore_patterns("_native*", "*.cpp", "__pycache__")
    )
    return place


@built
@pytest.mark.parametrize(
    ("wanted", "answer"), [(None, NATIVE), ("", NATIVE), ("auto", NATIVE), ("native", NATIVE)]
)
def test_the_native_kernel_answers_where_it_is_built(wanted: str | None, answer: str) -> None:
    done = run(PACKAGE.parent, wanted, "-W", "error", "-c", WHO)
    assert (done.stdout.strip(), done.stderr) == (answer, "")


def test_the_python_kernel_answers_where_it_is_forced_and_says_nothing() -> None:
    done = run(PACKAGE.parent, "python", "-W", "error", "-c", WHO)
    assert (done.stdout.strip(), done.stderr) == (PYTHON, "")


@pytest.mark.parametrize("wanted", [None, "auto", "python"])
def test_without_an_extension_the_python_kernel_answers(without: Path, wanted: str | None) -> None:
    done = run(without, wanted, "-c", WHO)
    assert done.stdout.strip() == PYTHON
    assert done.stderr.count(WARNING) == (wanted != "python")


def test_a_forced_native_kernel_that_is_not_there_is_an_error(without: Path) -> None:
    done = run(without, "native", "-c", WHO)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"dedup.errors.KernelError: {NOT_BUILT}"


def broken(without: Path, tmp_path: Path) -> Path:
    """A place with a package whose extension is there and is no extension."""
    shutil.copytree(without / "dedup", tmp_path / "dedup")
    suffix = next(s for s in importlib.machinery.EXTENSION_SUFFIXES if s.endswith((".so", ".pyd")))
    (tmp_path / "dedup" / "kernel" / f"_native{suffix}").write_bytes(b"not an extension")
    return tmp_path


def test_an_extension_that_is_there_and_broken_is_no_silent_slowness(without: Path, tmp_path: Path) -> None:
    done = run(broken(without, tmp_path), None, "-c", WHO)
    assert done.returncode == 1
    assert "ImportError" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("wanted", ["nonsense", "NATIVE", "native "])
def test_a_choice_that_is_none_is_an_error_that_names_the_choices(wanted: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("some words")
    done = run(PACKAGE.parent, wanted, "-m", "dedup", "scan", str(tmp_path))
    message = f"dedup: DEDUP_KERNEL is {wanted!r}; expected native, python or auto\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", message)


def test_the_command_ends_with_2_where_the_native_kernel_is_forced_and_missing(
    without: Path, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("some words")
    done = run(without, "native", "-m", "dedup", "scan", str(tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"dedup: {NOT_BUILT}\n")


def test_the_result_is_the_same_bytes_with_and_without_the_extension(without: Path, tmp_path: Path) -> None:
    line = "it rained for the whole of the afternoon and nobody at the harbour minded in the least"
    (tmp_path / "a.txt").write_text(f"On Monday {line}. Then it stopped.\n")
    (tmp_path / "b.txt").write_text(f"We are told that {line}, as ever.\n")
    arguments = ("-m", "dedup", "scan", str(tmp_path), "--format", "json")
    done = [
        run(place, wanted, *arguments)
        for place, wanted in ((PACKAGE.parent, None), (without, None), (without, "python"))
    ]
    assert [process.returncode for process in done] == [0, 0, 0]
    assert len({process.stdout for process in done}) == 1
    assert json.loads(done[0].stdout)["summary"]["passage_clusters"] == 1


@pytest.mark.parametrize(
    ("wanted", "kernel"), [("python", "python"), pytest.param("native", "native", marks=built)]
)
def test_the_version_names_the_kernel(wanted: str, kernel: str) -> None:
    done = run(PACKAGE.parent, wanted, "-m", "dedup", "--version")
    assert done.stdout == f"dedup {dedup.__version__} (kernel: {kernel})\n"
