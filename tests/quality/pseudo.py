"""Made-up languages: base text where no corpus lies beside the project.

Enters: a language code (only its look is taken from the real language) and a seed. Leaves: endless articles
with a Zipf vocabulary, sentences and paragraphs, the same on every machine. Why: words drawn independently
never repeat a run of eight by accident (the commonest word has 4 %, like "the"), so that everything a scan
reports beyond what was planted is wrong. Weights are whole numbers: no rounding.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, count

from .dice import Dice

# onset consonants and vowels of the made-up words, by the language they look like
SOUNDS = {
    "en": ("b c d f g h k l m n p r s t v w th sh st tr", "a e i o u ea oo ai"),
    "fr": ("b c d f g j l m n p r s t v ch qu pr cl", "a e i o u é è ai ou eau on"),
    "de": ("b d f g h k l m n p r s t w z sch st ch", "a e i o u ä ö ü ei au ie"),
}
CLOSINGS = ("", "", "", "n", "s", "r", "t")
HAN = (0x4E00, 3000)
HIRAGANA = (0x3041, 83)
KATAKANA = (0x30A2, 80)
UNSPACED = ("zh", "ja")
WORDS = 12_000


@dataclass(frozen=True, slots=True)
class Language:
    """A vocabulary with whole-number Zipf weights, summed up, and how its text is put together."""

    words: list[str]
    sums: list[int]
    gap: str
    comma: str
    stop: str

    def word(self, dice: Dice) -> str:
        """A word, drawn by frequency."""
        return self.words[bisect_right(self.sums, dice.below(self.sums[-1]))]

    def sentence(self, dice: Dice) -> list[str]:
        """The words of a sentence, with its marks."""
        words = [self.word(dice) for _ in range(dice.between(6, 26))]
        if len(words) > 12 and dice.chance() < 0.7:
            words[dice.between(3, len(words) - 4)] += self.comma
        words[0] = words[0][0].upper() + words[0][1:]
        words[-1] += self.stop
        return words


def spoken(code: str, dice: Dice) -> str:
    """A pronounceable word of one to four syllables."""
    onsets, vowels = (part.split() for part in SOUNDS[code])
    syllables = (dice.pick(onsets) + dice.pick(vowels) for _ in range(dice.between(1, 4)))
    return "".join(syllables) + dice.pick(CLOSINGS)


def characters(block: tuple[int, int], length: int, dice: Dice) -> str:
    """A run of characters of one block, low ones likelier (the smaller of two draws)."""
    first, size = block
    return "".join(chr(first + min(dice.below(size), dice.below(size))) for _ in range(length))


def written(code: str, dice: Dice) -> str:
    """A word of a script without spaces: Han of one to three characters, in ``ja`` with kana."""
    if code == "zh":
        return characters(HAN, dice.pick((1, 1, 2, 2, 2, 2, 3)), dice)
    form = dice.below(8)
    if form == 0:
        return characters(KATAKANA, dice.between(2, 4), dice)
    if form <= 2:
        return characters(HIRAGANA, dice.between(1, 3), dice)
    return characters(HAN, dice.between(1, 2), dice) + characters(HIRAGANA, dice.between(0, 2), dice)


def language(code: str) -> Language:
    """The made-up language that looks like ``code`` (en, fr, de, zh, ja): always the same one."""
    dice = Dice(f"language {code}")
    make = written if code in UNSPACED else spoken
    words: dict[str, None] = {}
    while len(words) < WORDS:
        words.setdefault(make(code, dice))
    weights = (10**12 // (rank + 3) for rank in range(WORDS))
    marks = {"zh": ("", "，", "。"), "ja": ("", "、", "。")}.get(code, (" ", ",", "."))
    return Language(list(words), list(accumulate(weights)), *marks)


def article(speech: Language, length: int, dice: Dice) -> str:
    """An article of about ``length`` tokens: paragraphs of three to seven sentences."""
    paragraphs: list[str] = []
    written_so_far = 0
    while written_so_far < length:
        sentences = [speech.sentence(dice) for _ in range(dice.between(3, 7))]
        written_so_far += sum(
            len(word) - word.endswith((speech.comma, speech.stop)) if not speech.gap else 1
            for sentence in sentences
            for word in sentence
        )
        paragraphs.append(speech.gap.join(speech.gap.join(sentence) for sentence in sentences))
    return "\n\n".join(paragraphs)


def articles(code: str, seed: int, low: int, high: int) -> Iterator[str]:
    """Endless articles of ``low`` to ``high`` tokens; the n-th is the same however many are taken."""
    speech = language(code)
    for serial in count():
        dice = Dice(f"article {code} {seed} {serial}")
        yield article(speech, dice.between(low, high), dice)
