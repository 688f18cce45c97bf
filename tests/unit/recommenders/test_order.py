"""Where nothing says when, the order of rows says nothing; a claimed order is checked before it is used."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from cli.__main__ import build as build_command
from common.errors import UserError
from recommenders.evaluation.cases import Dataset
from recommenders.evaluation.loaders.files import InputFiles, load_dataset
from recommenders.evaluation.order_check import check_order
from recommenders.histories import Histories
from recommenders.interactions import Interactions, from_columns
from recommenders.model_selection.candidates import (
    neighbouring_candidates,
    neighbouring_hybrids,
    sample_candidates,
)
from recommenders.models.hybrid import Hybrid
from recommenders.registry import MODELS
from tests.unit.recommenders.bursts import rows_of_bursts, shuffled, written

ORDERLESS = [name for name, model in MODELS.items() if not model.NEEDS_ORDER and name != "content"]
"""The models for logs with neither an order nor attributes."""


def loaded(columns: dict[str, Any], directory: Path, ordered: bool = False) -> Dataset:
    path = written(columns, directory / "log.parquet")
    return load_dataset(InputFiles(interactions=path, protocol="random", ordered=ordered), "")


@pytest.fixture(scope="module")
def orderless() -> Interactions:
    columns = shuffled(rows_of_bursts())
    return from_columns(columns["user"], columns["item"])


def test_the_rows_of_a_log_without_an_order_may_come_in_any_order() -> None:
    columns = rows_of_bursts()
    logs = [
        from_columns(each["user"], each["item"], weights=1 + each["item"] % 3)
        for each in (columns, shuffled(columns), shuffled(columns, seed=9))
    ]

    assert not any(log.ordered or log.chronological for log in logs)
    for log in logs[1:]:
        assert log.product_vocabulary == logs[0].product_vocabulary
        for name in ("shoppers", "products", "weights"):
            np.testing.assert_array_equal(getattr(log, name), getattr(logs[0], name))


def test_times_that_are_all_equal_are_no_order() -> None:
    same, different = (from_columns([1, 1], [1, 2], times=np.array([5, end])) for end in (5, 6))

    assert (same.ordered, same.times) == (False, None)
    assert different.ordered


def test_only_random_events_are_held_out_and_others_to_confirm(tmp_path: Path) -> None:
    dataset = loaded(rows_of_bursts(), tmp_path)

    assert dataset.confirmation_splits is not None
    [first], others = dataset.validation_splits(3), dataset.confirmation_splits(3)
    assert first.name == "a random fifth of each shopper's events"
    assert {each.name for each in others} == {"another random fifth of each shopper's events"}
    held = [
        list(zip(each.cases.truth.rows.tolist(), each.cases.truth.products.tolist(), strict=True))
        for each in (first, *others)
    ]
    together = [pair for each in held for pair in each]
    assert len(held) == 5
    assert len(together) == len(set(together)) == len(dataset.log)


@pytest.mark.parametrize("seed", range(4))
def test_events_to_hold_out_are_drawn_from_all_products(seed: int, tmp_path: Path) -> None:
    dataset = loaded(rows_of_bursts(), tmp_path)

    for cases in (dataset.cases, dataset.validation_splits(seed)[0].cases):
        kept, held = cases.histories.products, cases.truth.products
        error = kept.std() / np.sqrt(len(held))
        assert abs(held.mean() - kept.mean()) < 4 * error


@pytest.mark.parametrize("name", ORDERLESS)
def test_a_history_may_be_in_any_order(name: str, orderless: Interactions) -> None:
    model = MODELS[name]().fit(orderless)
    histories = orderless.histories[:50]
    reversed_histories = Histories.of([each[::-1] for each in histories])

    first, second = (model.recommend(each, 10).scores for each in (histories, reversed_histories))
    np.testing.assert_allclose(first, second, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", ORDERLESS)
def test_nothing_that_fades_is_tried(name: str) -> None:
    fading = {"decay", "trend", "window", "half_life", "fade", "recency"} & set(MODELS[name]().settings)

    sampled = sample_candidates({name: MODELS[name]}, 30, seed=0, ordered=False)
    near = [
        other
        for each in sampled
        for other in (
            neighbouring_hybrids(each, [], MODELS, ordered=False)
            if name == "hybrid"
            else neighbouring_candidates(each, MODELS, ordered=False)
        )
    ]
    tried = [*sampled, *near]

    assert fading == set(MODELS[name].WITHOUT_ORDER)
    for candidate in tried:
        settings = dict(candidate.settings)
        members = json.loads(settings.get("members", "{}"))
        assert {key: settings[key] for key in fading} == MODELS[name].WITHOUT_ORDER
        assert all(
            each[key] == value
            for member, each in members.items()
            for key, value in MODELS[member].WITHOUT_ORDER.items()
        )
        assert settings.get("order", "sum") in ("sum", "random")
        assert "transitions" not in members


def test_popularity_without_an_order_is_the_number_of_events(orderless: Interactions) -> None:
    counts = np.bincount(orderless.products, minlength=orderless.product_count)

    for settings in ({}, {"window": 0.03, "half_life": 0.02}):
        learned = MODELS["popularity"](**settings).fit(orderless).arrays["decayed"]
        np.testing.assert_allclose(learned, counts / counts.max(), rtol=1e-6)


def test_a_model_of_sequences_needs_an_order(orderless: Interactions) -> None:
    with pytest.raises(UserError, match="needs the order of events: name a column time or position"):
        MODELS["transitions"]().fit(orderless)
    with pytest.raises(UserError, match="every member of the hybrid needs the order"):
        Hybrid('{"transitions": {}}').fit(orderless)


def test_trees_see_neither_ages_nor_the_newest_events(orderless: Interactions, log: Interactions) -> None:
    arrays, with_order = (
        Hybrid('{"item_item": {}, "ridge": {}}', "random").fit(each).arrays for each in (orderless, log)
    )

    assert (len(arrays["interest"]), len(arrays["decays"])) == (1, 1)
    assert (len(with_order["interest"]), len(with_order["decays"])) == (4, 2)
    assert arrays["tree_features"].max() < 2 * 2 + 1 + 1 + 1


def test_a_true_order_is_believed(tmp_path: Path) -> None:
    dataset = loaded(rows_of_bursts(), tmp_path, ordered=True)

    assert dataset.log.ordered
    assert dataset.order.startswith("by row: consecutive products are more similar than others")
    assert dataset.confirmation_splits is None
    assert [each.name.split(" of ")[0] for each in dataset.validation_splits(0)] == [
        "a random fifth",
        "a run",
        "the last fifth",
    ]


def by_product(columns: dict[str, Any]) -> dict[str, Any]:
    order = np.lexsort((columns["item"], columns["user"]))
    return {name: values[order] for name, values in columns.items()}


def by_weight(columns: dict[str, Any]) -> dict[str, Any]:
    weights = 1 + (columns["item"] * 7) % 5
    order = np.lexsort((weights, columns["user"]))
    return {name: values[order] for name, values in (columns | {"weight": weights}).items()}


@pytest.mark.parametrize(
    ("sort", "says"),
    [(shuffled, "consecutive products are not more similar"),
     (by_product, "the rows of each shopper are sorted by product"),
     (by_weight, "the rows of each shopper are sorted by weight")],
)  # fmt: skip
@pytest.mark.parametrize("claim", ["ordered", "position"])
def test_a_false_order_is_not_believed(sort: Any, says: str, claim: str, tmp_path: Path) -> None:
    columns = sort(rows_of_bursts())
    if claim == "position":
        columns["position"] = np.arange(len(columns["user"]))

    dataset = loaded(columns, tmp_path, ordered=claim == "ordered")

    assert not dataset.log.ordered
    assert "but not believed" in dataset.order
    assert says in dataset.order
    assert [each.name for each in dataset.validation_splits(0)] == ["a random fifth of each shopper's events"]


def test_positions_are_an_order_in_whatever_order_the_rows_are(tmp_path: Path) -> None:
    columns = rows_of_bursts()
    columns["position"] = np.arange(len(columns["user"])) % 16

    dataset = loaded(shuffled(columns), tmp_path)

    assert dataset.log.ordered
    assert dataset.order.startswith("by position")


@pytest.mark.parametrize("grouped", [True, False])
def test_popularity_fades_only_along_rows_of_all_shoppers(grouped: bool) -> None:
    rng = np.random.default_rng(3)
    shoppers, products = (
        rng.integers(0, 300, 20_000),
        rng.integers(0, 50, 20_000) + np.arange(20_000) // 1_000,
    )
    order = np.argsort(shoppers, kind="stable") if grouped else np.arange(20_000)

    check = check_order(from_columns(shoppers[order], products[order], ordered=True))

    assert check.holds
    assert check.is_chronological == (not grouped)


@pytest.mark.parametrize("seed", range(5))
def test_random_rows_are_never_an_order(seed: int) -> None:
    columns = shuffled(rows_of_bursts(seed), seed)

    assert not check_order(from_columns(columns["user"], columns["item"], ordered=True)).holds


def test_a_log_that_is_too_short_to_check_is_not_believed() -> None:
    assert not check_order(from_columns([1, 1, 1, 2], [1, 2, 3, 1], ordered=True)).holds


def test_last_rows_are_held_out_as_asked_but_settings_are_chosen_by_random_events(tmp_path: Path) -> None:
    path = written(shuffled(rows_of_bursts()), tmp_path / "log.parquet")

    dataset = load_dataset(InputFiles(interactions=path, protocol="leave-last"), "")

    assert dataset.split == "the last event of each shopper"
    assert "claimed by row, but not believed" in dataset.order
    assert not dataset.log.ordered


def test_rows_in_order_are_only_of_interactions() -> None:
    with pytest.raises(UserError, match="--ordered goes with --interactions"):
        load_dataset(InputFiles(sessions=Path("a"), cases=Path("b"), ordered=True), "")


def evaluated(columns: dict[str, Any], directory: Path, *options: str) -> Any:
    path = written(columns, directory / "log.parquet")
    asked = [
        "evaluate",
        "--interactions",
        str(path),
        "--protocol",
        "random",
        "--metrics",
        "recall@10",
        *options,
    ]
    return CliRunner().invoke(build_command("evaluate"), asked, prog_name="souk")


@pytest.fixture
def _baselines_in_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.evaluate.BASELINE_BUDGET_S", 2.0)


@pytest.mark.usefixtures("_baselines_in_seconds")
def test_the_card_says_how_the_order_is_known(tmp_path: Path) -> None:
    columns = rows_of_bursts()

    none, true, false = (
        evaluated(*asked, "--model", "popularity", "--budget", "20").output.replace("\n", " ")
        for asked in (
            (columns, tmp_path),
            (columns, tmp_path, "--ordered"),
            (shuffled(columns), tmp_path, "--ordered"),
        )
    )

    assert "Order of the events: none: the log has neither times nor positions." in none
    assert "nothing fades" in none
    assert "Order of the events: by row: consecutive products are more similar" in true
    assert "Order of the events: claimed by row, but not believed" in false


@pytest.mark.usefixtures("_baselines_in_seconds")
def test_a_log_without_an_order_gives_the_same_card_in_any_order_of_rows(tmp_path: Path) -> None:
    columns = rows_of_bursts()

    first, second = (
        json.loads(evaluated(each, tmp_path, "--model", "ridge", "--json").stdout)["judged"][0]
        for each in (shuffled(columns, 3), shuffled(columns, 4))
    )
    assert first["candidate"] == second["candidate"]
    assert first["figures"] == second["figures"]
