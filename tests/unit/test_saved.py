"""A saved result, read again: equal to what was written, and whatever else it is told in one line."""

from __future__ import annotations

import copy
import gzip
import io
import json
import lzma
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dedup
from dedup.errors import DedupError, ResultError
from dedup.model import Report
from dedup.report import SAVED_FORMATS, schema, write
from dedup.saved import read
from dedup.verdict import DOCUMENT, Finding, Place, Verdict
from tests import verdicts
from tests.unit.prose import Prose, scan
from tests.unit.test_report import REPORT, broken, written

RESULT = json.loads(written(REPORT, "json"))


def saved(tmp_path: Path, data: bytes, name: str = "r.json") -> str:
    path = tmp_path / name
    path.write_bytes(data)
    return str(path)


def without_jobs(report: Report) -> Report:
    """A result does not hold the number of threads."""
    return replace(report, settings=replace(report.settings, jobs=0))


class TestRoundTrip:
    @pytest.mark.parametrize("report", [REPORT, broken(REPORT), replace(REPORT, passage_clusters=())])
    def test_the_report_and_its_bytes(self, report: Report, tmp_path: Path) -> None:
        data = written(report, "json")
        found = dedup.load(saved(tmp_path, data))
        assert found == without_jobs(report)
        assert written(found, "json") == data

    @given(st.integers(0, 10**6))
    @settings(max_examples=30)
    def test_any_scan(self, seed: int) -> None:
        prose = Prose(seed)
        passage, text = prose.words(30), prose.words(40)
        report = scan(
            [text, text, prose.round(passage), prose.round(prose.edited(passage, 0.2)), "", "ab " * 300]
        )
        data = written(report, "json")
        assert read("-", io.BytesIO(data)) == report

    def test_another_version_stays(self, tmp_path: Path) -> None:
        data = written(replace(REPORT, version="0.0.7"), "json")
        found = dedup.load(saved(tmp_path, data))
        assert found.version == "0.0.7"
        assert written(found, "json") == data
        assert b'"version":"0.0.7"' in written(found, "jsonl")

    @pytest.mark.parametrize(("suffix", "pack"), [("gz", gzip.compress), ("xz", lzma.compress)])
    def test_compressed(self, suffix: str, pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
        data = pack(written(REPORT, "json"))
        assert dedup.load(saved(tmp_path, data, f"r.json.{suffix}")) == without_jobs(REPORT)
        with pytest.raises(ResultError, match=r"truncated|ends"):
            dedup.load(saved(tmp_path, data[:-30], f"r.json.{suffix}"))

    def test_a_byte_order_mark(self, tmp_path: Path) -> None:
        assert dedup.load(saved(tmp_path, b"\xef\xbb\xbf" + written(REPORT, "json"))) == without_jobs(REPORT)


class TestVerdict:
    def again(self, given: Verdict) -> Verdict:
        found = read("-", io.BytesIO(verdicts.written(given, "json")))
        assert isinstance(found, Verdict)
        return found

    @pytest.mark.parametrize("made", [verdicts.everything, verdicts.hostile, lambda: verdicts.many(60)])
    @pytest.mark.parametrize("format", SAVED_FORMATS)
    @pytest.mark.parametrize("shows_all", [False, True])
    def test_it_is_written_as_before(self, made: Callable[[], Verdict], format: str, shows_all: bool) -> None:
        given = with_real_texts(made())
        options = {"show_known": shows_all, "show_suppressed": shows_all}
        assert verdicts.written(self.again(given), format, **options) == verdicts.written(
            given, format, **options
        )

    def test_other_places_that_were_not_listed_are_counted(self) -> None:
        others = tuple(Place(f"{i}.md", f"{i}.md", 1) for i in range(20))
        given = with_real_texts(verdicts.verdict(verdicts.finding(others=others, more=980)))
        assert "and 999 more places" in verdicts.written(given, "text").decode()
        [finding] = self.again(given).findings
        assert (len(finding.others), finding.more, finding.all_others) == (20, 980, 1000)

    def test_an_archived_place_stays_archived(self) -> None:
        others = (Place("a.md", "a.md", 1, archived=True), Place("b.md", "b.md", 1))
        [finding] = self.again(with_real_texts(verdicts.verdict(verdicts.finding(others=others)))).findings
        assert finding.others == others

    def test_load_gives_the_report(self, tmp_path: Path) -> None:
        given = verdicts.everything()
        assert dedup.load(saved(tmp_path, verdicts.written(given, "json"))) == given.report


def with_real_texts(given: Verdict) -> Verdict:
    """The verdict with findings that lie where the report's passage does, as those of a real one do."""
    cluster = given.report.passage_clusters[0]
    place = cluster.members[1]

    def moved(finding: Finding) -> Finding:
        if finding.rule == DOCUMENT:
            return replace(finding, text="")
        return replace(
            finding,
            document=place.document,
            start=place.start,
            end=place.end,
            cluster=cluster.id,
            text=place.text,
        )

    return replace(given, findings=tuple(map(moved, given.findings)))


def told(data: bytes) -> str:
    with pytest.raises(ResultError) as caught:
        read("-", io.BytesIO(data))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def changed(change: Callable[[Any], object], result: Any = RESULT) -> bytes:
    given = copy.deepcopy(result)
    change(given)
    return json.dumps(given).encode()


EXPECTED = "; expected what dedup scan or dedup check wrote with --format json"


class TestDamage:
    @pytest.mark.parametrize(
        ("data", "message"),
        [
            (b"", f"-: is empty{EXPECTED}"),
            (b" \n", f"-: is empty{EXPECTED}"),
            (b"PK\x03\x04\xff", "-: is damaged or not JSON: "),
            (b"[" * 100_000, "-: is damaged or not JSON: "),
            (b'{"schema": NaN}', "-: is damaged or not JSON: "),
            (b"[]", f"-: is not a result of dedup: it names no schema{EXPECTED}"),
            (b'{"a": 1}', f"-: is not a result of dedup: it names no schema{EXPECTED}"),
            (
                b'{"schema": "dedup-report/2"}',
                '-: is of schema "dedup-report/2"; this dedup reads dedup-report/1',
            ),
            (b'{"schema": "dedup-report/1"}', f"-: tool is missing{EXPECTED}"),
            (written(REPORT, "jsonl"), f"-: is a result in JSON lines{EXPECTED}"),
            (written(REPORT, "json")[:-300], "-: is damaged or not JSON: "),
        ],
    )
    def test_the_file(self, data: bytes, message: str) -> None:
        assert told(data).startswith(message)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda r: r.update(x=1), "x is not a field of a result"),
            (lambda r: r["summary"].pop("tokens"), "summary.tokens is missing"),
            (lambda r: r["summary"].update(tokens=True), "summary.tokens is true; expected a whole number from 0 on"),
            (lambda r: r["summary"].update(repeated_share=1.5), "summary.repeated_share is 1.5; expected a number"),
            (lambda r: r["tool"].update(name="x"), 'tool.name is "x"; expected one of dedup'),
            (lambda r: r["settings"].update(threshold=7), "settings are out of range: threshold is 7; expected"),
            (lambda r: r["settings"].update(num_perm="8"), "settings are out of range: num_perm is '8'; expected"),
            (lambda r: r["settings"].update(jobs=1), "settings.jobs is not a field"),
            (lambda r: r.update(skipped={}), "skipped is an object; expected an array"),
            (lambda r: r["document_clusters"][0].update(kind="same"), 'document_clusters[0].kind is "same"; expected'),
            (lambda r: r["document_clusters"][0]["members"].pop(), "document_clusters[0].members is an array; "),
            (
                lambda r: r["passage_clusters"][1]["members"][0].update(start="4"),
                'passage_clusters[1].members[0].start is "4"; expected a whole number from 0 on',
            ),
            (
                lambda r: r["passage_clusters"][0]["members"][1]["source"].update(line=0),
                "passage_clusters[0].members[1].source.line is 0; expected a whole number from 1 on",
            ),
            (lambda r: r["passage_clusters"][0].update(members=[]), "passage_clusters[0].members is an array; "),
            (lambda r: r["passage_clusters"][1].update(period=None), "passage_clusters[1] has one place only"),
            (lambda r: r["passage_clusters"][0].update(tokens=None), "passage_clusters[0].tokens is null"),
            (lambda r: r["skipped"][0].update(reason=["z" * 999]), "skipped[0].reason is an array; expected a string"),
            (lambda r: r["summary"].update(tokens=2**63), "summary.tokens is 9223372036854775808; expected a whole"),
            (lambda r: r["document_clusters"][0].update(kept="x"), "document_clusters[0].kept is not the document of"),
            (
                lambda r: r["passage_clusters"][0]["members"][1].update(start=9, end=8),
                "passage_clusters[0].members[1].end is before the start",
            ),
            (lambda r: r.update(notes=[]), "gate is missing"),
        ],
    )  # fmt: skip
    def test_a_value(self, change: Callable[[Any], object], message: str) -> None:
        assert told(changed(change)).startswith(f"-: {message}")

    @given(st.data())
    @settings(max_examples=300, deadline=None)
    def test_what_is_read_can_be_written_in_every_format(self, data: st.DataObject) -> None:
        """One value anywhere is exchanged: it is refused, or the result still meets the schema."""
        result: Any = copy.deepcopy(RESULT)
        place: Any = result
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                return
            key = data.draw(st.sampled_from(keys))
            if isinstance(place[key], dict | list) and data.draw(st.integers(0, 5)):
                place = place[key]
                continue
            break
        place[key] = data.draw(
            st.one_of(
                st.none(),
                st.booleans(),
                st.integers(-2, 3),
                st.sampled_from([2**63 - 1, 2**63, 10**30]),
                st.floats(-1, 2),
                st.text(max_size=3),
                st.sampled_from(["\ud800", "</script>", "../x"]),
                st.just([]),
            )
        )
        try:
            found = read("-", io.BytesIO(json.dumps(result).encode()))
        except DedupError:
            return
        assert isinstance(found, Report)
        jsonschema.Draft202012Validator(schema()).validate(json.loads(written(found, "json")))
        for format in ("text", "jsonl", "markdown", "csv", "html"):
            write(found, format, io.BytesIO())

    def test_a_file_that_is_not_there(self) -> None:
        with pytest.raises(ResultError, match=r"^gone\.json: cannot be read: no such file or directory$"):
            dedup.load("gone.json")
