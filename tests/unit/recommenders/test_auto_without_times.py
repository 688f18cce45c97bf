"""Where the order of rows misleads, auto is still at least as good as the best single model by name."""

from collections.abc import Callable
from itertools import count

import numpy as np
import pytest

from recommenders.evaluation.cases import Dataset
from recommenders.evaluation.loaders.files import InputFiles, load_dataset
from recommenders.evaluation.metrics import parse_metrics
from recommenders.model_selection.comparison import EvaluationOptions
from recommenders.model_selection.search import SearchPlan, SearchResult, choose
from recommenders.registry import MODELS
from tests.unit.recommenders.bursts import written

SHOPPERS, GROUPS, PRODUCTS_OF_GROUP, COMMON = 800, 6, 40, 12
SINGLES = ("popularity", "item_item", "ridge", "session_knn")
METRICS = parse_metrics("recall@10,ndcg@10")
BUDGET_S, LOOK_S = 10.0, 0.02
"""The budget of a search, and the time from one look at its clock to the next."""

CHANCE = 0.97
"""Models whose results are as close as this can't be told apart on so few shoppers."""


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Shoppers with products of two groups. What everybody takes comes last in the rows, for no reason."""
    rng = np.random.default_rng(1)

    def taken(products: int) -> np.ndarray:
        chances = 1.0 / np.arange(2, products + 2)
        size = 3 + rng.integers(0, products // 4)
        return rng.choice(products, size, replace=False, p=chances / chances.sum())

    rows = []
    for _ in range(SHOPPERS):
        groups = rng.permutation(GROUPS)[:2]
        own = [group * PRODUCTS_OF_GROUP + taken(PRODUCTS_OF_GROUP) for group in groups]
        common = GROUPS * PRODUCTS_OF_GROUP + taken(COMMON)
        rows.append(np.concatenate([rng.permutation(np.concatenate(own)), common]))
    columns = {
        "user": np.repeat(np.arange(SHOPPERS), [len(each) for each in rows]),
        "item": np.concatenate(rows),
    }
    path = written(columns, tmp_path_factory.mktemp("rows") / "log.parquet")
    return load_dataset(InputFiles(interactions=path, protocol="random"), "")


def looks() -> Callable[[], float]:
    """Return a clock that advances by `LOOK_S` whenever it is read."""
    numbers = count()
    return lambda: LOOK_S * next(numbers)


def chosen_from(names: tuple[str, ...], dataset: Dataset) -> tuple[SearchResult, float]:
    """Search as long as a budget lasts on a clock that is the same on every machine.

    Return the choice, and the mean of the metrics on the test.
    """
    models = {name: MODELS[name] for name in names}
    options = EvaluationOptions(models, METRICS, repeats=False, seed=0)
    result = choose(SearchPlan.of(dataset, options, BUDGET_S), lambda *_: None, looks())
    model = result.best.candidate.build(MODELS).fit(dataset.log)
    values = dataset.cases.evaluate(dataset.cases.rank_with(model, 10, False), METRICS)["all"].by_metric
    return result, float(np.mean([values[metric].mean() for metric in METRICS]))


def test_auto_is_as_good_as_the_best_single_model_by_name(dataset: Dataset) -> None:
    result, chosen = chosen_from((*SINGLES, "transitions", "hybrid"), dataset)
    singles = {name: chosen_from((name,), dataset)[1] for name in SINGLES}

    assert chosen >= CHANCE * max(singles.values()), singles
    assert result.skipped.keys() == {"transitions"}
    finals = {each.candidate.model for each in result.trials if each.stage == "confirm"}
    assert {"item_item", "ridge", "session_knn"} <= finals
