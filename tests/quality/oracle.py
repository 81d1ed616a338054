"""The report a perfect scanner would give, made from the truth.

Enters: a Corpus and a threshold. Leaves: Findings that must score 1 everywhere: the scorers' own test.
"""

from __future__ import annotations

from .corpus import Corpus, Item
from .findings import Copies, Copy, Findings, Passage, Place
from .pairs import Shingled, shingled

WHOLE = ("exact", "near", "contained")


def findings(corpus: Corpus, threshold: float = 0.8) -> Findings:
    """Every planted item as one cluster; a document copy below the threshold in both figures is left out."""
    found = Findings()
    whole = corpus.of_kind(*WHOLE)
    documents = shingled((span.document, corpus.text[span.document]) for item in whole for span in item.spans)
    for item in corpus.items:
        if item.kind not in WHOLE:
            places = tuple(Place(*span) for span in item.spans)
            found.passages.append(Passage(places, 1 if item.kind == "period" else None))
        elif cluster := copies(documents, item, threshold):
            found.documents.append(cluster)
    return found


def copies(documents: Shingled, item: Item, threshold: float) -> Copies | None:
    """The documents of an item as a cluster; the one with most shingles is kept."""
    ids = [span.document for span in item.spans]
    kept = max(ids, key=lambda document: len(documents.sets[document]))
    others = [Copy(other, *documents.figures(other, kept)) for other in ids if other != kept]
    jaccard = min(other.jaccard or 0.0 for other in others)
    containment = min(other.containment or 0.0 for other in others)
    if max(jaccard, containment) < threshold:
        return None
    kind = item.kind if jaccard >= threshold else "contained"
    return Copies(kind, (Copy(kept), *others))
