"""However an index came about, it answers the same; and what one scan of everything finds, it finds.

Corpora are few short texts of few words and blocks that come again, so that there is much to find in them.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dedup import PassageCluster, Report, Settings
from dedup.index import Memory, Shape, Snapshot, abort, add, build, commit, compact, create, remove
from dedup.index.verify import problems
from dedup.model import Document, Source
from dedup.pipeline import run
from dedup.text import version
from tests.indexing import answer, index_of
from tests.naive import shingles
from tests.unit.prose import Prose

ROOT = Path(__file__).parents[2]
SHAPES = [Shape(text=text, passages=passages) for text in (True, False) for passages in (True, False)]
WORDS = Prose(1).words(40).split()
BLOCKS = [Prose(seed).words(25) for seed in range(2, 8)]


def text_of(dice: random.Random) -> str:
    """Up to five parts, blocks or words; of every third word another one, now and then."""
    parts = [dice.choice([*BLOCKS, " ".join(dice.choices(WORDS, k=15))]) for _ in range(dice.randrange(6))]
    words = " ".join(parts).split()
    if dice.random() < 0.4:
        words = [dice.choice(WORDS) if dice.random() < 0.1 else word for word in words]
    return " ".join(words)


def corpus(dice: random.Random, count: int) -> list[Document]:
    """Documents with ids of which some come again, with the same text or another one."""
    texts = [text_of(dice) for _ in range(count)]
    named = [
        (f"d{dice.randrange(count)}", dice.choice(texts) if dice.random() < 0.2 else text) for text in texts
    ]
    return [Document(name, text, Source(f"{name[-1]}.jsonl", len(text) + 1)) for name, text in named]


def batches(items: list[Document], dice: random.Random) -> Iterator[list[Document]]:
    items = list(items)
    while items:
        size = dice.choice([1, 1, 2, 5, len(items)])
        yield items[:size]
        items = items[size:]


def grown(folder: Path, items: list[Document], shape: Shape, dice: random.Random) -> None:
    """An index of documents that came in any order, some twice, and of others that came and went."""
    items = dice.sample(items, len(items))
    passing = [document._replace(id=f"x{i}") for i, document in enumerate(items[::3])]
    create(folder, shape)
    for number, batch in enumerate(batches(items + passing, dice)):
        jobs = dice.choice([1, 2, 3])
        step = dice.choice(["add", "run", "twice", "aborted", "forgotten", "compact"])
        if step in ("run", "aborted"):
            add(folder, batch, run=f"r{number}", jobs=jobs)
            if dice.random() < 0.5:
                add(folder, batch[:1], jobs=jobs)
            name = f"r{number}"
            pending = any(True for _ in batch) and _is_pending(folder, name)
            if pending and step == "run":
                commit(folder, name)
            elif pending:
                abort(folder, name)
        if step == "forgotten":
            add(folder, batch, jobs=jobs)
            remove(folder, [dice.choice([d.id, f"{d.id}@{version(d.text).hex()}"]) for d in batch[::2]])
        if step == "compact":
            compact(folder)
        if step != "run":
            add(folder, batch + batch[:1], jobs=jobs)
    remove(folder, [document.id for document in passing])
    add(folder, dice.sample(items, len(items)))  # what was forgotten with another version
    if dice.random() < 0.5:
        compact(folder)


def _is_pending(folder: Path, run: str) -> bool:
    from dedup.index.facts import facts

    return run in facts(folder)["pending"]


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32), st.sampled_from(SHAPES))
def test_however_it_came_about(seed: int, shape: Shape) -> None:
    dice = random.Random(seed)
    items, new = corpus(dice, dice.randrange(1, 30)), corpus(dice, 6)
    with tempfile.TemporaryDirectory() as folder:
        one, many = Path(folder, "one"), Path(folder, "many")
        build(one, items, shape, jobs=1)
        grown(many, items, shape, dice)
        assert list(problems(many)) == []
        for alone in (True, False):
            chosen = {"passages": shape.passages, "alone": alone}
            wanted = answer(one, new, **chosen)
            assert answer(many, new, **chosen) == wanted
            assert answer(many, new, **chosen, jobs=3) == wanted
        compact(many)
        assert answer(many, new, **chosen) == wanted


ASKED = """
import random, sys
from pathlib import Path
from dedup import kernel
from dedup.index import Shape
from tests.indexing import answer, index_of
from tests.naive import shingles
from tests.property.test_index import SHAPES, corpus
dice = random.Random(5)
items, new = corpus(dice, 20), corpus(dice, 6)
for number, shape in enumerate(SHAPES):
    folder = index_of(Path(sys.argv[1], str(number)), items, **shape._asdict())
    sys.stdout.buffer.write(answer(folder, new, passages=shape.passages) + b"\\n")
"""


@pytest.mark.usefixtures("native")
def test_both_kernels_write_the_same_bytes_and_answer_with_the_same(tmp_path: Path) -> None:
    found = {}
    for name in ("native", "python"):
        process = subprocess.run(
            [sys.executable, "-c", ASKED, str(tmp_path / name)],
            env={**os.environ, "PYTHONPATH": str(ROOT), "DEDUP_KERNEL": name},
            capture_output=True,
            check=True,
            cwd=ROOT,
        )
        files = sorted((tmp_path / name).rglob("*.segment"))
        found[name] = process.stdout, [file.read_bytes() for file in files]
    assert len(found["native"][1]) == len(SHAPES)
    assert found["native"] == found["python"]


# ---- against one scan of everything ---------------------------------------------------------------------------


Pairs = set[tuple[str, str]]


def family(dice: random.Random) -> tuple[list[Document], list[Document]]:
    """New and archived documents: copies that are near the threshold, equal ones, longer ones, and parts."""
    texts = [text_of(dice) for _ in range(30)]
    for text in texts[:12]:
        words = text.split()
        at = dice.randrange(len(words) + 1)
        texts.append(" ".join([*words[:at], "another", *words[at + 1 :]]))
        texts += [f"{text_of(dice)} {text}", " ".join(words[at:]), text]
    items = [Document(f"d{i}", text) for i, text in enumerate(texts)]
    dice.shuffle(items)
    return items[:30], items[30:]


def copies(new: list[Document], old: list[Document], threshold: float) -> tuple[Pairs, Pairs, Pairs]:
    """Pairs of a new document and an archived one, by their ids, that are near copies; in which the new one holds the
    other; and in which it lies inside: by the definitions."""
    sets = {
        document.id: (len(tokens), shingles(tokens, 5))
        for document in new + old
        if (tokens := document.text.split())
    }
    near, holds, inside = set(), set(), set()
    for a, b in ((a.id, b.id) for a in new for b in old if a.id in sets and b.id in sets):
        (words, mine), (others, theirs) = sets[a], sets[b]
        shared = len(mine & theirs)
        if shared >= threshold * len(mine | theirs):
            near.add((a, b))
        elif words > others >= 12 and shared >= threshold * len(theirs):
            holds.add((a, b))
        elif others > words >= 12 and shared >= threshold * len(mine):
            inside.add((a, b))
    return near, holds, inside


def told(report: Report, names: set[str]) -> Pairs:
    """Pairs of a new document and another one that stand in one cluster of documents."""
    members = [[member.document for member in cluster.members] for cluster in report.document_clusters]
    return {(a, b) for found in members for a in found if a in names for b in found if b not in names}


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32), st.sampled_from([0.8, 0.9, 1.0]), st.booleans(), st.booleans(), st.booleans())
def test_every_copy_is_told_with_the_archived_one(
    seed: int, threshold: float, passages: bool, alone: bool, crowd: bool
) -> None:
    """So all are that one scan of everything verifies. (Of texts inside archived ones an index without passages finds a
    sample.)"""
    dice = random.Random(seed)
    new, old = family(dice)
    if crowd:  # of more new texts than are compared with each other in a scan
        held = dice.choice(old).text
        new += [Document(f"near{i}", f"{held} {dice.choice(WORDS)}") for i in range(20)]
        new += [Document(f"round{i}", f"{Prose(i).words(60)} {held}") for i in range(70)]
    chosen = Settings(threshold=threshold, passages=passages, jobs=1)
    names = {document.id for document in new}
    with tempfile.TemporaryDirectory() as folder:
        index = index_of(Path(folder, "ix"), old, passages=passages)
        report = run(new, chosen, archive=Memory(Snapshot.of(index), chosen, alone=alone))
    near, holds, inside = copies(new, old, threshold)
    found = told(report, names)
    assert near | holds <= found
    assert not passages or inside <= found
    scanned = told(run([*new, *old], chosen), names)
    assert scanned & (near | holds | inside) <= found | (set() if passages else inside)
    for cluster in report.document_clusters:
        is_archived = [member.source.archived is not None for member in cluster.members]
        assert is_archived[0] or cluster.kind == "contained" or not any(is_archived)


Place = tuple[str, int, int]


def span_pairs(report: Report, names: set[str]) -> set[tuple[Place, Place]]:
    """Places in new documents and in archived ones that one cluster holds."""

    def places(cluster: PassageCluster) -> list[Place]:
        return [(m.document, m.start, m.end) for m in cluster.members]

    return {
        (a, b)
        for cluster in report.passage_clusters
        for a in places(cluster)
        if a[0] in names
        for b in places(cluster)
        if b[0] not in names
    }


def is_near(a: Place, b: Place) -> bool:
    """Whether two places of one document are the same, for more than half of them."""
    shared = min(a[2], b[2]) - max(a[1], b[1])
    return shared * 2 > max(a[2], b[2]) - min(a[1], b[1])


def test_passages_are_those_of_one_scan(tmp_path: Path) -> None:
    """Nearly: .99 of them, of which every one is asked for; planted with up to a fifth of their words changed."""
    prose, dice = Prose(1), random.Random(1)
    texts = [[prose.words(80)] for _ in range(400)]
    for _ in range(700):
        passage = prose.words(dice.choice([12, 14, 18, 25, 40, 80]))
        for text in dice.sample(texts, dice.choice([2, 2, 2, 3, 5])):
            share = dice.choice([0, 0, 0.05, 0.1, 0.2])
            text += [prose.edited(passage, share), prose.words(30)]
    items = [Document(f"d{i}", " ".join(parts)) for i, parts in enumerate(texts)]
    new, old = items[:60], items[60:]
    names = {document.id for document in new}
    wanted = span_pairs(run(items, Settings(jobs=1)), names)
    folder = index_of(tmp_path / "ix", old)
    report = run(new, Settings(jobs=1), archive=Memory(Snapshot.of(folder), Settings(), alone=True))
    by_document = defaultdict(list)
    for a, b in span_pairs(report, names):
        by_document[a[0], b[0]].append((a, b))
    hits = [
        any(is_near(a, x) and is_near(b, y) for x, y in by_document[a[0], b[0]]) for a, b in sorted(wanted)
    ]
    assert len(hits) > 400
    assert sum(hits) >= 0.99 * len(hits), f"{sum(hits)} of {len(hits)}"
