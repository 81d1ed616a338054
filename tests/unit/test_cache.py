"""The cache: a report that is read back is the one that was made, and nothing in the folder can spoil a result."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dedup import EmptyDocument, Report, Settings, Skipped, Source, cache
from dedup.cache import Cache, Key, cached_run
from dedup.model import Document
from dedup.pipeline import run
from dedup.read import Options, documents
from dedup.read.again import Again
from dedup.report import write

from .prose import Prose

AROUND = [".gitignore", "CACHEDIR.TAG"]


def corpus(seed: int = 1) -> list[Document | Skipped]:
    """Every kind of finding: copies of all kinds, passages, periods, an empty document, one that was skipped."""
    prose = Prose(seed)
    base, shared = prose.words(120), prose.words(40)
    texts = [base, base, prose.exchanged(base, (50,)), f"{prose.words(150)} {base}", " - "]
    texts += [prose.round(prose.edited(shared, 0.15)) for _ in range(3)]
    texts += [f"{prose.words(15)}\n" * 12, prose.han(80) * 2]
    items: list[Document | Skipped] = [
        Document(f"n{i}", text, Source("a.jsonl", i + 1, 1000 * i)) for i, text in enumerate(texts)
    ]
    return [*items, Skipped("a.pdf", "not a format"), Document("last", base)]


FIRST = Document(*corpus()[0])


class Run:
    """One run with a cache: the report, and whether it had to be made."""

    def __init__(self, items: Iterable[Document | Skipped], folder: Path, **settings: Any) -> None:
        stages: list[str] = []
        self.report = cached_run(
            iter(items), Settings(**settings), str(folder), lambda stage, *_: stages.append(stage)
        )
        self.is_made = "writing the report" in stages


def in_json(report: Report) -> bytes:
    stream = io.BytesIO()
    write(report, "json", stream)
    return stream.getvalue()


def entries(folder: Path) -> list[Path]:
    """The reports in a cache, the latest first."""
    found = [path for path in folder.iterdir() if path.name not in AROUND]
    return sorted(found, key=lambda path: path.stat().st_mtime_ns, reverse=True)


class TestTheReport:
    def test_is_the_one_of_a_run_without_cache(self, tmp_path: Path) -> None:
        wanted = run(iter(corpus()), Settings())
        assert wanted.document_clusters
        assert wanted.empty_documents
        assert any(cluster.period for cluster in wanted.passage_clusters)
        first, second = Run(corpus(), tmp_path), Run(corpus(), tmp_path)
        assert (first.is_made, second.is_made) == (True, False)
        assert first.report == second.report == wanted
        assert in_json(second.report) == in_json(wanted)

    def test_is_made_of_the_same_types(self, tmp_path: Path) -> None:
        Run(corpus(), tmp_path)
        report = Run(corpus(), tmp_path).report
        assert {type(entry) for entry in report.skipped} == {Skipped}
        assert {type(entry) for entry in report.empty_documents} == {EmptyDocument}
        clusters = [*report.document_clusters, *report.passage_clusters]
        assert {type(member.source) for cluster in clusters for member in cluster.members} == {Source}
        assert hash(report) == hash(Run(corpus(), tmp_path).report)

    def test_without_a_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        for _ in range(2):
            assert cached_run(iter(corpus()), Settings(), None) == run(iter(corpus()), Settings())
        assert not list(tmp_path.iterdir())

    def test_of_nothing(self, tmp_path: Path) -> None:
        first, second = Run([], tmp_path), Run([], tmp_path)
        assert not second.is_made
        assert first.report == second.report == run([], Settings())

    def test_is_the_same_for_any_number_of_threads(self, tmp_path: Path) -> None:
        Run(corpus(), tmp_path, jobs=1)
        second = Run(corpus(), tmp_path, jobs=2)
        assert not second.is_made
        assert second.report.settings == Settings(jobs=2)

    def test_where_texts_are_read_again(self, tmp_path: Path) -> None:
        for name in ("a", "b"):
            (tmp_path / f"{name}.txt").write_text(Prose().words(50))
        settings, reports = Settings(passages=False), []
        for _ in range(2):
            with Again() as again:
                items = documents([str(tmp_path)], Options())
                reports.append(cached_run(items, settings, str(tmp_path / ".dedup_cache"), None, again))
        assert reports[0] == reports[1] == run(documents([str(tmp_path)]), settings)
        assert reports[0].summary.duplicate_documents == 1

    def test_with_lone_surrogates(self, tmp_path: Path) -> None:
        items = [Document(f"\ud800{i}", f"\udfff{Prose().words(40)}") for i in range(2)]
        for _ in range(2):
            assert Run(items, tmp_path).report == run(items, Settings())


class TestTheKey:
    @pytest.fixture(autouse=True)
    def _kept(self, tmp_path: Path) -> None:
        Run(corpus(), tmp_path)

    @pytest.mark.parametrize(
        "change",
        [
            {"threshold": 0.81}, {"passage_similarity": 0.71}, {"min_tokens": 13}, {"ngram": 4}, {"num_perm": 64},
            {"seed": 2}, {"documents": False}, {"passages": False},
        ],
        ids=lambda change: next(iter(change)),
    )  # fmt: skip
    def test_holds_every_setting(self, change: dict[str, Any], tmp_path: Path) -> None:
        found = Run(corpus(), tmp_path, **change)
        assert found.is_made
        assert found.report == run(corpus(), Settings(**change))

    @pytest.mark.parametrize(
        "changed",
        [
            corpus()[:-1],
            corpus()[1:],
            [*corpus(), Document("new", "")],
            corpus()[::-1],
            [FIRST._replace(id="other"), *corpus()[1:]],
            [FIRST._replace(text=f"{FIRST.text}\n"), *corpus()[1:]],
            [FIRST._replace(source=Source("a.jsonl", 2, 0)), *corpus()[1:]],
            [FIRST._replace(source=Source("b.jsonl", 1, 0)), *corpus()[1:]],
            [*corpus()[:-2], Skipped("a.pdf", "another reason"), corpus()[-1]],
            [*corpus()[:-2], Skipped("b.pdf", "not a format"), corpus()[-1]],
        ],
    )  # fmt: skip
    def test_holds_every_item(self, changed: list[Document | Skipped], tmp_path: Path) -> None:
        found = Run(changed, tmp_path)
        assert found.is_made
        assert found.report == run(changed, Settings())

    @pytest.mark.parametrize("name", ["__version__", "_code"])
    def test_holds_the_version(self, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(cache, name, "9.9.9" if name == "__version__" else lambda: "another code")
        assert Run(corpus(), tmp_path).is_made

    def test_does_not_take_one_border_for_another(self) -> None:
        def digest(*items: Document | Skipped) -> str:
            key = Key(Settings())
            assert list(key.of(items)) == list(items)
            return key.digest()

        inputs: list[tuple[Document | Skipped, ...]] = [
            (Document("a", "bc"),), (Document("ab", "c"),), (Document("a", "b"), Document("c", "")),
            (Document("a", ""), Document("b", "c")), (Skipped("a", "bc"),), (Skipped("a", "b"), Skipped("c", "")),
            (Document("a", "\ud83d\ude00"),), (Document("a", "\U0001f600"),), (Document("a", "\\ud83d"),), (),
            (Document("a", "", Source("b")),), (Document("a", "", Source(None, 1)),),
            (Document("a", "", Source(None, None, 1)),),
        ]  # fmt: skip
        assert len({digest(*items) for items in inputs}) == len(inputs)


class TestAnEntry:
    @pytest.mark.parametrize(
        "spoil",
        [
            lambda data: b"",
            lambda data: data[:-1],
            lambda data: data[: len(data) // 2],
            lambda data: data[:200] + bytes([data[200] ^ 1]) + data[201:],
            lambda data: bytes([data[0] ^ 1]) + data[1:],
            lambda data: data + b" ",
            lambda data: b"\xff\x00 nothing of ours",
        ],
    )
    def test_that_is_damaged_is_none_and_written_again(self, spoil: Any, tmp_path: Path) -> None:
        wanted = Run(corpus(), tmp_path).report
        (entry,) = entries(tmp_path)
        whole = entry.read_bytes()
        entry.write_bytes(spoil(whole))
        again = Run(corpus(), tmp_path)
        assert again.is_made
        assert again.report == wanted
        assert entry.read_bytes() == whole

    def test_that_is_another_ones_is_none(self, tmp_path: Path) -> None:
        Run(corpus(2), tmp_path)
        (other,) = entries(tmp_path)
        Run(corpus(1), tmp_path)
        entry = next(path for path in entries(tmp_path) if path != other)
        entry.write_bytes(other.read_bytes())
        found = Run(corpus(1), tmp_path)
        assert found.is_made
        assert found.report == run(corpus(1), Settings())

    @pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"null", b"[1, 2, 3, 4, 5]", b'"abcde"', b"\xff"])
    def test_whose_checksum_fits_and_that_is_no_report_is_none(self, content: bytes, tmp_path: Path) -> None:
        (tmp_path / "k.report").write_bytes(cache._checksum("k", content) + b"\n" + content)
        assert Cache(str(tmp_path)).report("k", Settings(), lambda report: True) is None

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            (b'["a.jsonl",2,1000]', b'["/etc/passwd",2,1000]'),
            (b'"n1",["a.jsonl",2,1000]', b'"other",["a.jsonl",2,1000]'),
            (b'"last",[null,null,null]', b'"last",["a.jsonl",null,null]'),
            (b'["n4",["a.jsonl",5,4000]]', b'["n4",["b.jsonl",5,4000]]'),
            (b'["n5",["a.jsonl",6,5000],', b'["n5",["a.jsonl",6,5000],10000000000'),
            (b'"not a format"', b'"nothing"'),
            (b'["a.jsonl",2,1000]', b'[["a.jsonl"],2,1000]'),
        ],
    )
    def test_that_speaks_of_other_documents_is_none(self, old: bytes, new: bytes, tmp_path: Path) -> None:
        """Forged, so that its checksum fits."""
        Run(corpus(), tmp_path)
        (entry,) = entries(tmp_path)
        content = entry.read_bytes().partition(b"\n")[2]
        forged = content.replace(old, new)
        assert forged != content
        entry.write_bytes(cache._checksum(entry.stem, forged) + b"\n" + forged)
        found = Run(corpus(), tmp_path)
        assert found.is_made
        assert found.report == run(corpus(), Settings())

    def test_that_is_a_link_is_written_without_it(self, tmp_path: Path) -> None:
        Run(corpus(), tmp_path / "c")
        (entry,) = entries(tmp_path / "c")
        entry.unlink()
        (tmp_path / "mine").write_text("mine")
        entry.symlink_to(tmp_path / "mine")
        Run(corpus(), tmp_path / "c")
        assert (tmp_path / "mine").read_text() == "mine"
        assert not entry.is_symlink()

    def test_is_a_directory(self, tmp_path: Path) -> None:
        Run(corpus(), tmp_path)
        (entry,) = entries(tmp_path)
        entry.unlink()
        entry.mkdir()
        with pytest.warns(RuntimeWarning, match="the cache cannot be written: is a directory"):
            assert Run(corpus(), tmp_path).report == run(corpus(), Settings())


class TestTheFolder:
    def test_tells_others_to_leave_it_alone(self, tmp_path: Path) -> None:
        folder = tmp_path / "made" / ".dedup_cache"
        Run(corpus(), folder)
        assert (folder / ".gitignore").read_text() == "*\n"
        assert (
            (folder / "CACHEDIR.TAG").read_text().startswith("Signature: 8a477f597d28d172789f06886806bc55\n")
        )

    def test_is_no_input(self, tmp_path: Path) -> None:
        (tmp_path / "a.txt").write_text("a")
        Run(corpus(), tmp_path / ".dedup_cache")
        (tmp_path / ".dedup_cache" / "b.txt").write_text("b")
        assert [item[0] for item in documents([str(tmp_path)])] == [f"{tmp_path}/a.txt"]

    def test_that_cannot_be_written_costs_a_warning_only(self, tmp_path: Path) -> None:
        folder = tmp_path / "file" / ".dedup_cache"
        (tmp_path / "file").write_text("in the way")
        with pytest.warns(RuntimeWarning) as told:
            found = Run(corpus(), folder)
        assert [str(warning.message) for warning in told] == [
            f"{folder}: the cache cannot be written: not a directory"
        ]
        assert found.report == run(corpus(), Settings())

    def test_holds_the_latest_reports(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(cache, "KEPT", 3)
        for seed in range(6):
            Run(corpus(seed), tmp_path)
            self.age(tmp_path)
            assert not Run(corpus(0), tmp_path).is_made  # in use, so it stays
        assert len(entries(tmp_path)) == 3
        assert [Run(corpus(seed), tmp_path).is_made for seed in (0, 5, 4, 3)] == [False, False, False, True]

    def test_holds_no_more_than_there_is_room_for(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(cache, "ROOM", 1)
        for seed in range(3):
            Run(corpus(seed), tmp_path)
            self.age(tmp_path)
        assert len(entries(tmp_path)) == 1  # the latest, however large
        assert not Run(corpus(2), tmp_path).is_made

    def test_what_was_left_unfinished_goes_in_time(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(cache, "KEPT", 2)
        (tmp_path / ".dedup.0123abcd.part").write_bytes(b"half")
        for seed in range(2):
            self.age(tmp_path)
            Run(corpus(seed), tmp_path)
        assert [path.suffix for path in entries(tmp_path)] == [".report", ".report"]

    def test_that_is_a_link_is_not_used(self, tmp_path: Path) -> None:
        Run(corpus(), tmp_path / "other")
        before = {path: path.read_bytes() for path in (tmp_path / "other").iterdir()}
        (tmp_path / "c").symlink_to("other")
        for seed in range(2):
            with pytest.warns(UserWarning, match=r"/c: is a link, and is not used; --no-cache does without"):
                assert Run(corpus(seed), tmp_path / "c").is_made
        assert {path: path.read_bytes() for path in (tmp_path / "other").iterdir()} == before

    @pytest.mark.parametrize(
        "tag", [None, "Signature: 8a477f597d28d172789f06886806bc55\n# another program's\n"]
    )
    def test_that_holds_other_things_is_not_used(self, tag: str | None, tmp_path: Path) -> None:
        (tmp_path / "mine.txt").write_text("mine")
        if tag:
            (tmp_path / "CACHEDIR.TAG").write_text(tag)
        before = sorted(tmp_path.iterdir())
        with pytest.warns(UserWarning, match="is no cache of dedup"):
            assert Run(corpus(), tmp_path).report == run(corpus(), Settings())
        assert sorted(tmp_path.iterdir()) == before

    def test_keeps_what_others_put_into_it(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(cache, "KEPT", 1)
        Run(corpus(), tmp_path)
        theirs = {"mine.txt", "a.report", f"{'g' * 64}.report", f"{'0' * 64}.report.txt", ".dedup.part"}
        for name in theirs:
            (tmp_path / name).write_text("mine")
        for seed in range(3):
            self.age(tmp_path)
            Run(corpus(seed), tmp_path)
        assert theirs < {path.name for path in tmp_path.iterdir()}
        assert len(list(tmp_path.iterdir())) == len(theirs) + len(AROUND) + 1

    @staticmethod
    def age(folder: Path) -> None:
        """Lets a second pass for the files in a folder."""
        for path in folder.iterdir():
            state = path.stat()
            os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns - 10**9))

    def test_holds_nothing_of_a_run_that_was_interrupted(self, tmp_path: Path) -> None:
        def interrupted() -> Iterator[Document | Skipped]:
            yield from corpus()
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            Run(interrupted(), tmp_path / "c")
        assert not (tmp_path / "c").exists()
