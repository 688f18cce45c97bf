"""What is for sale in a simulated world: names, attributes and variants, in the shop's categories."""

from collections import Counter, defaultdict
from functools import cache

import numpy as np
import pytest

from producers.simulator.randomness import Index
from producers.simulator.world.categories import LANGUAGES, LEAVES, NOUNS, Leaf
from producers.simulator.world.contents import Contents
from producers.simulator.world.inflection import agreeing, other_number, without_accents
from producers.simulator.world.shape import WorldShape
from producers.simulator.world.variants import AXES, COMBINATIONS, steps
from producers.simulator.world.world import World, build_world
from schemas.product_categories import default_tree

SHAPE = WorldShape(seed=5, sellers=60, products=3_000, shoppers=200)
OLIST_CATEGORIES = 73


@cache
def world() -> World:
    return build_world(SHAPE)


def contents() -> Contents:
    return world().products.contents


def groups() -> dict[str, list[int]]:
    found = defaultdict[str, list[int]](list)
    for row, group in enumerate(contents().group_ids):
        if group is not None:
            found[group].append(row)
    return found


# The tree


def test_every_category_and_attribute_has_a_name_in_both_languages() -> None:
    tree = default_tree()
    values = [names for attribute in tree.attributes.values() for names in attribute.values.values()]
    named = [each.names for each in (*tree.categories.values(), *tree.attributes.values())]

    assert {tuple(names) for names in named + values} == {LANGUAGES}
    assert all(name.strip() == name != "" for names in named + values for name in names.values())


def test_every_category_is_in_a_department_with_attributes_of_the_tree() -> None:
    tree = default_tree()
    leaves = [each for each in tree.categories.values() if each.parent_id is not None]

    assert {tree.categories[str(leaf.parent_id)].parent_id for leaf in leaves} == {None}
    assert {len(leaf.attributes) for leaf in leaves} <= {3, 4, 5, 6}
    assert {key for leaf in leaves for key in leaf.attributes} == set(tree.attributes)
    assert all(len(set(leaf.attributes)) == len(leaf.attributes) for leaf in leaves)


def test_names_of_categories_tell_them_apart() -> None:
    for language in LANGUAGES:
        counts = Counter(
            (each.parent_id, each.names[language]) for each in default_tree().categories.values()
        )
        assert max(counts.values()) == 1


def test_the_categories_of_olist_are_in_the_tree() -> None:
    known = {
        "bed_bath_table",
        "health_beauty",
        "fashio_female_clothing",
        "costruction_tools_tools",
        "pc_gamer",
    }
    of_olist = {key for key, each in default_tree().categories.items() if key.islower() and each.parent_id}

    assert known <= of_olist
    assert len(of_olist) == OLIST_CATEGORIES


@pytest.mark.parametrize("leaf", LEAVES, ids=[leaf.category_id for leaf in LEAVES])
def test_a_noun_has_the_attributes_of_its_category_and_values_of_the_tree(leaf: Leaf) -> None:
    tree = default_tree()
    allowed = set(tree.categories[leaf.category_id].attributes)

    assert len(leaf.nouns) == 4
    for noun in leaf.nouns:
        assert noun.attributes.keys() <= allowed - {"brand"}
        for key, values in noun.attributes.items():
            assert set(values) <= set(tree.attributes[key].values), (noun.names["en"][0], key)
            assert len(set(values)) == len(values)


def test_a_name_belongs_to_one_noun() -> None:
    for language in LANGUAGES:
        names = Counter(without_accents(name.lower()) for noun in NOUNS for name in noun.names[language])
        assert {name for name, count in names.items() if count > 1} == set()


def test_every_noun_has_an_axis_in_which_variants_differ() -> None:
    assert all(AXES)
    assert COMBINATIONS.min() >= 2


# The world


def test_the_same_shape_gives_the_same_contents() -> None:
    again = build_world(SHAPE).products

    assert again.contents == contents()
    assert again.price_minor.tolist() == world().products.price_minor.tolist()


def test_titles_are_in_the_language_of_their_seller_and_name_the_product() -> None:
    products, languages = world().products, world().sellers.languages
    named = 0
    for title, noun, seller in zip(
        contents().names, products.noun.tolist(), products.seller.tolist(), strict=True
    ):
        language = languages[seller]
        names = NOUNS[noun].names[language]
        written = [form for name in names for form in (name, other_number(name, language))]
        named += any(without_accents(form) in without_accents(title) for form in written)

    assert named == SHAPE.products
    assert 0.45 < sum(language == "pt_BR" for language in languages) / len(languages) < 0.75


def test_titles_are_told_apart_by_no_fixed_form() -> None:
    lamps = [
        name for name, noun in zip(contents().names, world().products.noun.tolist(), strict=True) if noun == 0
    ]

    assert len(lamps) > 5
    assert len({title.count(" ") for title in lamps}) > 2


def test_a_description_has_one_to_three_sentences() -> None:
    lengths = Counter((text or "").count(". ") + 1 for text in contents().descriptions)

    assert set(lengths) == {1, 2, 3}
    assert all(text and text.endswith(".") for text in contents().descriptions)


def test_attributes_suit_the_noun() -> None:
    for noun, attributes in zip(world().products.noun.tolist(), contents().attributes, strict=True):
        assert attributes.keys() - {"brand"} == NOUNS[noun].attributes.keys()
        assert all(attributes[key] in values for key, values in NOUNS[noun].attributes.items())


def test_a_quarter_of_the_products_have_variants() -> None:
    share = sum(len(rows) for rows in groups().values()) / SHAPE.products

    assert 0.2 < share < 0.3
    assert {len(rows) for rows in groups().values()} == {2, 3, 4, 5}


def test_variants_are_of_one_seller_noun_and_brand_and_cost_about_the_same() -> None:
    products = world().products
    for rows in groups().values():
        assert len(set(products.seller[rows].tolist())) == 1
        assert len(set(products.noun[rows].tolist())) == 1
        assert len(set(products.category[rows].tolist())) == 1
        assert len({contents().attributes[row]["brand"] for row in rows}) == 1
        assert np.ptp(products.relative_price[rows]) < 0.2


def test_variants_differ_in_attributes_of_variants_only() -> None:
    tree = default_tree()
    for rows in groups().values():
        of_group = [contents().attributes[row] for row in rows]
        differing = {key for key in of_group[0] if len({each[key] for each in of_group}) > 1}
        assert differing
        assert all(tree.attributes[key].is_variant for key in differing)
        assert len({tuple(each[key] for key in sorted(differing)) for each in of_group}) == len(rows)


def test_every_seller_has_as_many_products_as_without_variants() -> None:
    before = build_world(WorldShape(**vars(SHAPE) | {"version": 1})).products

    def counts(sellers: Index) -> list[int]:
        return np.bincount(sellers, minlength=SHAPE.sellers).tolist()

    assert counts(world().products.seller) == counts(before.seller)
    assert counts(before.seller)[-1] >= 1
    assert world().products.category.tolist() == before.category.tolist()
    assert world().products.popularity.mean() == pytest.approx(1)


def test_most_offers_are_new_and_some_are_second_hand() -> None:
    conditions = Counter(contents().conditions)

    assert set(conditions) == {"new", "used", "refurbished"}
    assert conditions["new"] > 0.85 * SHAPE.products


@pytest.mark.parametrize("count", range(2, 6))
@pytest.mark.parametrize("lengths", [(5,), (2, 3), (8, 4), (3, 2), (5, 5)])
@pytest.mark.parametrize("draw", [0.0, 0.6, 0.9])
def test_steps_of_variants_never_meet(count: int, lengths: tuple[int, ...], draw: float) -> None:
    found = steps(count, lengths, draw)

    assert len(set(found)) == len(found) == count
    assert all(step < length for each in found for step, length in zip(each, lengths, strict=True))


@pytest.mark.parametrize(
    ("name", "language", "other"),
    [
        ("Desk Lamp", "en", "Desk Lamps"),
        ("Chef's Knife", "en", "Chef's Knives"),
        ("Summer Dress", "en", "Summer Dresses"),
        ("Sneakers", "en", "Sneaker"),
        ("Biography", "en", "Biographies"),
        ("Luminária de Mesa", "pt_BR", "Luminárias de Mesa"),
        ("Tênis de Corrida", "pt_BR", "Tênis de Corrida"),
        ("Lençol com Elástico", "pt_BR", "Lençóis com Elástico"),
        ("Mesa Dobrável", "pt_BR", "Mesas Dobráveis"),
        ("Pincéis de Maquiagem", "pt_BR", "Pincel de Maquiagem"),
        ("Fogão de Camping", "pt_BR", "Fogões de Camping"),
        ("Quadro Decorativo", "pt_BR", "Quadros Decorativos"),
        ("Pratos Rasos", "pt_BR", "Prato Raso"),
    ],
)
def test_the_other_number_of_a_name(name: str, language: str, other: str) -> None:
    assert other_number(name, language) == other


@pytest.mark.parametrize(
    ("colour", "name", "agreed"),
    [
        ("Preto", "Luminária de Mesa", "Preta"),
        ("Preto", "Tênis de Corrida", "Preto"),
        ("Vermelho", "Luvas de Goleiro", "Vermelhas"),
        ("Branco", "Brincos", "Brancos"),
        ("Azul", "Caneca", "Azul"),
        ("Branco", "Rede de Descanso", "Branca"),
        ("Branco", "Porta-Sabonete", "Branco"),
    ],
)
def test_a_portuguese_colour_agrees_with_the_product(colour: str, name: str, agreed: str) -> None:
    assert agreeing(colour, name) == agreed
