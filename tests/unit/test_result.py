"""What a report says about places: lines, sources, names, and ids that outlive a move."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dedup import PassageCluster, PassageMember, Report, Source
from dedup.model import Document

from .prose import Prose, passages, scan


def ids(report: Report) -> list[str]:
    """The ids of all clusters."""
    return [cluster.id for cluster in (*report.document_clusters, *report.passage_clusters)]


def one(found: list[PassageCluster]) -> PassageCluster:
    """The only cluster."""
    assert len(found) == 1
    return found[0]


def member_in(cluster: PassageCluster, document: str) -> PassageMember:
    """The only member in a document."""
    (member,) = (member for member in cluster.members if member.document == document)
    return member


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("before", [0, 1, 7])
def test_lines_count_from_one_and_end_where_the_last_word_stands(line_end: str, before: int) -> None:
    prose = Prose()
    shared = line_end.join(prose.words(8) for _ in range(3))
    heads = [prose.words(6) for _ in range(before)]
    text = line_end.join([*heads, shared, prose.words(20), ""])
    member = member_in(one(passages([text, prose.round(shared)])), "a")
    assert (member.line, member.end_line) == (before + 1, before + 3)
    assert text[member.start : member.end] == member.text == shared


def test_lines_are_right_in_a_text_with_many_passages() -> None:
    prose = Prose()
    shared = [prose.words(15) for _ in range(12)]
    text = "\n".join(f"{prose.words(20)}\n{passage}" for passage in shared)
    found = passages([text, *(prose.round(passage) for passage in shared)])
    lines = {
        member.text: member.line for cluster in found for member in cluster.members if member.document == "a"
    }
    assert lines == {passage: 2 * i + 2 for i, passage in enumerate(shared)}


def test_a_span_addresses_the_original_text_whatever_it_normalises_to() -> None:
    prose = Prose()
    shared = f"Straße ﬁn {prose.words(15)} \U00010400 İ"
    texts = [f"ﬃ İ 😀 {prose.round(shared)}", prose.round(shared)]
    for member in one(passages(texts)).members:
        assert member.text == shared == texts["ab".index(member.document)][member.start : member.end]


def test_the_source_of_a_record_stands_with_every_member() -> None:
    prose = Prose()
    shared = prose.words(30)
    sources = [Source("news.jsonl", 3, 210), Source("b.txt", None, 0), Source()]
    documents = [Document(f"d{i}", prose.round(shared), source) for i, source in enumerate(sources)]
    cluster = one(list(scan(documents).passage_clusters))
    assert [member_in(cluster, document.id).source for document in documents] == sources
    copies = scan([documents[0], documents[1]._replace(text=documents[0].text)]).document_clusters[0]
    assert [member.source for member in copies.members] == sources[:2]


def corpus(prose: Prose, shared: str, base: str) -> dict[str, str]:
    """A near copy, a passage across, and one within."""
    within = prose.words(20)
    return {
        "a": base,
        "b": prose.exchanged(base, (30, 90)),
        "c": prose.round(shared),
        "d": prose.round(shared),
        "e": prose.round(f"{within} {prose.words(30)} {within}"),
    }


@pytest.fixture
def texts() -> dict[str, str]:
    """Texts whose scan has clusters of both kinds."""
    prose = Prose()
    return corpus(prose, prose.words(30), prose.words(150))


def test_ids_outlive_a_renamed_file(texts: dict[str, str]) -> None:
    renamed = {f"new/{name}": text for name, text in texts.items()}
    assert ids(scan(renamed)) == ids(scan(texts))
    assert len(ids(scan(texts))) == 3


def test_ids_outlive_moved_lines(texts: dict[str, str]) -> None:
    prose = Prose(2)
    moved = {
        n: text if n in "ab" else f"{prose.words(9)}\n\n{text}\n{prose.words(5)}" for n, text in texts.items()
    }
    assert ids(scan(moved)) == ids(scan(texts))


def test_ids_outlive_another_wrapping_and_case(texts: dict[str, str]) -> None:
    wrapped = {name: text.replace(" ", ",\r\n").upper() for name, text in texts.items()}
    assert ids(scan(wrapped)) == ids(scan(texts))


def test_ids_change_with_the_words(texts: dict[str, str]) -> None:
    prose = Prose(3)
    other = corpus(prose, prose.words(30), prose.words(150))
    assert not set(ids(scan(other))) & set(ids(scan(texts)))


def test_ids_are_sixteen_digits_and_all_different(texts: dict[str, str]) -> None:
    found = ids(scan(texts))
    assert all(len(set(id) - set("0123456789abcdef")) == 0 and len(id) == 16 for id in found)
    assert len(set(found)) == len(found)


def test_a_second_finding_of_the_same_words_is_numbered() -> None:
    line, prose = "word after word after word it says the same old thing", Prose()
    found = passages([prose.round(f"{line} " * 50), prose.round(line), prose.round(line)], min_tokens=11)
    assert [cluster.id for cluster in found] == [found[0].id, f"{found[0].id}-2"]
    assert [cluster.period for cluster in found] == [11, None]


def test_near_and_contained_copies_of_one_text_have_ids_of_their_own() -> None:
    prose = Prose()
    base = prose.words(150)
    clusters = scan(
        [base, prose.exchanged(base, (30, 90)), " ".join(base.split()[100:140])]
    ).document_clusters
    assert sorted(cluster.kind for cluster in clusters) == ["contained", "near"]
    assert len({cluster.id for cluster in clusters}) == 2


def test_clusters_stand_in_the_order_of_how_much_they_repeat() -> None:
    prose = Prose()
    short, long, often = prose.words(15), prose.words(60), prose.words(20)
    texts = [prose.round(part) for part in (short, short, long, long, *[often] * 6)]
    assert [cluster.tokens for cluster in passages(texts)] == [20, 60, 15]


def test_members_stand_in_the_order_of_the_input_after_the_first() -> None:
    prose = Prose()
    shared = prose.words(30)
    members = one(passages([prose.round(shared) for _ in range(6)])).members
    assert [member.document for member in members[1:]] == sorted(member.document for member in members[1:])


def test_a_contained_member_says_where_in_the_kept_text_it_lies() -> None:
    prose = Prose()
    inner = prose.words(40)
    outer = f"{prose.words(50)}\n\n{inner}\n{prose.words(70)}"
    (cluster,) = scan([outer, inner]).document_clusters
    member = cluster.members[1]
    assert (cluster.kind, member.document) == ("contained", "b")
    assert outer[member.kept_start : member.kept_end] == inner
    assert member.kept_line == 3
    assert cluster.members[0] == replace(cluster.members[0], kept_start=None, kept_end=None, kept_line=None)


def test_each_of_many_copies_that_a_text_holds_says_where_it_lies() -> None:
    prose = Prose()
    inner = prose.words(100)
    copies = [prose.exchanged(inner, [i + 20, i + 40]) for i in range(40)]
    outer = prose.round(inner, 200, 200)
    clusters = scan([outer, *copies], passages=True).document_clusters
    (contained,) = (cluster for cluster in clusters if cluster.kind == "contained")
    assert len(contained.members) > 30
    start = outer.index(inner)
    assert {(m.kept_start, m.kept_end) for m in contained.members[1:]} == {(start, start + len(inner))}


def repeated(report: Report) -> int:
    """Tokens counted as repeated."""
    return report.summary.repeated_tokens


def test_repeated_tokens_are_those_that_could_go(texts: dict[str, str]) -> None:
    prose = Prose()
    shared, base = prose.words(30), prose.words(100)
    assert repeated(scan([prose.words(100), prose.words(90)])) == 0
    assert repeated(scan([prose.round(shared) for _ in range(4)])) == 90
    assert repeated(scan([base] * 3)) == 200
    assert repeated(scan([f"{base} {shared}", base, base])) == 200
    assert repeated(scan(["again and again the same line it is here " * 40])) == 9 * 39
    assert repeated(scan(texts)) == 150 + 30 + 20


def test_the_repeated_share_is_that_of_all_tokens() -> None:
    prose = Prose()
    base = prose.words(100)
    summary = scan([base, base, prose.words(200)]).summary
    assert (summary.tokens, summary.repeated_tokens, summary.repeated_share) == (400, 100, 0.25)
    assert scan([]).summary.repeated_share == 0.0
