"""What shoppers of the simulator search, and what they wanted: it is in the ground truth and in no event."""

import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from producers.simulator.ground_truth import GroundTruth
from producers.simulator.history.days import SimulatedHistory
from producers.simulator.history.plan import HistoryPlan
from producers.simulator.live.search_truth import LiveSearchTruth
from producers.simulator.live.steps import plan_visits
from producers.simulator.misspelling import beyond_recognition, misspelt
from producers.simulator.randomness import named_rng
from producers.simulator.searches import (
    BY_ATTRIBUTE,
    BY_BRAND,
    BY_CATEGORY,
    KIND_SHARES,
    KINDS,
    DrawnSearches,
    SearchModel,
    described,
)
from producers.simulator.visits import draw_organic_views, draw_visits
from producers.simulator.world.categories import LEAVES, NOUNS
from producers.simulator.world.inflection import without_accents
from producers.simulator.world.shape import FIRST_VERSION, WorldShape
from producers.simulator.world.world import World, build_world
from tests.unit.test_simulator_history import END_MS

SHAPE = WorldShape(seed=5, sellers=30, products=1_000, shoppers=400)
COUNT = 6_000


@cache
def world() -> World:
    return build_world(SHAPE)


@cache
def searches() -> DrawnSearches:
    rng = named_rng(1, "test")
    shopper, product = rng.integers(SHAPE.shoppers, size=COUNT), rng.integers(SHAPE.products, size=COUNT)
    return SearchModel(world()).draw(rng, shopper, product)


@pytest.fixture(scope="module")
def history() -> tuple[list[dict[str, Any]], GroundTruth]:
    """The searches of a history as events, and its ground truth."""
    found = SimulatedHistory(HistoryPlan(SHAPE, END_MS, weeks=1, events=20_000))
    truth, rows = GroundTruth(found.decisions), []
    for timeline in found.days(truth.add):
        for events in timeline.events:
            if events.name == "search_performed":
                names = tuple(events.columns)
                rows += [
                    dict(zip(names, row, strict=True)) for row in zip(*events.columns.values(), strict=True)
                ]
    return rows, truth


def test_every_kind_of_search_has_its_share() -> None:
    kinds = Counter(wanted.kind for wanted in searches().wanted)

    for kind, share in enumerate(KIND_SHARES):
        assert kinds[kind] / COUNT == pytest.approx(share, abs=0.03), KINDS[kind]


def test_searches_are_in_the_language_of_the_shopper() -> None:
    model, rng = SearchModel(world()), named_rng(2, "test")
    for language, query in (("en", "desk lamp"), ("pt_BR", "luminaria de mesa")):
        shopper = world().shoppers.languages.index(language)
        lamp = world().products.noun.tolist().index(0)
        drawn = model.draw(rng, np.full(300, shopper), np.full(300, lamp))
        assert {wanted.language for wanted in drawn.wanted} == {language}
        assert query in {without_accents(each) for each in drawn.queries}


def test_a_page_has_the_wanted_product_and_others_that_match() -> None:
    products = world().products
    for page, count, wanted in zip(
        searches().pages, searches().result_counts, searches().wanted, strict=True
    ):
        assert wanted.product in page
        assert len(page) == len(set(page)) == min(count, 10)
        attributes = [products.contents.attributes[row] for row in page]
        if wanted.kind in (BY_ATTRIBUTE, BY_BRAND):
            assert len({each[wanted.attribute] for each in attributes}) == 1
        if wanted.kind == BY_CATEGORY:
            assert len(set(products.category[page].tolist())) == 1
        elif wanted.kind != BY_BRAND:
            assert len(set(products.noun[page].tolist())) == 1


def test_some_searches_have_a_typo_and_it_is_in_the_truth() -> None:
    share = sum(wanted.misspelt for wanted in searches().wanted) / COUNT

    assert 0.04 < share < 0.09


def test_a_wanted_product_is_found_by_words_for_it() -> None:
    rows = zip(searches().queries, searches().wanted, strict=True)
    for query, wanted in rows:
        if wanted.kind == BY_ATTRIBUTE and not wanted.misspelt:
            attributes = world().products.contents.attributes[wanted.product]
            names = NOUNS[int(world().products.noun[wanted.product])].names[wanted.language]
            first = [
                described(name, wanted.attribute, attributes[wanted.attribute], wanted.language)
                for name in names
            ]
            words = {word[:3] for each in first for word in without_accents(each.lower()).split()}
            assert words & {word[:3] for word in without_accents(query).split()}


def test_the_truth_of_every_search_of_the_history_is_kept_and_in_no_event(
    history: tuple[list[dict[str, Any]], GroundTruth],
) -> None:
    events, truth = history
    arrays = truth.arrays("searches")
    wanted = dict(zip(arrays["search_id"].tolist(), arrays["product"].tolist(), strict=True))
    ids = world().products.ids

    assert {event["search_id"].encode() for event in events} <= wanted.keys()
    for event in events:
        assert not event["product_ids"] or ids[wanted[event["search_id"].encode()]] in event["product_ids"]
        assert event.keys() == {
            "search_id", "session_id", "shopper_id", "query", "filters", "page_number", "result_count",
            "product_ids",
        }  # fmt: skip


def test_the_truth_says_which_searches_find_nothing(
    history: tuple[list[dict[str, Any]], GroundTruth],
) -> None:
    events, truth = history
    arrays = truth.arrays("searches")
    nothing = dict(zip(arrays["search_id"].tolist(), arrays["finds_nothing"].tolist(), strict=True))

    assert all((not event["result_count"]) == nothing[event["search_id"].encode()] for event in events)
    assert arrays["finds_nothing"].mean() == pytest.approx(0.06 / 1.06, abs=0.02)


def test_the_truth_has_the_attributes_of_the_products(
    history: tuple[list[dict[str, Any]], GroundTruth], tmp_path: Path
) -> None:
    history[1].write(tmp_path)
    arrays = np.load(tmp_path / "world.npz")
    readme = (tmp_path / "README.md").read_text()
    colours = arrays["product_attribute_colour"].tolist()

    assert colours == [each.get("colour", "") for each in world().products.contents.attributes]
    assert len(json.loads((tmp_path / "world.json").read_text())["nouns"]) == len(NOUNS)
    for name in np.load(tmp_path / "searches.npz"):
        assert name in readme


def test_live_searches_have_their_truth_in_a_file(tmp_path: Path) -> None:
    decisions = SimulatedHistory(HistoryPlan(SHAPE, END_MS, weeks=1, events=20_000)).decisions
    rng, truth = named_rng(3, "test"), LiveSearchTruth(world(), tmp_path)
    visits = draw_visits(decisions, rng, np.full(200, END_MS))
    plans = list(plan_visits(decisions, rng, visits, draw_organic_views(decisions, rng, visits)))
    performed = [search for plan in plans for _, view in plan.views for search in view.searches]
    for plan in plans:
        truth.add(plan)
    truth.flush()
    truth.flush()

    lines = (tmp_path / "simulator" / "truth" / "live_searches.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    assert [row["search_id"] for row in rows] == [search.search_id for search in performed]
    assert [row["finds_nothing"] for row in rows] == [not search.result_count for search in performed]
    assert {row["kind"] for row in rows} == set(KINDS)


def test_shoppers_of_a_world_of_the_first_version_type_english_nouns_and_categories() -> None:
    old = build_world(WorldShape(**vars(SHAPE) | {"version": FIRST_VERSION}))
    drawn = SearchModel(old).draw(named_rng(1, "test"), np.arange(100), np.arange(100))

    assert {wanted.kind for wanted in drawn.wanted} == {0, BY_CATEGORY}
    assert set(drawn.queries) <= {leaf.category_id.lower() for leaf in LEAVES} | {
        noun.names["en"][0].lower() for noun in NOUNS
    }


@pytest.mark.parametrize(
    ("edit", "typed"),
    [(0.0, "desk lntern"), (0.3, "desk lnatern"), (0.6, "desk laantern"), (0.9, "desk lsntern")],
)
def test_a_typo_is_in_the_longest_word_after_its_first_letter(edit: float, typed: str) -> None:
    assert misspelt("desk lantern", 0.0, edit) == typed


def test_a_short_word_has_no_typo() -> None:
    assert misspelt("mug 350 ml", 0.5, 0.5) == "mug 350 ml"


@pytest.mark.parametrize(("edit", "typed"), [(0.0, "desk kantern"), (0.9, "desk klantern")])
def test_a_query_that_finds_nothing_has_a_wrong_first_letter(edit: float, typed: str) -> None:
    assert beyond_recognition("desk lantern", edit) == typed
