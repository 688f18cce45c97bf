"""A log of any ids becomes codes, in time order; what can't be learned from is told in one line."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import UserError
from recommenders.histories import Histories
from recommenders.interactions import from_columns
from recommenders.vocabulary import Vocabulary

IDS = st.one_of(st.text(max_size=3), st.integers(-5, 5))


@given(st.lists(IDS))
def test_codes_lead_back_to_ids_of_any_kind(column: list[str | int]) -> None:
    vocabulary, codes = Vocabulary.of(column, "product")

    assert [vocabulary.ids[code] for code in codes] == column
    assert list(vocabulary.ids) == list(dict.fromkeys(column))
    assert vocabulary.codes(column).tolist() == codes.tolist()


@pytest.mark.parametrize(
    "column",
    [["b", "a", "b"], np.array(["b", "a", "b"]), pa.chunked_array([["b"], ["a", "b"]]),
     pa.array(["b", "a", "b"]).dictionary_encode(), np.array(["b", "a", "b"], object)],
)  # fmt: skip
def test_strings_come_in_many_kinds_of_columns(column: Any) -> None:
    vocabulary, codes = Vocabulary.of(column, "product")

    assert (vocabulary.ids, codes.tolist()) == (("b", "a"), [0, 1, 0])


def test_whole_numbers_may_come_as_floats_and_one_is_not_its_string() -> None:
    assert Vocabulary.of(np.array([2.0, 1.0]), "product")[0].ids == (2, 1)
    assert Vocabulary.of([1, "1", 1.0], "product")[1].tolist() == [0, 1, 0]


def test_an_id_that_was_not_there_has_no_code() -> None:
    assert Vocabulary(("a", 1)).codes(["b", 1, "1"]).tolist() == [-1, 1, -1]


@pytest.mark.parametrize(
    ("column", "message"),
    [([1, None], "1 rows have no product"), (["a", 1, None], "product of row 2 is missing"), ([1.5], "'1.5'"),
     ([float("nan"), 2.0], "1 rows have no product"), (["a", ("b",)], "strings or 64-bit integers"),
     (pa.array([1.0, float("nan"), 2.0]), "1 rows have no product"),
     (pa.array([1.0, 2.0, 2.5]), "product of row 2 is '2.5'"), ([1, 2**70], "64-bit integers"),
     (pa.array([True]), "product of row 0 is 'True'"),
     (np.array([1.0, np.inf]), "product of row 1 is 'inf'"), ([1.0, 1e300], "product of row 1 is '1e.300'")],
)  # fmt: skip
def test_what_is_no_id_is_told(column: list[Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        Vocabulary.of(column, "product")


def test_a_log_is_sorted_by_time_and_a_history_ends_with_the_newest() -> None:
    log = from_columns(
        ["u", "v", "u", "u"], ["c", "a", "a", "b"], times=np.array([3, 9, 1, 2]), weights=np.arange(1, 5)
    )

    ids = log.product_vocabulary.ids
    assert [[ids[code] for code in history] for history in log.histories] == [["a", "b", "c"], ["a"]]
    assert log.weights.tolist() == [3.0, 4.0, 1.0, 2.0]
    assert log.matrix.toarray().tolist() == [[1.0, 3.0, 4.0], [0.0, 2.0, 0.0]]
    assert log.popularity.tolist() == [1.0, 2.0, 1.0]


def test_dates_are_times() -> None:
    dates = np.array(["2017-01-02", "2017-01-01"], "datetime64[ms]")

    log = from_columns([1, 1], [1, 2], times=dates)
    assert log.times is not None
    assert log.times.tolist() == [1_483_228_800, 1_483_315_200]
    assert log.ages.tolist() == [1.0, 0.0]


@pytest.mark.parametrize(
    "times",
    [np.array([7.5, 7.25, 6.0]), np.array([7_500, 7_250, 6_000], "datetime64[ms]"),
     pa.array([7_500, 7_250, 6_000], pa.timestamp("ms"))],
)  # fmt: skip
def test_events_of_one_second_are_in_the_order_of_its_parts(times: Any) -> None:
    log = from_columns([1, 1, 1], ["last", "second", "first"], times=times)

    assert [log.product_vocabulary.ids[code] for code in log.products] == ["first", "second", "last"]
    assert log.times is not None
    assert log.times.tolist() == [6, 7, 7]


def test_sequences_are_sessions_in_the_order_of_their_ends() -> None:
    log = from_columns([1, 2, 1, 2], [0, 1, 2, 3], sessions=["late", "early", "early", "late"])

    assert [each.tolist() for each in log.sequences] == [[1, 2], [0, 3]]
    assert log.products[log.sequence_events].tolist() == log.sequences.products.tolist()


def test_products_without_events_have_the_first_codes() -> None:
    log = from_columns([1], ["sold"], catalogue=["new", "sold"])

    assert (log.product_vocabulary.ids, log.products.tolist()) == (("new", "sold"), [1])
    assert log.popularity.tolist() == [0.0, 1.0]


@pytest.mark.parametrize(
    ("columns", "message"),
    [({"shoppers": [], "products": []}, "holds no event"),
     ({"shoppers": [1], "products": [1, 2]}, "2 products but 1 shoppers"),
     ({"times": np.array([1.0, np.nan])}, "1 events have no time"),
     ({"times": np.array(["NaT", "2020-01-01"], "datetime64[s]")}, "1 events have no time"),
     ({"times": np.array([1_700_000_000_000, 1_700_000_000_001])}, "divide milliseconds by 1,000"),
     ({"times": np.array([0, 400_000_000_000])}, "not Unix seconds of the years 1 to 9999"),
     ({"times": np.array([1.0, -1e30])}, "not Unix seconds of the years 1 to 9999"),
     ({"times": ["soon", "later"]}, "neither Unix seconds nor dates"),
     ({"weights": [1.0, 0.0]}, "above 0"), ({"sessions": ["a"]}, "2 products but 1 sessions")],
)  # fmt: skip
def test_a_log_that_can_not_be_used_is_told_in_a_line(columns: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        from_columns(**({"shoppers": [1, 2], "products": [1, 2]} | columns))


def test_no_event_may_be_left() -> None:
    with pytest.raises(UserError, match="no event is left"):
        from_columns([1], [1]).select_events(np.array([False]))


LISTS = st.lists(st.lists(st.integers(0, 9), max_size=6), max_size=6)


@given(LISTS, st.data())
def test_rows_of_histories_by_slice_and_by_number(lists: list[list[int]], data: st.DataObject) -> None:
    histories = Histories.of(lists)
    start, stop = data.draw(st.integers(0, 7)), data.draw(st.integers(0, 7))
    chosen = data.draw(st.lists(st.integers(0, len(lists) - 1))) if lists else []

    assert [each.tolist() for each in histories[start:stop]] == lists[start:stop]
    assert [each.tolist() for each in histories.take(np.array(chosen, int))] == [lists[row] for row in chosen]


def test_events_fade_with_what_came_after_them() -> None:
    with_decay = Histories.of([[4, 5, 4], [6]]).with_decay(0.5)

    assert with_decay.weights.tolist() == [0.25, 0.5, 1.0, 1.0]
    assert with_decay.matrix(7).toarray()[0].tolist() == [0, 0, 0, 0, 1.25, 0.5, 0]


def test_a_history_of_unknown_products_is_refused() -> None:
    with pytest.raises(UserError, match="negative product code"):
        Histories.of([[1, -1]])
