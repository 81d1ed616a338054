"""Whatever is done to a corpus: without a copy nothing is new; one copy is new, and where it was added.

A copy counts if the scan names it at all: of a document that lies in another one in pieces, it names one.
Corpora are few files of few paragraphs, some of them several times in the corpus, all accepted; no version control
helps. What is asked of git is in the scenarios (tests/cli).
"""

from __future__ import annotations

import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.gating import Corpus, page, prose, wrapped

Files = dict[str, list[str]]

LENGTHS = (14, 20, 30, 60, 120)


def made(dice: random.Random) -> Files:
    """Two to five files, in which some runs of paragraphs stand more than once."""
    seeds = iter(range(1000))
    files = {
        f"{name}.md": [prose(next(seeds), dice.choice(LENGTHS)) for _ in range(dice.randrange(1, 6))]
        for name in "abcde"[: dice.randrange(2, 6)]
    }
    for _ in range(dice.randrange(1, 5)):
        copy(files, dice)
    return files


def copy(files: Files, dice: random.Random) -> tuple[str, list[str]]:
    """Copies a run of paragraphs to another place; says which, and into which file."""
    source = [name for name in files if files[name]]
    paragraphs = files[dice.choice(source)]
    first = dice.randrange(len(paragraphs))
    copied = paragraphs[first : first + dice.randrange(1, 4)]
    target = dice.choice(list(files))
    at = dice.randrange(len(files[target]) + 1)
    files[target][at:at] = copied
    return target, copied


def edit(files: Files, name: str, dice: random.Random) -> None:
    """Another word, which stands nowhere else."""
    at = dice.randrange(len(files[name]))
    words = files[name][at].split()
    words[dice.randrange(len(words))] = f"edited{dice.randrange(10**9)}"
    files[name][at] = " ".join(words)


def move(files: Files, name: str, dice: random.Random) -> None:
    """A paragraph goes to another place, perhaps in another file."""
    moved = files[name].pop(dice.randrange(len(files[name])))
    target = files[dice.choice(list(files))]
    target.insert(dice.randrange(len(target) + 1), moved)


def delete(files: Files, name: str, dice: random.Random) -> None:
    """A paragraph goes."""
    files[name].pop(dice.randrange(len(files[name])))


def write(files: Files, name: str, dice: random.Random) -> None:
    """A paragraph that is new and no copy."""
    text = prose(dice.randrange(10**6, 10**9), dice.choice(LENGTHS))
    files[name].insert(dice.randrange(len(files[name]) + 1), text)


def rename(files: Files, name: str, dice: random.Random) -> None:
    """A file has another name, which may stand first or last."""
    files[f"{dice.choice('0z')}{dice.randrange(10**6)}.md"] = files.pop(name)


def wrap(files: Files, name: str, dice: random.Random) -> None:
    """A paragraph in lines of other lengths."""
    at = dice.randrange(len(files[name]))
    files[name][at] = wrapped(files[name][at], dice.randrange(5, 15))


def part(files: Files, name: str, dice: random.Random) -> None:
    """One paragraph becomes two."""
    at = dice.randrange(len(files[name]))
    words = files[name][at].split()
    cut = dice.randrange(len(words)) + 1
    files[name][at : at + 1] = list(filter(None, [" ".join(words[:cut]), " ".join(words[cut:])]))


def split(files: Files, name: str, dice: random.Random) -> None:
    """The second half of a file becomes one of its own."""
    cut = dice.randrange(len(files[name]))
    files[f"{dice.choice('0z')}{dice.randrange(10**6)}.md"] = files[name][cut:]
    files[name] = files[name][:cut]


def join(files: Files, name: str, dice: random.Random) -> None:
    """A file takes in all of another one."""
    other = dice.choice(list(files))
    if other != name:
        files[name] += files.pop(other)


EDITS: list[Callable[[Files, str, random.Random], None]] = [
    edit, move, delete, write, rename, wrap, part, split, join,
]  # fmt: skip


def put(corpus: Corpus, files: Files) -> None:
    """Writes the files, and removes all others."""
    shutil.rmtree(corpus.folder)
    corpus.folder.mkdir()
    for name, paragraphs in files.items():
        (corpus.folder / name).write_text(page(*paragraphs), "utf-8")


HISTORIES = st.tuples(
    st.integers(0, 10**6), st.lists(st.tuples(st.sampled_from(EDITS), st.integers(0, 10**6)), max_size=5)
)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(HISTORIES)
def test_without_a_copy_nothing_is_new_and_one_copy_is_new_where_it_was_added(
    history: tuple[int, list[tuple[Callable[[Files, str, random.Random], None], int]]],
) -> None:
    seed, edits = history
    files = made(random.Random(seed))
    with tempfile.TemporaryDirectory() as folder:
        corpus = Corpus(Path(folder, "corpus"))
        corpus.folder.mkdir()
        put(corpus, files)
        corpus.accept()
        for at, (change, number) in enumerate(edits):
            dice = random.Random(f"{at} {number}")
            filled = [name for name in files if files[name]]
            if filled:
                change(files, dice.choice(filled), dice)
        put(corpus, files)
        assert [finding for finding in corpus.check().findings if finding.status == "new"] == []
        corpus.accept()
        verdict = corpus.check()
        assert (verdict.gate.passed, verdict.stale) == (True, ())
        repeated = _repeated(files)
        if not repeated:
            return
        dice = random.Random(seed)
        text = dice.choice(repeated)
        target = dice.choice(list(files))
        at = dice.randrange(len(files[target]) + 1)
        line = 1 + page(*files[target][:at]).count("\n") + 1 if at else 1
        files[target].insert(at, text)
        put(corpus, files)
        findings = corpus.check().findings
        if any(f.path == target and f.line and f.end_line and f.line <= line <= f.end_line for f in findings):
            assert {finding.path for finding in findings if finding.status == "new"} == {target}


def _repeated(files: Files) -> list[str]:
    """The paragraphs that stand more than once, and are so long that their edges matter little."""
    every = Counter(" ".join(text.split()) for paragraphs in files.values() for text in paragraphs)
    return [text for text, often in every.items() if often > 1 and len(text.split()) >= 30]
