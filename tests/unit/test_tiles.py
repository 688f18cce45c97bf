"""Every product has a suitable picture, and always the same one."""

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.web.product_images import SCENES, draw, shapes, tile_name
from serving.web.product_images.colours import GROUNDS, NAMED, colour_of, palette
from serving.web.product_images.words import DRAWING, drawing


@pytest.mark.parametrize(
    ("name", "category", "drawn"),
    [
        ("Slim Desk Lamp, Teal", "Lamps", "lamp"),
        ("Classic Writing Desk, Sand", "Desks", "desk"),
        ("Little Scented Candle, Rose", "Fragrance", "candle"),
        ("Warm Thing, Blue", "Soft Toys", "bear"),
        ("", "bed_bath_table", "blanket"),
        ("", "furniture_decor", "frame"),
        ("", "", "parcel"),
        ("Gadget", "unheard_of", "parcel"),
    ],
)
def test_a_drawing_suits_the_words_of_name_and_category(name: str, category: str, drawn: str) -> None:
    assert drawing(name, category) == drawn


def test_every_word_has_a_drawing_that_exists() -> None:
    assert set(DRAWING.values()) <= set(shapes())


@pytest.mark.parametrize(
    ("name", "colour"),
    [
        ("Luminária de Mesa Azul-Marinho", "navy"),
        ("LUMINÁRIA PETRÓLEO", "teal"),
        ("Mala de Mão Vermelha de Couro", "red"),
        ("Brincos Dourados", "gold"),
        ("Camisas Azuis", "blue"),
        ("Cinza", "grey"),
        ("Table Lamp, Blacks", "black"),
        ("Mesa", None),
    ],
)
def test_a_colour_is_understood_in_both_languages(name: str, colour: str | None) -> None:
    assert colour_of(name) == colour


def test_the_colour_is_that_of_the_name() -> None:
    assert tile_name("p1", "Black Box Lamp, Teal", "Lamps").startswith("lamp-teal-")
    assert tile_name("p1", None, "Lamps") == tile_name("p1", None, "Lamps")


@given(product_id=st.text(max_size=50), name=st.none() | st.text(), category=st.none() | st.text())
def test_every_product_has_a_tile_that_can_be_drawn(
    product_id: str, name: str | None, category: str | None
) -> None:
    svg = draw(tile_name(product_id, name, category))
    assert svg
    assert ElementTree.fromstring(svg).get("viewBox") == "0 0 200 200"


@pytest.mark.parametrize("shape", shapes())
def test_every_drawing_is_svg_without_anything_that_runs_or_is_fetched(shape: str) -> None:
    svg = draw(f"{shape}-teal-0-0")
    assert svg
    tags = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(svg).iter()}
    assert tags <= {"svg", "g", "path", "rect", "circle", "ellipse"}
    assert b"$" not in svg
    assert b"href" not in svg


@pytest.mark.parametrize(
    "tile", ["", "lamp", "lamp-teal-0-9", "lamp-mauve-0-0", "nothing-teal-0-0", "../x-teal-0-0"]
)
def test_a_name_that_is_no_tile_draws_nothing(tile: str) -> None:
    assert draw(tile) is None


@pytest.mark.parametrize("colour", NAMED.values())
@pytest.mark.parametrize("ground", range(len(GROUNDS)))
def test_every_object_stands_out_from_its_ground(colour: str, ground: int) -> None:
    colours = palette(colour, ground)
    assert difference(colours.main, colours.ground) > 79


def difference(one: str, other: str) -> float:
    pairs = [(int(one[i : i + 2], 16), int(other[i : i + 2], 16)) for i in (1, 3, 5)]
    return float(sum((a - b) ** 2 for a, b in pairs) ** 0.5)


def test_every_scene_is_drawn() -> None:
    assert len({draw(f"lamp-teal-0-{scene}") for scene in range(len(SCENES))}) == len(SCENES)
