"""A search as its page has it, the categories beside it, and the variants of a product."""

import pytest

from common.problems import Problem
from schemas.product_categories import ProductCategory
from serving.kit.problems import UNUSABLE_PARAMETER
from serving.kit.product_filters import Filters
from serving.products.indexed import ProductVariant
from serving.web.category_names import CategoryNames
from serving.web.storefront.search import category_links
from serving.web.storefront.search_form import SearchForm, major
from serving.web.storefront.variants import variant_links

RED_LAMPS = SearchForm("lâmpada", "Lamps", attributes=("colour:red", "colour:dark blue", "size:m"), rating=3)

NAMES = CategoryNames(
    {
        "Home": ProductCategory("Home", None, {"en": "Home"}),
        "Lamps": ProductCategory("Lamps", "Home", {"en": "Lamps"}),
        "Desk lamps": ProductCategory("Desk lamps", "Lamps", {"en": "Desk lamps"}),
        "Candles": ProductCategory("Candles", "Home", {"en": "Candles"}),
        "Garden": ProductCategory("Garden", None, {"en": "Garden"}),
    }
)


def test_a_link_keeps_what_it_does_not_change() -> None:
    assert RED_LAMPS.link(rating=None, sort="cheapest") == (
        "/shop/products?q=l%C3%A2mpada&category=Lamps&sort=cheapest"
        "&attribute=colour%3Ared&attribute=colour%3Adark+blue&attribute=size%3Am"
    )
    assert "colour%3Ared" not in RED_LAMPS.without_attribute("colour:red")
    assert RED_LAMPS.page_link(cursor="c").endswith("&cursor=c")


def test_a_category_without_words_has_an_address_of_its_own() -> None:
    assert SearchForm(category="Café & Chá").link() == "/shop/categories/Caf%C3%A9%20%26%20Ch%C3%A1"
    assert SearchForm(category="Lamps", in_stock=True).link() == "/shop/categories/Lamps?in_stock=true"
    assert SearchForm().link() == "/shop/products"


def test_prices_become_minor_units_and_values_of_one_attribute_alternatives() -> None:
    form = SearchForm(price_from="9.90", price_to="100", seller="ana", attributes=("a:1", "b:x:y", "a:2"))
    assert form.filters("BRL") == Filters(
        "", "ana", 990, 10_000, None, False, (("a", ("1", "2")), ("b", ("x:y",)))
    )


def test_a_list_in_the_order_of_a_visitor_has_all_filters_and_the_category() -> None:
    form = SearchForm(category="Lamps", in_stock=True, attributes=("colour:red", "colour:blue"))
    assert form.personal_link(cursor="c") == (
        "/shop/found?in_stock=true&attribute=colour%3Ared&attribute=colour%3Ablue&category=Lamps&cursor=c"
    )
    assert SearchForm("lamp", "Lamps").personal_link() == "/shop/found?q=lamp&category=Lamps"


@pytest.mark.parametrize(
    "form",
    [
        SearchForm(price_from="many"),
        SearchForm(price_from="-1"),
        SearchForm(price_to="1.999"),
        SearchForm(price_to="1e30"),
        SearchForm(price_to="nan"),
        SearchForm(attributes=("colour",)),
        SearchForm(attributes=(":red",)),
        SearchForm(attributes=("colour:",)),
    ],
)
def test_what_is_no_filter_is_refused(form: SearchForm) -> None:
    with pytest.raises(Problem, check=UNUSABLE_PARAMETER.matches):
        form.filters("BRL")


def test_a_bound_of_a_price_is_written_as_people_type_it() -> None:
    assert [major(minor, "BRL") for minor in (None, 5_000, 4_999, 0)] == ["", "50", "49.99", "0"]


def test_the_event_of_a_search_says_its_filters() -> None:
    assert RED_LAMPS.event_filters == {
        "colour": "red,dark blue", "size": "m", "category": "Lamps", "rating": "3",
    }  # fmt: skip


def test_beside_a_category_are_those_above_it_and_those_right_below_with_products() -> None:
    counts = {"Home": 9, "Lamps": 7, "Desk lamps": 2, "Candles": 1, "imported": 3}
    shown = [
        (each.category_id, each.products, each.depth, each.is_chosen)
        for each in category_links(NAMES, counts, "Lamps")
    ]
    assert shown == [("Home", 9, 0, False), ("Lamps", 7, 1, True), ("Desk lamps", 2, 2, False)]
    departments = [each.category_id for each in category_links(NAMES, counts, "")]
    assert departments == ["Home", "imported"]
    assert [each.category_id for each in category_links(NAMES, {}, "unknown")] == ["unknown"]


def variant(product_id: str, sold_out: bool = False, **attributes: str) -> ProductVariant:
    return {
        "product_id": product_id,
        "attributes": attributes,
        "price_minor": 100,
        "sold_out": sold_out,
    }


VARIANTS = [
    variant("1", colour="red", size="m", brand="A"),
    variant("2", colour="red", size="l", brand="A"),
    variant("3", colour="blue", size="l", brand="A"),
    variant("4", sold_out=True, colour="green", size="m", brand="A"),
]


def test_a_link_of_a_variant_changes_one_attribute_and_keeps_the_others_if_it_can() -> None:
    links = dict(variant_links("1", VARIANTS))
    assert list(links) == ["colour", "size"]
    assert [
        (each.value, each.product_id, each.is_current, each.keeps_others) for each in links["colour"]
    ] == [
        ("red", "1", True, True),
        ("blue", "3", False, False),
        ("green", "4", False, True),
    ]
    assert [(each.value, each.product_id) for each in links["size"]] == [("m", "1"), ("l", "2")]
    assert [each.sold_out for each in links["colour"]] == [False, False, True]


def test_a_product_without_variants_has_no_links() -> None:
    assert variant_links("1", []) == []
    assert variant_links("1", VARIANTS[:1]) == []
    assert variant_links("9", VARIANTS) == []
