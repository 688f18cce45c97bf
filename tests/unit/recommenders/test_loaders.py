"""Loaders of data sets: how files are read, cut and refused."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from common.errors import UserError
from recommenders.evaluation import cases, splits
from recommenders.evaluation.cases import prefixes
from recommenders.evaluation.loaders import interactions, sessions
from recommenders.evaluation.loaders.attributes import read_attributes
from recommenders.evaluation.loaders.tables import parse_column_names, read_columns
from recommenders.histories import Histories
from recommenders.interactions import from_columns

TRAIN = {"user": ["a", "a", "b", "b", "b"], "item": [1, 2, 1, 2, 3]}
VISITS = {"session": [7, 7, 5, 5, 5, 6], "position": [2, 1, 1, 2, 3, 1], "item": [10, 11, 10, 12, 10, 13]}
STEPS = {
    "user": [1, 1, 1, 2, 2, 2, 2, 3],
    "position": [3, 1, 2, 1, 2, 3, 4, 1],
    "item": [12, 10, 11, 11, 10, 12, 13, 10],
}


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def written(columns: dict[str, Any], name: str = "train.parquet") -> Path:
        path = tmp_path / name
        table = pa.table(columns)
        if path.suffix == ".csv":
            pyarrow.csv.write_csv(table, path)
        else:
            pyarrow.parquet.write_table(table, path)
        return path

    return written


def ids(log: Any, codes: Any) -> list[Any]:
    return [log.product_vocabulary.ids[code] for code in codes]


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_a_test_file_becomes_histories_and_what_came_after(write, kind):
    train = write({"who": TRAIN["user"], "item": TRAIN["item"]}, f"train.{kind}")
    test = write({"who": ["b", "a", "b", "z"], "item": [9, 3, 1, 1]}, f"test.{kind}")

    dataset = interactions.with_test(train, test, {"user": "who"})

    found = [sorted(map(int, ids(dataset.log, each))) for each in dataset.cases.histories]
    assert found == [[1, 2], [1, 2, 3]]
    assert dataset.cases.truth.sizes.tolist() == [1, 2]
    assert dataset.notes == [
        "1 test events are of shoppers not in the training data: not evaluated",
        "1 test events are of products not in the training data: counted as missed",
    ]


def test_a_cut_in_time_judges_who_was_there_before(write):
    path = write({"user": [1, 2, 1, 1, 3], "item": [5, 6, 6, 7, 5], "time": [1, 2, 3, 9, 9]})

    dataset = interactions.with_protocol(path, {}, "time")

    assert [ids(dataset.log, each) for each in dataset.cases.histories] == [[5, 6]]
    assert ids(dataset.log, dataset.cases.truth.products) == [7]
    assert dataset.notes == ["1 shoppers have only held-out events: they are not evaluated"]


def test_validation_is_cut_by_time_where_there_is_time(write):
    count = 60
    columns = {"user": [n % 3 for n in range(count)], "item": [n % 7 for n in range(count)]}

    timed = interactions.with_protocol(write(columns | {"time": list(range(count))}), {}, "time")
    untimed = interactions.with_protocol(write(columns), {}, "random")

    assert [eval_split.name for eval_split in timed.validation_splits(0)] == [
        "the newest tenth",
        "the newest fifth",
    ]
    assert [each.name for each in untimed.validation_splits(0)] == ["a random fifth of each shopper's events"]


def test_a_cut_in_time_after_which_nobody_comes_back_is_not_chosen_by():
    log = from_columns([1, 2, 3, 4, 5, 6, 7, 8, 1, 9], [5] * 10, times=np.arange(10))

    assert [eval_split.name for eval_split in splits.validation_splits(log, 0)] == ["the newest fifth"]


def test_visits_are_read_by_position_and_unknown_products_left_out_of_prefixes(write):
    cases = write({"prefix": [[10, 99], [99]], "target": [11, 98]}, "cases.parquet")

    dataset = sessions.with_cases(write(VISITS), cases, {})

    assert [ids(dataset.log, each) for each in dataset.log.sequences] == [[11, 10], [10, 12, 10], [13]]
    assert [ids(dataset.log, each) for each in dataset.cases.histories] == [[10], []]
    assert ids(dataset.log, dataset.cases.truth.products[:1]) == [11]
    assert dataset.notes[0] == "1 targets are products not in the training data: counted as missed"
    assert dataset.repeats


@pytest.mark.parametrize(
    ("cases", "visits"),
    [
        ({"prefix": [[10, 11], [10], [10, 12], [10]], "target": [12, 11, 10, 12]}, [0, 0, 1, 1]),
        ({"prefix": [[10], [10, 11], [11], [12]], "target": [11, 99, 12, 10]}, [0, 0, 1, 2]),
        ({"prefix": [[10, 98], [10], [10]], "target": [10, 99, 98]}, [0, 1, 2]),
        ({"prefix": [[10], [10], [11]], "target": [11, 12, 10], "session": ["b", "a", "b"]}, [0, 1, 0]),
    ],
)
def test_cases_of_one_visit_are_told_by_their_session_or_by_going_on(write, cases, visits):
    dataset = sessions.with_cases(write(VISITS), write(cases, "cases.parquet"), {"session": "session"})

    assert dataset.visits.tolist() == visits


def test_intervals_of_cases_that_do_not_say_their_visit_come_with_a_warning(write):
    cases = write({"prefix": [[10], [11]], "target": [12, 12]}, "cases.parquet")

    assert "intervals are too narrow" in sessions.with_cases(write(VISITS), cases, {}).notes[-1]


def test_every_event_of_a_visit_but_the_first_is_a_case():
    cases = prefixes(Histories.of([[1, 2, 3], [4], [5, 6]]))

    assert [each.tolist() for each in cases.histories] == [[1], [1, 2], [5]]
    assert cases.truth.products.tolist() == [2, 3, 6]


def test_a_cut_whose_visits_have_one_event_is_not_chosen_by():
    pairs = [each for visit in range(36) for each in [visit] * 2]
    log = sessions.visits(
        {
            "session": pa.array([*pairs, 90, 91, 92, 93]),
            "position": pa.array([1, 2] * 36 + [1] * 4),
            "item": pa.array([5, 6] * 36 + [5] * 4),
        }
    )
    alone = sessions.visits(
        {"session": pa.array(range(30)), "position": pa.array([1] * 30), "item": pa.array([5] * 30)}
    )

    assert [eval_split.name for eval_split in sessions.validation_splits(log, 0)] == [
        "a random tenth of the visits"
    ]
    with pytest.raises(UserError, match="no visit that is held out for validation has two events"):
        sessions.validation_splits(alone, 0)


def test_of_very_long_visits_some_events_are_cases(monkeypatch):
    monkeypatch.setattr(cases, "MAX_HISTORY_EVENTS", 1_000)
    visits = Histories.of([list(range(200))])

    drawn = prefixes(visits)

    assert 800 < len(drawn.histories.products) <= 1_000
    wanted = drawn.truth.products.tolist()
    assert wanted == sorted(set(wanted))
    assert [each.tolist() for each in drawn.histories] == [list(range(target)) for target in wanted]


def test_the_last_of_a_sequence_is_the_test_and_the_one_before_the_validation(write):
    dataset = interactions.leave_last(write(STEPS), {})
    [validation] = dataset.validation_splits(0)

    assert [ids(dataset.log, each) for each in dataset.cases.histories] == [[10, 11], [11, 10, 12]]
    assert ids(dataset.log, dataset.cases.truth.products) == [12, 13]
    assert [ids(dataset.log, each) for each in validation.cases.histories] == [[10], [11, 10]]
    assert ids(dataset.log, validation.cases.truth.products) == [11, 12]
    assert [ids(dataset.log, each) for each in dataset.log.histories] == [[10], [11, 10], [10]]


def test_hidden_products_are_in_no_history_and_ranked_among_themselves(write):
    rng = np.random.default_rng(1)
    steps = {
        "user": np.repeat(np.arange(60), 4),
        "position": np.tile(np.arange(4), 60),
        "item": rng.integers(0, 20, 240),
    }
    attributes = read_attributes(
        write({"item": list(range(20)), "colour": ["red", "blue"] * 10}, "a.csv"), {}
    )

    dataset = interactions.new_items(write(steps), {}, attributes)

    hidden = set(dataset.cases.rankable.tolist())
    assert len(hidden) == 2
    assert set(dataset.cases.truth.products.tolist()) <= hidden
    assert not hidden & set(dataset.log.products.tolist())
    assert not hidden & set(dataset.validation_splits(0)[0].cases.rankable.tolist())


def test_attributes_are_words_and_numbers_and_categories(write):
    path = write(
        {
            "item": [1, 2, 1, 4],
            "text": ["Red lamp", "red", None, ""],
            "size": [3, 3, 4, None],
            "category": ["x", None, "x", "y"],
        },
        "a.parquet",
    )

    log = interactions.log_of({"user": pa.array([1, 1]), "item": pa.array([2, 7])}, read_attributes(path, {}))

    assert log.product_vocabulary.ids == (1, 2, 4, 7)
    assert log.attributes.shape == (4, 6)
    assert log.attributes.sum(axis=1).tolist() == [6, 2, 1, 0]
    assert log.categories.tolist() == [0, -1, 1, -1]


@pytest.mark.parametrize(
    ("train", "test", "says"),
    [
        ({"user": ["a"]}, TRAIN, "no column 'item': it has user; name the right one with --columns item="),
        ({"user": [], "item": []}, TRAIN, "has no row"),
        (TRAIN, {"user": ["z"], "item": [1]}, "no shopper of the test file is in the training file"),
        (TRAIN | {"user": [None] * 5}, TRAIN, "has no row with a user"),
        (TRAIN | {"time": [1.0, np.nan, 2, 3, 4]}, TRAIN, "1 events have no time"),
        (TRAIN | {"weight": [1.0, -1, 2, 3, 4]}, TRAIN, "every weight must be above 0"),
        (TRAIN | {"weight": list("abcde")}, TRAIN, "the weights are string: use numbers"),
    ],
)
def test_what_cannot_be_judged_is_one_line_that_says_what_to_do(write, train, test, says):
    with pytest.raises(UserError, match=says) as raised:
        interactions.with_test(write(train), write(test, "test.parquet"), {})

    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("columns", "protocol", "says"),
    [
        ({"user": [1, 1], "item": [1, 2]}, "time", "no column 'time'"),
        ({"user": [1, 1], "item": [1, 2], "time": [5, 5]}, "time", "all events have the same time"),
        ({"user": [1, 2], "item": [1, 2]}, "leave-last", "no shopper has two events"),
        ({"user": [1, 2], "item": [1, 2], "time": [5, 6]}, "time", "no shopper has events on both sides"),
    ],
)
def test_a_log_that_cannot_be_cut_is_refused(write, columns, protocol, says):
    with pytest.raises(UserError, match=says):
        interactions.with_protocol(write(columns), {}, protocol)


@pytest.mark.parametrize(
    ("cases", "says"),
    [
        ({"prefix": [10], "target": [11]}, "should hold lists"),
        ({"prefix": [[10]], "target": [99]}, "no target of the test file"),
        ({"prefix": [["x"]], "target": ["y"]}, "no target of the test file"),
        ({"target": [11]}, "no column 'prefix'"),
    ],
)
def test_cases_that_are_none_are_refused(write, cases, says):
    with pytest.raises(UserError, match=says):
        sessions.with_cases(write(VISITS), write(cases, "cases.parquet"), {})


@pytest.mark.parametrize("none", [None, np.nan, np.inf])
def test_events_without_a_position_are_refused(write, none):
    positions = pa.array([1.0, none, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])

    with pytest.raises(UserError, match="position is missing"):
        interactions.leave_last(write(STEPS | {"position": positions}), {})


def test_only_the_columns_that_are_asked_for_are_read(tmp_path):
    path = tmp_path / "wide.parquet"
    pyarrow.parquet.write_table(pa.table(TRAIN | {"picture": ["x" * 99] * 5}), path, use_dictionary=False)
    chunk = pyarrow.parquet.read_metadata(path).row_group(0).column(2)
    with path.open("r+b") as file:
        file.seek(chunk.data_page_offset)
        file.write(b"\xff" * chunk.total_compressed_size)

    assert read_columns(path, {}, ("user", "item"))["item"].to_pylist() == TRAIN["item"]
    with pytest.raises(UserError, match="can't be read as Parquet"):
        read_columns(path, {"user": "picture"}, ("user", "item"))


def test_one_column_may_mean_two_things_and_a_csv_needs_no_more_than_a_header_and_a_row(write):
    path = write({"id": [3], "text": ["a"]}, "one.csv")

    found = read_columns(path, {"user": "id", "item": "id"}, ("user", "item"))
    assert {name: column.to_pylist() for name, column in found.items()} == {"user": ["3"], "item": ["3"]}
    path.write_text("id,text\n")
    with pytest.raises(UserError, match="has no row"):
        read_columns(path, {"user": "id"}, ("user",))


@pytest.mark.parametrize(
    "products",
    [
        ["1033501203.1368477803", "1033501203.13684778030", "12345678901234567890", "123456789012345678901"],
        ["007", "7", "0007", "1e3", "10e2", "1000"],
        ["true", "2024-03-05", "0x1f", "1,5", " 7", "7"],
    ],
)
def test_ids_in_a_csv_are_texts_whatever_they_look_like(tmp_path, products):
    path = tmp_path / "log.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["user", "item"], *([user, item] for user in "abc" for item in products)])

    dataset = interactions.with_protocol(path, {}, "random")

    assert set(dataset.log.product_vocabulary.ids) == set(products)


@pytest.mark.parametrize("missing", ["", "  ", "NULL", "nan"])
def test_rows_without_a_user_are_left_out_and_counted(tmp_path, missing):
    path = tmp_path / "log.csv"
    rows = [f"{user},{item}" for item in range(5) for user in ("a", "b", missing)]
    path.write_text("\n".join(["user,item", *rows]))

    dataset = interactions.with_protocol(path, {}, "random")

    assert dataset.log.shopper_vocabulary.ids == ("a", "b")
    assert dataset.notes[0] == "5 rows of log.csv have no user: left out"


def test_ids_are_the_same_in_a_csv_and_in_numbers_of_parquet(write):
    attributes = read_attributes(write({"item": [1, 2, 3, 9], "colour": list("rgbr")}, "a.parquet"), {})
    train = write({"user": TRAIN["user"], "item": TRAIN["item"]}, "train.csv")
    test = write({"user": ["b", "a"], "item": [9, 3]}, "test.parquet")

    dataset = interactions.with_test(train, test, {}, attributes)

    assert dataset.log.product_vocabulary.ids[:4] == ("1", "2", "3", "9")
    assert dataset.cases.truth.sizes.tolist() == [1, 1]
    assert dataset.notes == []


def test_sequences_of_two_are_too_short(write):
    with pytest.raises(UserError, match="no shopper has three events"):
        interactions.leave_last(write({"user": [1, 1], "position": [1, 2], "item": [1, 2]}), {})


def test_files_that_are_none_are_named(tmp_path):
    (tmp_path / "broken.parquet").write_text("no")

    with pytest.raises(UserError, match="can't be read as Parquet"):
        interactions.with_protocol(tmp_path / "broken.parquet", {}, "random")
    with pytest.raises(UserError, match="is not a file"):
        interactions.with_protocol(tmp_path / "away.csv", {}, "random")


def test_columns_are_named_by_meaning():
    assert parse_column_names("user=uid, item=sku") == {"user": "uid", "item": "sku"}
    with pytest.raises(UserError, match="can't be read: write user="):
        parse_column_names("colour=red")
