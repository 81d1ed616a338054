"""Why a pair of documents is, or is not, called copies: sentences, the same in every format.

Enters: a ``Comparison``. Leaves: sentences. In them the documents are A and B; no text of theirs is quoted.
"""

from __future__ import annotations

from ..comparison import CONTAINED, EXACT, LABELS, NEAR, Comparison, Search, Side
from .figures import count, percent


def verdict(found: Comparison) -> str:
    """The answer and its reason, in one sentence or two."""
    if found.relation is None:
        return f"Documents were not asked for (--no-documents). {_figures(found)}."
    if found.relation == EXACT:
        return "Copies: the two texts are the same, letter for letter."
    if found.search is None:
        return f"Not copies: {_empty(found)}."
    threshold = f"{found.settings.threshold * 100:g}%"
    if found.relation == NEAR:
        same = "; the words are the same, in other letters, marks or spaces" if found.is_same_words else ""
        return f"Copies: {_figures(found)}, which reaches the threshold of {threshold}{same}."
    if found.relation == CONTAINED:
        return (
            f"Copies: {_shorter(found)} is contained in {_longer(found)}: {_inside(found)}, which reaches the "
            f"threshold of {threshold}. (Jaccard is {percent(found.jaccard or 0)}.)"
        )
    return _not_copies(found, found.search, threshold)


def _not_copies(found: Comparison, search: Search, threshold: str) -> str:
    reaches = (found.jaccard or 0) >= found.settings.threshold
    if not reaches and (_short_side(found).containment or 0) < found.settings.threshold:
        return f"Not copies: {_figures(found)}, and {_inside(found)}; both are below the threshold of {threshold}."
    if not reaches and not search.is_sought:
        why = _too_short(found)
        return f"Not copies, although {_inside(found)}, which reaches the threshold of {threshold}: {why}."
    what = _figures(found) if reaches else _inside(found)
    why = (
        "neither the bands nor the probes propose the pair"
        if search.is_sought
        else f"no band proposes the pair, and {_too_short(found)}"
    )
    return f"Not found to be copies, although {what}, which reaches the threshold of {threshold}: {why}."


def reasons(found: Comparison) -> list[tuple[str, str]]:
    """What each step of the search made of the pair: its name and a sentence."""
    told = []
    n = found.settings.ngram
    for label, side in zip(LABELS, found.sides, strict=True):
        if 0 < side.tokens < n:
            told.append(
                ("shingles", f"{label} has {count(side.tokens, 'word')}, and so one shingle, of all of them.")
            )
    if found.search is not None:
        told.append(("bands", _bands(found.search)))
        told.append(("probes", _probes(found, found.search)))
        if _long_side_inside(found):
            told.append(("around", _around(found)))
    told.append(("passages", _passages(found)))
    return told


def _bands(search: Search) -> str:
    of = f"{search.bands_agreeing} of {count(search.bands, 'band')} of {count(search.rows, 'row')}"
    agree = "agrees" if search.bands_agreeing == 1 else "agree"
    so = "the pair is compared" if search.bands_agreeing else "they do not propose the pair"
    return (
        f"{of} of the signatures {agree}: {so}. Pairs of this Jaccard meet in one with a probability of "
        f"{percent(search.chance)}; the signatures estimate it at {percent(search.estimated_jaccard)}."
    )


def _probes(found: Comparison, search: Search) -> str:
    if not search.is_sought:
        return f"{_too_short(found).capitalize()}."
    of = f"{search.probes_held} of {count(search.probes, 'probe')} of {_shorter(found)}"
    so = "it is looked for" if search.is_inside_candidate else "it is not looked for"
    lie = "lies" if search.probes_held == 1 else "lie"
    return f"{of} {lie} in {_longer(found)}, the longer one, and {search.probes_needed} must: {so} there."


def _passages(found: Comparison) -> str:
    if not found.settings.passages:
        return "Passages were not asked for (--no-passages)."
    if not found.passages:
        least = f"of {found.settings.min_tokens} words or more"
        return (
            f"No passage {least} stands in both, {found.settings.passage_similarity * 100:g}% alike or more."
        )
    a, b = (percent(side.shared_tokens / side.tokens) for side in found.sides)
    stand = "stands" if len(found.passages) == 1 else "stand"
    return (
        f"{count(len(found.passages), 'passage')} {stand} in both: {a} of the words of A, {b} of those of B."
    )


def _figures(found: Comparison) -> str:
    if found.jaccard is None:
        return "there are no shingles"
    of = f"{found.shared_shingles:,} of {count(found.distinct_shingles, 'shingle')}"
    return f"{of} {'is' if found.shared_shingles == 1 else 'are'} shared, Jaccard {percent(found.jaccard)}"


def _inside(found: Comparison) -> str:
    side = _short_side(found)
    of = f"{found.shared_shingles:,} of {count(side.shingles, 'shingle')} of {_shorter(found)}"
    lie = "lies" if found.shared_shingles == 1 else "lie"
    return f"{of} {lie} in {_longer(found)}, containment {percent(side.containment or 0)}"


def _empty(found: Comparison) -> str:
    empty = [label for label, side in zip(LABELS, found.sides, strict=True) if not side.tokens]
    return "neither has a word" if len(empty) == 2 else f"{empty[0]} has no word"


def _too_short(found: Comparison) -> str:
    has = f"{_shorter(found)} has {count(_short_side(found).tokens, 'word')}"
    return (
        f"{has}, and fewer than {found.settings.min_tokens} (--min-tokens) are not looked for inside others"
    )


def _around(found: Comparison) -> str:
    share = percent(found.sides[found.longer].containment or 0)
    return (
        f"{share} of the shingles of {_longer(found)} lie in {_shorter(found)}, but only the shorter text is looked "
        "for inside the longer one."
    )


def _long_side_inside(found: Comparison) -> bool:
    """Whether the longer text, by its shingles, lies in the shorter one: it repeats itself."""
    around = found.sides[found.longer].containment or 0
    return around >= found.settings.threshold > (_short_side(found).containment or 0)


def _short_side(found: Comparison) -> Side:
    return found.sides[1 - found.longer]


def _shorter(found: Comparison) -> str:
    return LABELS[1 - found.longer]


def _longer(found: Comparison) -> str:
    return LABELS[found.longer]
