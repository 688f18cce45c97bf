"""Comparing two tables finds every wrong figure, missing row and duplicate."""

import math

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.comparison import MAX_DIFFERENCES, ComparisonSpec
from audit.tables import ROUNDING, compare_tables

SPEC = ComparisonSpec(
    "demo", "sales by seller and day", "source", "facts", "seller days", ("seller_id", "day")
)
ROWS = [
    {"seller_id": "s1", "day": "2018-06-01", "units": 2, "gross_minor": 12_990},
    {"seller_id": "s1", "day": "2018-06-02", "units": 1, "gross_minor": 5_890},
    {"seller_id": "s2", "day": "2018-06-01", "units": 7, "gross_minor": 100},
]
SCHEMA = pa.schema(
    [("seller_id", pa.string()), ("day", pa.string()), ("units", pa.int64()), ("gross_minor", pa.int64())]
)


def table(rows):
    return pa.Table.from_pylist(rows, SCHEMA)


def test_equal_tables_agree_whatever_the_order_of_their_rows():
    found = compare_tables(SPEC, table(ROWS), table(ROWS[::-1]))

    assert found.verdict == "agree"
    assert (found.rows, found.figures, found.difference_count) == (3, 6, 0)
    assert found.totals == {"units": (10, 10), "gross_minor": (18_980, 18_980)}


def test_a_cent_is_found_with_its_seller_and_day():
    wrong = [dict(ROWS[0], gross_minor=12_991), *ROWS[1:]]

    found = compare_tables(SPEC, table(ROWS), table(wrong))

    assert found.verdict == "differ"
    [difference] = found.differences
    assert difference.key == {"seller_id": "s1", "day": "2018-06-01"}
    assert (difference.field, difference.left, difference.right) == ("gross_minor", 12_990, 12_991)


def test_a_missing_row_and_a_surplus_row_are_found():
    missing = compare_tables(SPEC, table(ROWS), table(ROWS[1:]))
    surplus = compare_tables(SPEC, table(ROWS[1:]), table(ROWS))

    assert [(d.field, d.left, d.right) for d in missing.differences] == [("row", 1, 0)]
    assert [(d.field, d.left, d.right) for d in surplus.differences] == [("row", 0, 1)]
    assert missing.rows == surplus.rows == 3


def test_a_duplicate_row_is_a_difference():
    found = compare_tables(SPEC, table(ROWS), table([*ROWS, ROWS[2]]))

    assert found.difference_count == 1
    assert (found.differences[0].left, found.differences[0].right) == (1, 2)


def test_of_a_duplicate_key_the_first_row_is_compared():
    twice = [ROWS[0], {**ROWS[0], "gross_minor": ROWS[0]["gross_minor"] + 1}]

    assert compare_tables(SPEC, table(twice), table([*twice])).verdict == "agree"
    swapped = compare_tables(SPEC, table(twice), table(twice[::-1]))
    assert [(each.field, each.right - each.left) for each in swapped.differences] == [("gross_minor", 1)]


def test_tables_of_several_chunks_or_none_are_compared_as_one():
    pieces = pa.concat_tables([table(ROWS).slice(1), table(ROWS).slice(0, 1)])
    none = pa.table([pa.chunked_array([], field.type) for field in SCHEMA], schema=SCHEMA)

    assert compare_tables(SPEC, table(ROWS), pieces).verdict == "agree"
    assert compare_tables(SPEC, pieces, none).difference_count == len(ROWS)
    assert compare_tables(SPEC, none, none).verdict == "nothing to compare"


def test_a_duplicate_row_that_the_left_lacks_is_reported_with_its_count():
    found = compare_tables(SPEC, table(ROWS[1:]), table([*ROWS, ROWS[0]]))

    assert [(d.left, d.right) for d in found.differences] == [(0, 2)]


def test_two_wrong_figures_that_add_up_to_the_same_total_are_still_found():
    wrong = [dict(ROWS[0], units=3), dict(ROWS[1], units=0), ROWS[2]]

    found = compare_tables(SPEC, table(ROWS), table(wrong))

    assert found.totals["units"] == (10, 10)
    assert found.difference_count == 2


def test_two_empty_tables_are_nothing_to_compare():
    assert compare_tables(SPEC, table([]), table([])).verdict == "nothing to compare"


def test_an_empty_right_side_is_a_difference_for_every_row():
    assert compare_tables(SPEC, table(ROWS), table([])).difference_count == 3


def test_a_missing_row_in_a_dead_letter_topic_is_explained():
    found = compare_tables(SPEC, table(ROWS), table(ROWS[:2]), explained=frozenset({"s2"}))

    assert (found.verdict, found.explained, found.rows) == ("agree", 1, 3)


def test_null_equals_null_and_nothing_else():
    spec = ComparisonSpec("demo", "", "a", "b", "orders", ("order_id",))
    left = pa.table({"order_id": ["a", "b"], "placed_at": pa.array([None, None], pa.int64())})
    right = pa.table({"order_id": ["a", "b"], "placed_at": pa.array([None, 0], pa.int64())})

    found = compare_tables(spec, left, right)

    assert [d.key for d in found.differences] == [{"order_id": "b"}]


def scored(*scores):
    return pa.table({"product_id": ["a", "b"], "score": pa.array(scores, pa.float64())})


OF_SCORES = ComparisonSpec("demo", "", "a", "b", "products", ("product_id",))


def test_sums_of_fractions_may_differ_by_a_rounding_and_no_more():
    left, right = scored(1e20, 1e20), scored(1e20 * (1 + 1e-12), 1e20 * (1 + 1e-7))

    found = compare_tables(OF_SCORES, left, right, rounding=ROUNDING)

    assert [d.key for d in found.differences] == [{"product_id": "b"}]


@pytest.mark.parametrize("other", [1_760_000_001, math.nextafter(1_760_000_000, math.inf)])
def test_without_rounding_any_difference_counts(other):
    found = compare_tables(OF_SCORES, scored(1_760_000_000, 5), scored(other, 5))

    assert [d.key for d in found.differences] == [{"product_id": "a"}]


@pytest.mark.parametrize("rounding", [0.0, ROUNDING])
@pytest.mark.parametrize("other", [math.inf, -math.inf, math.nan])
def test_infinity_and_nan_are_differences(rounding, other):
    found = compare_tables(OF_SCORES, scored(1, 5), scored(other, 5), rounding=rounding)

    assert [d.key for d in found.differences] == [{"product_id": "a"}]


def test_lines_of_an_order_are_compared_value_by_value():
    spec = ComparisonSpec("demo", "", "kafka", "facts", "events", ("event_id",))
    left = pa.table({"event_id": ["e"], "lines": [[{"product_id": "p", "gross_minor": 1}]]})
    right = pa.table({"event_id": ["e"], "lines": [[{"product_id": "p", "gross_minor": 2}]]})

    assert compare_tables(spec, left, right).differences[0].field == "lines"


MARKED = pa.schema([("event_id", pa.string()), ("marks", pa.map_(pa.string(), pa.string()))])
MARKS = [("a", "1"), ("b", "2")]


@pytest.mark.parametrize(
    ("others", "verdict"),
    [(MARKS[::-1], "agree"), ([("b", "1"), ("a", "2")], "differ"), (MARKS[:1], "differ"), (None, "differ")],
)
def test_a_map_is_equal_in_any_order_of_its_keys(others, verdict):
    rows = [{"event_id": "e", "marks": None}, {"event_id": "f", "marks": MARKS}]
    left = pa.Table.from_pylist(rows, MARKED)
    right = pa.Table.from_pylist([rows[0], {"event_id": "f", "marks": others}], MARKED)
    spec = ComparisonSpec("demo", "", "kafka", "facts", "events", ("event_id",))

    assert compare_tables(spec, left, right).verdict == verdict


ITEM = pa.struct(
    [
        ("p", pa.string()),
        ("n", pa.int64()),
        ("shares", pa.list_(pa.float64())),
        ("marks", pa.map_(pa.string(), pa.string())),
    ]
)
ITEMS = st.none() | st.lists(
    st.none()
    | st.fixed_dictionaries(
        {
            "p": st.none() | st.sampled_from(["", "a"]),
            "n": st.none() | st.integers(0, 1),
            "shares": st.none() | st.lists(st.none() | st.sampled_from([0.0, 0.5]), max_size=2),
            "marks": st.none() | st.dictionaries(st.sampled_from("ab"), st.none() | st.just("c"), max_size=2),
        }
    ),
    max_size=3,
)


@given(st.lists(st.tuples(ITEMS, ITEMS, st.booleans())), st.integers(0, 2))
def test_lists_are_equal_where_python_says_so(rows, skipped):
    left = [mine for mine, _, _ in rows]
    right = [mine if equal else other for mine, other, equal in rows]
    keyed = [
        pa.table(
            {"seller_id": [f"{i:03}" for i in range(len(rows))], "items": pa.array(side, pa.list_(ITEM))}
        )
        for side in (left, right)
    ]
    spec = ComparisonSpec("demo", "", "facts", "kept", "sellers", ("seller_id",))

    found = compare_tables(spec, *(side.slice(skipped) for side in keyed))

    differing = [i for i, (a, b) in enumerate(zip(left, right, strict=True)) if a != b and i >= skipped]
    assert [int(each.key["seller_id"]) for each in found.differences] == differing


def test_differences_beyond_the_maximum_are_counted():
    left = pa.table(
        {"seller_id": [str(i) for i in range(MAX_DIFFERENCES * 3)], "day": ["d"] * MAX_DIFFERENCES * 3}
    )

    found = compare_tables(SPEC, left, left.slice(0, 0))

    assert len(found.differences) == MAX_DIFFERENCES
    assert found.difference_count == MAX_DIFFERENCES * 3


def test_a_missing_column_is_named():
    with pytest.raises(ValueError, match="facts has no column gross_minor"):
        compare_tables(SPEC, table(ROWS), table(ROWS).drop_columns(["gross_minor"]))


@given(st.data())
def test_any_single_change_of_any_figure_is_found(data):
    rows = data.draw(
        st.lists(
            st.tuples(st.text(max_size=4), st.text(max_size=4), st.integers(0, 50), st.integers(-9, 9)),
            min_size=1,
            unique_by=lambda row: row[:2],
        )
    )
    at = data.draw(st.integers(0, len(rows) - 1))
    changed = [(*row[:3], row[3] + 1) if i == at else row for i, row in enumerate(rows)]
    left, right = (
        table([dict(zip(SCHEMA.names, row, strict=True)) for row in side]) for side in (rows, changed)
    )

    assert compare_tables(SPEC, left, right).difference_count == 1
    assert compare_tables(SPEC, left, left).verdict == "agree"
