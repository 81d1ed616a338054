"""Plants repeats in base text and remembers where.

Enters: languages, a number of documents, a seed, rates. Leaves: a Corpus: documents in random order and, for
every planted item, its spans in the finished documents.

- *Documents*: exact copies; near copies whose Jaccard (word 5-grams, computed) spreads over .5 to .99; a
  document put whole into a longer one. They host nothing else.
- *Passages*: every length class × edit rate × within one document or across two. The original comes from text
  reserved for planting (no run of 8 tokens, or 14 characters, of it stands in a host or in another plant) and
  is inserted mid-paragraph in one place, its edited copy in another.
- *Boilerplate*: a few paragraphs, each in 3 % of the documents. *Periods*: a line many times over.

Insertions in one document stand at least GAP tokens apart, so that none runs into the next.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

import numpy as np

from . import base
from .corpus import EDIT_RATES, LENGTH_CLASSES, Corpus, Item, Span
from .dice import Dice
from .edits import UnsuitableError, edit
from .tokens import Hashes, Tokens, is_single, shingles, similarity, tokenise

GAP = 40  # tokens; CJK_FACTOR times as many where a token is a character
CJK_FACTOR = 1.6  # characters a word, as in the design
NGRAM = 5


@dataclass(frozen=True, slots=True)
class Rates:
    """How much is planted in each language.

    ``per_cell`` counts passages of one length, edit rate and place; ``boilerplates`` counts paragraphs and
    ``periods`` holds how often each line is repeated; the rest are shares of the documents.
    """

    per_cell: int = 4
    exact: float = 0.01
    near: float = 0.06
    contained: float = 0.02
    boilerplate: float = 0.03
    boilerplates: int = 2
    periods: tuple[int, ...] = (5, 12, 40, 120)


@dataclass(slots=True, eq=False)
class Insert:
    """Text on its way into a document: before which code point, what goes round it, where it ends up."""

    position: int
    text: str
    lead: str
    trail: str
    start: int = -1


@dataclass(slots=True, eq=False)
class Draft:
    """A document being made: its base text and what is to be inserted."""

    language: str
    text: str
    tokens: Tokens
    inserts: list[Insert] = field(default_factory=list)
    id: str = ""

    def spot(self, dice: Dice, inline: bool) -> int | None:
        """A free token start to insert at, mid-paragraph or after a line break; None when none was met."""
        apart = GAP * (CJK_FACTOR if self.language in base.UNSPACED else 1)
        taken = [int(np.searchsorted(self.tokens.starts, insert.position)) for insert in self.inserts]
        for _ in range(400):
            place = dice.between(5, len(self.tokens) - 6)
            if all(abs(place - other) >= apart for other in taken) and self.fits(place, inline):
                return int(self.tokens.starts[place])
        return None

    def fits(self, place: int, inline: bool) -> bool:
        """Whether something may be inserted before this token."""
        start, before = int(self.tokens.starts[place]), int(self.tokens.ends[place - 1])
        gap = self.text[before:start]
        if not inline:
            return gap.endswith("\n")
        if self.language in base.UNSPACED:
            return not gap and is_single(self.text[start]) and is_single(self.text[start - 1])
        return gap.endswith(" ")

    def insert(self, text: str, dice: Dice, inline: bool) -> Insert | None:
        """Puts text in at a free spot (a block goes to the end where no line break is free)."""
        position = self.spot(dice, inline)
        if inline:
            if position is None:
                return None
            new = Insert(position, text, "", "" if self.language in base.UNSPACED else " ")
        elif position is None:
            new = Insert(len(self.text), text, "\n\n", "")
        else:
            new = Insert(position, text, "", "\n\n")
        self.inserts.append(new)
        return new

    def render(self) -> str:
        """The finished text; every insert learns where it stands."""
        pieces: list[str] = []
        length = copied = 0
        for insert in sorted(self.inserts, key=lambda insert: insert.position):
            pieces += (self.text[copied : insert.position], insert.lead, insert.text, insert.trail)
            insert.start = length + insert.position - copied + len(insert.lead)
            length = insert.start + len(insert.text) + len(insert.trail)
            copied = insert.position
        return "".join((*pieces, self.text[copied:]))


@dataclass(slots=True, eq=False)
class Plan:
    """An item whose places are known only when its documents are finished (None: the whole document)."""

    item: Item
    places: list[tuple[Draft, Insert | None]]

    def settle(self, text: dict[str, str]) -> Item:
        """The item with its spans."""
        spans = []
        for draft, insert in self.places:
            start = insert.start if insert else 0
            end = start + len(insert.text if insert else text[draft.id])
            spans.append(Span(draft.id, start, end))
        known = {name: getattr(self.item, name) for name in Item.__slots__}
        return Item(**known | {"spans": tuple(spans)})


class Reserve:
    """Text for planting, each piece handed out once; what also stands in a host is passed over."""

    def __init__(self, texts: Iterator[str], hosts: Iterable[Draft], unspaced: bool) -> None:
        self.texts = texts
        self.unspaced = unspaced
        self.run = 14 if unspaced else 8
        self.known: Hashes = np.unique(
            np.concatenate([shingles(host.tokens.words, self.run) for host in hosts])
        )
        self.taken: set[int] = set()
        self.text, self.tokens, self.next = "", tokenise(""), 0

    def passage(self, length: int) -> str:
        """The next ``length`` tokens of unused text, from the first token's start to the last one's end."""
        while True:
            first, last = self.next, self.next + length - 1
            self.next += 1
            if last >= len(self.tokens):
                self.text = next(self.texts)
                self.tokens, self.next = tokenise(self.text), 0
            elif self.clean(first, last):
                self.next = last + 1
                return self.text[self.tokens.starts[first] : self.tokens.ends[last]]

    def clean(self, first: int, last: int) -> bool:
        """Whether these tokens repeat nothing and, in unspaced scripts, have single characters as ends."""
        if self.unspaced:
            ends = (self.text[self.tokens.starts[first]], self.text[self.tokens.starts[last]])
            if not all(map(is_single, ends)):
                return False
        runs = shingles(self.tokens.words[first : last + 1], self.run)
        places = np.minimum(np.searchsorted(self.known, runs), len(self.known) - 1)
        values = set(runs.tolist())
        if (self.known[places] == runs).any() or values & self.taken or len(values) < len(runs):
            return False
        self.taken |= values
        return True


class Planter:
    """Makes the drafts and plans of one language."""

    def __init__(self, language: str, count: int, seed: int, source: str, rates: Rates) -> None:
        self.language, self.rates, self.count = language, rates, count
        self.unspaced = language in base.UNSPACED
        self.dice = Dice(f"plant {language} {seed}")
        texts = base.texts(language, seed, source)
        self.drafts = [Draft(language, text, tokenise(text)) for text in islice(texts, count)]
        if len(self.drafts) < count:
            raise ValueError(f"{language}: {len(self.drafts)} base documents, {count} wanted: ask for fewer")
        self.hosts = list(self.drafts)
        self.dice.shuffle(self.hosts)
        self.reserve = Reserve(texts, self.drafts, self.unspaced)
        self.turn = 0
        self.plans: list[Plan] = []

    def plant(self) -> None:
        """Plants everything; copies of documents first, from documents that then host nothing."""
        self.plant_exact()
        self.plant_near()
        self.plant_contained()
        self.plant_boilerplate()
        self.plant_periods()
        self.plant_passages()

    def share(self, rate: float) -> int:
        """A share of the documents, one at least."""
        return max(1, round(rate * self.count))

    def length(self, words: int) -> int:
        """A length in words as a length in this language's tokens."""
        return round(words * CJK_FACTOR) if self.unspaced else words

    def draw(self) -> str:
        """A word from the corpus' own distribution; a single character in scripts without spaces."""
        while True:
            draft = self.dice.pick(self.drafts)
            place = self.dice.below(len(draft.tokens))
            surface = draft.text[draft.tokens.starts[place] : draft.tokens.ends[place]]
            if not self.unspaced or is_single(surface[0]):
                return surface

    def edited(self, text: str, count: int) -> str:
        """The text after ``count`` edits."""
        return edit(text, count, self.draw, "" if self.unspaced else " ", self.dice) if count else text

    def add(self, item: Item, places: list[tuple[Draft, Insert | None]]) -> None:
        """Remembers a planted item."""
        self.plans.append(Plan(item, places))

    def copy(self, text: str) -> Draft:
        """A further document with this text."""
        draft = Draft(self.language, text, tokenise(text))
        self.drafts.append(draft)
        return draft

    def plant_exact(self) -> None:
        """Documents with one to three copies, code point by code point."""
        for _ in range(self.share(self.rates.exact)):
            original = self.hosts.pop()
            copies = [self.copy(original.text) for _ in range(self.dice.between(1, 3))]
            self.add(Item("exact", self.language, ()), [(draft, None) for draft in (original, *copies)])

    def plant_near(self) -> None:
        """Documents with a copy edited down to a Jaccard spread evenly over .5 to .99."""
        pairs = self.share(self.rates.near)
        for number in range(pairs):
            original = self.hosts.pop()
            target = 0.5 + 0.49 * (number + 0.5) / pairs
            untouched = (2 * target / (1 + target)) ** (1 / NGRAM)  # share of tokens, at that Jaccard
            text = self.edited(original.text, max(1, round((1 - untouched) * len(original.tokens))))
            copy = self.copy(text)
            figure, _ = figures(original.tokens, copy.tokens)
            self.add(Item("near", self.language, (), figure), [(original, None), (copy, None)])

    def plant_contained(self) -> None:
        """Documents put whole, as a block, into a longer one."""
        for _ in range(self.share(self.rates.contained)):
            short, long = sorted((self.hosts.pop(), self.hosts.pop()), key=lambda draft: len(draft.tokens))
            block = long.insert(short.text, self.dice, inline=False)
            self.add(Item("contained", self.language, ()), [(short, None), (long, block)])

    def plant_boilerplate(self) -> None:
        """Paragraphs that stand in many documents."""
        stop = "。" if self.unspaced else "."
        for _ in range(self.rates.boilerplates):
            text = self.reserve.passage(self.length(self.dice.between(40, 60))) + stop
            hosts = self.dice.sample(range(len(self.hosts)), max(2, self.share(self.rates.boilerplate)))
            places = [
                (self.hosts[host], self.hosts[host].insert(text, self.dice, inline=False)) for host in hosts
            ]
            self.add(Item("boilerplate", self.language, ()), places)

    def plant_periods(self) -> None:
        """Lines repeated many times over, each in one document."""
        for copies in self.rates.periods:
            line = self.reserve.passage(self.length(self.dice.between(8, 20)))
            host = self.host()
            insert = host.insert("\n".join([line] * copies), self.dice, inline=False)
            self.add(Item("period", self.language, (), copies=copies), [(host, insert)])

    def plant_passages(self) -> None:
        """Passages of every length class, edit rate and distance."""
        for length_class in LENGTH_CLASSES:
            for rate in EDIT_RATES:
                for where in ("within", "across"):
                    for _ in range(self.rates.per_cell):
                        self.plant_passage(length_class, rate, where)

    def plant_passage(self, length_class: str, rate: float, where: str) -> None:
        """One passage and its edited copy."""
        low, _, high = length_class.partition("-")
        length = self.dice.between(self.length(int(low)), self.length(int(high or low)))
        while True:
            original = self.reserve.passage(length)
            try:
                copy = self.edited(original, max(1, int(rate * length + 0.5)) if rate else 0)
                break
            except UnsuitableError:
                continue
        figure = similarity(tokenise(original).words, tokenise(copy).words)
        item = Item("passage", self.language, (), figure, length_class, rate, where)
        self.add(item, self.settle(original, copy, where))

    def settle(self, original: str, copy: str, where: str) -> list[tuple[Draft, Insert | None]]:
        """Finds two places, in one host or in two, and inserts original and copy in random order."""
        texts = [original, copy]
        self.dice.shuffle(texts)
        places: list[tuple[Draft, Insert]] = []
        for _ in range(10 * len(self.hosts)):
            host = places[0][0] if places and where == "within" else self.host()
            if places and where == "across" and host is places[0][0]:
                continue
            insert = host.insert(texts[len(places)], self.dice, inline=True)
            if insert is not None:
                places.append((host, insert))
            elif places and where == "within":
                host.inserts.remove(places.pop()[1])
            if len(places) == 2:
                return [*places]
        raise ValueError(
            f"{self.language}: no room for all passages in {len(self.hosts)} documents: plant fewer"
        )

    def host(self) -> Draft:
        """The next document that may host something, in turn."""
        self.turn += 1
        return self.hosts[self.turn % len(self.hosts)]


def figures(left: Tokens, right: Tokens) -> tuple[float, float]:
    """Exact Jaccard of two documents' word 5-grams, and how much of the smaller set the larger holds."""
    one, other = (np.unique(shingles(tokens.words, NGRAM)) for tokens in (left, right))
    shared = len(np.intersect1d(one, other, assume_unique=True))
    return shared / (len(one) + len(other) - shared), shared / min(len(one), len(other))


def build(
    languages: Iterable[str], documents: int, seed: int = 1, source: str = "auto", rates: Rates | None = None
) -> Corpus:
    """A planted corpus of about ``documents`` documents, as many of each language (copies come on top)."""
    codes = list(languages)
    drafts: list[Draft] = []
    plans: list[Plan] = []
    for code in codes:
        planter = Planter(code, documents // len(codes), seed, source, rates or Rates())
        planter.plant()
        drafts += planter.drafts
        plans += planter.plans
    Dice(f"order {seed}").shuffle(drafts)
    for serial, draft in enumerate(drafts):
        draft.id = f"{draft.language}-{serial:05d}"
    finished = [(draft.id, draft.render()) for draft in drafts]
    text = dict(finished)
    return Corpus(
        finished, [plan.settle(text) for plan in plans], {draft.id: draft.language for draft in drafts}
    )
