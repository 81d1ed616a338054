"""A report as a table: rows, CSV, data frames; and as Markdown."""

from __future__ import annotations

import csv
import io
import sys
from dataclasses import replace

import polars
import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from dedup.errors import DependencyError
from dedup.model import DocumentCluster, DocumentMember, EmptyDocument, PassageMember, Report, Skipped, Source
from dedup.report import csv as report_csv
from dedup.report import write
from dedup.report.markup import LIMIT
from dedup.table import BATCH, COLUMNS
from tests.unit.test_report import REPORT, broken
from tests.verdicts import HOSTILE

READER = MarkdownIt("gfm-like", {"linkify": False})


def written(report: Report, format: str) -> str:
    stream = io.BytesIO()
    write(report, format, stream)
    return stream.getvalue().decode("utf-8")


def with_text(text: str, report: Report = REPORT) -> Report:
    """The report with one passage, whose members hold this text and are called by it."""
    cluster = report.passage_clusters[0]
    members = tuple(replace(member, text=text, document=text) for member in cluster.members)
    return replace(report, passage_clusters=(replace(cluster, members=members),))


class TestRows:
    def test_a_row_for_each_member(self) -> None:
        rows = REPORT.to_rows()
        assert all(list(row) == list(COLUMNS) for row in rows)
        assert [(row["cluster"], row["kind"], row["kept"], row["document"]) for row in rows] == [
            ("1f", "near", True, "a.txt"),
            ("1f", "near", False, "x"),
            ("2f", "passage", True, "a.txt"),
            ("2f", "passage", False, "mem"),
            ("3f", "passage", True, "a.txt"),
        ]
        assert rows[1] == dict.fromkeys(COLUMNS) | {
            "cluster": "1f", "kind": "near", "kept": False, "document": "x", "path": "b.jsonl", "record": 3,
            "jaccard": 0.9, "containment": 1.0,
        }  # fmt: skip
        assert (rows[3]["path"], rows[3]["similarity"], rows[3]["text"]) == (None, 0.9, "thé same 字")
        assert (rows[4]["start"], rows[4]["end"], rows[4]["line"], rows[4]["copies"]) == (4, 19, 2, 8)


class TestFrames:
    def test_polars(self) -> None:
        frame = polars.DataFrame(REPORT)
        assert frame.to_dicts() == REPORT.to_rows()

    def test_pyarrow(self) -> None:
        assert pyarrow.table(REPORT).to_pylist() == REPORT.to_rows()

    def test_the_types_are_the_same_where_there_is_nothing(self) -> None:
        empty = replace(REPORT, document_clusters=(), passage_clusters=())
        assert polars.DataFrame(empty).schema == polars.DataFrame(REPORT).schema
        assert polars.DataFrame(empty).height == 0

    def test_a_lone_surrogate_is_written_as_its_escape(self) -> None:
        [text, *_] = polars.DataFrame(replace(broken(REPORT), document_clusters=()))["text"]
        assert text == 'a\\ud800"\n字\\udfff\x00'

    def test_many_batches(self) -> None:
        member = DocumentMember("d", Source(), 1.0, 1.0)
        cluster = DocumentCluster("c", "exact", "d", (member,) * (2 * BATCH + 1))
        assert polars.DataFrame(replace(REPORT, document_clusters=(cluster,))).height == 2 * BATCH + 4

    def test_without_pyarrow(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "pyarrow", None)
        with pytest.raises(DependencyError, match="pip install pyarrow"):
            REPORT.__arrow_c_stream__()


class TestCsv:
    def test_the_bytes(self) -> None:
        lines = written(REPORT, "csv").split("\r\n")
        assert lines[0] == ",".join(COLUMNS)
        assert lines[1] == "1f,near,true,a.txt,a.txt,,,,,,,,,,"
        assert lines[2] == "1f,near,false,x,b.jsonl,3,,,,,0.9,1.0,,,"
        assert lines[4] == "2f,passage,false,mem,,,2,2,4,19,,,0.9,1,thé same 字"
        assert lines[6:] == [""]

    @pytest.mark.parametrize("start", report_csv.FORMULA)
    def test_no_text_becomes_a_formula(self, start: str) -> None:
        text = f"{start}cmd|' /C calc'!A0"
        [_, _, _, row, *_] = csv.reader(io.StringIO(written(with_text(text), "csv"), newline=""))
        assert (row[3], row[-1]) == (f"'{text}", f"'{text}")

    @given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
    def test_any_text_comes_back(self, text: str) -> None:
        rows = list(csv.reader(io.StringIO(written(with_text(text), "csv"), newline="")))
        assert {len(row) for row in rows} == {len(COLUMNS)}
        assert rows[3][-1] == (f"'{text}" if text.startswith(report_csv.FORMULA) else text)

    def test_lone_surrogates(self) -> None:
        assert "a\\ud800" in written(broken(REPORT), "csv")

    def test_the_stream_stays_open(self) -> None:
        stream = io.BytesIO()
        write(REPORT, "csv", stream)
        stream.write(b"more")


class TestMarkdown:
    def test_the_whole_page(self) -> None:
        report = replace(REPORT, passage_clusters=REPORT.passage_clusters[:1])
        assert written(report, "markdown") == """\
## What repeats

3 documents · 1 copy in 1 cluster · 2 repeated passages · 35.3% of 17 words repeated · 1 empty · 1 skipped

### Copies of documents

| copy | kind | kept | jaccard | containment |
| --- | --- | --- | ---: | ---: |
| `b.jsonl:3 x` | near | `a.txt` | 90.0% | 100% |

### Repeated passages

| passage | what | first place | fingerprint |
| ---: | --- | --- | --- |
| 1 | 3 words · 2 places · 90.0% alike | `a.txt:2` | `2f` |

<details>
<summary>Their places, and the words that differ</summary>

Passage 1

```text
  a.txt:2
      the same words
  mem:2  90.0% alike
      [-the-]{+thé+} same [-words-]{+字+}
```

</details>

<details>
<summary>1 document without a word</summary>

```text
e.txt
```

</details>

<details>
<summary>1 input skipped</summary>

```text
c.png: not a format
```

</details>
"""  # fmt: skip

    def test_nothing_found(self) -> None:
        empty = replace(REPORT, document_clusters=(), passage_clusters=(), skipped=(), empty_documents=())
        assert written(empty, "markdown").count("\n") == 3

    @given(st.text(st.sampled_from("`|<>\\*_[]()#@!\n\r -~$&") | st.characters(), max_size=60))
    def test_no_text_is_markup(self, text: str) -> None:
        self.is_inert(text)

    def test_hostile_text(self) -> None:
        self.is_inert(HOSTILE)
        self.is_inert("é" + "\u0301" * 100_000)

    def is_inert(self, text: str) -> None:
        """A text changes nothing in the structure of the page, wherever it stands."""

        def structure(text: str) -> list[str]:
            report = replace(
                with_text(text),
                document_clusters=(
                    DocumentCluster(
                        "c",
                        "near",
                        text,
                        (DocumentMember(text, Source()), DocumentMember(text, Source(text))),
                    ),
                ),
                empty_documents=(EmptyDocument(text, Source()),),
                skipped=(Skipped(text, text),),
            )
            tokens = READER.parse(written(report, "markdown"))
            inline = [child.type for token in tokens for child in token.children or ()]
            return [token.type for token in tokens] + inline

        assert structure(text) == structure("plain")

    def test_it_is_never_too_long(self) -> None:
        cluster, words = REPORT.passage_clusters[0], "word " * 300
        members = tuple(replace(cluster.members[0], text=f"{words}{i}", document="d" * 900) for i in range(3))
        copies = tuple(DocumentMember("x" * 900, Source("y" * 900, i), 0.9, 0.9) for i in range(1, 900))
        report = replace(
            REPORT,
            passage_clusters=tuple(replace(cluster, id=str(i), members=members) for i in range(5000)),
            document_clusters=(DocumentCluster("c", "near", "k", copies),),
            skipped=(Skipped("s" * 90_000, "r" * 90_000),) * 100,
            empty_documents=(EmptyDocument("e" * 90_000, Source()),) * 100,
        )
        page = written(report, "markdown")
        assert 30_000 < len(page.encode()) <= LIMIT
        for left in ("more copies", "more passages", "more texts"):
            assert left in page
        assert (
            sum(line.startswith("| `") for line in page.splitlines())
            + int(page.split(" more copies")[0].split()[-1].replace(",", ""))
            == 898
        )

    def test_a_passage_of_one_long_word(self) -> None:
        member: PassageMember = replace(REPORT.passage_clusters[0].members[0], text="x" * 2_000_000)
        report = replace(
            REPORT, passage_clusters=(replace(REPORT.passage_clusters[0], members=(member, member)),)
        )
        assert len(written(report, "markdown").encode()) <= LIMIT
