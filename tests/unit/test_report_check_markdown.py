"""The gate's verdict as Markdown: what a comment shows, that it is never too long, and that no text is markup."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

import pytest
from hypothesis import given as given_that
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from dedup.model import PassageCluster, Skipped
from dedup.report.markdown import rendered
from dedup.report.markup import LIMIT, code
from dedup.report.visible import visible
from dedup.verdict import PASSAGE, Place, Stale, Verdict
from tests.verdicts import HOSTILE, everything, finding, hostile, many, report, verdict, written

READER = MarkdownIt("gfm-like", {"linkify": False})


def page(given: Verdict, **options: bool) -> str:
    return written(given, "markdown", **options).decode("utf-8")


def test_the_whole_comment() -> None:
    given = verdict(finding(), finding(line=40, others=()), report=replace(report(), skipped=()))
    assert (
        page(given)
        == """\
## dedup check failed

2 new

```text
failed: 2 new
```

To accept what is new: `dedup check --update-baseline`. To leave a place out: the comments `dedup: off` and \
`dedup: on` around it, or its fingerprint under `[[ignore]]` in the configuration.

| place | what | repeats | length | alike | fingerprint |
| --- | --- | --- | ---: | ---: | --- |
| `docs/new.md:12` | repeated passage | `docs/old.md:3` | 19 words | 94.7% | `2d1b74858b8e9073` |
| `docs/new.md:40` | repeated passage | itself | 19 words | 94.7% | `2d1b74858b8e9073` |

<details>
<summary>What is repeated, and the words that differ</summary>

`docs/new.md:12`

```text
a joint [-venture-]{+project+} of NASA and its European and Canadian partners, lifted off from
French Guiana on Christmas Day 2021
```

`docs/new.md:40`

```text
a joint project of NASA and its European and Canadian partners, lifted off from French Guiana on
Christmas Day 2021
```

</details>
"""
    )


def test_nothing_new() -> None:
    assert page(verdict(report=replace(report(), skipped=()))) == "## dedup check passed\n\n0 new\n"


def test_notes_stale_entries_and_skipped_inputs_are_folded_away() -> None:
    text = page(everything())
    for title in ("1 note", "1 entry of the baseline without a copy", "1 input skipped"):
        assert f"<details>\n<summary>{title}</summary>\n\n```text\n" in text
    assert "repeated passage, edited |" not in text
    assert "repeated passage, edited |" in page(everything(), show_known=True)


def test_names_and_texts_are_never_markup() -> None:
    """A reader of Markdown finds only our own markup outside of code."""
    tokens = READER.parse(page(hostile()))
    html = [token.content.strip() for token in tokens if token.type == "html_block"]
    assert set(html) <= {"</details>"} | {block for block in html if block.startswith("<details>\n<summary>")}
    assert not [block for block in html if "HOSTILE" in block or "script" in block]
    assert [token.content for token in tokens if token.type == "heading_open"] == [""]
    inline = [child for token in tokens if token.type == "inline" for child in token.children or ()]
    assert {child.type for child in inline} <= {"text", "code_inline"}
    outside = " ".join(child.content for child in inline if child.type == "text")
    assert not re.search("[@#<>`|]|everyone|error", outside)


def test_a_name_in_a_table_is_shown_as_it_is() -> None:
    table = READER.render(page(hostile()))
    cells = [unescape(cell) for cell in re.findall("<td><code>(.*?)</code>", table, re.DOTALL)]
    names = [cell for cell in cells if len(cell) > 16]
    assert names == [f"{visible(HOSTILE)}:{line}" for line in (12, 1, 1, 1)]
    assert table.count("<tr>") == 3


@given_that(st.text(st.sampled_from("`|\\ ab\n<"), max_size=12))
def test_any_name_survives_its_cell(name: str) -> None:
    given = verdict(finding(path=f"x{name}y", document=f"x{name}y", others=(Place(name, f"{name}z", None),)))
    shown = unescape(READER.render(page(given)))
    assert f"<code>{visible(f'x{name}y')}:12</code>" in shown
    assert shown.count("<td>") == 4  # the other two are aligned


@pytest.mark.parametrize("text", ["`", "``", "a`b", " ", "", " `` "])
def test_code_spans(text: str) -> None:
    assert READER.renderInline(code(text)).startswith("<code>")


class TestLength:
    def test_a_hundred_thousand_findings(self) -> None:
        text = page(many(100_000))
        assert len(text.encode()) <= LIMIT < 65_536
        shown = text.count("\n| `docs/")
        assert shown > 100
        assert f"\n… and {100_000 - shown:,} more findings.\n" in text
        told = text.count("\n`docs/")
        assert told > 20
        assert f"\n… and {100_000 - told:,} more texts.\n" in text
        assert text.endswith("</details>\n")

    def test_everything_is_long(self) -> None:
        long = HOSTILE * 100
        places = tuple(Place(long, long, number) for number in range(300))
        cluster: PassageCluster = replace(report().passage_clusters[0], id="c1")
        given = verdict(
            *(finding(path=long, document=long, text=long, others=places) for _ in range(30)),
            report=replace(
                report(), skipped=tuple(Skipped(long, long) for _ in range(3000)), passage_clusters=(cluster,)
            ),
            stale=tuple(Stale(PASSAGE, long, "0") for _ in range(3000)),
            notes=(long,) * 3000,
            reasons=(long,) * 30,
        )
        text = page(given)
        assert len(text.encode()) <= LIMIT
        assert "and 2,980 more\n" in text
        assert "… and 30 more findings." in text

    def test_a_summary_may_be_longer(self) -> None:
        text = rendered(many(20_000), 500_000, known=False)
        assert 400_000 < len(text) <= 500_000
