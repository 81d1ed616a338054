"""Charts as inline SVG, each with its figures as a table: how alike, how often, how much of a document.

Enters: a :class:`~dedup.report.html.places.Survey`. Leaves: markup. Nothing in it comes from a document.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from ...model import Summary
from ..figures import count
from .places import Survey

WIDTH, HEIGHT = 340, 132  # of a chart, in the units of its drawing
_BASE, _TOP = 106, 18
_BARS = 7  # that there is room for at least
_NAMED = 7  # labels that fit; of more, only where each begins is told
_SIZES = ((2, 2), (3, 3), (4, 5), (6, 10), (11, 20), (21, 100), (101, 1000))

Rows = list[tuple[str, int]]


def charts(found: Survey, summary: Summary) -> str:
    """The charts that have something to show."""
    untouched = summary.documents - summary.empty - len(found.documents)
    shares = [document.share for document in found.documents if document.share is not None]
    unknown = len(found.documents) - len(shares)
    drawn = []
    if found.alike:
        drawn.append(_chart(
            "How alike the copies are", "similarity to the first of the cluster", "copies", alike(found.alike)
        ))  # fmt: skip
    if found.sizes:
        drawn.append(_chart("How often a text is there", "copies of it", "findings", sizes(found.sizes)))
    if len(shares) > unknown:
        note = f"; that of {count(unknown, 'document')} is not known" if unknown else ""
        if untouched > 0:
            note += (
                f"; {count(untouched, 'document')} {'has' if untouched == 1 else 'have'} nothing of the kind"
            )
        drawn.append(_chart(
            "How much of each document repeats", "share of the document", "documents", parts(shares), note
        ))  # fmt: skip
    return "\n".join(drawn)


def alike(found: Counter[float]) -> Rows:
    """Copies by similarity, in steps of 5 %; only what is wholly alike counts as 100 %.

    >>> from collections import Counter
    >>> alike(Counter({1.0: 3, 0.97: 1, 0.88: 2}))
    [('85–90', 2), ('90–95', 0), ('95–<100', 1), ('100%', 3)]
    """
    steps: Counter[int] = Counter()
    for similarity, copies in found.items():
        steps[20 if similarity >= 1 else int(similarity * 20 + 1e-9)] += copies
    first = min(min(steps), 19)
    labels = [f"{5 * step}–{5 * step + 5}" for step in range(first, 19)] + ["95–<100", "100%"]
    return [(label, steps[step]) for step, label in enumerate(labels, first)][-12:]


def sizes(found: Counter[int]) -> Rows:
    """Findings by how often their text is there.

    >>> from collections import Counter
    >>> sizes(Counter({2: 7, 5: 1}))
    [('2', 7), ('3', 0), ('4–5', 1)]
    """
    rows = []
    for low, high in _SIZES:
        label = str(low) if low == high else f"{low:,}–{high:,}"
        rows.append((label, sum(n for size, n in found.items() if low <= size <= high)))
    rows.append((">1,000", sum(n for size, n in found.items() if size > 1000)))
    while rows and not rows[-1][1]:
        rows.pop()
    return rows


def parts(shares: Iterable[float]) -> Rows:
    """Documents by the share of them that repeats, in steps of 10 %.

    >>> parts([0.05, 1.0])[0], parts([0.05, 1.0])[-1]
    (('<10', 1), ('100%', 1))
    """
    steps = Counter(min(int(share * 10 + 1e-9), 9 if share < 1 else 10) for share in shares)
    labels = ["<10", *(f"{10 * step}–{10 * step + 10}" for step in range(1, 9)), "90–<100", "100%"]
    return [(label, steps[step]) for step, label in enumerate(labels)]


def _chart(title: str, axis: str, unit: str, rows: Rows, note: str = "") -> str:
    """A figure: bars, drawn for the eye, and the same figures as a table for everyone."""
    table = "".join(
        f'<tr><th scope="row">{_escaped(label)}</th><td>{value:,}</td></tr>' for label, value in rows
    )
    return (
        f'<figure class="chart"><figcaption><strong>{title}</strong><span>{unit} by {axis}{note}</span></figcaption>'
        f"{_bars(rows)}<details><summary>Figures<span class=quiet>: {title.lower()}</span></summary><table><thead><tr>"
        f'<th scope="col">{axis}</th><th scope="col">{unit}</th></tr></thead><tbody>{table}</tbody></table></details>'
        "</figure>"
    )


def _bars(rows: Sequence[tuple[str, int]]) -> str:
    most = max(value for _, value in rows) or 1
    step = WIDTH / max(len(rows), _BARS)
    drawn = []
    for number, (label, value) in enumerate(rows):
        height = max((_BASE - _TOP) * value / most, 1.5 if value else 0)
        x, middle = number * step + step * 0.12, number * step + step / 2
        drawn.append(
            f'<rect x="{x:.1f}" y="{_BASE - height:.1f}" width="{step * 0.76:.1f}" height="{height:.1f}"/>'
        )
        drawn.append(
            f'<text class="value" x="{middle:.1f}" y="{_BASE - height - 4:.1f}">{_brief(value)}</text>'
        )
        told = label if len(rows) <= _NAMED else label.split("–")[0]
        drawn.append(f'<text x="{middle:.1f}" y="{_BASE + 14}">{_escaped(told)}</text>')
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" aria-hidden="true" focusable="false">'
        f'<line x1="0" x2="{WIDTH}" y1="{_BASE}" y2="{_BASE}"/>{"".join(drawn)}</svg>'
    )


def _brief(value: int) -> str:
    """A count that fits on a bar.

    >>> _brief(0), _brief(950), _brief(12_345)
    ('', '950', '12k')
    """
    if not value:
        return ""
    return f"{value:,}" if value < 10_000 else f"{value // 1000:,}k"


def _escaped(label: str) -> str:
    return label.replace("<", "&lt;").replace(">", "&gt;")
