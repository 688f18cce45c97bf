"""Models are judged by how they order what was clicked on random lists."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from recommenders.evaluation.metrics import Metric
from recommenders.interactions import DAY_S, Interactions, from_columns
from recommenders.model_selection.candidates import Candidate
from recommenders.models.item_item import ItemItem
from recommenders.models.popularity import Popularity
from recommenders.training.blend_weights import MIN_VISITORS
from recommenders.training.click_judgement import MIN_LISTS, judge_models, ordered_right
from recommenders.training.train import TrainingOptions, train
from recommenders.training.training_data import RandomList, TrainingData

SERIES = 8
"""Products 0 to 7 are of one series, 8 to 15 of another. In each, the first ones are the most popular."""


@pytest.fixture(scope="module")
def log() -> Interactions:
    """Each shopper keeps to a series."""
    rng = np.random.default_rng(4)
    shoppers = rng.integers(0, 60, 3_000)
    products = np.minimum(rng.geometric(0.35, 3_000) - 1, SERIES - 1) + SERIES * (shoppers % 2)
    return from_columns(shoppers, products, times=np.sort(rng.integers(0, 10 * DAY_S, 3_000)))


def lists(clicks: Callable[[int, int], bool], number: int = 2 * MIN_LISTS) -> list[RandomList]:
    """Lists of six random products for visitors of either series, who click what `clicks(series, product)`
    says, and nothing else."""
    rng = np.random.default_rng(5)
    found = []
    for visitor in range(number):
        series = visitor % 2
        own = rng.choice(SERIES, 3, replace=False) + SERIES * series
        others = rng.choice(SERIES, 3, replace=False) + SERIES * (1 - series)
        products = [str(each) for each in rng.permutation([*own[1:], *others])]
        clicked = frozenset(each for each in products if clicks(series, int(each)))
        found.append(RandomList(f"visitor-{visitor}", [str(own[0])], products, clicked))
    return found


def of_own_series(series: int, product: int) -> bool:
    return product // SERIES == series


def popular(_: int, product: int) -> bool:
    return product % SERIES < 2


def test_the_model_that_ranks_clicked_products_higher_is_better(log: Interactions) -> None:
    knowing, naive = ItemItem().fit(log), Popularity().fit(log)

    found = judge_models(knowing, naive, lists(of_own_series))
    turned = judge_models(naive, knowing, lists(of_own_series))

    assert found is not None
    assert turned is not None
    assert found.challenger > 0.95
    assert 0.4 < found.champion < 0.7
    assert found.is_conclusive
    assert found.difference.is_above_zero
    assert turned.difference.estimate == pytest.approx(-found.difference.estimate)
    assert found.lists <= 2 * MIN_LISTS


def test_a_model_does_not_differ_from_itself(log: Interactions) -> None:
    found = judge_models(ItemItem().fit(log), ItemItem().fit(log), lists(popular))

    assert found is not None
    assert not found.is_conclusive


def test_clicks_that_say_nothing_decide_nothing(log: Interactions) -> None:
    at_random = np.random.default_rng(6)
    drawn = lists(lambda *_: bool(at_random.uniform() < 0.3))

    found = judge_models(ItemItem().fit(log), Popularity().fit(log), drawn)

    assert found is not None
    assert not found.is_conclusive


def test_few_lists_and_lists_of_unknown_products_judge_nothing(log: Interactions) -> None:
    knowing, naive = ItemItem().fit(log), Popularity().fit(log)
    unknown = [replace(each, history=["gone"], products=["a", "b"], clicked=frozenset("a"))
               for each in lists(popular)]  # fmt: skip

    of_few = [replace(each, visitor=f"visitor-{number % (MIN_VISITORS - 1)}")
              for number, each in enumerate(lists(of_own_series))]  # fmt: skip

    assert judge_models(knowing, naive, lists(of_own_series, MIN_LISTS - 1)) is None
    assert judge_models(knowing, naive, of_few) is None
    assert judge_models(knowing, naive, unknown) is None
    assert judge_models(knowing, naive, []) is None


def test_equal_scores_are_ordered_like_a_coin(log: Interactions) -> None:
    """Product 0 is a neighbour of product 1, and the others are unknown."""
    one = RandomList("ann", ["1"], ["0", "x", "y"], frozenset(("x",)))

    assert ordered_right(ItemItem().fit(log), [one]).tolist() == [0.25]


@pytest.mark.parametrize(("clicks", "is_published"), [(of_own_series, True), (popular, False)])
def test_a_model_is_published_only_if_people_do_not_click_the_one_in_use_more(
    log: Interactions, clicks: Callable[[int, int], bool], is_published: bool
) -> None:
    """By what shoppers find themselves, the new model is better either way."""
    options = TrainingOptions(
        {"popularity": Popularity, "item_item": ItemItem}, Metric("ndcg", 5), days=2, budget_s=1, seed=0
    )
    champion = Candidate.of(Popularity, {})

    trained = train(TrainingData(log, None), champion, options, lambda: 1.0, lambda *_: None, lists(clicks))

    assert trained.card.judged[0].candidate.model == "item_item"
    assert (trained.model is not None) is is_published, trained.reason
    assert "which decides; ndcg@5 +" in trained.reason
    assert trained.clicks is not None
