"""Whatever is done to a corpus between two runs, a run with a cache gives the bytes of one without.

Corpora are few short texts of few words, so that most edits change what is found; one cache sees a whole history,
with its damage, and several processes may use it at once.
"""

from __future__ import annotations

import io
import random
import tempfile
import warnings
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dedup import Settings, Skipped, Source
from dedup.cache import cached_run
from dedup.model import Document
from dedup.pipeline import run
from dedup.report import write

Items = list[Document | Skipped]

WORDS = [f"{a}{b}" for a in ("ba", "ke", "lo", "mi", "nu") for b in ("der", "fin", "gan", "rop", "tus")]
EDITS = ("add", "remove", "change", "copy", "rename", "move", "reorder", "skip")
SETTINGS: list[dict[str, Any]] = [
    {}, {"jobs": 1}, {"threshold": 0.5}, {"min_tokens": 5}, {"passages": False}, {"documents": False},
]  # fmt: skip


def in_json(items: Items, chosen: Settings, folder: str | None) -> bytes:
    """The report on the items, with the cache in a folder or without one."""
    report = run(iter(items), chosen) if folder is None else cached_run(iter(items), chosen, folder)
    stream = io.BytesIO()
    write(report, "json", stream)
    return stream.getvalue()


#: What texts have in common.
BLOCKS = [" ".join(random.Random(seed).choices(WORDS, k=20)) for seed in range(5)]


def text(dice: random.Random) -> str:
    """Up to five parts: blocks that other texts may hold too, and words of its own."""
    parts = [dice.choice([*BLOCKS, " ".join(dice.choices(WORDS, k=10))]) for _ in range(dice.randrange(6))]
    return dice.choice([" ", "\n"]).join(parts)


def edited(items: Items, edit: str, dice: random.Random) -> Items:
    """The items after one edit."""
    documents = [i for i, item in enumerate(items) if isinstance(item, Document)]
    name, at = f"n{dice.randrange(10**6)}", dice.randrange(len(items) + 1)
    if edit == "add" or not documents:
        return [*items[:at], Document(name, text(dice), Source(name)), *items[at:]]
    if edit == "reorder":
        return dice.sample(items, len(items))
    if edit == "skip":
        kept = [item for item in items if isinstance(item, Document)]
        return [*kept, Skipped(dice.choice("ab"), dice.choice(["no text", "not UTF-8"]))]
    at = dice.choice(documents)
    old = Document(*items[at])
    if edit == "copy":
        return [*items, Document(name, old.text, Source("x.jsonl", at + 1, at))]
    if edit == "remove":
        return items[:at] + items[at + 1 :]
    words = old.text.split(" ")
    words[dice.randrange(len(words))] = dice.choice([*WORDS, ".", "\n"])
    new = {
        "change": old._replace(text=" ".join(words)),
        "rename": old._replace(id=name),
        "move": old._replace(source=Source(name, dice.randrange(9), dice.randrange(99))),
    }[edit]
    return [*items[:at], new, *items[at + 1 :]]


def spoilt(folder: Path, dice: random.Random) -> None:
    """Damages one entry of a cache, if there is one."""
    entries = sorted(folder.glob("*.report"))
    if entries:
        entry = dice.choice(entries)
        data = bytearray(entry.read_bytes())
        at = dice.randrange(len(data))
        data[at] ^= 1 << dice.randrange(8)
        entry.write_bytes(data if dice.random() < 0.5 else data[:at])


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32))
def test_a_history_of_edits(seed: int) -> None:
    dice = random.Random(seed)
    items: Items = [Document(f"d{i}", text(dice), Source(f"d{i}")) for i in range(dice.randrange(6))]
    states, chosen = [items], Settings()
    with tempfile.TemporaryDirectory() as folder:
        for edit in ("none", *dice.choices((*EDITS, "undo", "settings", "damage"), k=12)):
            if edit == "undo":
                items = dice.choice(states)
            elif edit == "settings":
                chosen = Settings(**dice.choice(SETTINGS))
            elif edit == "damage":
                spoilt(Path(folder), dice)
            elif edit != "none":
                items = edited(items, edit, dice)
            states.append(items)
            assert in_json(items, chosen, folder) == in_json(items, chosen, None)


def work(folder: str, seed: int) -> list[bytes]:
    """One process of several: 40 runs over a few corpora, in an order of its own, and not a word about the others."""
    warnings.simplefilter("error")
    dice = random.Random(seed)
    return [in_json(corpus(dice.randrange(12)), Settings(), folder) for _ in range(40)]


def corpus(number: int) -> Items:
    dice = random.Random(number)
    return [Document(f"d{i}", text(dice)) for i in range(12)]


def test_several_processes_at_once(tmp_path: Path) -> None:
    """More corpora than are kept, so that entries come and go under their readers."""
    wanted = [in_json(corpus(number), Settings(), None) for number in range(12)]
    with ProcessPoolExecutor(3, get_context("spawn")) as pool:
        found = list(pool.map(work, [str(tmp_path)] * 3, range(3)))
    for seed, reports in enumerate(found):
        dice = random.Random(seed)
        assert reports == [wanted[dice.randrange(12)] for _ in range(40)]
    assert not list(tmp_path.glob("*.part"))
