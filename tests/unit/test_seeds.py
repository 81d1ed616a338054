"""The articles with labelled repeats: a scan finds what is labelled, end to end, and little that is not."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import dedup
from dedup import PassageCluster, Report

from .prose import overlap

ROOT = Path(__file__).parents[2]
OURS, SHARED = ROOT / "seeds", ROOT.parent / "shared" / "seeds"

Label = dict[str, Any]


def truth(folder: Path) -> list[Label]:
    """The labels of a folder; none where the folder is not."""
    path = folder / "truth.jsonl"
    return (
        [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
    )


@cache
def scanned(folder: Path) -> Report:
    """What a scan with default settings finds in a folder."""
    files = sorted(folder.glob("*.txt"))
    return dedup.scan((path.name, path.read_bytes().decode()) for path in files)


def labels(folder: Path, kind: str) -> list[Any]:
    """The required labels of one kind, as test parameters; a label without a kind is a passage."""
    wanted = [label for label in truth(folder) if label["required"] and label.get("kind", "passage") == kind]
    return [pytest.param(label, id=label["id"]) for label in wanted]


def stands(cluster: PassageCluster, place: Label, least: float) -> bool:
    """Whether a member of the cluster is a labelled place."""
    return any(
        m.document == place["document"] and overlap(m, place["start"], place["end"]) >= least
        for m in cluster.members
    )


def shows(cluster: PassageCluster, label: Label, least: float) -> bool:
    """Whether every labelled place is a member of the cluster."""
    return all(stands(cluster, place, least) for place in label["members"])


def unknown(folder: Path) -> list[list[str]]:
    """The texts of clusters that touch no label at two places."""
    known = [label["members"] for label in truth(folder) if "start" in label["members"][0]]
    return [
        [member.text for member in cluster.members]
        for cluster in scanned(folder).passage_clusters
        if not any(sum(stands(cluster, place, 0.01) for place in places) >= 2 for places in known)
    ]


def linked(report: Report) -> set[frozenset[str]]:
    """Every pair of documents that stand in one cluster."""
    clusters = [*report.document_clusters, *report.passage_clusters]
    names = [{member.document for member in cluster.members} for cluster in clusters]
    return {frozenset((a, b)) for group in names for a in group for b in group if a != b}


@pytest.mark.parametrize("label", labels(OURS, "passage"))
def test_a_labelled_passage_is_one_finding_end_to_end(label: Label) -> None:
    assert any(shows(cluster, label, 0.9) for cluster in scanned(OURS).passage_clusters)


@pytest.mark.parametrize("label", labels(OURS, "document"))
def test_a_labelled_copy_is_found_with_its_kind(label: Label) -> None:
    names = [member["document"] for member in label["members"]]
    clusters = [(c.kind, [member.document for member in c.members]) for c in scanned(OURS).document_clusters]
    assert clusters == [(label["relation"], names)]


@pytest.mark.parametrize("label", labels(OURS, "none"))
def test_articles_that_share_only_the_story_are_not_linked(label: Label) -> None:
    assert frozenset(member["document"] for member in label["members"]) not in linked(scanned(OURS))


def test_nothing_is_found_that_is_not_labelled() -> None:
    assert unknown(OURS) == []
    assert len(scanned(OURS).passage_clusters) == len(labels(OURS, "passage"))


def test_the_labels_are_there() -> None:
    assert len(labels(OURS, "passage")) >= 6
    assert labels(OURS, "document")
    assert labels(OURS, "none")


@pytest.mark.skipif(not SHARED.exists(), reason="no ../shared/seeds beside the project")
@pytest.mark.parametrize("id", ["rana-paragraph", "server-trade-sentence", "lagarde-teaser"])
def test_a_required_repeat_of_the_shared_articles_is_found(id: str) -> None:
    (label,) = (label for label in truth(SHARED) if label["id"] == id)
    assert label["required"]
    least = 0.8 if id == "server-trade-sentence" else 0.9
    assert any(shows(cluster, label, least) for cluster in scanned(SHARED).passage_clusters)


@pytest.mark.skipif(not SHARED.exists(), reason="no ../shared/seeds beside the project")
def test_at_most_two_findings_in_the_shared_articles_are_unknown() -> None:
    assert len(unknown(SHARED)) <= 2
    assert scanned(SHARED).document_clusters == ()
