"""Word edits: how a passage or a document changes on its way to a copy.

Enters: a text, its tokens and how many edits. Leaves: the edited text, whose tokens are exactly the ones
meant (it is tokenised again and compared). 60 % of edits substitute a token, 20 % insert one after it, 20 %
delete it; the first and the last token are never touched, so that a copy's ends are well defined. In scripts
written without spaces the token is a character.
"""

from __future__ import annotations

from collections.abc import Callable

from .dice import Dice
from .tokens import Tokens, normalise, tokenise

ATTEMPTS = 60


class UnsuitableError(Exception):
    """No draw of edits gave clean tokens (letters or digits kept growing together): take other text."""


def edit(text: str, count: int, draw: Callable[[], str], gap: str, dice: Dice) -> str:
    """The text, from its first token to its last, after ``count`` edits with words that ``draw`` supplies."""
    tokens = tokenise(text)
    count = min(count, len(tokens) - 2)
    for _ in range(ATTEMPTS):
        chosen = dice.sample(range(1, len(tokens) - 1), count)
        edited, meant = apply(text, tokens, {place: dice.chance() for place in chosen}, draw, gap)
        if tokenise(edited).words == meant:
            return edited
    raise UnsuitableError(f"{count} edits in {len(tokens)} tokens")


def apply(
    text: str, tokens: Tokens, edits: dict[int, float], draw: Callable[[], str], gap: str
) -> tuple[str, list[str]]:
    """One try: the edited text and the words it should have. ``edits`` maps a token to a draw in [0, 1)."""
    pieces: list[str] = []
    meant: list[str] = []
    before = int(tokens.starts[0])
    for place, word in enumerate(tokens.words):
        start, end = int(tokens.starts[place]), int(tokens.ends[place])
        between, surface = text[before:start], text[start:end]
        before = end
        choice = edits.get(place)
        if choice is None or 0.6 <= choice < 0.8:
            pieces += (between, surface)
            meant.append(word)
        elif choice >= 0.8:
            pieces.append(between.rstrip())
        if choice is not None and choice < 0.8:
            new = another(word, draw)
            pieces += (between if choice < 0.6 else gap, new)
            meant.append(normalise(new))
    return "".join(pieces), meant


def another(word: str, draw: Callable[[], str]) -> str:
    """A drawn word that is not this one."""
    while normalise(new := draw()) == word:
        pass
    return new
