"""No list breaks a rule of the shop, over random catalogues, rankings, histories, settings and draws."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from common.configuration.recommendation_rules import Target
from common.configuration.values import SettingValues
from serving.kit.offers import Offer
from serving.recommendations.rules.checks import CHECKS, DAY_S, keep_passing, offer_to_show, refusal
from serving.recommendations.rules.context import (
    ActiveRules,
    Candidate,
    Draft,
    ExposurePool,
    PinnedPlace,
    RuleContext,
    Targets,
)
from serving.recommendations.rules.shop_rules import Page, ShopRules
from serving.recommendations.rules.step import (
    RankedList,
    apply_rules,
    boost,
    draws_of,
    expose,
    exposure_draws,
    limit,
    pin,
    sponsor,
    wanted_extras,
)

NOW_S = 1_800_000_000.0
PRODUCTS = tuple(f"p{number}" for number in range(16))
SELLERS, CATEGORIES = ("ana", "bob", "eva"), ("Lamps", "coffee", "adult", None)
GROUPS = ("g1", "g2", *[None] * 6)


class Case(NamedTuple):
    """A ranking, all products with their cards, the request, and the length of the list."""

    ranked: list[Candidate]
    catalogue: dict[str, Candidate]
    context: RuleContext
    n: int

    @property
    def draws(self) -> list[tuple[int, str, float]]:
        passes = keep_passing(Draft(self.ranked), self.context).ranked
        return draws_of(self.context, self.n, is_empty=not passes)

    @property
    def extras(self) -> dict[str, Candidate]:
        ids = wanted_extras(self.context, self.draws, self.n)
        return {each: replace(self.catalogue[each], rank=None) for each in ids}

    def shown(self) -> RankedList:
        return apply_rules(self.ranked, self.extras, self.draws, self.context, self.n)


def some_offer(random: Random, product_id: str) -> Offer:
    """An offer that three in four times is for sale, in the shop's currency."""
    fault = random.choice((*[None] * 9, "delisted", "sold out", "foreign"))
    return Offer(
        product_id=product_id,
        seller_id=random.choice(SELLERS),
        name=None,
        category=random.choice(CATEGORIES),
        currency="EUR" if fault == "foreign" else "BRL",
        price_minor=1,
        listed=fault != "delisted",
        available=0 if fault == "sold out" else random.choice((None, 5)),
        group_id=random.choice(GROUPS),
    )


def some_target(random: Random) -> tuple[Target, str]:
    target: Target = random.choice(("product", "product", "seller", "category"))
    ids = {"product": PRODUCTS, "seller": SELLERS, "category": ("lamps", "COFFEE", "adult", "none")}
    return target, random.choice(ids[target])


def some_rules(random: Random) -> ActiveRules:
    blocks = [some_target(random) for _ in range(random.choice((0, 0, 1, 2)))]
    boosts = [some_target(random) for _ in range(random.choice((0, 1, 3)))]
    pins = [some_target(random) for _ in range(random.choice((0, 2, 4)))]
    return ActiveRules(
        blocks=Targets.of((target, id_, 1.0) for target, id_ in blocks),
        boosts=Targets.of((target, id_, random.uniform(0.1, 10)) for target, id_ in boosts),
        pins=tuple(PinnedPlace(random.randrange(9), target, id_) for target, id_ in pins),
        sponsored=tuple(random.sample(PRODUCTS, random.randrange(9))),
        sponsored_places=tuple(sorted(random.sample(range(9), random.randrange(5)))),
        max_sponsored=random.randrange(3),
        max_per_seller=random.choice((1, 2, 4, 50)),
        max_per_category=random.choice((1, 2, 4, 50)),
        restricted=random.choice((frozenset(), frozenset({"adult"}))),
        consumables=random.choice((frozenset(), frozenset({"coffee"}))),
        repurchase_days=random.randint(1, 60),
        exposure_share=random.choice((0.0, 0.1, 0.25, 0.5)),
    )


def some_of(random: Random, most: int) -> frozenset[str]:
    return frozenset(random.sample(PRODUCTS, random.randint(0, most)))


def case_of(seed: int) -> Case:
    random = Random(seed)
    catalogue = {each: Candidate(each, some_offer(random, each)) for each in PRODUCTS}
    catalogue["p0"] = Candidate("p0", None)  # it was never listed
    page = random.choice((*PRODUCTS, *[None] * 9))
    unwanted = some_of(random, 2) | ({page} if page else set())
    excluded = unwanted | some_of(random, 2)
    card = catalogue[page].card if page else None
    waiting = sorted(some_of(random, 6))
    context = RuleContext(
        rules=some_rules(random),
        now_s=NOW_S,
        seed=str(seed),
        currency="BRL",
        page_category=card.category.casefold() if card and card.category else None,
        page_group=card.group_id if card else None,
        suspended=random.choice((frozenset(), frozenset({"eva"}))),
        excluded=excluded,
        unwanted=unwanted,
        bought={each: NOW_S - random.uniform(0, 90) * DAY_S for each in some_of(random, 5)},
        pool=ExposurePool(newest=tuple(waiting[:2]), others=tuple(waiting[2:])),
    )
    proposed = [
        each for each in random.sample(PRODUCTS, random.choice((0, 2, 16, 16))) if each not in excluded
    ]
    ranked = [replace(catalogue[each], rank=place) for place, each in enumerate(proposed, 1)]
    return Case(ranked, catalogue, context, random.choice((1, 4, 8, 12)))


def cases() -> st.SearchStrategy[Case]:
    """Cases of all kinds, equally often: Hypothesis itself prefers those in which little happens."""
    return st.integers(0, 2**64).map(case_of)


def cards(shown: RankedList) -> list[Offer]:
    return [placed.candidate.card for placed in shown.items if placed.candidate.card]


@given(cases())
def test_a_list_has_at_most_n_products_and_each_once(case: Case) -> None:
    shown = [placed.candidate.product_id for placed in case.shown().items]

    assert len(shown) <= case.n
    assert len(set(shown)) == len(shown)


@pytest.mark.parametrize("rule", CHECKS)
@given(case=cases())
def test_no_product_is_shown_that_a_check_keeps_out(rule: str, case: Case) -> None:
    shown = case.shown()

    assert len(cards(shown)) == len(shown.items)
    assert all(CHECKS[rule](card, case.context) for card in cards(shown))  # type: ignore[index]


@given(cases())
def test_nothing_sold_out_delisted_foreign_suspended_blocked_or_restricted_is_shown(case: Case) -> None:
    rules = case.context.rules

    for card in cards(case.shown()):
        category = (card.category or "").casefold()
        assert card.listed
        assert card.available is None or card.available > 0
        assert card.currency == "BRL"
        assert card.seller_id not in case.context.suspended
        assert card.product_id not in rules.blocks.products
        assert card.seller_id not in rules.blocks.sellers
        assert category not in rules.blocks.categories
        assert category not in rules.restricted or category == case.context.page_category


@given(cases())
def test_what_was_bought_comes_back_only_if_it_is_consumed_and_its_time_has_come(case: Case) -> None:
    rules = case.context.rules

    for card in cards(case.shown()):
        if card.product_id in case.context.bought:
            assert (card.category or "") in rules.consumables
            age_s = NOW_S - case.context.bought[card.product_id]
            assert age_s >= rules.repurchase_days * 86_400


@given(cases())
def test_no_seller_and_no_category_has_more_than_its_places(case: Case) -> None:
    shown = cards(case.shown())

    sellers = Counter(card.seller_id for card in shown)
    categories = Counter(card.category.casefold() for card in shown if card.category)
    assert max(sellers.values(), default=0) <= case.context.rules.max_per_seller
    assert max(categories.values(), default=0) <= case.context.rules.max_per_category


@given(cases())
def test_a_list_has_one_variant_of_a_product_and_none_of_that_of_the_page(case: Case) -> None:
    groups = [card.group_id for card in cards(case.shown()) if card.group_id]

    assert len(set(groups)) == len(groups)
    assert case.context.page_group not in groups


@given(cases())
def test_sponsored_products_are_marked_at_their_places_and_not_too_many(case: Case) -> None:
    rules, shown = case.context.rules, case.shown()

    paid = [(place, each.candidate.product_id) for place, each in enumerate(shown.items) if each.sponsored]
    assert len(paid) <= rules.max_sponsored
    assert all(place in rules.sponsored_places for place, _ in paid)
    assert all(product_id in rules.sponsored for _, product_id in paid)


@given(cases())
def test_the_product_of_the_page_and_the_cart_are_never_recommended(case: Case) -> None:
    assert not case.context.unwanted & {each.candidate.product_id for each in case.shown().items}


@given(cases())
def test_a_list_is_not_empty_while_something_allowed_exists(case: Case) -> None:
    allowed = [
        each
        for each in (*case.ranked, *case.extras.values())
        if refusal(each.card, case.context) is None and each.product_id not in case.context.unwanted
    ]
    pinned = {each.id for each in case.context.rules.pins if each.place < case.n}
    drawn = {product_id for _, product_id, _ in case.draws} - case.context.excluded
    shelf = [each for each in allowed if each.rank or each.product_id in pinned | drawn]

    assert bool(case.shown().items) >= bool(shelf)


@given(cases())
def test_a_list_is_as_long_as_the_limits_allow(case: Case) -> None:
    """No product that would fit is left out while places are free."""
    shown = case.shown()
    rules = case.context.rules
    ids = {each.candidate.product_id for each in shown.items}
    sellers = Counter(card.seller_id for card in cards(shown))
    categories = Counter(card.category.casefold() for card in cards(shown) if card.category)
    groups = {card.group_id for card in cards(shown)}

    left_out = [
        each.card
        for each in case.ranked
        if each.card
        and each.product_id not in ids
        and refusal(each.card, case.context) is None
        and sellers[each.card.seller_id] < rules.max_per_seller
        and (not each.card.category or categories[each.card.category.casefold()] < rules.max_per_category)
        and (not each.card.group_id or each.card.group_id not in groups)
    ]
    assert len(shown.items) == case.n or not left_out


@given(cases())
def test_products_that_no_rule_names_keep_their_order(case: Case) -> None:
    boosts = case.context.rules.boosts
    ranks = [
        each.candidate.rank
        for each in case.shown().items
        if each.rule is None and each.candidate.card and not boosts.match(each.candidate.card)
        and each.candidate.product_id not in case.context.rules.sponsored
    ]  # fmt: skip

    assert ranks == sorted(ranks, key=lambda rank: rank or 0)


@given(cases())
def test_without_settings_the_best_allowed_products_are_shown_in_their_order(case: Case) -> None:
    plain = case._replace(context=replace(case.context, rules=ActiveRules()))

    allowed = [each for each in case.ranked if refusal(each.card, plain.context) is None]
    first_of_groups = [
        each
        for place, each in enumerate(allowed)
        if not _group(each) or _group(each) not in map(_group, allowed[:place])
    ]
    assert [each.candidate for each in plain.shown().items] == first_of_groups[: case.n]


def _group(candidate: Candidate) -> str | None:
    return candidate.card.group_id if candidate.card else None


RULES: dict[str, Callable[[Draft, Case], Draft]] = {
    "checks": lambda draft, case: keep_passing(draft, case.context),
    "boost": lambda draft, case: boost(draft, case.context),
    "pin": lambda draft, case: pin(draft, case.context, case.extras, case.n),
    "sponsored": lambda draft, case: sponsor(draft, case.context, case.extras, case.n, 2),
    "exposure": lambda draft, case: expose(draft, case.context, case.extras, case.draws),
    "limits": lambda draft, case: limit(draft, case.context),
}


@pytest.mark.parametrize("name", RULES)
@given(case=cases())
def test_a_rule_that_is_applied_again_changes_nothing(name: str, case: Case) -> None:
    rule = RULES[name]
    draft = keep_passing(Draft(case.ranked), case.context)

    once = rule(draft, case)
    twice = rule(once, case)

    assert (list(twice.ranked), dict(twice.placed)) == (list(once.ranked), dict(once.placed))


@given(cases())
def test_each_effect_is_true(case: Case) -> None:
    shown = case.shown()
    ids = [each.candidate.product_id for each in shown.items]
    ranked = {each.product_id for each in case.ranked}

    for effect in shown.effects:
        if effect.change == "removed":
            assert effect.id in ranked - set(ids)
        if effect.change == "inserted":
            assert effect.id not in ranked
        if effect.change == "moved":
            assert effect.id in ranked


@given(cases())
def test_the_same_request_gets_the_same_list(case: Case) -> None:
    assert case.shown() == case.shown()


def shop(*rows: tuple[str, str, str | None]) -> list[Candidate]:
    """Products for sale, best first, of (product, seller, category)."""
    return [
        Candidate(each, Offer(each, seller, None, category, "BRL", 100, True, 5), rank=rank)
        for rank, (each, seller, category) in enumerate(rows, 1)
    ]


LAMPS = shop(*((f"lamp{number}", "ana", "lamps") for number in range(1, 7)))


def ids(shown: RankedList) -> list[str]:
    return [each.candidate.product_id for each in shown.items]


def of_rules(n: int = 6, **changes: object) -> list[str]:
    context = RuleContext(rules=ActiveRules(**changes))  # type: ignore[arg-type]
    extra = {each.product_id: replace(each, rank=None) for each in shop(("rug", "bob", "rugs"))}
    return ids(apply_rules(LAMPS, extra, [], context, n))


def test_a_boost_of_three_brings_the_sixth_product_beside_the_second() -> None:
    boosts = Targets.of([("product", "lamp6", 3.0)])
    assert of_rules(boosts=boosts) == ["lamp1", "lamp2", "lamp6", "lamp3", "lamp4", "lamp5"]


def test_a_factor_below_one_moves_down() -> None:
    boosts = Targets.of([("product", "lamp1", 0.25)])
    assert of_rules(boosts=boosts) == ["lamp2", "lamp3", "lamp1", "lamp4", "lamp5", "lamp6"]


def test_a_pin_has_its_place_and_a_sponsored_product_the_next_one() -> None:
    pins = (PinnedPlace(0, "product", "lamp5"),)
    assert of_rules(pins=pins, sponsored=("rug",), sponsored_places=(0, 2), max_sponsored=1) == [
        "lamp5", "lamp1", "rug", "lamp2", "lamp3", "lamp4",
    ]  # fmt: skip


def test_two_pins_of_one_place_show_the_first() -> None:
    pins = (PinnedPlace(1, "product", "lamp5"), PinnedPlace(1, "product", "lamp6"))
    assert of_rules(3, pins=pins) == ["lamp1", "lamp5", "lamp2"]


def test_a_pin_of_a_category_takes_its_best_product() -> None:
    ranked = shop(("a", "x", "toys"), ("b", "x", "toys"), ("c", "y", "Books"), ("d", "y", "books"))
    context = RuleContext(rules=ActiveRules(pins=(PinnedPlace(0, "category", "BOOKS"),)))

    assert ids(apply_rules(ranked, {}, [], context, 4)) == ["c", "a", "b", "d"]


def test_a_sponsored_product_that_ranks_before_its_place_stays_there_unmarked() -> None:
    context = RuleContext(rules=ActiveRules(sponsored=("lamp1",), sponsored_places=(3,), max_sponsored=1))
    shown = apply_rules(LAMPS, {}, [], context, 6)

    assert ids(shown)[0] == "lamp1"
    assert not any(each.sponsored for each in shown.items)


def test_limits_make_room_for_others() -> None:
    ranked = [*LAMPS[:3], *shop(("rug", "bob", "rugs"))]
    context = RuleContext(rules=ActiveRules(max_per_seller=2))

    shown = apply_rules(ranked, {}, [], context, 6)

    assert ids(shown) == ["lamp1", "lamp2", "rug"]
    assert shown.effects == (("max_per_seller", "removed", "lamp3"),)


def test_restricted_products_are_shown_on_a_page_of_their_category_only() -> None:
    ranked = shop(("wine", "ana", "Alcohol"), ("cup", "ana", "cups"))
    rules = ActiveRules(restricted=frozenset({"alcohol"}))

    anywhere = apply_rules(ranked, {}, [], RuleContext(rules=rules), 5)
    beside_wine = apply_rules(ranked, {}, [], RuleContext(rules=rules, page_category="alcohol"), 5)

    assert (ids(anywhere), ids(beside_wine)) == (["cup"], ["wine", "cup"])


def test_a_product_is_shown_with_the_offer_of_another_seller_if_the_first_is_blocked() -> None:
    cheap = Offer("lamp", "ana", None, None, "BRL", 100, True, 5)
    dear = replace(cheap, seller_id="bob", price_minor=200)
    context = RuleContext(rules=ActiveRules(blocks=Targets.of([("seller", "ana", 1.0)])))

    assert offer_to_show([cheap, dear], context) == dear
    assert offer_to_show([cheap], context) == cheap


@settings(max_examples=20)
@given(share=st.sampled_from((0.05, 0.1, 0.3)), n=st.integers(1, 12))
@example(share=0.1, n=6)
def test_each_place_is_drawn_with_the_share_and_each_product_as_often(share: float, n: int) -> None:
    pool = ("a", "b", "c")
    lists = 4_000
    drawn = [list(exposure_draws(pool, share, n, f"list-{number}")) for number in range(lists)]

    places = Counter(place for each in drawn for place, _, _ in each)
    found = Counter(product for each in drawn for _, product, _ in each)
    assert {len(each) for each in drawn} <= {int(n * share), min(int(n * share) + 1, len(pool))}
    for place in range(n if n * share <= len(pool) else 0):
        assert places[place] / lists == pytest.approx(share, abs=0.035)
    for product in pool:
        assert found[product] / sum(found.values()) == pytest.approx(1 / 3, abs=0.13)
    assert all(propensity == share / 3 for each in drawn for _, _, propensity in each)


def test_every_second_list_draws_among_the_newest_and_the_propensities_say_so() -> None:
    pool = ExposurePool(newest=("n1", "n2"), others=("o1", "o2", "o3", "o4"))
    lists = 20_000
    contexts = [RuleContext(ActiveRules(exposure_share=0.25), seed=f"{n}", pool=pool) for n in range(lists)]

    drawn = [draw for each in contexts for draw in draws_of(each, 4, is_empty=False)]

    shown, propensity = (
        Counter((place, product) for place, product, _ in drawn),
        {(place, product): propensity for place, product, propensity in drawn},
    )
    assert {product for _, product in shown} == {*pool.all}
    for product in pool.all:
        expected = 0.25 * 0.5 / (2 if product in pool.newest else 4)
        for place in range(4):
            assert propensity[place, product] == pytest.approx(expected)
            assert shown[place, product] / lists == pytest.approx(expected, abs=0.008)


def test_only_the_newest_or_none_of_them_are_drawn_without_a_choice() -> None:
    rules = ActiveRules(exposure_share=0.5)
    for pool in (ExposurePool(newest=("a", "b")), ExposurePool(others=("a", "b"))):
        drawn = draws_of(RuleContext(rules, seed="1", pool=pool), 2, is_empty=False)
        assert [propensity for _, _, propensity in drawn] == [0.25]

    everything = ExposurePool(newest=("a",), others=("b",))
    drawn = draws_of(RuleContext(rules, seed="1", pool=everything), 2, is_empty=True)
    assert {product for _, product, _ in drawn} == {"a", "b"}


def test_a_product_that_may_not_be_shown_leaves_its_drawn_place_to_the_ranking() -> None:
    context = RuleContext(excluded=frozenset({"rug"}))
    rug = {each.product_id: replace(each, rank=None) for each in shop(("rug", "bob", "rugs"))}

    shown = apply_rules(LAMPS, rug, [(0, "rug", 0.1)], context, 3)

    assert ids(shown) == ["lamp1", "lamp2", "lamp3"]
    assert shown.effects == (("exposure", "passed_over", "rug"),)


def test_a_variant_that_is_drawn_replaces_the_one_that_was_ranked() -> None:
    ranked = shop(("blue", "ana", "lamps"), ("lamp", "ana", "lamps"))
    [red] = shop(("red", "ana", "lamps"))
    blue, red = (
        replace(each, card=replace(each.card, group_id="g")) for each in (ranked[0], red) if each.card
    )
    extras = {"red": replace(red, rank=None)}

    shown = apply_rules([blue, ranked[1]], extras, [(1, "red", 0.1)], RuleContext(), 3)

    assert ids(shown) == ["lamp", "red"]
    assert shown.effects == (("exposure", "inserted", "red"), ("one_per_group", "removed", "blue"))


def test_each_page_of_a_visitor_draws_a_place_and_a_product_of_its_own() -> None:
    pool = ExposurePool(others=tuple(f"new{number}" for number in range(40)))
    rules = ShopRules(SettingValues(), pool=lambda: pool, clock_s=lambda: NOW_S)
    pages: list[tuple[Page, str | None]] = [
        ("home", None), ("cart", None), *(("product", f"lamp{number}") for number in range(98)),
    ]  # fmt: skip
    context = RuleContext(ActiveRules(exposure_share=0.1), pool=pool)

    drawn = {
        page: draws_of(replace(context, seed=rules.seed_of("ann", *page)), 6, is_empty=False)
        for page in pages
    }
    again = draws_of(replace(context, seed=rules.seed_of("ann", "home", None)), 6, is_empty=False)

    places = Counter(place for draws in drawn.values() for place, _, _ in draws)
    products = {product for draws in drawn.values() for _, product, _ in draws}
    assert set(places) == set(range(6)), "not the same place everywhere"
    assert max(places.values()) < 30
    assert len(products) > 20
    assert again == drawn["home", None], "for an hour, a page that loads again shows the same"
    assert {propensity for draws in drawn.values() for _, _, propensity in draws} == {0.1 / 40}
