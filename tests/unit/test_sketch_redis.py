"""Signatures in a Redis server, as docs/python.md stores them: a real one, on a socket in a folder of its own."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from datasketch import MinHashLSH

from dedup.kernel import tokenise
from dedup.sketch import Signatures, sign
from tests.unit.prose import Prose

redis = pytest.importorskip("redis")

SERVER = shutil.which("redis-server")
DOCS = Path(__file__).parents[2] / "docs"

pytestmark = pytest.mark.skipif(SERVER is None, reason="there is no redis-server")


@pytest.fixture(scope="module")
def socket() -> Iterator[str]:
    """The socket of a server that listens nowhere else, keeps nothing on the disk, and ends with the tests."""
    assert SERVER is not None
    with tempfile.TemporaryDirectory() as folder:  # a socket's path is short
        path = f"{folder}/socket"
        command = [SERVER, "--port", "0", "--unixsocket", path, "--save", "", "--dir", folder]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
            try:
                wait(path)
                yield path
            finally:
                server.terminate()


def wait(path: str) -> None:
    """Until the server answers, for half a minute."""
    client = redis.Redis(unix_socket_path=path)
    for _ in range(300):
        try:
            client.ping()
            return
        except redis.ConnectionError:
            time.sleep(0.1)
    raise AssertionError("the server does not answer")


def example(socket: str) -> str:
    """The code in the documentation, with this server in place of the one there."""
    page = (DOCS / "python.md").read_text(encoding="utf-8")
    (block,) = (found for found in re.findall(r"```py\n(.*?)```", page, re.DOTALL) if "redis" in found)
    assert '"redis": {"host": "localhost", "port": 6379}' in block
    return block.replace('"host": "localhost", "port": 6379', f'"unix_socket_path": {socket!r}')


def signed(texts: list[str]) -> Signatures:
    """Signatures of texts."""
    tokens, offsets, *_ = tokenise(texts)
    return sign(tokens, offsets, ngram=5, num_perm=128, seed=1)[0]


def test_signatures_stored_by_one_are_found_by_another(socket: str) -> None:
    prose = Prose(5)
    texts = [prose.words(200) for _ in range(20)]
    names: dict[str, Any] = {"names": [f"document {i}" for i in range(20)], "signatures": signed(texts)}
    exec(example(socket), names)
    other = MinHashLSH(threshold=0.8, num_perm=128, storage_config=names["store"])
    near, far = signed([f"{texts[7]} and three more words", prose.words(200)]).to_datasketch()
    assert other.query(near) == ["document 7"]
    assert other.query(far) == []
