"""The weights of the blend are learned from clicks, whatever the position adds to them."""

from dataclasses import replace

import numpy as np
import pytest

from jobs.training.blend_weights import learn_weights
from jobs.training.click_regression import MIN_CLICKS, ShownItems
from schemas.published_model.weights import BLENDED, DISCOUNT, MAX_DISCOUNT, pack_weights, unpack_weights

EQUAL = {surface: dict.fromkeys(BLENDED, 1.0) for surface in ("home", "product", "cart")}


def shown(true_weights: tuple[float, ...], items: int = 30_000, surface: str = "home") -> ShownItems:
    """Lists of ten, ordered by the first source alone, whose clicks follow other weights and the position.

    Popularity has nothing to do with the clicks.
    """
    rng = np.random.default_rng(7)
    scores = rng.uniform(0, 1, (items // 10, 10, len(BLENDED)))
    order = np.argsort(-scores[:, :, 0], axis=1)
    scores = np.take_along_axis(scores, order[:, :, None], axis=1).reshape(-1, len(BLENDED))
    positions = np.tile(np.arange(1, 11), items // 10)
    logits = -2.5 + 4 * scores @ np.array(true_weights) - 0.9 * np.log(positions)
    clicked = rng.uniform(size=items) < 1 / (1 + np.exp(-logits))
    return ShownItems(
        np.full(items, surface),
        positions,
        scores,
        rng.lognormal(3, 1, items),
        clicked,
        clicked & (rng.uniform(size=items) < 0.1),
    )


def shown_by_popularity(exponent: float, items: int = 60_000) -> ShownItems:
    """Lists whose logit of a click follows the logarithm of score / (1 + popularity)^exponent."""
    rng = np.random.default_rng(11)
    scores, popularity = rng.uniform(0.05, 1, (items, len(BLENDED))), rng.lognormal(3, 1, items)
    positions = np.tile(np.arange(1, 11), items // 10)
    quality = np.log(scores.mean(axis=1)) - exponent * np.log1p(popularity)
    logits = 1.2 * (quality - quality.mean()) - 2.5 - 0.7 * np.log(positions)
    clicked = rng.uniform(size=items) < 1 / (1 + np.exp(-logits))
    return ShownItems(
        np.full(items, "home"), positions, scores, popularity, clicked, np.zeros(items, np.bool_)
    )


def test_the_weights_are_those_that_made_people_click() -> None:
    found = learn_weights(shown((0.2, 0.6, 0.2)), EQUAL)

    assert [found.weights["home"][source] for source in BLENDED] == pytest.approx([0.2, 0.6, 0.2], abs=0.05)
    assert found.weights["home"].get(DISCOUNT, 0.0) < 0.1
    assert found.reasons["home"].startswith("learned: log loss")


def test_without_the_position_the_first_source_would_get_credit_for_the_first_places() -> None:
    """What the first source ranks high is clicked for its place."""
    items = shown((0.2, 0.6, 0.2))
    naive = learn_weights(replace(items, positions=np.ones_like(items.positions)), EQUAL)

    assert naive.weights["home"]["item_neighbours"] > 0.3


def test_a_source_that_drives_people_away_gets_no_weight() -> None:
    found = learn_weights(shown((-0.5, 0.6, 0.4)), EQUAL)

    assert found.weights["home"]["item_neighbours"] == 0
    assert sum(found.weights["home"][source] for source in BLENDED) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("exponent", [0.15, 0.3, 0.45])
def test_the_discount_is_the_one_by_which_people_click(exponent: float) -> None:
    found = learn_weights(shown_by_popularity(exponent), EQUAL)

    assert found.weights["home"][DISCOUNT] == pytest.approx(exponent, abs=0.08)
    assert found.weights["cart"] == EQUAL["cart"] | {DISCOUNT: found.weights["home"][DISCOUNT]}
    assert "discount learned: at equal scores" in found.reasons["home"]


@pytest.mark.parametrize(("exponent", "learned"), [(2.0, MAX_DISCOUNT), (-0.5, 0.0)])
def test_the_discount_is_bounded_and_popularity_never_adds_to_a_score(
    exponent: float, learned: float
) -> None:
    assert learn_weights(shown_by_popularity(exponent), EQUAL).weights["home"].get(DISCOUNT, 0.0) == learned


def test_a_learned_discount_stays_in_use_if_nothing_better_is_learned() -> None:
    items = shown_by_popularity(0.3)
    first = learn_weights(items, EQUAL).weights

    again = learn_weights(items, first)

    assert again.weights == first
    assert "discount kept: at equal scores" in again.reasons["home"]


def test_a_preference_for_popular_products_is_said_but_changes_nothing() -> None:
    found = learn_weights(shown_by_popularity(-0.5), EQUAL)

    assert DISCOUNT not in found.weights["home"]
    assert "discount kept: at equal scores" in found.reasons["home"]
    assert found.reasons["home"].endswith("but 0 is the limit")


def test_a_discount_that_people_do_not_show_any_more_is_dropped() -> None:
    in_use = {surface: weights | {DISCOUNT: 0.5} for surface, weights in EQUAL.items()}

    found = learn_weights(shown_by_popularity(-0.2), in_use)

    assert found.weights["cart"] == EQUAL["cart"]
    assert "discount learned: at equal scores" in found.reasons["cart"]


def test_a_discount_is_learned_from_noise_no_more_often_than_the_test_allows() -> None:
    """At the 5 % level, 20 logs in which popularity has no effect give one discount on average."""
    items, learned = shown((0.2, 0.6, 0.2), 6_000), 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        shuffled = replace(items, popularity=rng.permutation(items.popularity))
        learned += "discount learned" in learn_weights(shuffled, EQUAL).reasons["home"]

    assert learned <= 3


def test_too_few_clicks_change_nothing() -> None:
    items = shown((0.2, 0.6, 0.2))
    few = items.take(slice(10 * MIN_CLICKS))
    found = learn_weights(replace(few, clicked=few.clicked & (np.arange(len(few.clicked)) % 20 == 0)), EQUAL)

    assert found.weights == EQUAL
    assert "of at least 300" in found.reasons["home"]


def test_scores_that_say_nothing_about_clicks_change_nothing_for_the_worse() -> None:
    """Clicks at random: weights that were learned from noise do not predict the newest clicks better."""
    items = shown((0.2, 0.6, 0.2), 6_000)
    learned = 0
    for seed in range(10):
        at_random = np.random.default_rng(seed).uniform(size=6_000) < 0.1
        learned += learn_weights(replace(items, clicked=at_random), EQUAL).weights != EQUAL

    assert learned <= 2


def test_learned_weights_can_be_stored() -> None:
    found = learn_weights(shown((0.2, 0.6, 0.2), surface="cart"), EQUAL)

    assert unpack_weights(pack_weights(found.weights)) == found.weights
    assert found.weights["home"] == EQUAL["home"]
