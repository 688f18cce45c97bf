"""After how many days a consumable is usually bought again."""

import asyncio

import orjson
from redis.asyncio import Redis

from common.configuration.recommendation_rules import CONSUMABLE_CATEGORIES
from common.configuration.values import SettingValue, SettingValues
from schemas.published_model.weights import DEFAULT_WEIGHTS
from serving.kit.product_cards import ProductCardLoader
from serving.recommendations.bought_before import BoughtBefore
from serving.recommendations.recommender import RecommendationRequest
from serving.recommendations.repurchase import Median, RepurchaseIntervals
from serving.recommendations.request_builder import build_request
from serving.recommendations.rules.checks import DAY_S, refusal
from serving.recommendations.rules.shop_rules import ShopRules
from serving.recommendations.trained_models import ModelInUse
from serving.recommendations.visitor_history import VisitorHistory

NOW_S = 1_800_000_000.0
INTERVALS = RepurchaseIntervals(
    {"beans": Median(10.0, 45), "rare": Median(90.0, 1)}, {"coffee": Median(20.0, 95)}
)
MODEL = ModelInUse(None, "no_model", DEFAULT_WEIGHTS)


def test_with_many_purchases_the_median_decides_and_with_none_the_setting() -> None:
    assert RepurchaseIntervals().days("beans", "coffee", 30.0) == 30.0
    assert INTERVALS.days("beans", "tea", 30.0) == (45 * 10 + 5 * 30) / 50
    of_coffee = (95 * 20 + 5 * 30) / 100
    assert INTERVALS.days("unknown", "coffee", 30.0) == of_coffee
    assert INTERVALS.days("beans", "coffee", 30.0) == (45 * 10 + 5 * of_coffee) / 50
    assert INTERVALS.days("rare", "coffee", 30.0) == (90 + 5 * of_coffee) / 6


def test_no_category_makes_a_product_due_earlier_than_the_least_days() -> None:
    for product in ("beans", "rare", "unknown"):
        for category in (None, "coffee", "tea"):
            assert INTERVALS.least_days(product, 30.0) <= INTERVALS.days(product, category, 30.0)


def shown_again(ages_days: dict[str, float], intervals: RepurchaseIntervals) -> list[str]:
    """The purchases that the rules let pass, in the order in which they are due."""
    values = SettingValues()
    values.update({CONSUMABLE_CATEGORIES.name: SettingValue(1, ["Coffee"])})
    rules = ShopRules(values, clock_s=lambda: NOW_S, intervals=lambda: intervals)
    cards = ProductCardLoader(Redis(), "")
    offer = {
        "seller_id": "ana",
        "name": None,
        "category": "Coffee",
        "price_minor": 9,
        "currency": "BRL",
        "listed": 1,
    }
    cards.store(ages_days, [(orjson.dumps([offer]), None) for _ in ages_days])
    visitor = VisitorHistory({}, {}, {each: NOW_S - days * DAY_S for each, days in ages_days.items()}, None)
    request: RecommendationRequest
    request, allowed = build_request(rules, visitor, cards, "home", None, (), MODEL, rules.of("home"), "")
    proposed = asyncio.run(BoughtBefore(rules.days_until_again).propose(request, 9))
    return [one.product_id for one in proposed if refusal(cards.get(one.product_id), allowed) is None]


def test_a_consumable_comes_back_after_its_own_interval_the_longest_overdue_first() -> None:
    ages_days = {"beans": 13.0, "unknown": 25.0, "rare": 25.0}
    assert shown_again(ages_days, INTERVALS) == ["unknown", "beans"]
    assert shown_again(ages_days, RepurchaseIntervals()) == []
