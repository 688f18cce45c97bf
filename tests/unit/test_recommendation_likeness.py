"""Which products are alike by what their listings say."""

from math import exp, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.kit.offers import Offer
from serving.recommendations.likeness import (
    POPULARITY,
    PRICE,
    ProductContent,
    content_of,
    most_alike,
    words,
)


def content(
    name: str = "",
    category: str | None = "Lamps",
    group: str | None = None,
    price: int = 900,
    **attributes: str,
) -> ProductContent:
    return content_of(
        Offer("any", "ana", name, category, "BRL", price, True, 5, group_id=group, attributes=attributes)
    )


def order(own: ProductContent, others: dict[str, ProductContent], **popularity: float) -> list[str]:
    return list(most_alike(own, others, popularity, 9).scores)


def test_words_are_without_capitals_accents_and_single_letters() -> None:
    assert words("Luminária de Mesa, LED 60W (a)") == ["luminaria", "de", "mesa", "led", "60w"]
    assert words("") == []


def test_attributes_are_folded_and_each_trait_is_there_once() -> None:
    found = content("Blue Lamp, blue", colour="Blue", room="Living Room")

    assert found.traits == ("colour=blue", "room=living room", "blue", "lamp")


def test_more_shared_attributes_are_more_alike_whatever_is_popular() -> None:
    own = content(colour="blue", material="wood", room="office")
    others = {
        "two": content(colour="blue", material="wood", room="garden"),
        "all": content(colour="blue", material="wood", room="office"),
        "none": content(colour="red", material="iron", room="kitchen"),
    }

    assert order(own, others, none=1.0, two=0.1) == ["all", "two", "none"]


def test_a_rare_attribute_says_more_than_a_frequent_one() -> None:
    own = content(colour="blue", brand="acme")
    others = {f"blue{number}": content(colour="blue", brand="other") for number in range(8)}
    others["acme"] = content(colour="red", brand="acme")

    assert order(own, others)[0] == "acme"


def test_products_without_attributes_are_alike_by_the_words_of_their_names() -> None:
    own = content("Luminária de mesa preta")
    others = {"floor": content("Luminária de chão"), "desk": content("LUMINARIA DE MESA, branca")}

    assert order(own, others, floor=1.0) == ["desk", "floor"]


def test_where_nothing_is_shared_a_near_price_and_popularity_decide() -> None:
    others = {
        "near": content("Aaa", price=1_000),
        "dear": content("Bbb", price=90_000),
        "popular": content("Ccc", price=2_000),
    }

    assert order(content("Lamp"), others, popular=1.0) == ["popular", "near", "dear"]


def test_variants_of_the_product_and_other_categories_are_left_out() -> None:
    own = content("Lamp", group="g1", colour="blue")
    others = {
        "variant": content("Lamp", group="g1", colour="red"),
        "chair": content("Lamp", category="Chairs", colour="blue"),
        "other": content("Lamp", group="g2", colour="red"),
        "single": content("Lamp", colour="red"),
    }

    assert set(order(own, others)) == {"other", "single"}
    assert set(order(content("Lamp"), {"single": content("Lamp"), "other": content("Lamp")})) == {
        "single",
        "other",
    }


def test_a_title_of_many_words_is_not_more_alike() -> None:
    own = content("Desk Lamp Wood")
    stuffed = content("Desk Lamp Wood " + " ".join(f"word{number}" for number in range(40)))

    assert order(own, {"stuffed": stuffed, "plain": content("Desk Lamp Iron")}, stuffed=0.0)[0] == "plain"


CONTENTS = st.builds(
    content,
    st.text("ab ", max_size=9),
    st.sampled_from(["Lamps", "Chairs"]),
    st.sampled_from([None, "g1", "g2"]),
    st.integers(0, 10**9),
    colour=st.sampled_from(["blue", "red"]),
)


@given(
    CONTENTS,
    st.dictionaries(st.sampled_from("pqrstu"), CONTENTS),
    st.dictionaries(st.sampled_from("pqrstu"), st.floats(0, 1)),
    st.integers(0, 6),
)
def test_scores_are_bounded_above_0_and_best_first(
    own: ProductContent, others: dict[str, ProductContent], popularity: dict[str, float], limit: int
) -> None:
    scores, similar, category = most_alike(own, others, popularity, limit)

    assert category == own.category
    assert len(scores) <= limit
    assert similar.items() <= scores.items()
    assert list(scores.values()) == sorted(scores.values(), reverse=True)
    assert all(0.0 <= score <= 1.0 + PRICE + POPULARITY + 1e-9 for score in scores.values())


def test_the_score_is_that_of_its_formula() -> None:
    own = content(colour="blue", brand="acme")
    others = {"half": content(colour="blue", brand="other", price=1_800), "none": content(colour="red")}

    found = most_alike(own, others, {"half": 0.25}, 9)

    half = pytest.approx(1.0 + PRICE * exp(-log(2)) + POPULARITY * 0.5)
    assert found.scores == {"half": half, "none": pytest.approx(PRICE)}
    assert found.similar == {"half": half}
