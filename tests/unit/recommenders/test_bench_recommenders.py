"""The requests and the report of the recommenders benchmark, without its measurements."""

import pyarrow as pa
import pyarrow.parquet
import pytest
from threadpoolctl import threadpool_info

from bench.recommenders import latency as recommender_latency
from bench.recommenders import simulated_marketplace
from bench.recommenders.published_results import MOVIELENS, TASKS, command_line
from bench.recommenders.run import (
    RecommendersBenchResult,
    as_markdown,
    comparisons_with_baselines,
    comparisons_with_singles,
)
from common.errors import UserError
from recommenders.evaluation.loaders.files import PROTOCOLS
from recommenders.evaluation.metrics import parse_metrics


@pytest.mark.parametrize("name", TASKS)
def test_every_task_uses_options_of_the_command(name):
    task = TASKS[name]

    assert [str(metric) for metric in parse_metrics(",".join(task.goals))] == list(task.goals)
    assert task.arguments.get("--protocol", "time") in PROTOCOLS


def test_users_without_times_are_left_out(tmp_path):
    path = tmp_path / MOVIELENS
    path.parent.mkdir()
    pyarrow.parquet.write_table(pa.table({"UserID": [1, 2_999, 3_000], "Timestamp": [5, 6, None]}), path)

    with command_line(TASKS["movielens"], tmp_path) as arguments:
        file = arguments[arguments.index("--interactions") + 1]
        kept = pyarrow.parquet.read_table(file)["UserID"].to_pylist()

    assert kept == [1, 2_999]


def test_the_films_without_times_are_the_same_in_another_order(tmp_path):
    path = tmp_path / MOVIELENS
    path.parent.mkdir()
    columns = {"UserID": [1] * 50, "MovieID": list(range(50)), "Timestamp": list(range(50))}
    pyarrow.parquet.write_table(pa.table(columns), path)

    with command_line(TASKS["movielens-untimed"], tmp_path) as arguments:
        written = pyarrow.parquet.read_table(arguments[arguments.index("--interactions") + 1])

    films = written["MovieID"].to_pylist()
    assert written.column_names == ["UserID", "MovieID"]
    assert sorted(films) == columns["MovieID"]
    assert films != columns["MovieID"]


def test_the_chosen_model_is_compared_with_the_best_single_one():
    card = {"judged": [judged("hybrid", 0.3)]}
    singles = [judged("als", 0.25), judged("ridge", 0.304)]

    lines = [
        comparisons_with_singles(
            RecommendersBenchResult({"movielens-untimed": card}, {}, {}, matched={"movielens-untimed": each})
        )
        for each in (singles, singles[:1], [])
    ]

    assert lines[0][0].endswith("0.987 of the best single model, ridge: not matched")
    assert lines[1][0].endswith("1.200 of the best single model, als: matched")
    assert lines[2] == []


def test_a_missing_data_set_is_named(tmp_path):
    with (
        pytest.raises(UserError, match=r"train\.parquet does not exist: name the directory"),
        command_line(TASKS["gowalla"], tmp_path),
    ):
        pass


def judged(model: str, mean: float, metric: str = "hit@10") -> dict:
    figure = {"mean": mean, "low": mean - 0.01, "high": mean + 0.01}
    return {"candidate": {"model": model}, "figures": {"all": {metric: figure}}}


def test_the_table_has_each_figure_beside_the_published_one():
    card = {"judged": [judged("content", 0.2), judged("item_item", 0.1), judged("popularity", 0.009)]}

    table = as_markdown(RecommendersBenchResult({"beauty-new": card}, {}, {})).splitlines()

    assert len(table) == 3
    shown = " | ".join(("hit@10", "0.0090", "0.1200", "0.1700", "content 0.2000 (0.1900 to 0.2100)"))
    assert shown in table[2]
    assert "item_item 0.1000" in table[2]


def test_the_baselines_that_the_chosen_model_must_beat_are_compared():
    chosen, *others = (
        judged(model, mean, "ndcg@10")
        for model, mean in (("hybrid", 0.3), ("als", 0.25), ("popularity", 0.285))
    )

    lines = comparisons_with_baselines(
        RecommendersBenchResult({"movielens": {"judged": [chosen]}}, {}, {}, {"movielens": others})
    )

    assert "als 0.2500 (0.2400 to 0.2600): above, intervals apart" in lines[0]
    assert "popularity 0.2850 (0.2750 to 0.2950): not above with intervals apart" in lines[1]
    assert TASKS["movielens"].beaten == ("als", "popularity")


def test_answers_are_timed_on_one_thread_by_fold_in_and_by_the_model(monkeypatch):
    for name, size in (("SHOPPERS", 50), ("PRODUCTS", 200), ("EVENTS", 2_000), ("WARM_UP", 1)):
        monkeypatch.setattr(recommender_latency, name, size)
    threads = []
    timed = recommender_latency._timed

    def noted(answer, asked):
        threads.extend(pool["num_threads"] for pool in threadpool_info())
        return timed(answer, asked)

    monkeypatch.setattr(recommender_latency, "_timed", noted)

    found = recommender_latency.measure(["session_knn"], 3, seed=1)

    assert {"session_knn, fold-in of a visit", "session_knn, a visit by its own scores"} <= found.keys()
    assert set(threads) == {1}


def test_no_model_beats_the_best_reachable_ranking_by_more_than_chance():
    market = simulated_marketplace.marketplace(seed=5, products=60, shoppers=80, events=6_000)

    found = simulated_marketplace.attained(market, lambda _: None)

    assert found["the best reachable"].share == 1.0
    assert 0.2 < found["popularity"].share < 1.0
    assert all(reached.share < 1.03 for reached in found.values())


def test_percentiles_are_of_the_timed_answers():
    found = recommender_latency.AnswerLatency.of([number / 1e6 for number in range(101)])

    assert (found.answers, found.p50_us, found.p99_us) == (101, 50.0, 99.0)
