"""The bench of arms: what it counts, and that a small experiment adds up."""

import numpy as np
import pytest

from bench.arms import report
from bench.arms.experiment import METRICS, ArmsPlan, ArmsResult, run
from bench.arms.log import InteractionLog, ShownList, ShownLog
from bench.arms.shop import DAY_S, Shop
from bench.recommenders.co_visits import MAX_OF_VISIT, CoVisits
from common.experiments.assignment import HOLDOUT
from common.experiments.definition import STRATEGIES
from experiments.intervals import fixed_interval
from schemas.published_model.weights import BLENDED, SURFACES
from serving.recommendations.scoring import covisit_unit

AT_S = 1_767_000_000.0


def test_a_pair_adds_the_product_of_both_weights_whatever_the_order_of_touches() -> None:
    """As in `VisitPairs.java`: the heaviest touch of a product counts, once."""
    viewed_first, carted_first = CoVisits(), CoVisits()
    for product, weight in (("lamp", 1), ("rug", 1), ("lamp", 2), ("lamp", 1)):
        viewed_first.touch("visit", product, AT_S, weight)
    for product, weight in (("lamp", 2), ("rug", 1)):
        carted_first.touch("visit", product, AT_S, weight)

    unit = covisit_unit(AT_S)
    for counted in (viewed_first, carted_first):
        assert counted.together["lamp"]["rug"] == counted.together["rug"]["lamp"] == pytest.approx(2 * unit)
        assert counted.interest["lamp"] == pytest.approx(4 * unit)
        assert counted.interest["rug"] == pytest.approx(unit)


def test_only_the_first_products_of_a_visit_are_paired() -> None:
    counted = CoVisits()
    for number in range(MAX_OF_VISIT + 3):
        counted.touch("visit", f"p{number}", AT_S + number)

    assert len(counted.interest) == MAX_OF_VISIT
    assert all(len(others) == MAX_OF_VISIT - 1 for others in counted.together.values())


def test_an_order_empties_the_cart_and_makes_products_popular() -> None:
    shop = Shop({"lamp": "Lamps", "rug": "Rugs"})
    shop.view("visit", "lamp", AT_S)
    shop.add_to_cart("visit", "lamp", AT_S)
    shop.order("visit", "ana", {"lamp": 2}, AT_S + 60)

    assert shop.visitors["visit"].carted == {}
    assert shop.visitors["ana"].bought == {"lamp": AT_S + 60}
    assert [product for product, _ in shop.popular(AT_S + 60)] == ["lamp"]
    assert shop.popular_in("Rugs", AT_S + 60) == []


def test_an_event_is_learned_once_a_day() -> None:
    log = InteractionLog()
    for at_s in (AT_S, AT_S + 5, AT_S + DAY_S):
        log.add("ana", "lamp", "viewed", at_s)
    log.add("ana", "lamp", "carted", AT_S)

    assert len(log) == 3


def test_lists_of_the_last_weeks_are_learned_from_oldest_first() -> None:
    scores = [[0.5] * len(BLENDED)]
    lists = [
        ShownList(
            "v", "home", AT_S - age * DAY_S, [f"p{age}"], [1], scores, [float(age)], [age == 1], [False]
        )
        for age in (40, 20, 1)
    ]

    items = ShownLog(lists).items(AT_S)

    assert items.lists.tolist() == [0, 1]
    assert items.visitors.tolist() == [0, 0]
    assert items.clicked.tolist() == [False, True]
    assert items.popularity.tolist() == [20.0, 1.0]
    assert items.scores.shape == (2, len(BLENDED))


def test_the_mean_over_seeds_is_as_sure_as_all_of_them_together() -> None:
    found = report.mean([fixed_interval(1.0, 0.04), fixed_interval(2.0, 0.12)])

    assert found.estimate == 1.5
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * 0.2, abs=1e-3)


@pytest.fixture(scope="module")
def result() -> ArmsResult:
    plan = ArmsPlan(3, 500, 4, 2, products=150, shoppers=200, sellers=5, model="item_item")
    return run(plan)


def test_every_session_counts_in_the_arm_of_its_visitor(result: ArmsResult) -> None:
    assert set(result.visitors) <= {*STRATEGIES, HOLDOUT}
    assert sum(result.sessions(arm) for arm in result.visitors) == 500
    visitors = [visitor for arm in result.visitors.values() for visitor in arm]
    assert len(visitors) == len(set(visitors))


def test_what_was_drawn_agrees_with_the_true_chances(result: ArmsResult) -> None:
    """Clicks are drawn independently, so their variance is at most their expected number."""
    drawn, expected = (
        sum(one.totals[name] for arm in result.visitors.values() for one in arm.values())
        for name in ("clicks", "expected_clicks")
    )
    assert expected > 50
    assert abs(drawn - expected) < 4 * np.sqrt(expected)
    for arm in result.visitors.values():
        for one in arm.values():
            assert 0 <= one.totals["purchases_from_lists"] <= one.totals["purchases"]
            assert (one.totals["revenue_minor"] > 0) == (one.totals["purchases"] > 0)


def test_every_surface_has_weights_and_every_figure_an_interval(result: ArmsResult) -> None:
    assert result.model == "item_item"
    assert set(result.weights) == set(result.reasons) == set(SURFACES)
    plain = report.as_plain([result, result])
    for arm in plain["pooled"]["arms"].values():
        for name in METRICS:
            estimate, low, high = arm[name]
            assert low <= estimate <= high


def test_strategies_are_compared_on_the_same_requests(result: ArmsResult) -> None:
    for of_surface in result.paired.clicks.values():
        assert set(of_surface) == set(STRATEGIES)
        assert len({len(clicks) for clicks in of_surface.values()}) == 1
    blend, live = (np.array(result.paired.clicks["product"][name]) for name in ("blend", "live"))
    found = result.paired.difference("product", "blend", "live")
    assert found.estimate == pytest.approx((blend - live).mean())
    assert found.low <= found.estimate <= found.high


def test_the_same_seed_gives_the_same_experiment(result: ArmsResult) -> None:
    again = run(result.plan)

    assert {arm: dict(each) for arm, each in again.visitors.items()} == {
        arm: dict(each) for arm, each in result.visitors.items()
    }
