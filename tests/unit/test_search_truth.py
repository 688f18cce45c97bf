"""Labelled queries: as many of each kind as said, labelled by what products are and not by their titles."""

from collections import Counter
from dataclasses import replace
from functools import cache

import pytest

from producers.simulator.search_truth import (
    COMPLEMENT,
    EXACT,
    QUERIES,
    SUBSTITUTE,
    Intent,
    LabelledQuery,
    labelled_queries,
    ndcg,
)
from producers.simulator.world.categories import NOUNS
from producers.simulator.world.shape import WorldShape
from producers.simulator.world.world import World, build_world

SHAPE = WorldShape(seed=58, sellers=200, products=15_000, shoppers=10)


@cache
def world() -> World:
    return build_world(SHAPE)


@cache
def queries() -> list[LabelledQuery]:
    return labelled_queries(world())


def test_there_are_as_many_queries_of_each_kind_in_both_halves() -> None:
    counts = Counter((each.half, each.kind) for each in queries())

    assert counts == {
        (half, kind): count // 2 for half in ("tune", "count") for kind, count in QUERIES.items()
    }
    assert len({each.query for each in queries()}) == 200


def test_no_noun_is_in_both_halves() -> None:
    of_half = [{each.intent.noun for each in queries() if each.half == half} for half in ("tune", "count")]

    assert not of_half[0] & of_half[1]


def test_the_same_world_gives_the_same_queries() -> None:
    assert labelled_queries(world()) == queries()
    assert labelled_queries(world(), seed=2) != queries()


def test_titles_change_no_label() -> None:
    products = world().products
    unnamed = replace(products, contents=replace(products.contents, names=["?"] * SHAPE.products))

    assert labelled_queries(replace(world(), products=unnamed)) == queries()


def test_wanted_products_have_the_noun_and_the_attributes_of_the_query() -> None:
    products = world().products
    for each in queries():
        wanted = [row for row, gain in each.gains.items() if gain == EXACT]
        assert len(wanted) >= 3
        assert {int(products.noun[row]) for row in wanted} == {each.intent.noun}
        for key, value in each.intent.attributes.items():
            assert {products.contents.attributes[row][key] for row in wanted} == {value}


def test_queries_across_languages_want_products_that_are_titled_in_the_other_one() -> None:
    for each in queries():
        if each.kind == "language":
            wanted = [row for row, gain in each.gains.items() if gain == EXACT]
            languages = [world().sellers.languages[world().products.seller[row]] for row in wanted]
            assert languages.count(each.language) <= 0.4 * len(wanted)


def noun(name: str) -> int:
    return next(place for place, each in enumerate(NOUNS) if name in each.names["en"])


@pytest.mark.parametrize(
    ("name", "colour", "label"),
    [
        ("Desk Lamp", "blue", EXACT),
        ("Desk Lamp", "red", SUBSTITUTE),
        ("Floor Lamp", "blue", SUBSTITUTE),
        ("Floor Lamp", "red", COMPLEMENT),
        ("Lantern", "blue", COMPLEMENT),
    ],
)
def test_labels_of_a_blue_desk_lamp(name: str, colour: str, label: float) -> None:
    wanted = Intent(noun("Desk Lamp"), {"colour": "blue"})

    assert wanted.label(noun(name), {"colour": colour, "brand": "any"}) == label


def test_a_perfect_ranking_has_an_ndcg_of_one_and_one_without_hits_of_zero() -> None:
    gains = {1: 1.0, 2: 0.1, 3: 0.01}

    assert ndcg([1, 2, 3], gains) == 1
    assert ndcg([2, 1, 3], gains) == pytest.approx(
        (0.1 + 1 / 1.58496 + 0.005) / (1 + 0.1 / 1.58496 + 0.005), rel=1e-4
    )
    assert ndcg([7, 8], gains) == 0
    assert ndcg([], gains) == 0
