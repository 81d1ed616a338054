"""Every format in every compression: what is filtered is in exactly one output, and restore gives the file back."""

from __future__ import annotations

import csv
import gzip
import importlib.util
import io
import json
import os
import tarfile
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dedup import manifest
from dedup.decide import CUT, DIVERT, MARK, Policy
from dedup.filter import Plan
from dedup.model import Settings
from dedup.read import Input, Options, Record, formats, inputs, records
from dedup.restore import Archive
from tests.filtering import PACKINGS, leftovers, quick, ran

WORDS = [f"{first}{second}" for first in ("amb", "bas", "ced", "del") for second in ("er", "alt", "ar", "ta")]
OPTIONS = Options()
SCHEMA = jsonschema.Draft202012Validator(manifest.schema())


def needs(*modules: str) -> pytest.MarkDecorator:
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    return pytest.mark.skipif(bool(missing), reason=f"{', '.join(missing)} is not installed")


@st.composite
def texts(draw: st.DrawFn) -> list[str]:
    """Texts of which some are copies, some nearly, some lie in others, and some are odd."""
    found: list[str] = []
    for _ in range(draw(st.integers(0, 8))):
        kind = draw(st.sampled_from(["new", "new", "copy", "near", "longer", "odd"]))
        if kind == "odd":
            found.append(
                draw(
                    st.sampled_from(
                        ["", " ", '"', 'a "quoted", word', "línea\nuno", "字字字", "\ttab", "😀 ﬁ"]
                    )
                )
            )
        elif kind == "new" or not found:
            size = draw(st.integers(5, 40))
            found.append(
                " ".join(f"{draw(st.sampled_from(WORDS))}{draw(st.integers(0, 99))}" for _ in range(size))
            )
        else:
            base = draw(st.sampled_from(found))
            found.append(
                {"copy": base, "near": f"{base} indeed", "longer": f"Before it stood this. {base} {WORDS}"}[
                    kind
                ]
            )
    return found


def as_csv(found: list[str], newline: str, delimiter: str = ",") -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator=newline)
    writer.writerow(["id", "text", "date"])
    writer.writerows([f"r{i}", text, i % 3] for i, text in enumerate(found))
    return out.getvalue().encode()


def as_lines(found: list[str], newline: str) -> bytes:
    return b"".join(
        json.dumps({"id": f"r{i}", "text": t}).encode() + newline.encode() for i, t in enumerate(found)
    )


def as_warc(found: list[str], newline: str) -> bytes:
    out = []
    for i, text in enumerate(found):
        block = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + text.encode()
        head = (
            f"WARC/1.1\r\nWARC-Type: {'request' if i % 4 == 3 else 'response'}\r\n"
            f"WARC-Record-ID: <urn:uuid:00000000-0000-4000-8000-{i:012d}>\r\nWARC-Date: 2024-01-0{i + 1}T00:00:00Z\r\n"
            f"WARC-Target-URI: http://example.org/{i}\r\nContent-Type: application/http; msgtype=response\r\n"
            f"Content-Length: {len(block)}\r\n\r\n"
        )
        out.append(head.encode() + block + b"\r\n\r\n")
    return b"".join(out)


def as_table(found: list[str], newline: str, kind: str = "parquet") -> bytes:
    import pyarrow
    import pyarrow.feather
    import pyarrow.parquet

    ids = [f"r{i}" for i in range(len(found))]
    columns = {
        "id": pyarrow.array(ids, "string"),
        "text": pyarrow.array(found, "string"),
        "n": list(range(len(ids))),
    }
    table = pyarrow.table(columns).replace_schema_metadata({"about": "nothing"})
    out = io.BytesIO()
    if kind == "parquet":
        pyarrow.parquet.write_table(table, out, row_group_size=3)
    else:
        pyarrow.feather.write_feather(table, out, chunksize=3)
    return out.getvalue()


def as_zip(found: list[str], newline: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("folder/", b"")
        for name, data in entries(found, newline).items():
            archive.writestr(name, data)
    return out.getvalue()


def as_tar(found: list[str], newline: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "a.txt"
        archive.addfile(link)
        for name, data in entries(found, newline).items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return out.getvalue()


def entries(found: list[str], newline: str) -> dict[str, bytes]:
    half = len(found) // 2
    files = {f"folder/{i}.txt": text.encode() for i, text in enumerate(found[:half])}
    return {
        **files,
        "more.jsonl": as_lines(found[half:], newline),
        "all.csv": as_csv(found, newline),
        "x.png": b"\x89\0",
    }


def as_html(found: list[str], newline: str) -> bytes:
    return f"<html><body><p>{'</p><p>'.join(found)}</p></body></html>{newline}".encode()


#: How a file of each format is made, by its suffix; the actions that it takes; the packages that it needs.
MADE: dict[str, tuple[Callable[..., bytes], tuple[str, ...], tuple[str, ...]]] = {
    ".csv": (as_csv, (DIVERT, MARK, CUT), ()),
    ".tsv": (lambda found, newline: as_csv(found, newline, "\t"), (DIVERT, MARK, CUT), ()),
    ".jsonl": (as_lines, (DIVERT, MARK, CUT), ()),
    ".warc": (as_warc, (DIVERT, MARK), ("fastwarc",)),
    ".parquet": (as_table, (DIVERT, MARK, CUT), ("pyarrow",)),
    ".feather": (lambda found, newline: as_table(found, newline, "arrow"), (DIVERT, MARK, CUT), ("pyarrow",)),
    ".zip": (as_zip, (DIVERT, CUT), ()),
    ".tar": (as_tar, (DIVERT, CUT), ()),
    ".html": (as_html, (DIVERT,), ("resiliparse",)),
}  # fmt: skip


def raws(path: str) -> Counter[bytes]:
    """The bytes of all records of a file; of those that are packed one by one, what is in them."""
    [found] = inputs([path], OPTIONS)
    assert isinstance(found, Input)
    items = (item for item in records(found, OPTIONS) if isinstance(item, Record) and not item.is_frame)
    unpack = gzip.decompress if found.format == formats.WARC_GZ else bytes
    return Counter(unpack(bytes(item.raw)) for item in items if len(item.raw))


@pytest.mark.parametrize("suffix", [pytest.param(name, marks=needs(*made[2])) for name, made in MADE.items()])
@settings(
    deadline=None,
    max_examples=20 * int(os.environ.get("DEDUP_EXAMPLES", "1")),
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_a_file_comes_back(suffix: str, data: st.DataObject) -> None:
    make, actions, _ = MADE[suffix]
    packing = PACKINGS[data.draw(st.sampled_from(sorted(PACKINGS)), label="packing")]
    action = data.draw(st.sampled_from(actions), label="action")
    keep = data.draw(st.sampled_from(["first", "longest", "newest", "field:id:desc"]), label="keep")
    count = data.draw(st.integers(1, 2), label="files")
    sources: dict[str, bytes] = {}
    for number in range(count):
        content = make(data.draw(texts()), data.draw(st.sampled_from(["\n", "\r\n"])))
        sources[f"in/{number}{suffix}{packing.suffix}"] = packing.pack(content)
    originals = data.draw(st.booleans(), label="originals")
    with (
        tempfile.TemporaryDirectory() as top,
        chdir(top),
        quick(data.draw(st.sampled_from([1, 300, 1 << 26]))),
    ):
        for name, content in sources.items():
            Path(name).parent.mkdir(exist_ok=True)
            Path(name).write_bytes(content)
        rejects = None if action == MARK else "rejects"
        plan = Plan(
            ("in",), "kept", rejects, "run.json", True, originals, settings=Settings(num_perm=32, jobs=1),
            policy=Policy(keep, action),
        )  # fmt: skip
        outcome = ran(plan)
        assert outcome.kept + outcome.aside == outcome.records
        assert not leftovers(".")
        for line in manifest.read("run.json"):
            SCHEMA.validate(line)
        if action == DIVERT:
            came = sum((raws(name) for name in sources), Counter[bytes]())
            went = [
                os.path.join(top, name)
                for side in ("kept", "rejects")
                for top, _, names in os.walk(side)
                for name in names
            ]
            assert sum((raws(path) for path in went), Counter[bytes]()) == came
        with Archive("run.json") as archive:
            assert archive.verify().problems == []
            done = archive.restore("again")
        assert (done.problems, done.inputs) == ([], len(sources))
        exact = originals or not (packing.suffix or suffix in (".parquet", ".feather"))
        for name, content in sources.items():
            back = Path("again", name)
            assert raws(str(back)) == raws(name)
            assert not exact or back.read_bytes() == content
        assert {name: Path(name).read_bytes() for name in sources} == sources


@needs("fastwarc")
def test_a_web_archive_by_members_comes_back_from_its_records_alone(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    text = " ".join(WORDS)
    parts = [as_warc([text] * 3, "\n")]
    content = b"".join(
        gzip.compress(b"WARC/1.1\r\n" + part, mtime=0) for part in parts[0].split(b"WARC/1.1\r\n")[1:]
    )
    Path("a.warc.gz").write_bytes(content)
    plan = Plan(("a.warc.gz",), "kept.warc.gz", "rejects.warc.gz", "run.json", policy=Policy(revisit=True))
    outcome = ran(plan)
    assert (outcome.kept, outcome.aside, outcome.revisits) == (1, 2, 2)
    assert not os.path.exists("run.json.originals")
    assert formats.named("kept.warc.gz", OPTIONS).packing
    [kept] = inputs(["kept.warc.gz"])
    assert isinstance(kept, Input)
    kinds = [isinstance(r, Record) and r.document is None for r in records(kept, OPTIONS)]
    assert kinds == [False, True, True]
    with Archive("run.json") as archive:
        assert archive.restore("again").problems == []
    assert Path("again/a.warc.gz").read_bytes() == content
