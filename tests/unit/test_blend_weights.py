"""The weights of the blend are learned from clicks, whatever the position and the visitor add to them."""

from dataclasses import replace

import numpy as np
import pytest

from recommenders.training.blend_weights import (
    MIN_CLICKS,
    MIN_VISITORS,
    ClickPairs,
    ShownItems,
    learn_weights,
)
from schemas.published_model.weights import BLENDED, DISCOUNT, MAX_DISCOUNT, pack_weights, unpack_weights

LENGTH = 10
EQUAL = {surface: dict.fromkeys(BLENDED, 1.0) for surface in ("home", "product", "cart")}
TRUE = (0.2, 0.5, 0.0, 0.3)


def shown(
    weights: tuple[float, ...],
    lists: int = 8_000,
    surface: str = "home",
    discount: float = 0.0,
    slope: float = 2.0,
    seed: int = 7,
) -> ShownItems:
    """Lists ordered by the first source alone, whose clicks follow `weights`, `discount` and the position.

    Some visitors click ten times as often as others. Half of the scores are 0: the source did not propose the
    product.
    """
    rng = np.random.default_rng(seed)
    shape = (lists, LENGTH, len(BLENDED))
    scores = rng.uniform(0.05, 1, shape) * (rng.uniform(size=shape) < 0.5)
    scores[:, :, 0] = rng.uniform(0.05, 1, shape[:2])
    scores = np.take_along_axis(scores, np.argsort(-scores[:, :, :1], axis=1), axis=1).reshape(
        -1, len(BLENDED)
    )
    popularity = rng.lognormal(2, 1, len(scores))
    positions = np.tile(np.arange(1, LENGTH + 1), lists)
    quality = np.log(scores @ np.array(weights) + 1e-3) - discount * np.log1p(popularity)
    willing = np.repeat(rng.normal(-3.0, 1.2, lists), LENGTH)
    logits = slope * (quality - quality.mean()) - 0.8 * np.log(positions) + willing
    clicked = rng.uniform(size=len(scores)) < 1 / (1 + np.exp(-logits))
    return ShownItems(
        np.repeat(np.arange(lists), LENGTH),
        np.repeat(np.arange(lists), LENGTH),
        np.full(len(scores), surface),
        positions,
        scores,
        popularity,
        clicked,
        clicked & (rng.uniform(size=len(scores)) < 0.1),
    )


def test_a_pair_is_a_clicked_product_and_another_one_of_the_same_list() -> None:
    items = shown(TRUE, 2)
    clicked = np.zeros(20, np.bool_)
    clicked[[1, 3, 12]] = True
    items = replace(items, clicked=clicked, bought=clicked & (np.arange(20) == 12))

    pairs = ClickPairs.of(items)

    of_first = [(1, other) for other in range(10) if other not in (1, 3)]
    of_second = [(12, other) for other in range(10, 20) if other != 12]
    expected = [*of_first, *((3, other) for _, other in of_first), *of_second]
    assert list(zip(pairs.clicked.tolist(), pairs.other.tolist(), strict=True)) == expected
    assert pairs.importance.tolist() == [1.0] * 16 + [3.0] * 9
    assert ClickPairs.of(items, most=9).clicked.tolist() == [1, 1, 1, 3, 3, 3, 12, 12, 12]
    assert len(ClickPairs.of(replace(items, clicked=np.ones(20, np.bool_)))) == 0


def test_the_weights_are_those_that_made_people_click() -> None:
    found = learn_weights(shown(TRUE), EQUAL)

    assert [found.weights["home"].get(each, 0.0) for each in BLENDED] == pytest.approx(TRUE, abs=0.06)
    assert found.weights["home"].get(DISCOUNT, 0.0) < 0.1
    assert found.reasons["home"].startswith("learned: log loss")


def test_without_the_position_the_first_source_would_get_credit_for_the_first_places() -> None:
    """What the first source ranks high is clicked for its place."""
    items = shown(TRUE)
    naive = learn_weights(replace(items, positions=np.ones_like(items.positions)), EQUAL)

    assert naive.weights["home"]["item_neighbours"] > 0.35


def test_a_source_that_drives_people_away_gets_no_weight() -> None:
    items = shown((0.0, 0.6, 0.0, 0.4))
    disliked = replace(items, scores=items.scores * [1, 1, 1, 1] + [[0, 0, 0.5, 0]] * ~items.clicked[:, None])

    found = learn_weights(disliked, EQUAL)

    assert "similar_content" not in found.weights["home"]
    assert sum(found.weights["home"].get(source, 0.0) for source in BLENDED) == pytest.approx(1, abs=1e-3)


def test_a_source_that_proposed_nothing_gets_no_weight() -> None:
    items = shown((0.5, 0.5, 0.0, 0.0))
    in_use = {surface: {"item_neighbours": 1.0} for surface in EQUAL}

    found = learn_weights(replace(items, scores=items.scores * [1, 1, 0, 0]), in_use)

    assert found.weights["home"].keys() - {DISCOUNT} == {"item_neighbours", "trained_neighbours"}


def test_a_source_that_seldom_tells_products_apart_gets_no_weight() -> None:
    """Such as a new one, of which only the lists of the last hours have scores."""
    items = shown((0.5, 0.5, 0.0, 0.0))
    is_new = np.arange(len(items.clicked)) >= 0.995 * len(items.clicked)
    in_use = {surface: {"item_neighbours": 1.0} for surface in EQUAL}

    found = learn_weights(
        replace(items, scores=items.scores * np.where(is_new[:, None], 1.0, [1, 1, 0, 0])), in_use
    )

    assert found.weights["home"].keys() - {DISCOUNT} == {"item_neighbours", "trained_neighbours"}


def test_weights_in_use_that_rank_the_wrong_way_round_are_replaced() -> None:
    """Turned round, their ranking would predict clicks best."""
    items = shown((1.0, 0.0, 0.0, 0.0))
    scores = items.scores.copy()
    scores[:, 1] = 1.05 - scores[:, 0]
    in_use = {surface: {"trained_neighbours": 1.0} for surface in EQUAL}

    found = learn_weights(replace(items, scores=scores), in_use)

    assert found.reasons["home"].startswith("learned: log loss")
    assert found.weights["home"]["item_neighbours"] > 0.9


@pytest.mark.parametrize(("exponent", "learned"), [(0.3, 0.3), (0.8, 0.8), (2.0, MAX_DISCOUNT), (-0.5, 0.0)])
def test_the_discount_is_the_one_by_which_people_click_within_its_limits(
    exponent: float, learned: float
) -> None:
    found = learn_weights(shown(TRUE, discount=exponent), EQUAL)

    assert found.weights["home"].get(DISCOUNT, 0.0) == pytest.approx(learned, abs=0.08)


def test_learned_weights_stay_in_use_if_nothing_better_is_learned() -> None:
    items = shown(TRUE, discount=0.4)
    first = learn_weights(items, EQUAL).weights

    again = learn_weights(items, first)

    assert again.weights["home"] == first["home"]
    assert again.reasons["home"].startswith("kept: log loss")


def test_a_discount_that_people_do_not_show_any_more_is_dropped() -> None:
    in_use = {surface: weights | {DISCOUNT: 0.9} for surface, weights in EQUAL.items()}

    found = learn_weights(shown(TRUE, surface="cart"), in_use)

    assert found.weights["cart"].get(DISCOUNT, 0.0) < 0.1


def test_a_surface_with_few_clicks_gets_what_all_surfaces_say() -> None:
    items, few = shown(TRUE), shown((1.0, 0.0, 0.0, 0.0), 50, surface="cart", seed=8)
    both = ShownItems(
        np.concatenate([items.lists, few.lists + 10_000]),
        *(
            np.concatenate([getattr(one, name) for one in (items, few)])
            for name in ("visitors", "surfaces", "positions", "scores", "popularity", "clicked", "bought")
        ),
    )
    assert 0 < few.clicked.sum() < MIN_CLICKS

    found = learn_weights(both, EQUAL)

    assert [found.weights["cart"].get(each, 0.0) for each in BLENDED] == pytest.approx(TRUE, abs=0.07)


def test_too_few_clicks_change_nothing() -> None:
    items = shown(TRUE)
    found = learn_weights(
        replace(items, clicked=items.clicked & (np.cumsum(items.clicked) < MIN_CLICKS)), EQUAL
    )

    assert found.weights == EQUAL
    assert found.reasons["home"].startswith("kept: 299 clicks and 2,")
    assert found.reasons["home"].endswith(" pairs to learn from, of at least 300 each")


@pytest.mark.parametrize("keen", [1, 2_000])
def test_one_visitor_with_many_lists_does_not_decide_for_all(keen: int) -> None:
    """Half of the lists have clicks that follow the weights: of one visitor, or of as many as lists."""
    items = shown((1.0, 0.0, 0.0, 0.0), 4_000, slope=4.0)
    follows = items.lists % 2 == 0
    at_random = np.random.default_rng(3).uniform(size=len(items.clicked)) < 0.02
    mixed = replace(
        items,
        clicked=np.where(follows, items.clicked, at_random),
        visitors=np.where(follows, items.lists % (2 * keen), items.lists),
    )

    found = learn_weights(mixed, EQUAL)

    assert found.reasons["home"].startswith("kept: log loss" if keen == 1 else "learned: log loss")


@pytest.mark.parametrize(("visitors", "is_learned"), [(MIN_VISITORS - 1, False), (MIN_VISITORS, True)])
def test_few_visitors_do_not_decide_for_all(visitors: int, is_learned: bool) -> None:
    items = shown(TRUE)

    found = learn_weights(replace(items, visitors=items.lists % visitors), EQUAL)

    assert found.reasons["home"].startswith("learned: log loss" if is_learned else "kept: log loss")


def test_scores_that_say_nothing_about_clicks_change_nothing_for_the_worse() -> None:
    """Clicks at random: weights that were learned from noise do not rank the newest clicks better."""
    items, learned = shown(TRUE, 600), 0
    for seed in range(10):
        at_random = np.random.default_rng(seed).uniform(size=len(items.clicked)) < 0.1
        learned += learn_weights(replace(items, clicked=at_random), EQUAL).weights != EQUAL

    assert learned <= 2


def test_learned_weights_can_be_stored() -> None:
    found = learn_weights(shown(TRUE, surface="cart", discount=0.4), EQUAL)

    assert unpack_weights(pack_weights(found.weights)) == found.weights
