"""The weights of the blend are learned from clicks, whatever the position adds to them."""

from dataclasses import replace

import numpy as np
import pytest

from jobs.training.blend_weights import MIN_CLICKS, ShownItems, learn_weights
from schemas.published_model.weights import BLENDED, pack_weights, unpack_weights

EQUAL = {surface: dict.fromkeys(BLENDED, 1.0) for surface in ("home", "product", "cart")}


def shown(true_weights: tuple[float, ...], items: int = 30_000, surface: str = "home") -> ShownItems:
    """Lists of ten, ordered by the first source alone, whose clicks follow other weights and the position."""
    rng = np.random.default_rng(7)
    scores = rng.uniform(0, 1, (items // 10, 10, len(BLENDED)))
    order = np.argsort(-scores[:, :, 0], axis=1)
    scores = np.take_along_axis(scores, order[:, :, None], axis=1).reshape(-1, len(BLENDED))
    positions = np.tile(np.arange(1, 11), items // 10)
    logits = -2.5 + 4 * scores @ np.array(true_weights) - 0.9 * np.log(positions)
    clicked = rng.uniform(size=items) < 1 / (1 + np.exp(-logits))
    return ShownItems(
        np.full(items, surface), positions, scores, clicked, clicked & (rng.uniform(size=items) < 0.1)
    )


def test_the_weights_are_those_that_made_people_click() -> None:
    found = learn_weights(shown((0.2, 0.6, 0.2)), EQUAL)

    assert list(found.weights["home"].values()) == pytest.approx([0.2, 0.6, 0.2], abs=0.05)
    assert found.reasons["home"].startswith("learned: log loss")


def test_without_the_position_the_first_source_would_get_credit_for_the_first_places() -> None:
    """What the first source ranks high is clicked for its place."""
    items = shown((0.2, 0.6, 0.2))
    naive = learn_weights(replace(items, positions=np.ones_like(items.positions)), EQUAL)

    assert naive.weights["home"]["item_neighbours"] > 0.3


def test_a_source_that_drives_people_away_gets_no_weight() -> None:
    found = learn_weights(shown((-0.5, 0.6, 0.4)), EQUAL)

    assert found.weights["home"]["item_neighbours"] == 0
    assert sum(found.weights["home"].values()) == pytest.approx(1, abs=1e-3)


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
