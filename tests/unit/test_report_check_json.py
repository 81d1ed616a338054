"""The gate's answer in the JSON result: what the issue asks for, in the schema."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from dedup.report import schema
from dedup.verdict import OTHERS, STATUSES, Verdict
from tests.verdicts import COPY, everything, finding, hostile, many, record, verdict, written

VALIDATOR = jsonschema.Draft202012Validator(schema())


def result(given: Verdict) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(written(given, "json"))
    return loaded


@pytest.mark.parametrize("given", [everything(), hostile(), verdict(), many(300)])
def test_it_meets_the_schema(given: Verdict) -> None:
    VALIDATOR.validate(result(given))


def test_the_answer_stands_behind_the_report() -> None:
    given = everything()
    whole = result(given)
    assert list(whole)[-4:] == ["gate", "findings", "stale_entries", "notes"]
    assert {name: whole[name] for name in list(whole)[:-4]} == given.report.to_dict()
    assert whole["gate"] == {
        "passed": False, "new": 4, "known": 1, "moved": 1, "edited": 1, "suppressed": 1, "stale": 1,
        "reasons": ["4 new"],
    }  # fmt: skip
    assert whole["stale_entries"] == [
        {"rule": "repeated-passage", "path": "docs/gone.md", "fingerprint": "0123456789abcdef"}
    ]
    assert whole["notes"] == ["min_tokens is 12 and was 20 in the baseline"]


def test_all_findings_are_there_in_their_order_whatever_is_shown() -> None:
    given = everything()
    statuses = [entry["status"] for entry in result(given)["findings"]]
    assert statuses == [entry.status for entry in given.findings]
    assert set(statuses) == set(STATUSES)
    assert written(given, "json") == written(given, "json", show_known=True, show_suppressed=True)


def test_a_finding() -> None:
    [entry] = result(verdict(finding(added=(12, 13))))["findings"]
    assert list(entry.items()) == [
        ("rule", "repeated-passage"),
        ("status", "new"),
        ("document", "docs/new.md"),
        ("start", 400),
        ("end", 400 + len(COPY)),
        ("line", 12),
        ("end_line", 14),
        ("fingerprint", "2d1b74858b8e9073"),
        ("others", [{"document": "docs/old.md", "line": 3, "path": "docs/old.md"}]),
        ("more_others", 0),
        ("path", "docs/new.md"),
        ("column", 5),
        ("end_column", 19),
        ("cluster", "c1"),
        ("tokens", 19),
        ("similarity", 0.947368),
        ("added", [12, 13]),
        ("reason", None),
    ]
    assert list(entry["others"][0]) == ["document", "line", "path"]


def test_the_places_of_a_large_cluster_are_counted() -> None:
    entry = result(many(300))["findings"][0]
    assert len(entry["others"]) == OTHERS
    assert entry["more_others"] == 200 - OTHERS


@pytest.mark.parametrize("name", ["gate", "findings", "stale_entries", "notes"])
def test_the_answer_is_there_whole_or_not_at_all(name: str) -> None:
    whole = result(everything())
    del whole[name]
    assert not VALIDATOR.is_valid(whole)


@pytest.mark.parametrize(
    "path",
    [("gate",), ("findings", 0), ("findings", 0, "others", 0), ("stale_entries", 0)],
)
def test_what_is_missing_or_extra_fails(path: tuple[str | int, ...]) -> None:
    for change in ("extra", "missing"):
        whole = result(everything())
        place: Any = whole
        for step in path:
            place = place[step]
        if change == "extra":
            place["clock"] = 1
        else:
            place.popitem()
        assert not VALIDATOR.is_valid(whole)


def test_a_lone_surrogate_is_escaped() -> None:
    assert rb"half \ud800 raw \udc80" in written(hostile(), "json")
    assert result(verdict(record(text="\ud800", document="\ud800")))["findings"][0]["document"] == "\ud800"
