"""No room for one of the outputs of ``dedup filter``."""

from __future__ import annotations

import gzip
import os
import subprocess
from pathlib import Path

import pytest

from tests.cli.filters import (
    FILTER,
    OUTPUTS,
    TREES,
    Done,
    limited,
    noise,
    put_input,
    row,
    spawn,
)
from tests.filtering import files


@pytest.fixture(autouse=True)
def _file() -> None:
    put_input()


class TestFull:
    """No room for one of the outputs: one line, exit 2, nothing left, and what stood there before stands there."""

    def check(self, done: Done, before: dict[str, bytes], message: str = "file too large") -> None:
        assert (done.code, len(done.lines())) == (2, 1), done.err
        assert done.err.endswith(f": {message}\n")
        assert files(".") == before

    def before(self) -> dict[str, bytes]:
        for name in ("kept.jsonl", "rejects.jsonl", "run.json"):
            Path(name).write_bytes(b"precious")
        return files(".")

    @pytest.mark.parametrize("is_gz", [False, True])
    @pytest.mark.parametrize("size", [1000, 500_000])
    def test_for_what_stays(self, size: int, is_gz: bool) -> None:
        Path("a.jsonl").write_bytes(b"".join(row(f"w{i}", more=noise(20_000 + i)) for i in range(80)))
        before = self.before()
        name = "kept.jsonl.gz" if is_gz else "kept.jsonl"
        done = spawn("filter", "a.jsonl", "-o", name, *OUTPUTS[2:], "--force", preexec_fn=limited(size))
        self.check(done, before)

    @pytest.mark.parametrize("size", [100_000, 500_000])
    def test_for_what_is_set_aside(self, size: int) -> None:
        text = " ".join(f"w{i}" for i in range(30))
        Path("a.jsonl").write_bytes(
            b"".join(row(text, more=noise(20_000 + i) if i else 0) for i in range(80))
        )
        before = self.before()
        self.check(spawn(*FILTER, "--force", preexec_fn=limited(size)), before)

    @pytest.mark.parametrize("size", [2000, 100_000])
    @pytest.mark.parametrize("keep", ["first", "longest"])
    def test_for_the_manifest(self, size: int, keep: str) -> None:
        Path("a.jsonl").write_bytes(b"".join(row(f"w{i}") for i in range(4000)))
        os.mkdir("in")
        os.rename("a.jsonl", "in/a.jsonl")
        before = self.before()
        arguments = ["filter", "in/a.jsonl", *OUTPUTS, "--force", "--keep", keep]
        arguments[arguments.index("kept.jsonl")] = "kept.jsonl.gz"
        self.check(spawn(*arguments, preexec_fn=limited(size)), before)

    @pytest.mark.parametrize("size", [2000, 1_300_000, 1_500_000])
    @pytest.mark.parametrize("keep", ["first", "longest"])
    def test_for_a_copy_of_an_original(self, size: int, keep: str) -> None:
        """Its half stays and its half goes: each is smaller than the limit, and it is not."""
        text = " ".join(f"w{i}" for i in range(30))
        rows = [row(text if i % 2 else f"v{i}", more=noise(20_000 + i)) for i in range(100)]
        os.unlink("a.jsonl")
        Path("b.jsonl.gz").write_bytes(gzip.compress(b"".join(rows)))
        assert 1_500_000 < os.stat("b.jsonl.gz").st_size < 1_600_000
        before = self.before()
        arguments = ["filter", "b.jsonl.gz", "-o", "kept.jsonl.gz", "--rejects", "rejects.jsonl.gz"]
        done = spawn(
            *arguments, "--manifest", "run.json", "--force", "--keep", keep, preexec_fn=limited(size)
        )
        self.check(done, before)

    @pytest.mark.parametrize("size", [4000, 30_000])
    @pytest.mark.parametrize("keep", ["first", "longest"])
    def test_for_texts_that_wait(self, size: int, keep: str) -> None:
        """They lie in a temporary file, larger than all else: what goes in and out is compressed, and well."""
        text = " ".join(f"w{i % 40}" for i in range(50_000))
        content = row(text) + row(f"{text} more") + row(f"{text} even more")
        Path("a.jsonl.gz").write_bytes(gzip.compress(content, mtime=0))
        before = self.before()
        packed = [f"{word}.gz" if word.endswith(".jsonl") else word for word in FILTER]
        self.check(spawn(*packed, "--force", "--keep", keep, preexec_fn=limited(size)), before)

    @pytest.mark.parametrize(
        "arguments", [FILTER, [*FILTER, "--keep", "longest"], [*FILTER, "--action", "mark"]]
    )
    def test_for_anything(self, arguments: list[str]) -> None:
        """There is not even a place for temporary files."""
        if "mark" in arguments:
            arguments = [word for word in arguments if word not in ("--rejects", "rejects.jsonl")]
        before = self.before()
        done = spawn(*arguments, "--force", preexec_fn=limited(0))
        assert (done.code, len(done.lines())) == (2, 1)
        assert files(".") == before

    @pytest.mark.parametrize("keep", ["first", "longest"])
    def test_for_standard_input_that_is_read_twice(self, keep: str) -> None:
        data = b"".join(row(f"w{i}", more=noise(20_000 + i)) for i in range(80))
        before = self.before()
        done = spawn(
            "filter", "-", *OUTPUTS, "--force", "--keep", keep, input=data, preexec_fn=limited(500_000)
        )
        self.check(done, before)

    @pytest.mark.parametrize("size", [1000, 100_000])
    def test_for_a_file_of_a_tree(self, size: int) -> None:
        os.makedirs("in/d")
        assert spawn("filter", "a.jsonl", "-o", "kept/", *TREES[2:]).code == 0
        os.unlink("a.jsonl")
        Path("in/a.txt").write_text(" ".join(noise(20 + i % 9) for i in range(9000)))
        Path("in/d/b.png").write_bytes(noise(400_000).encode())
        Path("in/z.txt").write_text("some words")
        before = files(".")
        self.check(spawn("filter", "in", *TREES, "--force", preexec_fn=limited(size)), before)

    @pytest.mark.parametrize("size", [0, 1000, 200_000])
    def test_to_restore(self, size: int) -> None:
        Path("a.jsonl").write_bytes(b"".join(row(f"w{i}", more=noise(20_000 + i)) for i in range(40)))
        assert spawn(*FILTER).code == 0
        before = files(".")
        done = spawn("restore", "run.json", "-o", "again", preexec_fn=limited(size))
        assert (done.code, done.lines()) == (2, ["dedup: again/a.jsonl: cannot be written: file too large"])
        assert files(".") == before

    @pytest.mark.parametrize("size", ["64k", "256k", "700k"])
    def test_a_small_disk(self, tmp_path: Path, size: str) -> None:
        Path("a.jsonl").write_bytes(b"".join(row(f"w{i}", more=noise(9_000 + i % 20)) for i in range(100)))
        disk = tmp_path / "disk"
        disk.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(disk)]
        try:
            subprocess.run(mount, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            pytest.skip("nothing may be mounted here")
        try:
            arguments = [
                "-o",
                "disk/kept.jsonl",
                "--rejects",
                "disk/rejects.jsonl",
                "--manifest",
                "disk/run.json",
            ]
            (disk / "kept.jsonl").write_bytes(b"precious")
            done = spawn("filter", "a.jsonl", *arguments, "--force")
            assert (done.code, len(done.lines())) == (2, 1)
            assert done.err.endswith("cannot be written: no space left on device\n")
            assert files(disk) == {"kept.jsonl": b"precious"}
        finally:
            subprocess.run(["umount", str(disk)], check=True)
