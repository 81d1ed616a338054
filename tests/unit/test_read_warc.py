"""WARC and WET files, also as they should not be: every record, all its bytes, and the document in it."""

from __future__ import annotations

import gzip
import io
import os
from collections import Counter
from collections.abc import Iterator
from importlib.util import find_spec
from mmap import mmap
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dedup.errors import DependencyError, OutputError
from dedup.model import Document, Skipped, Source
from dedup.read import Input, Options, Record, documents, inputs, records, values
from tests.unit.reading import content, found, put, taken, texts

pytest.importorskip("fastwarc")
pytest.importorskip("resiliparse")

SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "data" / "warc"
DAMAGED = b"\x1f\x8b\x08\x00" + bytes(6) + b"\x07" * 20
HTML = b"<html><body><p>A paragraph of the page.</p></body></html>"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def record(kind: str, block: bytes, media: str = "application/http; msgtype=response", **more: str) -> bytes:
    headers = {
        "WARC-Type": kind,
        "WARC-Record-ID": "<urn:uuid:00000000-0000-0000-0000-000000000001>",
        "WARC-Date": "2024-01-01T00:00:00Z",
        "Content-Type": media,
        "Content-Length": str(len(block)),
        **{name.replace("_", "-"): value for name, value in more.items()},
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return b"WARC/1.1\r\n" + lines.encode() + b"\r\n" + block + b"\r\n\r\n"


def response(body: bytes, *headers: str, **more: str) -> bytes:
    head = "".join(f"{line}\r\n" for line in ("HTTP/1.1 200 OK", *headers)).encode()
    return record("response", head + b"\r\n" + body, WARC_Target_URI="http://a.example/", **more)


INFO = record("warcinfo", b"software: x\r\n", "application/warc-fields")
PAGE = response(HTML, "Content-Type: text/html")
REQUEST = record("request", b"GET / HTTP/1.1\r\n\r\n", "application/http; msgtype=request")
WET = record("conversion", "Ein Text é\n".encode(), "text/plain", WARC_Target_URI="http://b.example/")


class TestDocuments:
    def test_each_record(self) -> None:
        parts = [INFO, PAGE, REQUEST, WET]
        items = taken("a.warc", b"".join(parts))
        assert [item.raw for item in items] == parts
        assert [item.reason for item in items] == [None] * 4
        assert [item.document for item in items] == [
            None,
            Document("http://a.example/", "A paragraph of the page.", Source("a.warc", None, len(INFO))),
            None,
            Document("http://b.example/", "Ein Text é\n", Source("a.warc", None, len(INFO + PAGE + REQUEST))),
        ]

    def test_without_a_uri_the_record_id_is_the_id(self) -> None:
        (item,) = taken("a.wet", record("resource", b"one", "text/plain"))
        assert item.document is not None
        assert item.document.id == "<urn:uuid:00000000-0000-0000-0000-000000000001>"

    @pytest.mark.parametrize(
        ("headers", "body", "text"),
        [
            (["Content-Type: text/plain; charset=iso-8859-1"], b"caf\xe9", "café"),
            (["Content-Type: TEXT/PLAIN"], b"\xef\xbb\xbfone", "one"),
            (["Content-Type: text/plain", "Content-Encoding: gzip"], gzip.compress(b"one", mtime=0), "one"),
            (["Content-Type: text/plain", "Transfer-Encoding: chunked"], b"3\r\none\r\n0\r\n\r\n", "one"),
            (["Content-Type: text/plain", "Content-Encoding: gzip"], b"stored unpacked", "stored unpacked"),
            (["Content-Type: text/plain", "Transfer-Encoding: chunked"], b"stored whole", "stored whole"),
            ([], HTML, "A paragraph of the page."),
            (["Content-Type: application/xhtml+xml"], HTML, "A paragraph of the page."),
        ],
    )
    def test_payloads(self, headers: list[str], body: bytes, text: str) -> None:
        assert texts(taken("a.warc", response(body, *headers))) == [text]

    @pytest.mark.parametrize("media", ["image/png", "application/json", "text/css"])
    def test_other_types_hold_no_document(self, media: str) -> None:
        (item,) = taken("a.warc", response(b"x", f"Content-Type: {media}"))
        assert (item.document, item.reason) == (None, None)

    def test_values(self) -> None:
        for name, data in (("a.warc", PAGE), ("a.warc.gz", gzip.compress(PAGE))):
            entry, (item,) = found(name, data)
            assert isinstance(item, Record)
            assert values(item, entry)["WARC-Date"] == "2024-01-01T00:00:00Z"


class TestBadRecords:
    @pytest.mark.parametrize(
        ("bad", "reason"),
        [
            (response(DAMAGED, "Content-Type: text/html", "Content-Encoding: gzip"), "damaged payload ("),
            (record("response", b"garbage", WARC_Target_URI="x"), "no HTTP header in the response"),
            (PAGE.replace(b"Content-Length: ", b"Content-Length: x"), "damaged WARC data (a header with"),
            (
                response(gzip.compress(bytes(2_000_000), mtime=0), "Content-Type: text/html", "Content-Encoding: gzip"),
                "a payload of more than the 1,000,000 bytes that --max-record-size allows",
            ),
            (response(b"<div>" * 9000, "Content-Type: text/html"), "HTML with more than 3,000 elements"),
        ],
    )  # fmt: skip
    def test_one_is_named_and_the_rest_goes_on(self, bad: bytes, reason: str) -> None:
        data = WET + bad + WET
        items = taken("a.warc", data, Options(max_record_size=1_000_000))
        assert content(items) == data
        assert len(texts(items)) == 2
        (skipped,) = [item.skipped for item in items if item.skipped]
        assert skipped.source == f"a.warc@{len(WET)}"
        assert skipped.reason.startswith(reason)

    def test_junk_is_carried(self) -> None:
        data = b"junk at the begin\r\n" + WET + b"junk between\r\n" + PAGE
        items = taken("a.warc", data)
        assert content(items) == data
        assert [item.skipped for item in items if item.skipped] == [Skipped("a.warc", "no WARC record")]
        assert len(texts(items)) == 2

    @pytest.mark.parametrize("data", [b"", b"\r\n\r\n", b"no WARC\n" * 9000, os.urandom(300_000)])
    def test_no_warc_at_all(self, data: bytes) -> None:
        items = found("a.warc", data)[1]
        assert content([item for item in items if isinstance(item, Record)]) == data
        assert not texts([item for item in items if isinstance(item, Record)])

    def test_a_header_without_end(self) -> None:
        data = WET + b"WARC/1.0\r\nA: " + b"x" * 3_000_000
        *items, last = found("a.warc", data)[1]
        assert content([item for item in items if isinstance(item, Record)]) == data
        assert last == Skipped(
            "a.warc", "damaged WARC data (maximum header length exceeded); read as far as record 1"
        )

    @pytest.mark.parametrize("cut", [5, 20, 150, len(PAGE) // 2, len(PAGE) - 6])
    def test_cut_off(self, cut: int) -> None:
        data = WET + PAGE[:cut]
        items = taken("a.warc", data)
        assert content(items) == data
        assert len(texts(items)) == 1
        assert cut == 5 or items[-1].reason is not None

    def test_a_large_record_is_set_aside(self) -> None:
        large = response(b"x" * 400_000, "Content-Type: text/plain")
        items = taken("a.warc", PAGE + large + PAGE, Options(max_record_size=100_000))
        assert content(items) == PAGE + large + PAGE
        assert isinstance(items[1].raw, mmap)
        assert items[1].reason is not None
        assert items[1].reason.endswith("bytes, and --max-record-size allows 100,000")
        assert len(texts(items)) == 2

    def test_a_full_disk_ends_the_run(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("dedup.read.aside._temporary", full)
        put("a.warc", PAGE + response(b"x" * 400_000))
        (entry,) = inputs(["a.warc"])
        assert isinstance(entry, Input)
        with pytest.raises(OutputError, match="no room for what is too large for memory: no space left"):
            list(records(entry, Options(max_record_size=100_000)))


PART = st.one_of(
    st.sampled_from([INFO, PAGE, REQUEST, WET, PAGE.replace(b"\r\n", b"\n"), b"\r\n", b"junk\n", PAGE[:200]]),
    st.binary(max_size=30),
    st.binary(max_size=300).map(lambda block: record("resource", block, "text/plain")),
)
EASY = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


class TestPieces:
    @EASY
    @given(st.lists(PART, max_size=8).map(b"".join), st.sampled_from([0, 100, 1000]))
    def test_plain(self, data: bytes, limit: int) -> None:
        items = found("a.warc", data, Options(max_record_size=limit))[1]
        assert content([item for item in items if isinstance(item, Record)]) == data

    @EASY
    @given(st.lists(PART, min_size=1, max_size=6), st.sampled_from([0, 100, 1000]), st.integers(0, 60))
    def test_by_members(self, parts: list[bytes], limit: int, cut: int) -> None:
        data = b"".join(map(gzip.compress, parts))
        data = data[: len(data) - cut]
        entry, items = found("a.warc.gz", data, Options(max_record_size=limit))
        if entry.format == "warc.gz":
            assert content([item for item in items if isinstance(item, Record)]) == data
        else:
            assert b"".join(parts).startswith(content([item for item in items if isinstance(item, Record)]))


class TestMembers:
    def test_a_member_is_a_record_by_its_packed_bytes(self) -> None:
        parts = [gzip.compress(part) for part in (INFO, PAGE, REQUEST, WET)]
        entry, items = found("a.warc.gz", b"".join(parts))
        assert entry == Input("a.warc.gz", "warc.gz", "")
        assert [item.raw for item in items if isinstance(item, Record)] == parts
        place = Source("a.warc.gz", None, len(parts[0]))
        assert isinstance(items[1], Record)
        assert items[1].document == Document("http://a.example/", "A paragraph of the page.", place)

    def test_one_member_for_all_is_a_packing(self) -> None:
        entry, items = found("a.warc.gz", gzip.compress(INFO + PAGE))
        assert entry == Input("a.warc.gz", "warc", "gzip")
        assert [item.raw for item in items if isinstance(item, Record)] == [INFO, PAGE]

    def test_several_in_a_later_member(self) -> None:
        items = taken("a.warc.gz", gzip.compress(INFO) + gzip.compress(PAGE + PAGE) + gzip.compress(WET))
        assert [item.reason for item in items] == [
            None, "2 records in one gzip member, and those before it have one each", None,
        ]  # fmt: skip

    def test_zeros_between_members(self) -> None:
        data = gzip.compress(INFO) + bytes(100_000) + gzip.compress(PAGE) + bytes(70_000)
        items = taken("a.warc.gz", data)
        assert content(items) == data
        assert len(items) == 2

    def test_damage(self) -> None:
        first, second, third = gzip.compress(INFO), bytearray(gzip.compress(PAGE)), gzip.compress(WET)
        second[len(second) // 2] ^= 0x55
        data = first + bytes(second) + third
        *items, last = found("a.warc.gz", data)[1]
        assert content([item for item in items if isinstance(item, Record)]) == data
        assert isinstance(last, Skipped)
        assert last.reason.startswith("damaged gzip data (")
        assert last.reason.endswith("; read as far as record 1")

    def test_a_large_member(self) -> None:
        large = gzip.compress(response(os.urandom(150_000).hex().encode(), "Content-Type: text/plain"))
        data = gzip.compress(INFO) + large + gzip.compress(WET)
        items = taken("a.warc.gz", data, Options(max_record_size=100_000))
        assert content(items) == data
        assert isinstance(items[1].raw, mmap)
        assert items[1].reason is not None
        assert len(texts(items)) == 1

    def test_a_bomb(self) -> None:
        data = gzip.compress(INFO) + gzip.compress(response(bytes(30_000_000)))
        *items, last = found("a.warc.gz", data, Options(max_record_size=1_000_000))[1]
        assert content([item for item in items if isinstance(item, Record)]) == data
        assert isinstance(last, Skipped)
        assert last.reason.startswith("looks like a decompression bomb (")


@pytest.mark.skipif(find_spec("lz4") is None, reason="one of the samples is packed with LZ4")
@pytest.mark.skipif(not SAMPLES.is_dir(), reason="no sample files beside the project")
class TestSamples:
    def names(self) -> Iterator[Path]:
        return (path for path in sorted(SAMPLES.iterdir()) if ".warc" in path.name)

    def test_every_byte_and_the_counts(self) -> None:
        counts = {}
        for path in self.names():
            data = path.read_bytes()
            entry, items = found(path.name, data)
            pieces = [item for item in items if isinstance(item, Record)]
            if not entry.packing:
                assert content(pieces) == data
            elif path.name.endswith(".gz") and "clipped" not in path.name:
                assert content(pieces) == gzip.decompress(data)
            told = Counter(type(item).__name__ for item in documents([path.name]))
            counts[path.name] = (len(pieces), told["Document"], told["Skipped"])
        assert counts == {
            "block-sized-records.warc": (3, 0, 0),
            "block-sized-records.warc.gz": (3, 0, 0),
            "block-sized-records.warc.lz4": (3, 0, 0),
            "clipped.warc.gz": (1, 0, 1),
            "clueweb-09-sample-en0000-sample-00.warc": (24, 23, 0),
            "clueweb-quirk.warc.gz": (30, 29, 0),
            "clueweb09-00.warc.gz": (24, 23, 0),
            "commoncrawl-1424936459513.8.warc.gz": (14, 4, 0),
            "commoncrawl-1424936465599.34.warc.gz": (56, 12, 0),
            "warcfile.warc": (50, 16, 0),
            "warcfile.warc.gz": (50, 16, 0),
            "warcfile.warc.lz4": (50, 16, 0),
        }

    def test_the_same_archive_however_it_is_packed(self) -> None:
        read = []
        for name in ("warcfile.warc", "warcfile.warc.gz", "warcfile.warc.lz4"):
            items = found(name, (SAMPLES / name).read_bytes())[1]
            read.append([item.document[:2] for item in items if isinstance(item, Record) and item.document])
        assert read[0] == read[1] == read[2]
        assert len(read[0]) == 16

    def test_members_put_together_again_are_an_archive(self) -> None:
        from fastwarc.warc import ArchiveIterator

        items = found("a.warc.gz", (SAMPLES / "warcfile.warc.gz").read_bytes())[1]
        some = b"".join(bytes(item.raw) for item in items[::3] if isinstance(item, Record))
        assert sum(1 for _ in ArchiveIterator(io.BytesIO(some), verify_digests=False)) == 17


class TestMissingPackage:
    def test_it_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("dedup.read.formats.find_spec", lambda name: None)
        put("d/crawl.warc.gz", gzip.compress(PAGE))
        reason = "reading WARC needs fastwarc; pip install 'dedup-spans[warc]'"
        assert list(documents(["d"])) == [Skipped("d/crawl.warc.gz", reason)]
        with pytest.raises(DependencyError) as error:
            documents(["d/crawl.warc.gz"])
        assert str(error.value) == f"d/crawl.warc.gz: {reason}"
