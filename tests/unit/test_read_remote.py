"""Inputs by URL: a file system in memory, and a server on this machine."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from dedup.errors import DependencyError, InputError
from dedup.model import Document, Skipped, Source
from dedup.read import Input, documents, inputs, records
from tests.unit.reading import texts
from tests.unit.test_read_archive import FILES, READ, zipped


@pytest.fixture
def memory() -> Iterator[Any]:
    system = pytest.importorskip("fsspec").filesystem("memory")
    yield system
    system.store.clear()
    system.pseudo_dirs[:] = [""]


class TestMemory:
    def test_a_file(self, memory: Any) -> None:
        memory.pipe("/d/a.jsonl.gz", gzip.compress(b'{"text": "a"}\n'))
        url = "memory://d/a.jsonl.gz"
        assert list(documents([url])) == [Document(f"{url}:1", "a", Source(url, 1, 0))]

    def test_a_directory(self, memory: Any) -> None:
        for name in ("b.txt", "a/c.txt", "a.txt", "x.png"):
            memory.pipe(f"/d/{name}", name.encode())
        assert texts(list(documents(["memory://d", "memory://d/b.txt"]))) == ["a.txt", "a/c.txt", "b.txt"]

    def test_one_that_needs_seeking(self, memory: Any) -> None:
        data = zipped(FILES)
        memory.pipe("/a.zip", data)
        (entry,) = inputs(["memory://a.zip"])
        assert isinstance(entry, Input)
        seen: list[bytes] = []
        items = list(records(entry, tap=lambda chunk: seen.append(bytes(chunk))))
        assert [
            item.document.text for item in items if not isinstance(item, Skipped) and item.document
        ] == READ
        assert b"".join(seen) == data

    def test_nothing_there(self, memory: Any) -> None:
        with pytest.raises(InputError, match=r"^memory://gone\.txt: no such file or directory$"):
            documents(["memory://gone.txt"])

    def test_gone_when_its_turn_comes(self, memory: Any) -> None:
        memory.pipe("/a.txt", b"a")
        items = documents(["memory://a.txt"])
        memory.rm("/a.txt")
        assert list(items) == [Skipped("memory://a.txt", "cannot be read: no such file or directory")]

    def test_an_error_while_reading(self, memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        class LostError(Exception):
            pass

        class Failing:
            def read(self, size: int) -> bytes:
                raise LostError("the connection was lost")

            def close(self) -> None:
                pass

        memory.pipe("/a.txt", b"a")
        monkeypatch.setattr(type(memory), "open", lambda *_, **__: Failing())
        reason = "cannot be read: the connection was lost"
        assert list(documents(["memory://a.txt"])) == [Skipped("memory://a.txt", reason)]


class TestServer:
    @pytest.fixture
    def url(self, tmp_path: Path) -> Iterator[str]:
        pytest.importorskip("fsspec")
        pytest.importorskip("aiohttp")

        class Quiet(SimpleHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

        with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path))) as server:
            thread = threading.Thread(target=server.serve_forever, daemon=True)
            thread.start()
            yield f"http://127.0.0.1:{server.server_port}"
            server.shutdown()
            thread.join()

    def test_a_file(self, url: str, tmp_path: Path) -> None:
        (tmp_path / "a.jsonl").write_bytes(b'{"text": "a", "id": "x"}\n' * 3)
        assert texts(list(documents([f"{url}/a.jsonl"]))) == ["a", "a", "a"]

    def test_an_archive(self, url: str, tmp_path: Path) -> None:
        (tmp_path / "a.zip").write_bytes(zipped(FILES))
        assert texts(list(documents([f"{url}/a.zip"]))) == READ

    def test_nothing_there(self, url: str) -> None:
        with pytest.raises(InputError, match="no such file or directory"):
            documents([f"{url}/gone.txt"])


class TestMissing:
    def test_fsspec(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("dedup.read.remote.find_spec", lambda name: None)
        with pytest.raises(DependencyError) as error:
            documents(["s3://bucket/a.jsonl"])
        assert str(error.value) == (
            "s3://bucket/a.jsonl: reading URLs needs fsspec; pip install 'dedup-spans[remote]'"
        )

    def test_a_scheme_that_there_is_not(self) -> None:
        pytest.importorskip("fsspec")
        with pytest.raises(InputError, match=r"^nothing://a\.txt: .*nothing"):
            documents(["nothing://a.txt"])
