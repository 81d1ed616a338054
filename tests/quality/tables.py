"""Plain tables of the scores, for a terminal or a log.

Enters: outcomes, judgements, scores. Leaves: text. Shares have three decimals; ``.995 (597/600)`` shows the
count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from .corpus import EDIT_RATES, LENGTH_CLASSES, Corpus, Item
from .findings import Findings
from .pairs import Judgement
from .pan import Score
from .precision import Precision
from .score import (
    Outcome,
    boilerplate_outcomes,
    character_recall,
    end_figures,
    good_iou,
    period_outcomes,
    recall,
)

Keep = Callable[[Item], bool]


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Columns set flush: the first to the left, the others to the right."""
    cells = [list(head), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    lines = [
        "  ".join(
            cell.ljust(width) if not column else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


def counted(found: int, planted: int) -> str:
    """A share with its counts."""
    return f"{found / planted:.3f} ({found}/{planted})" if planted else "-"


def long_enough(item: Item) -> bool:
    """Whether a passage belongs to the floors of 20 tokens and more."""
    return item.length_class != "15-19"


def having(long: bool = True, **wanted: object) -> Keep:
    """Keeps the passages with these attributes; only those of 20 tokens and more, if ``long``."""

    def keep(item: Item) -> bool:
        fits = all(getattr(item, name) == value for name, value in wanted.items())
        return fits and (long_enough(item) or not long)

    return keep


def by_rate(title: str, outcomes: Sequence[Outcome], rows: dict[str, Keep]) -> str:
    """Recall by edit rate for each row's passages."""
    lines = []
    for name, keep in rows.items():
        kept = [outcome for outcome in outcomes if keep(outcome.item)]
        cells = (counted(*recall(kept, having(long=False, rate=rate))) for rate in EDIT_RATES)
        lines.append((name, *cells))
    return table((title, *(f"{rate:.2f}" for rate in EDIT_RATES)), lines)


def passages(outcomes: Sequence[Outcome], precisions: Sequence[Precision]) -> str:
    """Everything about planted passages."""
    codes = sorted({outcome.item.language for outcome in outcomes})
    lengths = {name: having(long=False, length_class=name) for name in LENGTH_CLASSES}
    languages = {code: having(language=code) for code in codes}
    places = {where: having(where=where) for where in ("within", "across")}
    below = sum(outcome.item.figure < 0.7 for outcome in outcomes)
    parts = (
        by_rate("recall, tokens", outcomes, lengths | {"20 and more": long_enough}),
        by_rate("recall, 20 and more", outcomes, languages | places),
        ends(outcomes),
        shares(precisions),
        f"planted pairs less alike than .7 after their edits: {below} of {len(outcomes)}",
    )
    return "\n\n".join(parts)


def ends(outcomes: Sequence[Outcome]) -> str:
    """End errors and intersection over union by edit rate, 20 tokens and more."""
    rows = []
    for rate in (*EDIT_RATES, None):
        kept = [o for o in outcomes if long_enough(o.item) and (rate is None or o.item.rate == rate)]
        median, high = end_figures(kept)
        row = (median, high, f"{good_iou(kept):.3f}", f"{character_recall(kept):.3f}")
        rows.append(("all" if rate is None else f"{rate:.2f}", *row))
    head = ("ends, 20 and more: edits", "median", "95th percentile", "IoU >= .9", "characters found")
    return table(head, rows)


def shares(precisions: Sequence[Precision]) -> str:
    """Precision over pairs and characters: planted only, then with natural repeats by each rule."""
    first = precisions[0]
    rows = [("planted only", *first.strict, first.pairs - first.planted_pairs)]
    rows += [(f"or natural, alike {one.alike}", *one.fair, len(one.wrong)) for one in precisions]
    head = ("precision", "pairs", "characters", "wrong pairs")
    figures = ((name, f"{pairs:.4f}", f"{share:.4f}", wrong) for name, pairs, share, wrong in rows)
    return table(head, figures) + f"\n{first.pairs} pairs and {first.characters} characters reported"


def repeated(corpus: Corpus, found: Findings) -> str:
    """Boilerplate and periodic text."""
    rows: list[Sequence[object]] = [
        ("boilerplate", item.language, len(item.spans), best, clusters)
        for item, best, clusters in boilerplate_outcomes(corpus, found)
    ]
    rows += [
        ("period" + ("" if named else ", not named"), item.language, item.copies, "-", clusters)
        for item, clusters, named in period_outcomes(corpus, found)
    ]
    return table(("repeated", "language", "copies", "in the best cluster", "clusters"), rows)


def documents(rows: dict[str, Judgement]) -> str:
    """Document pairs against exact truth, a row for each corpus and threshold."""
    head = (
        "document pairs",
        "linked",
        "settled",
        "contained linked",
        "settled",
        "precision",
        "figures off by",
    )
    return table(
        head,
        (
            (
                name,
                *(
                    counted(part.true - len(pairs), part.true)
                    for part in (row.near, row.contained)
                    for pairs in (part.unlinked, part.unsettled)
                ),
                counted(row.reported - len(row.wrong), row.reported),
                f"{row.deviation:.4f}",
            )
            for name, row in rows.items()
        ),
    )


def plagdet(rows: dict[str, Score]) -> str:
    """PAN's measures by kind."""
    head = ("PAN 2013", "pairs", "cases", "detections", "precision", "recall", "granularity", "plagdet")
    return table(
        head,
        (
            (name, row.pairs, row.cases, row.detections)
            + (
                tuple(f"{figure:.4f}" for figure in (row.precision, row.recall, row.granularity, row.plagdet))
                if row.cases
                else ("-", "-", "-", "-")
            )
            for name, row in rows.items()
        ),
    )
