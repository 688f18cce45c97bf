"""What sellers write of their products: titles and descriptions in English and Portuguese. Pure.

A title has the name of the product and some of its attributes. Sellers differ in what they name, and in which
order.
"""

from collections.abc import Mapping, Sequence
from functools import cache

from producers.simulator.world.inflection import agreeing, other_number, without_accents
from schemas.product_categories import default_tree

DRAWS = 10
"""Random numbers in [0, 1) that a title and a description need."""

OTHER_NUMBER_SHARE = 0.06
"""Share of the titles with the plural of a name that is usually in the singular, or the other way round."""

WITHOUT_ACCENTS_SHARE = 0.08
"""Share of the Portuguese titles without accents."""

_SIZES = ("size", "shoe_size", "bed_size", "item_size", "capacity", "weight", "pieces", "cable_length",
          "power", "screen_size", "paper_size", "voltage")  # fmt: skip

_FORMS = {
    ("size", "en"): "Size {}", ("size", "pt_BR"): "Tamanho {}",
    ("shoe_size", "en"): "Size {}", ("shoe_size", "pt_BR"): "Nº {}",
    ("room", "en"): "for the {}", ("room", "pt_BR"): "para {}",
    ("audience", "en"): "for {}", ("compatibility", "en"): "for {}", ("compatibility", "pt_BR"): "para {}",
    ("language", "en"): "in {}", ("language", "pt_BR"): "em {}",
}  # fmt: skip
"""(attribute, language) → how a title names its value, if not by its name alone."""

_CLOSING = {
    "en": ("Easy to clean.", "Packed in a sturdy box.", "A present that is used every day.",
           "Checked by hand before it leaves our workshop.", "Questions are answered within a day."),
    "pt_BR": ("Fácil de limpar.", "Enviado em caixa resistente.", "Um presente para usar todos os dias.",
              "Conferido à mão antes do envio.", "Respondemos perguntas em um dia."),
}  # fmt: skip


@cache
def value_name(attribute: str, value: str, language: str) -> str:
    """Return the name of an attribute's value; the value itself if the tree has none."""
    return default_tree().attributes[attribute].value_names(value)[language]


def title(
    names: Sequence[str],
    language: str,
    attributes: Mapping[str, str],
    shown: Sequence[str],
    draw: list[float],
) -> str:
    """Return a seller's title of a product with these names and attributes (key → value, brand included).

    The title has every attribute of `shown`, and others by chance. `draw` are DRAWS random numbers.
    """
    name = _pick(names, draw[0] ** 2)
    if draw[1] < OTHER_NUMBER_SHARE:
        name = other_number(name, language)
    parts = {
        key: _form(key, value, language, name)
        for key, value in attributes.items()
        if key in shown or _is_named(key, attributes, draw)
    }
    text = (_english if language == "en" else _portuguese)(name, parts, draw[2])
    return without_accents(text) if language == "pt_BR" and draw[3] < WITHOUT_ACCENTS_SHARE else text


def description(names: Sequence[str], language: str, attributes: Mapping[str, str], draw: list[float]) -> str:
    """Return one to three sentences about the product. `draw` are the random numbers of its title."""
    name = _pick(names, 1 - draw[0])
    brand, material = attributes["brand"], attributes.get("material")
    english = language == "en"
    made = (
        f"{' made of ' if english else ' em '}{value_name('material', material, language)}"
        if material
        else ""
    )
    sentences = [f"{name} {'by ' if english else ''}{brand}{made.lower()}."]
    if draw[8] < 0.75:
        tree = default_tree()
        told = [
            f"{tree.attributes[key].names[language]}: {value_name(key, value, language)}"
            for key, value in attributes.items()
            if key not in ("brand", "material")
        ]
        sentences.append(", ".join(told[:4]) + ".")
    if draw[9] < 0.6:
        sentences.append(_pick(_CLOSING[language], draw[9] / 0.6))
    return " ".join(sentences)


def _is_named(key: str, attributes: Mapping[str, str], draw: list[float]) -> bool:
    if key == "brand":
        return draw[4] < 0.6
    if key == "colour":
        return draw[5] < 0.7
    if key == "material":
        return draw[6] < 0.45
    if key in _SIZES:
        return draw[7] < 0.5
    others = [each for each in attributes if each not in ("brand", "colour", "material", *_SIZES)]
    return draw[8] < 0.5 and key == _pick(others, draw[8] / 0.5)


def _form(key: str, value: str, language: str, name: str) -> str:
    text = value_name(key, value, language)
    if language == "pt_BR" and key in ("colour", "item_size", "style", "pattern"):
        return agreeing(text, name)
    if (key, value) == ("audience", "unisex"):
        return text
    return _FORMS.get((key, language), "{}").format(text)


def _english(name: str, parts: dict[str, str], draw: float) -> str:
    brand, colour, material = (parts.pop(key, "") for key in ("brand", "colour", "material"))
    rest = list(parts.values())
    if draw < 0.45:
        return _joined(", ", f"{brand} {name}", _joined(" ", colour, material), *rest)
    if draw < 0.8 or not material:
        return _joined(" - ", _joined(", ", f"{colour} {material} {name}", *rest), brand)
    return _joined(", ", f"{name} in {material}", colour, *rest, brand)


def _portuguese(name: str, parts: dict[str, str], draw: float) -> str:
    brand, colour, material = (parts.pop(key, "") for key in ("brand", "colour", "material"))
    rest = list(parts.values())
    if draw < 0.45:
        return _joined(" ", name, brand, colour, f"de {material}" if material else "", *rest)
    if draw < 0.75 or not material:
        return _joined(" - ", _joined(", ", f"{name} {colour}", material, *rest), brand)
    return _joined(" - ", f"{name} em {material} {colour}", *rest, brand)


def _joined(separator: str, *parts: str) -> str:
    return separator.join(" ".join(part.split()) for part in parts if part.strip())


def _pick(values: Sequence[str], draw: float) -> str:
    return values[min(int(draw * len(values)), len(values) - 1)]
