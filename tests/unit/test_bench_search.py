"""The documents that searches are compared on, and what the comparison says."""

from functools import cache

import pytest

from bench.search.corpus import Document, documents, wanted_documents
from bench.search.postgres import TUNINGS
from bench.search.run import ENGINE, FULL_TEXT, ILIKE, SearchBenchResult, verdict
from producers.simulator.world.categories import LEAVES
from producers.simulator.world.shape import WorldShape
from producers.simulator.world.world import World, build_world
from schemas.product_categories import default_tree


@cache
def world() -> World:
    return build_world(WorldShape(seed=3, sellers=20, products=600, shoppers=1))


def found() -> list[Document]:
    return documents(world().products, world().sellers)


def test_a_document_is_a_product_with_all_its_variants() -> None:
    groups = [group for group in world().products.contents.group_ids if group is not None]

    assert sorted(row for each in found() for row in each.rows) == list(range(600))
    assert len(found()) == 600 - len(groups) + len(set(groups))
    assert [each.number for each in found()] == list(range(len(found())))


def test_a_document_names_its_category_and_attributes_in_both_languages() -> None:
    products, tree = world().products, default_tree()
    for each in found():
        leaf = LEAVES[int(products.category[each.rows[0]])]
        assert set(tree.categories[leaf.category_id].names.values()) <= set(each.about)
        for row in each.rows:
            for key, value in products.contents.attributes[row].items():
                assert set(tree.attributes[key].value_names(value).values()) <= set(each.about)
            assert products.contents.names[row] in each.names


def test_a_document_is_wanted_as_much_as_the_best_of_its_variants() -> None:
    first, second = (Document(number, rows, (), (), (), 1.0) for number, rows in ((0, [4, 5]), (1, [6])))

    assert wanted_documents([first, second], {4: 0.1, 5: 1.0}) == {0: 1.0}


@pytest.mark.parametrize(
    ("engine", "missed", "missed_aims"), [(0.8, 0, 0), (0.65, 0, 1), (0.59, 1, 1), (0.4, 2, 1)]
)
def test_the_search_must_reach_postgres_and_more_than_ilike(
    engine: float, missed: int, missed_aims: int
) -> None:
    judged = {ENGINE: {"all": engine}, ILIKE: {"all": 0.4}, FULL_TEXT: {"all": 0.6}}

    result = verdict(SearchBenchResult(judged, TUNINGS[0], 100))

    assert len(result.missed) == missed
    assert len(result.missed_aims) == missed_aims
