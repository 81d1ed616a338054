"""Which copy stays: preferences over odd fields, dates as people write them, and cuts that leave a whole copy."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dedup.decide import CUT, DATE_FIELDS, MARK, Policy, Span, cuts, preference, seconds
from dedup.errors import SettingsError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**400), 10**400) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=4,
)


def order(keep: str, values: list[Any], field: str = "f", **wishes: Any) -> list[int]:
    """Places of records in the order in which they are preferred, each with one field."""
    prefers = preference(Policy(keep, **wishes))
    ranks = [(*prefers(1, {} if value is None else {field: value}), i) for i, value in enumerate(values)]
    return [rank[-1] for rank in sorted(ranks)]


class TestPolicy:
    @pytest.mark.parametrize(
        "keep", ["", "FIRST", "shortest", "field", "field:", "oldest:desc", " first", "first\n"]
    )
    def test_what_is_no_rule(self, keep: str) -> None:
        with pytest.raises(SettingsError, match="expected first, longest, oldest, newest or field:NAME"):
            Policy(keep)

    @pytest.mark.parametrize("keep", ["first", "longest", "oldest", "newest", "field:x", "field:a:b:desc"])
    def test_what_is_one(self, keep: str) -> None:
        assert Policy(keep).to_dict() == {
            "keep": keep, "action": "divert", "contained": True, "date_field": None, "revisit": False,
        }  # fmt: skip

    def test_what_is_no_action(self) -> None:
        with pytest.raises(SettingsError, match="action is 'remove'; expected divert, mark, cut"):
            Policy(action="remove")

    @pytest.mark.parametrize("keep", ["first", "longest", "field:date"])
    def test_a_date_field_without_need(self, keep: str) -> None:
        with pytest.raises(SettingsError, match="date_field is for keep oldest and newest"):
            Policy(keep, date_field="day")

    @pytest.mark.parametrize(
        ("policy", "one_pass", "needs_fields"),
        [
            (Policy(), True, False),
            (Policy(action=MARK), True, False),
            (Policy(action=CUT), False, False),
            (Policy("longest"), False, False),
            (Policy("oldest"), False, True),
            (Policy("field:x"), False, True),
        ],
    )
    def test_what_it_takes(self, policy: Policy, one_pass: bool, needs_fields: bool) -> None:
        assert (policy.one_pass, policy.needs_fields) == (one_pass, needs_fields)


class TestPreference:
    def test_the_first(self) -> None:
        assert order("first", [3, 1, 2]) == [0, 1, 2]

    def test_the_longest(self) -> None:
        prefers = preference(Policy("longest"))
        assert sorted([(*prefers(count, {}), i) for i, count in enumerate([5, 9, 9, 7])]) == [
            (-9, 1), (-9, 2), (-7, 3), (-5, 0),
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("values", "least_first", "greatest_first"),
        [
            ([3, 1, 2], [1, 2, 0], [0, 2, 1]),
            ([2, 2.0, True, 1], [2, 3, 0, 1], [0, 1, 2, 3]),  # ties by order; true is 1
            (["b", "a", "c"], [1, 0, 2], [2, 0, 1]),
            (["a", "ab", "a"], [0, 2, 1], [1, 0, 2]),
            (["a", 5, None, "", [1], {}], [1, 0, 2, 3, 4, 5], [1, 0, 2, 3, 4, 5]),
            (["10", "9", " 1e1 ", "-.5", "1_0", "٣"], [3, 1, 0, 2, 4, 5], [0, 2, 1, 3, 5, 4]),
            (["10", 9, 10.5, "9" * 5000, "1e" + "9" * 30], [1, 0, 2, 3, 4], [3, 2, 0, 1, 4]),
            ([Decimal("2.50"), 2, Decimal("NaN"), "2.4", 2.6], [1, 3, 0, 4, 2], [4, 0, 3, 1, 2]),
            (
                [date(2024, 5, 2), datetime(2024, 5, 1, 12), "2020-01-01", 7, None, date(1, 1, 1)],
                [3, 5, 1, 0, 2, 4],
                [3, 0, 1, 5, 2, 4],
            ),
            (
                [datetime(2024, 5, 1, 12), datetime(2024, 5, 1, 13, tzinfo=timezone(timedelta(hours=2)))],
                [1, 0],
                [0, 1],
            ),
            ([timedelta(2), timedelta(1), time(3), time(2)], [1, 0, 3, 2], [0, 1, 2, 3]),
            ([None, float("nan"), 0], [2, 0, 1], [2, 0, 1]),
            ([float("inf"), 10**400, -(10**400), float("-inf")], [3, 2, 1, 0], [0, 1, 2, 3]),
            ([2**53 + 1, 2.0**53], [1, 0], [0, 1]),
            (["\ud800", "z"], [1, 0], [0, 1]),
        ],
    )
    def test_a_field(self, values: list[Any], least_first: list[int], greatest_first: list[int]) -> None:
        assert order("field:f", values) == least_first
        assert order("field:f:desc", values) == greatest_first

    def test_names_of_fields(self) -> None:
        assert order("field:a:b", [2, 1], "a:b") == [1, 0]
        assert order("field:a:b:desc", [1, 2], "a:b") == [1, 0]
        assert order("field:desc", [2, 1], "desc") == [1, 0]
        assert order("field:a\nb", [2, 1], "a\nb") == [1, 0]

    def test_dates(self) -> None:
        values = ["2024-05-02", "Wed, 01 May 2024 14:00:00 +0200", 1714564799, None, "soon", "2024-05-02"]
        assert order("oldest", values, "date") == [2, 1, 0, 5, 3, 4]
        assert order("newest", values, "date") == [0, 5, 1, 2, 3, 4]

    @pytest.mark.parametrize("name", DATE_FIELDS)
    def test_dates_are_found(self, name: str) -> None:
        assert order("oldest", [2, 1], name) == [1, 0]

    def test_the_first_date_that_is_there_counts(self) -> None:
        prefers = preference(Policy("oldest"))
        assert prefers(1, {"mtime": 1, "published": 2, "date": None}) == (0, 2)
        assert prefers(1, {"mtime": 1, "date": "soon"}) == (1,)

    def test_a_date_field_of_one_s_own(self) -> None:
        assert order("oldest", [2, 1], "day", date_field="day") == [1, 0]
        assert order("oldest", [2, 1], "date", date_field="day") == [0, 1]

    @pytest.mark.parametrize("keep", ["first", "longest", "oldest", "newest", "field:f", "field:f:desc"])
    @settings(deadline=None, max_examples=40)
    @given(values=st.lists(JSON, max_size=6))
    def test_whatever_stands_there_has_a_place(self, keep: str, values: list[Any]) -> None:
        field = "date" if keep in ("oldest", "newest") else "f"
        assert sorted(order(keep, values, field)) == list(range(len(values)))

    @pytest.mark.parametrize("keep", ["field:f", "newest"])
    @settings(deadline=None)
    @given(values=st.lists(st.integers(0, 9) | st.none(), max_size=9))
    def test_equals_stay_in_order(self, keep: str, values: list[int | None]) -> None:
        field = "date" if keep == "newest" else "f"
        sign = -1 if keep == "newest" else 1
        places = range(len(values))
        wanted = sorted(places, key=lambda i: (values[i] is None, sign * (values[i] or 0), i))
        assert order(keep, values, field) == wanted


class TestSeconds:
    NOON = 1714564800.0

    @pytest.mark.parametrize(
        "value",
        [
            1714564800,
            1714564800.0,
            "1714564800",
            " 1714564800.0\n",
            Decimal("1714564800.000"),
            "2024-05-01T12:00:00Z",
            "2024-05-01T12:00:00+00:00",
            "2024-05-01T12:00",
            "2024-05-01 12:00:00",
            "  2024-05-01T14:00:00.000+02:00\n",
            "20240501T120000Z",
            "Wed, 01 May 2024 12:00:00 GMT",
            "Wed, 01 May 2024 08:00:00 -0400",
            "1 May 2024 12:00:00",
            datetime(2024, 5, 1, 12),
            datetime(2024, 5, 1, 12, tzinfo=UTC),
            datetime(2024, 5, 1, 14, tzinfo=timezone(timedelta(hours=2))),
        ],
    )
    def test_one_moment_in_many_forms(self, value: Any) -> None:
        assert seconds(value) == self.NOON

    @pytest.mark.parametrize("value", ["2024-05-01", date(2024, 5, 1), "20240501"])
    def test_a_day(self, value: Any) -> None:
        assert seconds(value) == self.NOON - 12 * 3600

    @pytest.mark.parametrize(
        "value", [None, True, False, float("nan"), "", "soon", "2024-13-01", "12:00", [], {}, "\ud800"]
    )
    def test_what_is_no_date(self, value: Any) -> None:
        assert seconds(value) is None

    @pytest.mark.parametrize("value", ["1712011200000", "17120112000", "-1", "0"])
    def test_numbers_as_text_are_no_dates_without_signs(self, value: str) -> None:
        assert seconds(value) == float(value)

    def test_a_number_beyond_all_numbers(self) -> None:
        """A whole number of 400 digits is no date, or is at one end; it does not end the run."""
        found = seconds(10**400)
        assert found is None or found > 1e300

    @settings(deadline=None, max_examples=100)
    @given(JSON | st.dates().map(str) | st.datetimes().map(str))
    @example("0001-01-01T00:00:00+23:59")
    @example("9999-12-31T23:59:59-23:59")
    @example("Wed, 01 May 99999999999999999999 12:00:00 GMT")
    @example("Wed, 01 May 2024 12:00:00 +99999999999999999999")
    @example("Wed, 99999999999999999999 May 2024 12:00:00 GMT")
    @example("Wed, 01 May 2024 99999999999999999999:00:00 GMT")
    def test_whatever_it_is(self, value: Any) -> None:
        found = seconds(value)
        assert found is None or (isinstance(found, float) and found == found)


SPANS = st.tuples(st.integers(0, 3), st.integers(0, 30), st.integers(1, 15)).map(
    lambda row: (row[0], row[1], row[1] + row[2])
)
PASSAGES = st.lists(st.lists(SPANS, min_size=1, max_size=5), max_size=8)


def overlap(a: Span, b: Span) -> bool:
    return a[0] == b[0] and a[1] < b[2] and b[1] < a[2]


class TestCuts:
    @settings(deadline=None, max_examples=200)
    @given(PASSAGES)
    def test_what_is_cut_has_a_whole_copy_left(self, passages: list[list[Span]]) -> None:
        found = cuts(passages)
        gone = [(text, start, end) for text, rows in found.items() for start, end, _ in rows]
        for rows in found.values():
            assert [row[:2] for row in rows] == sorted(row[:2] for row in rows)
            for start, end, (text, twin_start, twin_end) in rows:
                assert not any(overlap((text, twin_start, twin_end), span) for span in gone)
                assert end > start
        for i, span in enumerate(gone):
            assert not any(overlap(span, other) for other in gone[:i])
        for text, rows in found.items():
            for start, end, stays in rows:
                copies = next(c for c in passages if (text, start, end) in c and stays in c)
                assert copies.index(stays) < copies.index((text, start, end))

    @settings(deadline=None, max_examples=200)
    @given(PASSAGES)
    def test_as_much_is_cut_as_can_be(self, passages: list[list[Span]]) -> None:
        """The same rule, every span compared with every other."""
        staying: list[Span] = []
        going: list[tuple[Span, Span]] = []
        for copies in passages:
            first: Span | None = None
            for span in copies:
                is_touched = any(overlap(span, gone) for gone, _ in going)
                if first is None and not is_touched:
                    first = span
                    staying.append(span)
                elif first is not None and not is_touched and not any(overlap(span, s) for s in staying):
                    going.append((span, first))
        found = [
            ((text, start, end), twin) for text, rows in cuts(passages).items() for start, end, twin in rows
        ]
        assert found == sorted(going)

    def test_the_preferred_copy_stays(self) -> None:
        assert cuts([[(3, 0, 9), (1, 5, 9), (2, 0, 4)]]) == {
            1: [(5, 9, (3, 0, 9))], 2: [(0, 4, (3, 0, 9))],
        }  # fmt: skip

    def test_a_copy_that_lost_a_part_is_no_whole_one(self) -> None:
        """Of text 1 the beginning goes; so of the second passage the copy in text 2 stays."""
        passages = [[(0, 0, 10), (1, 0, 10)], [(1, 8, 20), (2, 0, 12), (3, 0, 12)]]
        assert cuts(passages) == {1: [(0, 10, (0, 0, 10))], 3: [(0, 12, (2, 0, 12))]}

    def test_touching_is_not_overlapping(self) -> None:
        passages = [[(0, 0, 10), (1, 0, 10)], [(0, 10, 20), (1, 10, 20)]]
        assert cuts(passages) == {1: [(0, 10, (0, 0, 10)), (10, 20, (0, 10, 20))]}

    def test_nothing(self) -> None:
        assert cuts([]) == cuts([[]]) == cuts([[(0, 0, 5)]]) == {}
