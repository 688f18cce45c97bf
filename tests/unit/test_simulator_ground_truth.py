"""The ground truth agrees with estimates from the events, within sampling error."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from producers.simulator.decisions import Behaviour
from producers.simulator.ground_truth import Arrays, GroundTruth
from producers.simulator.history.days import SimulatedHistory
from producers.simulator.history.plan import HistoryPlan
from producers.simulator.randomness import named_rng
from producers.simulator.world.shape import WorldShape
from producers.simulator.world.tastes import draw_within, probability_within
from tests.unit.test_simulator_history import END_MS

STANDARD_ERRORS = 4.0
"""Tolerance of an estimate, in standard errors: a correct one fails for one seed in 16,000."""

SHAPE = WorldShape(seed=3, sellers=20, products=200, shoppers=4_000)
PLAN = HistoryPlan(SHAPE, END_MS, weeks=1, events=400_000, stock_days=1_000.0)
"""Many visits, and enough stock for all."""

BEHAVIOUR = Behaviour(holdout_share=0.5, click=-1.2, add=-2.4)
"""Half of the visits are in the holdout, and clicks are frequent, so that few visits show an effect."""


@dataclass(frozen=True)
class Observed:
    """What the events of the history show: session → bought product → units, and all sessions."""

    bought: dict[str, dict[str, int]]
    truth: GroundTruth
    product_ids: list[str]

    def bought_in(self, sessions: NDArray[np.generic]) -> list[set[str]]:
        return [set(self.bought.get(session.decode(), ())) for session in sessions]


@pytest.fixture(scope="module")
def observed() -> Observed:
    """A history, read from its events alone."""
    history = SimulatedHistory(PLAN, BEHAVIOUR)
    truth = GroundTruth(history.decisions)
    carts: dict[str, dict[str, int]] = defaultdict(dict)
    bought: dict[str, dict[str, int]] = {}
    for timeline in history.days(truth.add):
        for events in timeline.events:
            columns = events.columns
            if events.name == "cart_changed":
                rows = zip(columns["session_id"], columns["product_id"], columns["quantity"], strict=True)
                for session, product, quantity in rows:
                    carts[session][product] = quantity
            if events.name == "order_placed":
                for session, order in zip(columns["session_id"], columns["lines"], strict=True):
                    assert session not in bought
                    bought[session] = {line["product_id"]: line["quantity"] for line in order}
    for session, units in bought.items():
        assert units == {product: quantity for product, quantity in carts[session].items() if quantity}
    return Observed(bought, truth, history.world.products.ids)


def assert_recovered(estimate: float, error: float, truth: float) -> None:
    assert abs(estimate - truth) < STANDARD_ERRORS * error, (estimate, error, truth)
    assert abs(truth) > STANDARD_ERRORS * error, "the test could not tell this truth from nothing"


def per_visit(rows: Arrays, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sums by session: sessions are independent, the rows of a session are not."""
    _, which = np.unique(rows["session_id"], return_inverse=True)
    return np.bincount(which, values)


def test_as_many_visits_order_as_the_truth_says(observed: Observed) -> None:
    visits = observed.truth.arrays("visits")
    ordered = np.array([bool(products) for products in observed.bought_in(visits["session_id"])])
    residuals = ordered - visits["orders"]

    assert len(observed.bought) > 2_000
    assert_recovered(ordered.mean(), residuals.std() / np.sqrt(len(ordered)), visits["orders"].mean())


def test_visits_that_the_truth_finds_likely_order_more_often(observed: Observed) -> None:
    visits = observed.truth.arrays("visits")
    ordered = np.array([bool(products) for products in observed.bought_in(visits["session_id"])])
    tenth = np.argsort(visits["orders"])[-len(ordered) // 10 :]

    error = np.sqrt(visits["orders"][tenth].mean() / len(tenth))
    assert_recovered(ordered[tenth].mean(), float(error), visits["orders"][tenth].mean())


def test_what_was_shown_is_bought_as_often_as_the_truth_says(observed: Observed) -> None:
    lists = observed.truth.arrays("recommendations")
    bought = np.array(
        [
            [observed.product_ids[item] in products for item in items]
            for items, products in zip(lists["product"], observed.bought_in(lists["session_id"]), strict=True)
        ]
    )
    of_visit = per_visit(lists, bought.sum(axis=1).astype(float))
    expected = per_visit(lists, lists["buys_shown"].sum(axis=1).astype(float))

    error = (of_visit - expected).std() / np.sqrt(len(of_visit))
    assert_recovered(of_visit.mean(), error, expected.mean())


def test_an_experiment_recovers_the_true_effect_of_recommendations(observed: Observed) -> None:
    visits, lists = observed.truth.arrays("visits"), observed.truth.arrays("recommendations")
    units = np.array([len(products) for products in observed.bought_in(visits["session_id"])], float)
    shown = visits["recommendations"]
    effect = (lists["buys_shown"] - lists["buys_not_shown"]).sum() / shown.sum()

    estimate = units[shown].mean() - units[~shown].mean()
    error = np.sqrt(units[shown].var() / shown.sum() + units[~shown].var() / (~shown).sum())
    assert_recovered(float(estimate), float(error), float(effect))


def test_items_are_clicked_as_often_as_the_truth_says(observed: Observed) -> None:
    history = SimulatedHistory(PLAN, BEHAVIOUR)
    days = [history.draw_day(number) for number in range(PLAN.days)]
    clicked = sum(len(day.clicks.product) for day in days)
    clicks = observed.truth.arrays("recommendations")["clicks"]

    assert_recovered(clicked, float(np.sqrt((clicks * (1 - clicks)).sum())), float(clicks.sum()))


def test_products_are_drawn_as_often_as_their_probability_says() -> None:
    world = SimulatedHistory(PLAN).world
    start, end = world.products.starts[5:7]
    count = 200_000
    drawn = draw_within(
        world.tastes, world.shoppers, named_rng(1, "test"), np.full(count, 42), np.full(count, 5)
    )
    expected = probability_within(
        world.tastes, world.shoppers, np.full(end - start, 42), np.arange(start, end)
    )
    observed_shares = np.bincount(drawn - start, minlength=end - start) / count

    assert expected.sum() == pytest.approx(1)
    assert np.abs(observed_shares - expected).max() < STANDARD_ERRORS * np.sqrt(0.25 / count)
