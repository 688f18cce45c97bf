"""Chooses the colours of a tile: the object's own, and a background with enough contrast. Pure."""

import re
from dataclasses import dataclass
from functools import lru_cache

from schemas.product_categories import default_tree
from serving.products.search.text import analysed, fold

Rgb = tuple[int, int, int]

NAMED: dict[str, str] = {
    "black": "#2f3136", "blue": "#3f6fb5", "clay": "#b9694a", "cream": "#efe3c8", "forest": "#2f5d46",
    "graphite": "#50565e", "mustard": "#d49a2a", "natural": "#cdaa7d", "navy": "#27406b", "olive": "#7c7f3f",
    "rose": "#d98594", "sand": "#d8bf94", "slate": "#66788a", "teal": "#2b8a87", "white": "#f4f2ec",
    "red": "#c2413b", "green": "#4c8f57", "yellow": "#e3b53c", "pink": "#e08aa6", "purple": "#7a5aa6",
    "brown": "#80583c", "grey": "#8a8f94", "gray": "#8a8f94", "silver": "#b6bdc3", "gold": "#cfa143",
    "orange": "#d9773a", "beige": "#dac7a6", "burgundy": "#7b2f3e", "copper": "#b3714a",
}  # fmt: skip
"""Colour of a tile → colour of the object."""

_COLOUR_WORDS = {colour: colour for colour in NAMED} | {
    re.split(r"\W", fold(name))[-1]: value
    for value, names in default_tree().attributes["colour"].values.items()
    if value in NAMED
    for name in names.values()
}
"""Word of product names, in each language and without accents → colour of the tile.

`Azul-Marinho` is known by its last word."""


@lru_cache(maxsize=8192)
def colour_of(name: str) -> str | None:
    """Return the colour that a product name says last, where names often say it; None if it says none.

    In Portuguese, colours agree with what they describe: `Malas Vermelhas`, `Preta`.
    """
    for word in reversed(analysed(name)):
        for form in sorted(word.forms):
            if found := _COLOUR_WORDS.get(form) or _COLOUR_WORDS.get(re.sub("a$", "o", form)):
                return found
    return None


DEFAULT_COLOURS = (
    "clay",
    "teal",
    "mustard",
    "navy",
    "forest",
    "rose",
    "slate",
    "purple",
    "orange",
    "olive",
    "blue",
    "red",
)
"""The colours of products whose name has no colour word."""

GROUNDS = ("#f3dcc8", "#d9e6dc", "#dbe4f0", "#f5e3b8", "#ecd9e4", "#d3e7ea", "#e4dccd", "#e3def2", "#f4d6cf",
           "#cfd8c2")  # fmt: skip
"""The colours of backgrounds."""

MIN_CONTRAST = 80
"""The least Euclidean distance in RGB between the object and its background."""


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of one tile as CSS values."""

    ground: str
    wash: str
    floor: str
    main: str
    shade: str
    light: str
    ink: str


def palette(main: str, ground: int) -> Palette:
    """Return the colours of a tile on the first of `GROUNDS` from `ground` on with enough contrast."""
    own = _rgb(main)
    order = [_rgb(GROUNDS[(ground + step) % len(GROUNDS)]) for step in range(len(GROUNDS))]
    deeper = (_deepen(colour, share) for share in (0.0, 0.25, 0.4, 0.6) for colour in order)
    back = next(colour for colour in deeper if _distance(own, colour) > MIN_CONTRAST)
    return Palette(
        ground=_hex(back),
        wash=_hex(_mix(back, (255, 255, 255), 0.45)),
        floor=_hex(_mix(back, (60, 50, 45), 0.1)),
        main=main,
        shade=_hex(_mix(own, (20, 20, 32), 0.2)),
        light=_hex(_mix(own, (255, 255, 255), 0.42)),
        ink=_hex(_mix(own, (22, 22, 30), 0.66)),
    )


def _rgb(text: str) -> Rgb:
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def _hex(colour: Rgb) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _mix(one: Rgb, other: Rgb, share: float) -> Rgb:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _deepen(colour: Rgb, share: float) -> Rgb:
    """Return a darker background for a light object, more saturated so that it does not look grey."""
    if not share:
        return colour
    mean = sum(colour) / 3
    red, green, blue = (round(max(0.0, min(255.0, mean + (c - mean) * 2)) * (1 - share)) for c in colour)
    return red, green, blue


def _distance(one: Rgb, other: Rgb) -> float:
    return float(sum((a - b) ** 2 for a, b in zip(one, other, strict=True)) ** 0.5)
