"""The kept result, by both kernels."""

from __future__ import annotations

import importlib
import importlib.util
import json

import pytest

from . import RESULT, produced


@pytest.mark.parametrize("kernel", ["native", "reference"])
def test_a_scan_gives_the_kept_result_byte_for_byte(kernel: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if kernel == "native" and importlib.util.find_spec("dedup.kernel._native") is None:
        pytest.skip("the native kernel is not built")
    monkeypatch.setattr("dedup.kernel._chosen", importlib.import_module(f"dedup.kernel.{kernel}"))
    assert produced() == RESULT.read_bytes(), "python -m tests.golden writes it anew, if the change is meant"


def test_the_kept_result_holds_a_finding_of_every_kind() -> None:
    kept = json.loads(RESULT.read_bytes())
    assert {cluster["kind"] for cluster in kept["document_clusters"]} == {"exact", "near", "contained"}
    assert {cluster["period"] for cluster in kept["passage_clusters"]} == {None, 10}
    assert len(kept["empty_documents"]) == 2
    assert {m["document"] for c in kept["passage_clusters"] for m in c["members"]} >= {
        "library",
        "marché",
        "桥",
        "song",
    }
