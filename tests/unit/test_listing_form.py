"""What a seller types about a product, and the names of the category tree."""

import pytest

from schemas.product_categories import ProductAttribute, ProductCategory
from serving.web.admin.categories import names_in, values_in
from serving.web.category_names import CategoryNames
from serving.web.forms import BadField, Form
from serving.web.language import use_language
from serving.web.seller import listing_form

NAMES = CategoryNames(
    {
        "Home": ProductCategory("Home", None, {"en": "Home", "pt_BR": "Casa"}, ("brand",)),
        "Lamps": ProductCategory("Lamps", "Home", {"en": "Lamps", "pt_BR": "Luminárias"}, ("colour",)),
        "old_stock": ProductCategory("old_stock", None, {}),
    },
    {
        "brand": ProductAttribute("brand", {"en": "Brand", "pt_BR": "Marca"}),
        "colour": ProductAttribute(
            "colour",
            {"en": "Colour", "pt_BR": "Cor"},
            True,
            {"light_green": {"en": "Light green", "pt_BR": "Verde-claro"}, "teal": {"en": "Teal"}},
        ),
    },
)


def form(**fields: str | list[str]) -> Form:
    return Form(
        {name.replace("__", "."): [each] if isinstance(each, str) else each for name, each in fields.items()}
    )


def test_names_are_in_the_language_of_the_reader_or_else_in_english_or_the_id() -> None:
    use_language("pt_BR")
    assert (NAMES.category("Lamps"), NAMES.attribute("colour")) == ("Luminárias", "Cor")
    assert (NAMES.value("colour", "light_green"), NAMES.value("colour", "teal")) == ("Verde-claro", "Teal")
    assert (NAMES.category("old_stock"), NAMES.category("garden_tools")) == ("Old stock", "Garden tools")
    assert (NAMES.value("colour", "mauve"), NAMES.value("size", "m"), NAMES.category(None)) == (
        "mauve",
        "m",
        "",
    )


@pytest.mark.parametrize("typed", ["light_green", "Light green", "VERDE-CLARO"])
def test_a_value_is_known_by_its_key_and_by_its_name_in_any_language(typed: str) -> None:
    assert NAMES.value_of("colour", typed) == "light_green"


def test_another_value_stays_as_it_was_typed() -> None:
    assert NAMES.value_of("colour", "Azul-petróleo") == "Azul-petróleo"
    assert NAMES.value_of("brand", "Casa Souza") == "Casa Souza"


def test_a_category_has_the_attributes_of_those_above_it() -> None:
    assert NAMES.attributes_of("Lamps") == ["colour", "brand"]
    assert (NAMES.variant_keys("Lamps"), NAMES.variant_keys("Home")) == (["colour"], [])
    assert (NAMES.attributes_of("unknown"), NAMES.attributes_of(None)) == ([], [])
    assert (NAMES.path("Lamps"), NAMES.path("unknown"), NAMES.path(None)) == (
        ["Home", "Lamps"],
        ["unknown"],
        [],
    )


def test_categories_are_chosen_by_name_each_below_its_parent() -> None:
    use_language("en")
    assert [(key, name.strip()) for key, name in NAMES.options()] == [
        ("Home", "Home"),
        ("Lamps", "Lamps"),
        ("old_stock", "Old stock"),
    ]


def test_rows_of_variants_in_which_nothing_was_entered_are_left_out() -> None:
    typed = form(
        variant__1__colour="verde-claro", variant__2__price="12.50", variant__3__sku="A", variant__9__sku="B"
    )
    assert listing_form.variants(typed, NAMES, "Lamps", "BRL") == [
        {"attributes": {"colour": "light_green"}, "price_minor": None, "sku": None},
        {"attributes": {}, "price_minor": 1_250, "sku": None},
        {"attributes": {}, "price_minor": None, "sku": "A"},
    ]


@pytest.mark.parametrize(
    ("rows", "number"), [("", 4), ("10", 10), ("-1", 4), ("x", 4), ("999", 100), ("99999", 4)]
)
def test_the_table_of_variants_has_a_limited_number_of_rows(rows: str, number: int) -> None:
    assert listing_form.rows(form(rows=rows)) == number


def test_only_values_that_were_changed_in_the_list_are_saved() -> None:
    typed = form(
        price__a="12", was_price__a="12", currency__a="BRL",
        price__b="13", was_price__b="12", currency__b="BRL",
        on_hand__a="", was_on_hand__a="", on_hand__b="7", was_on_hand__b="",
        on_hand__c="0", was_on_hand__c="4", on_hand__d="", was_on_hand__d="4",
    )  # fmt: skip
    assert listing_form.changed_prices(typed) == {"b": 1_300}
    assert listing_form.changed_stock(typed) == {"b": 7, "c": 0}
    with pytest.raises(BadField, match="The price is missing"):
        listing_form.changed_prices(form(price__a="", was_price__a="12", currency__a="BRL"))


def test_pictures_are_in_the_order_of_their_numbers() -> None:
    typed = form(picture=["a", "b", "c"], place__a="2", place__b="x", place__c="1")
    assert listing_form.pictures(typed) == ["c", "a", "b"]


def test_an_amount_in_a_field_has_the_decimals_of_its_currency() -> None:
    assert listing_form.plain_amount(14_990, "BRL") == "149.90"
    assert listing_form.plain_amount(150, "JPY") == "150"
    assert listing_form.plain_amount(None, "BRL") == ""


def test_an_attribute_is_read_with_its_names_and_the_rows_that_have_a_value() -> None:
    typed = form(
        name__en="Shade", value__0="red", value__0__pt_BR="Vermelho", value__1="", value__1__en="Lost"
    )
    assert names_in(typed) == {"en": "Shade"}
    assert values_in(typed) == {"red": {"pt_BR": "Vermelho"}}
