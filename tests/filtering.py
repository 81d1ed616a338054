"""Filter runs in this process, and all that has to hold of one, whatever came in.

:func:`ran` carries a plan out as the command does. :func:`checked` reads inputs, outputs and manifest with the standard
library alone and holds them against each other; :func:`restored` puts everything together again.
"""

from __future__ import annotations

import bz2
import gzip
import hashlib
import importlib
import io
import json
import lzma
import os
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import jsonschema

from dedup import filter as filter_
from dedup import kernel, manifest
from dedup.decide import CUT, MARK, preference
from dedup.filter import Outcome, Plan
from dedup.read import Options, formats
from dedup.restore import Archive, Restored
from dedup.write.outputs import Outputs

from . import naive

Line = dict[str, Any]


class Packing(NamedTuple):
    """A compression: how to apply it, and how to undo as much of it as is whole."""

    suffix: str
    pack: Callable[[bytes], bytes]
    unpack: Callable[[bytes], bytes]


def _inflated(data: bytes) -> bytes:
    """What comes out of one gzip member or several, up to where it is damaged."""
    out = []
    while data:
        inflate = zlib.decompressobj(16 + zlib.MAX_WBITS)
        for at in range(len(data)):
            try:
                out.append(inflate.decompress(data[at : at + 1]))
            except zlib.error:
                return b"".join(out)
            if inflate.eof:
                break
        if not inflate.eof:
            return b"".join([*out, inflate.flush()])
        data = data[at + 1 :]
    return b"".join(out)


def _zstd(name: str, data: bytes) -> bytes:
    for module in ("compression.zstd", "backports.zstd"):
        with suppress(ImportError):
            return bytes(getattr(importlib.import_module(module), name)(data))
    raise AssertionError


_ALL = [
    Packing("", bytes, bytes),
    Packing(".gz", partial(gzip.compress, mtime=0), _inflated),
    Packing(".bz2", bz2.compress, bz2.decompress),
    Packing(".xz", lzma.compress, lzma.decompress),
]
_ALL.append(Packing(".zst", partial(_zstd, "compress"), partial(_zstd, "decompress")))


def _is_read(packing: Packing) -> bool:
    return not packing.suffix or bool(formats.named(f"a.txt{packing.suffix}", Options()).packing)


#: All compressions that are read, by suffix.
PACKINGS = {packing.suffix: packing for packing in _ALL if _is_read(packing)}


def packing_of(path: str) -> Packing:
    """The compression that a name stands for."""
    return next((p for p in PACKINGS.values() if p.suffix and path.endswith(p.suffix)), PACKINGS[""])


def packing_of_input(path: str) -> Packing:
    """The compression that is undone when a file is read; one of an unknown format is carried as it is."""
    found = formats.named(path, Options())
    return packing_of(path) if found.packing else PACKINGS[""]


@contextmanager
def quick(block: int | None = None) -> Iterator[None]:
    """Without waiting for the disk; records in blocks of so many code points, if that is given."""
    with mock.patch("os.fsync"), mock.patch("os.sync"):
        if block is None:
            yield
            return
        with ExitStack() as patches:
            for module in ("dedup.filter", "dedup.filter.arrivals"):
                patches.enter_context(mock.patch(f"{module}.BLOCK", block))
                patches.enter_context(mock.patch(f"{module}.GROWTH", 0.1))
            yield


def ran(plan: Plan, stdin: bytes | None = None, stdout: io.BytesIO | None = None, **more: Any) -> Outcome:
    """Filters, and commits or abandons, as the command does."""
    outputs = Outputs(plan.manifest or plan.kept or "")
    try:
        outcome = filter_.run(
            plan, outputs, stdin=None if stdin is None else io.BytesIO(stdin), stdout=stdout, **more
        )
        outputs.commit()
        return outcome
    finally:
        outputs.abandon()


def restored(path: str, folder: str, **moved: str) -> Restored:
    """Verifies, and puts the inputs together; both must find the same."""
    with Archive(path, **moved) as archive:
        verified = archive.verify()
    with Archive(path, **moved) as archive:
        done = archive.restore(folder)
    assert verified.problems == done.problems
    assert (verified.inputs, verified.records) == (done.inputs, done.records)
    return done


def files(folder: str | Path) -> dict[str, bytes]:
    """All files below a folder, by name."""
    top = Path(folder)
    return {str(p.relative_to(top)): p.read_bytes() for p in sorted(top.rglob("*")) if p.is_file()}


def is_writing(folder: str | Path, count: int = 3) -> bool:
    """Whether so many outputs lie aside there: those of a run whose work has begun."""
    return len(list(Path(folder).glob(".dedup-*.part"))) >= count


def leftovers(folder: str | Path) -> list[str]:
    """What a run has left that is none of its outputs."""
    return [name for name in files(folder) if ".dedup" in name] + [
        str(path) for path in Path(folder).rglob(".*dedup*") if path.is_dir()
    ]


def lines_of(path: str) -> list[Line]:
    """The manifest, its last line checked."""
    data = Path(path).read_bytes()
    *rows, last = data.splitlines(keepends=True)
    assert data.endswith(b"\n")
    end = json.loads(last)
    assert end == {"type": "end", "sha256": hashlib.sha256(b"".join(rows)).hexdigest()}
    found = [json.loads(row) for row in (*rows, last)]
    if Path(manifest.__file__).with_name("manifest.schema.json").exists():
        check = jsonschema.Draft202012Validator(manifest.schema())
        for line in found:
            check.validate(line)
    return found


class _Text(NamedTuple):
    """A document as the test reads it."""

    text: str
    tokens: tuple[int, ...]
    fields: Line


class Checked:
    """One finished run, held against its inputs. ``contents`` are those of the files, unpacked, by path."""

    def __init__(self, plan: Plan, sources: dict[str, bytes], outcome: Outcome, stdout: bytes = b"") -> None:
        self.plan, self.outcome, self.stdout = plan, outcome, stdout
        assert plan.manifest is not None
        self.lines = lines_of(plan.manifest)
        self.contents = {path: packing_of_input(path).unpack(data) for path, data in sources.items()}
        self.sources = sources
        self.records = [line for line in self.lines if line["type"] == "record"]
        self.inputs = [line for line in self.lines if line["type"] == "input"]
        self._outputs: dict[str, bytes] = {}
        self._by_place = {(line["path"], line["byte_offset"]): line for line in self.records}
        self._texts: dict[tuple[str, int], _Text] = {}
        self._check_frame()
        self._check_records()
        self._check_outputs()
        self._check_copies()
        self._check_holds()
        self._check_cuts()

    # ---- what came

    def _check_frame(self) -> None:
        plan = self.plan
        run, summary = self.lines[0], self.lines[-2]
        assert run == json.loads(json.dumps(plan.header()))
        assert summary == {"type": "summary", **self.outcome.to_dict()}
        assert [line["input"] for line in self.inputs] == list(range(len(self.inputs)))
        assert len({line["name"] for line in self.inputs}) == len(self.inputs)
        for line in self.inputs:
            data = self.sources[line["path"]]
            assert (line["size"], line["sha256"]) == (len(data), _sha(data))

    def _check_records(self) -> None:
        """Every byte of every input is in exactly one record."""
        ends: Counter[str] = Counter()
        open_input = 0
        for line in self.lines:
            if line["type"] == "input":
                open_input += 1
                whole = self.contents[line["path"]][: ends[line["path"]]]
                assert line["content"] == {"size": len(whole), "sha256": _sha(whole)}
                assert len(whole) == ends[line["path"]]
                if not any(entry.source == line["path"] for entry in self.outcome.skipped):
                    assert whole == self.contents[line["path"]]
            elif line["type"] == "record":
                assert line["input"] == open_input
                assert line["byte_offset"] == ends[line["path"]]
                raw = self.raw(line)
                assert (len(raw), _sha(raw)) == (line["length"], line["sha256"])
                if line["line"] is not None:
                    before = self.contents[line["path"]][: line["byte_offset"]]
                    assert line["line"] == before.count(b"\n") + 1
                ends[line["path"]] += line["length"]
        count = Counter(line["decision"] for line in self.records)
        outcome = self.outcome
        assert len(self.records) == outcome.records == outcome.kept + outcome.aside
        assert count["diverted"] == outcome.aside
        assert count["cut"] == outcome.cut
        assert sum(line["length"] for line in self.records) == outcome.bytes
        assert outcome.bytes_aside == sum(
            line["length"] for line in self.records if line["decision"] == "diverted"
        )
        kinds = Counter(line["reason"] for line in self.records if "twin" in line)
        assert kinds == outcome.copies
        assert sum(line["id"] is not None for line in self.records) == outcome.documents

    def raw(self, line: Line) -> bytes:
        """A record as it came."""
        start = line["byte_offset"]
        return self.contents[line["path"]][start : start + line["length"]]

    # ---- where it went

    def _check_outputs(self) -> None:
        """Every record is in exactly one output, as it came but for what the manifest says; and nothing else is."""
        taken: dict[str, list[tuple[int, int]]] = {}
        for line in self.records:
            output = line["output"]
            assert output["side"] == ("rejects" if line["decision"] == "diverted" else "kept")
            path, data = self._output(line)
            start, end = output["offset"], output["offset"] + output["length"]
            taken.setdefault(path, []).append((start, end))
            raw = self.raw(line)
            for edit in line.get("edits", ()):
                gone = _bytes(edit)
                assert raw[edit["at"] : edit["at"] + len(gone)] == gone
            if line.get("edits") == [{"at": 0, "inserted": 0, "text": "\ufeff"}]:
                assert start > 0
                assert data[start:end] == raw.removeprefix(b"\xef\xbb\xbf")
            elif "edits" in line:
                assert line["decision"] in ("cut", "marked")
            else:
                assert data[start:end] == raw
        for path, spans in taken.items():
            data, at = self._outputs[path], 0
            for start, end in spans:  # in the order of the input
                is_open = at and data[at - 1 : at] != b"\n" and end > start
                assert data[at:start] == (b"\n" if is_open else b"")
                at = end
            assert at == len(data)
        self._check_no_more(set(taken))

    def _check_no_more(self, taken: set[str]) -> None:
        plan = self.plan
        for path in (plan.kept, plan.rejects):
            if path is None or path == "-":
                continue
            if plan.is_tree:
                assert {os.path.join(path, name) for name in files(path)} == {
                    name for name in taken if name.startswith(path)
                }
            elif path not in taken:
                data = Path(path).read_bytes()
                assert packing_of(path).unpack(data) == b""
                assert bool(data) == bool(packing_of(path).suffix) or not self.inputs

    def _output(self, line: Line) -> tuple[str, bytes]:
        side = line["output"]["side"]
        path = self.plan.kept if side == "kept" else self.plan.rejects
        assert path is not None
        packing = packing_of(path)
        if "file" in line["output"]:
            path = os.path.join(path, *line["output"]["file"].split("/"))
            packing = packing_of_input(line["path"])
        if path not in self._outputs:
            data = self.stdout if path == "-" else Path(path).read_bytes()
            self._outputs[path] = packing.unpack(data)
        return path, self._outputs[path]

    def written(self, line: Line) -> bytes:
        """A record as it stands in its output."""
        _, data = self._output(line)
        return data[line["output"]["offset"] :][: line["output"]["length"]]

    # ---- why

    def text(self, line: Line, raw: bytes | None = None) -> _Text:
        """The document of a record; as it came unless ``raw`` is given."""
        key = (line["path"], line["byte_offset"])
        if raw is None and key in self._texts:
            return self._texts[key]
        data = (self.raw(line) if raw is None else raw).removeprefix(b"\xef\xbb\xbf")
        fields: Line = {}
        if line["line"] is None:
            text = data.decode()
        else:
            fields = json.loads(data.decode(), parse_int=_whole)
            text = fields[self.plan.options.text_field]
        found = _Text(text, tuple(kernel.tokenise([text]).hashes.tolist()), fields)
        if raw is None:
            self._texts[key] = found
        return found

    def _twin(self, told: Line) -> tuple[Line | None, _Text]:
        """The record that a copy was compared with, if it was written, and its text; it stays."""
        if told.get("reference"):
            content = packing_of_input(told["path"]).unpack(Path(told["path"]).read_bytes())
            start = told["byte_offset"]
            end = len(content) if told["line"] is None else content.find(b"\n", start) + 1 or len(content)
            raw = content[start:end]
            assert _sha(raw) == told["sha256"]
            return None, self.text({**told, "byte_offset": -1 - start}, raw)
        twin = self._by_place[told["path"], told["byte_offset"]]
        assert (twin["sha256"], twin["id"], twin["line"]) == (told["sha256"], told["id"], told["line"])
        assert twin["decision"] in ("kept", "cut")
        assert twin["reason"] == "new"
        return twin, self.text(twin)

    def _check_copies(self) -> None:
        settings, policy = self.plan.settings, self.plan.policy
        rank = preference(policy)
        for place, line in enumerate(self.records):
            assert (line["id"] is None) == (line["reason"] in ("not-read", "no-text"))
            if "twin" not in line:
                assert line["decision"] in ("kept", "cut")
                if line["id"] is not None:
                    assert (line["reason"] == "no-words") == (not self.text(line).tokens)
                continue
            assert line["decision"] == ("marked" if policy.action == MARK else "diverted")
            mine = self.text(line)
            twin, other = self._twin(line["twin"])
            a, b = (naive.shingles(text.tokens, settings.ngram) for text in (mine, other))
            shared = len(a & b)
            assert (line["jaccard"], line["containment"]) == (shared / len(a | b), shared / len(a))
            is_near = line["jaccard"] >= settings.threshold
            if line["reason"] == "exact":
                assert mine.text == other.text
            elif line["reason"] == "near":
                assert is_near
            else:
                assert (line["reason"], policy.contained) == ("contained", True)
                assert line["containment"] >= settings.threshold
                assert not is_near
            _check_spans(line["spans"], mine.text, other.text)
            if twin is None:
                assert line["rule"] == "reference"
                continue
            assert line["rule"] == policy.keep
            if policy.keep in ("first", "longest"):
                theirs = rank(len(other.tokens), {}), self.records.index(twin)
                assert theirs < (rank(len(mine.tokens), {}), place)
            elif None not in (line["line"], twin["line"]) and not _is_odd(mine) and not _is_odd(other):
                theirs = rank(0, other.fields), self.records.index(twin)
                assert theirs < (rank(0, mine.fields), place)
            if line["decision"] == "marked":
                self._check_mark(line)

    def _check_mark(self, line: Line) -> None:
        marked, fields = json.loads(self.written(line).removeprefix(b"\xef\xbb\xbf")), self.text(line).fields
        assert list(marked)[-1] == "_dedup" or "_dedup" in fields
        note = marked["_dedup"]
        assert note == {
            "duplicate_of": line["twin"]["id"], "kind": line["reason"],
            "jaccard": line["jaccard"], "containment": line["containment"],
        }  # fmt: skip
        assert set(marked) == {*fields, "_dedup"}

    def _check_holds(self) -> None:
        for line in self.records:
            for told in line.get("holds", ()):
                assert line["reason"] == "new"
                _, other = self._twin(told)
                a = naive.shingles(self.text(line).tokens, self.plan.settings.ngram)
                b = naive.shingles(other.tokens, self.plan.settings.ngram)
                assert told["containment"] == len(a & b) / len(b) >= self.plan.settings.threshold

    def _check_cuts(self) -> None:
        """What was cut is not there any more, and its twin is, whole."""
        for line in self.records:
            if line["decision"] != "cut":
                assert "cuts" not in line
                continue
            assert self.plan.policy.action == CUT
            text, left, at = self.text(line).text, [], 0
            for cut in line["cuts"]:
                start, end = cut["start"], cut["end"]
                assert at <= start < end
                assert text[start:end] == cut["text"]
                left.append(text[at:start])
                at = end
                twin, other = self._twin(cut["twin"])
                stays = other.text[cut["twin"]["start"] : cut["twin"]["end"]]
                if twin is not None:
                    assert stays in self.text(twin, self.written(twin)).text
                a, b = (kernel.tokenise([part]).hashes.tolist() for part in (cut["text"], stays))
                # What repeats within itself is cut to one unit.
                known = sum(token in b for token in a) / len(a)
                assert naive.lcs(a, b) * 2 / (len(a) + len(b)) > 0.4 or known > 0.6
            assert "".join([*left, text[at:]]) == self.text(line, self.written(line)).text


def _whole(digits: str) -> int | float:
    """A whole number; one above 64 bits as the nearest float, as a reader may take it."""
    return int(digits) if len(digits) < 19 else float(digits)


def _is_odd(text: _Text) -> bool:
    """Whether there are fields in it that readers take differently."""
    return any(isinstance(value, float) for value in text.fields.values())


def _check_spans(spans: list[dict[str, int]], mine: str, twin: str) -> None:
    """Spans stand in order, begin and end with equal words, and tell the same place in code points and bytes."""
    assert spans
    at = twin_at = 0
    for span in spans:
        start, end, twin_start, twin_end = (span[k] for k in ("start", "end", "twin_start", "twin_end"))
        assert at <= start < end <= len(mine)
        assert twin_at <= twin_start < twin_end <= len(twin)
        at, twin_at = end, twin_end
        for text, prefix, places in ((mine, "", (start, end)), (twin, "twin_", (twin_start, twin_end))):
            for name, place in zip(("start", "end"), places, strict=True):
                size = len(text[:place].encode("utf-8", "surrogatepass"))
                assert span[f"{prefix}byte_{name}"] == size
        a, b = (
            kernel.tokenise([part]).hashes.tolist() for part in (mine[start:end], twin[twin_start:twin_end])
        )
        assert (a[0], a[-1]) == (b[0], b[-1])


def _bytes(edit: Line) -> bytes:
    import base64

    return edit["text"].encode() if "text" in edit else base64.b64decode(edit["base64"])


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
