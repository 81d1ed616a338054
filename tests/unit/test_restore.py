"""Restore believes nothing: what was changed or is missing is found, and nothing comes back that is not what it was."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dedup.decide import CUT, MARK, Policy
from dedup.errors import InputError, ManifestError, OutputError
from dedup.filter import Plan
from dedup.read import Options
from dedup.restore import Archive, Restored
from tests.filtering import files, quick, ran, restored

from .prose import Prose

PROSE = Prose(1)
TEXT = PROSE.words(30)
ROWS = [
    json.dumps({"id": ident, "text": text}).encode() + b"\n"
    for ident, text in [
        ("a", TEXT),
        ("b", PROSE.words(30)),
        ("c", TEXT),
        ("d", f"{PROSE.words(15)}. {TEXT}. {PROSE.words(15)}"),
        ("a", PROSE.words(20)),
        ("e", f"{PROSE.words(40)}. {TEXT}. {PROSE.words(40)}"),
    ]
]
ONE = Plan(("a.jsonl", "b.jsonl.gz"), "kept.jsonl", "rejects.jsonl", "run.json")
TREE = Plan(("in",), "kept", "rejects", "run.json", True)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    with quick():
        yield


def one(action: str = "divert") -> dict[str, bytes]:
    """Two inputs, filtered into files; what has to come back."""
    sources = {"a.jsonl": b"".join(ROWS), "b.jsonl.gz": gzip.compress(b"".join(reversed(ROWS)), 1)}
    for name, data in sources.items():
        Path(name).write_bytes(data)
    ran(replace(ONE, policy=Policy(action=action), rejects=None if action == MARK else "rejects.jsonl"))
    return sources


def tree() -> dict[str, bytes]:
    """A tree, filtered into trees; what has to come back."""
    os.makedirs("in/d")
    sources = {
        "in/a.txt": TEXT.encode(),
        "in/d/b.txt.gz": gzip.compress(TEXT.encode(), 1),
        "in/d/c.md": b"",
        "in/d/x.png": bytes(range(256)),
        "in/z.jsonl": b"".join(ROWS),
    }
    for name, data in sources.items():
        Path(name).write_bytes(data)
    ran(TREE)
    return sources


def verified(**moved: str) -> Restored:
    """What ``verify`` says; ``restore`` finds the same, but for records of inputs of which it has a copy."""
    with Archive("run.json", **moved) as archive:
        before = files(".")
        done = archive.verify()
        assert files(".") == before
    with Archive("run.json", **moved) as archive:
        again = archive.restore("again")
    assert set(again.problems) <= set(done.problems)
    assert again.inputs >= done.inputs
    assert again.inputs == len(files("again"))
    assert bool(done.problems) == (done.inputs < len(archive._inputs))
    return done


def back() -> dict[str, bytes]:
    return files("again")


class TestWhole:
    @pytest.mark.parametrize("action", ["divert", MARK, CUT])
    def test_files(self, action: str) -> None:
        sources = one(action)
        done = restored("run.json", "again")
        assert (done.inputs, done.records, done.problems, done.remarks) == (2, 12, [], [])
        assert back() == sources

    def test_trees(self) -> None:
        sources = tree()
        done = restored("run.json", "again")
        assert (done.inputs, done.records, done.problems, done.remarks) == (5, 10, [], [])
        assert back() == sources

    def test_the_inputs_are_not_needed(self) -> None:
        sources = tree()
        shutil.rmtree("in")
        assert verified().problems == []
        assert back() == sources

    def test_everything_moved_together(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        sources = one()
        os.mkdir("new")
        for name in ("kept.jsonl", "rejects.jsonl", "run.json", "run.json.originals"):
            os.rename(name, f"new/{name}")
        monkeypatch.chdir("/")
        done = restored(str(tmp_path / "new" / "run.json"), str(tmp_path / "again"))
        assert done.problems == []
        assert files(tmp_path / "again") == sources

    def test_one_archive_asked_for_this_and_that(self) -> None:
        """In any order, also where outputs are compressed and can be read forwards only."""
        Path("a.jsonl").write_bytes(b"".join(ROWS))
        ran(Plan(("a.jsonl",), "kept.jsonl.gz", "rejects.jsonl.gz", "run.json"))
        with Archive("run.json") as archive:
            assert archive.verify().problems == []
            assert archive.verify().problems == []
            stream = io.BytesIO()
            assert archive.records(["c"], stream).problems == []
            assert archive.records(["a"], stream).problems == []
            assert stream.getvalue() == ROWS[2] + ROWS[0] + ROWS[4]
            assert archive.restore("again").problems == []
        assert back() == {"a.jsonl": b"".join(ROWS)}


class TestMoved:
    @pytest.mark.parametrize("make", [one, tree])
    def test_outputs_that_lie_elsewhere(self, make: Callable[[], dict[str, bytes]]) -> None:
        sources = make()
        os.mkdir("x")
        names = [name for name in os.listdir() if name.startswith(("kept", "rejects"))]
        for name in names:
            os.rename(name, f"x/{name}")
        kept, rejects = sorted(f"x/{name}" for name in names)
        assert len(verified().problems) > 0
        shutil.rmtree("again", ignore_errors=True)
        assert verified(kept=kept, rejects=rejects).problems == []
        assert back() == sources

    def test_what_went_to_standard_output(self) -> None:
        Path("a.jsonl").write_bytes(b"".join(ROWS))
        out = io.BytesIO()
        ran(Plan(("a.jsonl",), "-", "rejects.jsonl", "run.json"), stdout=out)
        message = "what was kept went to standard output; say with --kept where it is now"
        with Archive("run.json") as archive, pytest.raises(InputError, match=message):
            archive.verify()
        Path("piped.jsonl.gz").write_bytes(gzip.compress(out.getvalue()))
        done = restored("run.json", "again", kept="piped.jsonl.gz")  # compressed since
        assert (done.problems, back()) == ([], {"a.jsonl": b"".join(ROWS)})

    @pytest.mark.parametrize(
        ("name", "now"),
        [
            ("kept.jsonl.gz", "archived"),
            ("kept.jsonl.gz", "kept.old"),
            ("kept.jsonl.gz", "plain.jsonl"),
            ("kept.jsonl", "kept.jsonl.gz"),
            ("kept.jsonl", "kept.bak"),
        ],
    )
    def test_a_name_that_says_nothing_or_something_else(self, name: str, now: str) -> None:
        """What it was called counts, unless it has been unpacked or packed since and is called so."""
        data = b"".join(ROWS)
        Path("a.jsonl").write_bytes(data)
        ran(Plan(("a.jsonl",), name, "rejects.jsonl", "run.json"))
        content = Path(name).read_bytes()
        os.unlink(name)
        if now == "plain.jsonl":
            content = gzip.decompress(content)
        elif now == "kept.jsonl.gz":
            content = gzip.compress(content)
        Path(now).write_bytes(content)
        assert verified(kept=now).problems == []
        assert back() == {"a.jsonl": data}


class TestDamage:
    @pytest.mark.parametrize("path", ["kept.jsonl", "rejects.jsonl", "run.json.originals/b.jsonl.gz"])
    @pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 0.999])
    @pytest.mark.parametrize("bit", [0, 7])
    def test_a_flipped_bit(self, path: str, share: float, bit: int) -> None:
        sources = one()
        data = bytearray(Path(path).read_bytes())
        data[int(share * len(data))] ^= 1 << bit
        Path(path).write_bytes(data)
        done = verified()
        assert done.problems
        assert all(path in told or "a.jsonl" in told for told in done.problems)
        assert back().items() <= sources.items()

    @pytest.mark.parametrize("path", ["kept.jsonl", "rejects.jsonl", "run.json.originals/b.jsonl.gz"])
    @pytest.mark.parametrize("length", [0, 1, 100, -1])
    def test_an_output_that_was_cut_off(self, path: str, length: int) -> None:
        sources = one()
        data = Path(path).read_bytes()
        Path(path).write_bytes(data[:length])
        assert verified().problems
        assert back().items() <= sources.items()

    @pytest.mark.parametrize("path", ["kept.jsonl", "rejects.jsonl", "run.json.originals"])
    def test_an_output_that_is_gone(self, path: str) -> None:
        sources = one()
        if os.path.isdir(path):
            shutil.rmtree(path)
        else:
            os.unlink(path)
        done = verified()
        assert all(path in told for told in done.problems)
        assert any("no such file or directory" in told or "is missing" in told for told in done.problems)
        assert back().items() <= sources.items()

    @pytest.mark.parametrize(
        "name", ["kept/in/a.txt", "kept/in/d/x.png", "rejects/in/d/b.txt.gz", "kept/in/z.jsonl"]
    )
    @pytest.mark.parametrize("change", ["gone", "other", "empty"])
    def test_a_file_of_a_tree(self, name: str, change: str) -> None:
        sources = tree()
        if change == "gone":
            os.unlink(name)
        else:
            Path(name).write_bytes(b"" if change == "empty" else b"something else")
        done = verified()
        assert done.problems
        lost = set(sources) - set(back())
        assert lost <= {name.split("/", 1)[1]}  # not that of which there is a copy
        assert bool(lost) == (not name.endswith(".gz"))
        assert back().items() <= sources.items()

    def test_an_original_that_is_gone_harms_no_other(self) -> None:
        Path("a.jsonl").write_bytes(b"".join(ROWS))
        Path("b.jsonl.gz").write_bytes(gzip.compress(ROWS[1]))
        ran(replace(ONE, paths=("b.jsonl.gz", "a.jsonl")))
        shutil.rmtree("run.json.originals")
        assert len(verified().problems) == 1
        assert back() == {"a.jsonl": b"".join(ROWS)}

    def test_an_original_that_cannot_be_read(self) -> None:
        sources = one()
        path = "run.json.originals/b.jsonl.gz"
        os.unlink(path)
        os.mkdir(path)
        done = verified()
        assert any("b.jsonl.gz" in told for told in done.problems)
        assert back() == {"a.jsonl": sources["a.jsonl"]}


class TestManifest:
    def test_a_byte_that_was_changed(self) -> None:
        """Whatever it is: a digit, a letter, a quote, a line end, in the first line, in the last."""
        one()
        data = Path("run.json").read_bytes()
        lines = data.splitlines(keepends=True)
        places, seen = set(), set()
        at = 0
        for row in lines:
            kind = json.loads(row)["type"]
            for place, byte in enumerate(row):
                group = chr(byte) if not chr(byte).isalnum() else "1" if chr(byte).isdigit() else "a"
                if (kind, group) not in seen:
                    seen.add((kind, group))
                    places.add(at + place)
            at += len(row)
        assert len(places) > 30
        for place in sorted(places):
            changed = bytearray(data)
            changed[place] ^= 1
            Path("run.json").write_bytes(changed)
            with pytest.raises(ManifestError, match=r"^run\.json: "), Archive("run.json") as archive:
                archive.verify()

    def test_a_line_that_went_came_or_moved(self) -> None:
        one()
        lines = Path("run.json").read_bytes().splitlines(keepends=True)
        others = [
            lines[:2] + lines[3:],
            [*lines[:3], lines[2], *lines[3:]],
            [lines[0], lines[2], lines[1], *lines[3:]],
        ]
        others += [lines[:-1], lines[1:], [*lines, lines[1]], [*lines, b"\n"], []]
        for changed in others:
            Path("run.json").write_bytes(b"".join(changed))
            with pytest.raises(ManifestError, match=r"^run\.json: "), Archive("run.json"):
                pass

    @pytest.mark.parametrize(
        "data", [b"", b"\n", b"{}\n", b"[]\n", b"1\n", b"null\n", b"\x00" * 100, b'{"a": 1}\n{"b": 2}\n']
    )
    def test_what_is_none(self, data: bytes) -> None:
        Path("run.json").write_bytes(data)
        with pytest.raises(ManifestError, match=r"^run\.json: not a manifest of dedup, or cut off$"):
            Archive("run.json")

    def test_of_another_version(self) -> None:
        first = b'{"type": "run", "schema": "dedup-manifest/2"}\n'
        end = json.dumps({"type": "end", "sha256": hashlib.sha256(first).hexdigest()}).encode() + b"\n"
        Path("run.json").write_bytes(first + end)
        with pytest.raises(ManifestError, match="is of dedup-manifest/2; this dedup reads dedup-manifest/1"):
            Archive("run.json")

    @pytest.mark.parametrize("member", ["name", "original"])
    @pytest.mark.parametrize(
        "name", ["/tmp/x", "../x", "a/../../x", "a//x", "", ".", "a/", "a/./x", "..", "a\0b"]
    )
    def test_a_name_that_leads_elsewhere(self, member: str, name: str) -> None:
        one()
        lines = [json.loads(line) for line in Path("run.json").read_bytes().splitlines()[:-1]]
        next(line for line in lines if line["type"] == "input")[member] = name
        data = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
        end = {"type": "end", "sha256": hashlib.sha256(data).hexdigest()}
        Path("run.json").write_bytes(data + json.dumps(end).encode() + b"\n")
        with pytest.raises(
            ManifestError, match=r"^run\.json: names an input .*; expected a path below a folder$"
        ):
            Archive("run.json")

    @pytest.mark.parametrize("path", ["gone.json", "."])
    def test_what_cannot_be_read(self, path: str) -> None:
        with pytest.raises(ManifestError, match="cannot be read"):
            Archive(path)


class TestSingle:
    @pytest.mark.parametrize("action", ["divert", MARK, CUT])
    @pytest.mark.parametrize(
        ("ids", "places"),
        [(["b"], [1, 10]), (["c"], [2, 9]), (["a"], [0, 4, 7, 11]), (["e", "d"], [3, 5, 6, 8]), ([], [])],
    )
    def test_records_by_id(self, action: str, ids: list[str], places: list[int]) -> None:
        one(action)
        stream = io.BytesIO()
        rows = [*ROWS, *reversed(ROWS)]
        with Archive("run.json") as archive:
            done = archive.records(ids, stream)
        assert (done.records, done.problems) == (len(places), [])
        assert stream.getvalue() == b"".join(rows[place] for place in places)

    def test_an_id_that_is_not_there(self) -> None:
        one()
        stream = io.BytesIO()
        with Archive("run.json") as archive:
            done = archive.records(["nobody", "b"], stream)
        assert done.problems == ["nobody: no record of that id is in the manifest"]
        assert stream.getvalue() == ROWS[1] * 2

    def test_a_record_that_was_damaged_is_not_written(self) -> None:
        one()
        data = Path("kept.jsonl").read_bytes()
        Path("kept.jsonl").write_bytes(data.replace(ROWS[1], ROWS[1].swapcase()))
        stream = io.BytesIO()
        with Archive("run.json") as archive:
            done = archive.records(["b"], stream)
        assert stream.getvalue() == ROWS[1]  # the copy, which was set aside
        assert done.problems == ["a.jsonl:2: is not in kept.jsonl as it was written there"] or (
            len(done.problems) == 1 and done.problems[0].startswith("a.jsonl:2: is not in ")
        )


class TestTargets:
    @pytest.mark.parametrize("there", ["again/a.jsonl", "again/b.jsonl.gz"])
    def test_what_is_in_the_way_stays(self, there: str) -> None:
        sources = one()
        os.mkdir("again")
        Path(there).write_bytes(b"precious")
        with Archive("run.json") as archive, pytest.raises(OutputError, match="is there already"):
            archive.restore("again")
        assert back() == {there.split("/")[1]: b"precious"}
        with Archive("run.json") as archive:
            assert archive.restore("again", force=True).problems == []
        assert back() == sources

    def test_what_is_not_whole_replaces_nothing(self) -> None:
        one()
        os.mkdir("again")
        Path("again/a.jsonl").write_bytes(b"precious")
        Path("kept.jsonl").write_bytes(b"")
        with Archive("run.json") as archive:
            assert archive.restore("again", force=True).problems
        assert back()["a.jsonl"] == b"precious"
        assert not [name for name in back() if "dedup" in name]

    def test_a_file_where_a_folder_should_be(self) -> None:
        tree()
        os.mkdir("again")
        Path("again/in").write_bytes(b"precious")
        with Archive("run.json") as archive, pytest.raises(OutputError, match="again/in"):
            archive.restore("again")
        assert back() == {"in": b"precious"}

    @pytest.mark.parametrize("moved", [False, True])
    @pytest.mark.parametrize("force", [False, True])
    @pytest.mark.parametrize(
        "target", ["kept.jsonl", "rejects.jsonl", "run.json", "run.json.originals/b.jsonl.gz"]
    )
    def test_what_it_is_restored_from(self, target: str, moved: bool, force: bool) -> None:
        """An input of the name of an output, restored to where that is."""
        os.mkdir("in")
        name = os.path.basename(target)
        for path in {"b.jsonl.gz", name}:
            data = b"".join(ROWS)
            Path("in", path).write_bytes(gzip.compress(data) if path.endswith(".gz") else data)
        paths = tuple(sorted(f"in/{path}" for path in {"b.jsonl.gz", name}))
        ran(replace(ONE, paths=paths, options=Options(input_format="jsonl")))
        if moved:
            os.mkdir("x")
            os.rename("kept.jsonl", "x/kept.jsonl")
        more = {"kept": "x/kept.jsonl"} if moved else {}
        os.symlink(".", "link")
        before = files(".")
        folder = "link" if "originals" not in target else "link/run.json.originals"
        folder = "x" if moved and name == "kept.jsonl" else folder
        with (
            Archive("link/run.json", **more) as archive,
            pytest.raises(OutputError, match=r"from which is restored; restore elsewhere$"),
        ):
            archive.restore(folder, force)
        assert files(".") == before

    def test_inside_an_output(self) -> None:
        tree()
        before = files(".")
        for folder in ("kept", "rejects/in", "run.json.originals/new"):
            with Archive("run.json") as archive, pytest.raises(OutputError, match="from which is restored"):
                archive.restore(folder, True)
        assert files(".") == before

    def test_nothing_is_left_of_what_cannot_be_restored(self) -> None:
        tree()
        for name in ("kept", "rejects", "run.json.originals"):
            shutil.rmtree(name)
        os.makedirs("here/is")
        with Archive("run.json") as archive:
            assert archive.restore("here/is/new/deep").inputs == 0
        assert os.listdir("here/is") == []
