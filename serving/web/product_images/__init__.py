"""Draws tiles in place of product photos: a shape in the product's colour on a background."""

import re
from functools import cache, lru_cache
from hashlib import blake2b
from pathlib import Path
from string import Template

from serving.web.product_images.colours import DEFAULT_COLOURS, GROUNDS, NAMED, colour_of, palette
from serving.web.product_images.words import drawing

SHAPES = Path(__file__).parent / "shapes"
"""The folder of the drawings: one SVG file each, in a box of 200 × 200. `$m` is the object's colour, `$s` its
shade, `$l` its light, `$k` ink, `$w` white and `$a` wood or brass."""

DRAWINGS = (SHAPES, Path(__file__).parent)
"""The folders whose files determine how a tile looks."""

SCENES = (
    '<circle cx="100" cy="92" r="70" fill="$wash"/>',
    '<path d="M38 152V96c0-80 124-80 124 0v56z" fill="$wash"/>',
    '<path d="M0 120L200 40v160H0z" fill="$wash"/>',
    '<circle cx="150" cy="54" r="34" fill="$wash"/><circle cx="40" cy="120" r="54" fill="$wash"/>',
    '<path d="M0 66c50-34 60 30 100 10s60-40 100-10v134H0z" fill="$wash"/>',
    '<rect x="34" y="26" width="132" height="126" rx="18" fill="$wash"/>',
)
"""The background shapes."""

_FRAME = Template(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 200"><rect width="200" height="200" '
    'fill="$ground"/>$scene<path d="M0 150h200v50H0z" fill="$floor"/>'
    '<ellipse cx="104" cy="153" rx="66" ry="7" fill="#2b2320" opacity=".16"/>$drawing</svg>'
)


def tile_name(product_id: str, name: str | None, category: str | None) -> str:
    """Return the name of a product's tile, such as `lamp-teal-3-1`. Similar products share a tile."""
    drawn = drawing(name or "", category or "")
    seed = blake2b(product_id.encode(), digest_size=2).digest()
    colour = colour_of(name or "") or DEFAULT_COLOURS[seed[0] % len(DEFAULT_COLOURS)]
    ground = blake2b((category or "").encode(), digest_size=1).digest()[0] % len(GROUNDS)
    return f"{drawn}-{colour}-{ground}-{seed[1] % len(SCENES)}"


@lru_cache(maxsize=4096)
def draw(tile: str) -> bytes | None:
    """Return the SVG of a tile; None if no tile has this name."""
    found = re.fullmatch(r"([a-z-]+)-([a-z]+)-(\d)-(\d)", tile)
    if not found:
        return None
    drawn, colour, ground, scene = found[1], found[2], int(found[3]), int(found[4])
    if drawn not in shapes() or colour not in NAMED or scene >= len(SCENES):
        return None
    colours = palette(NAMED[colour], ground)
    inside = shapes()[drawn].substitute(
        m=colours.main, s=colours.shade, l=colours.light, k=colours.ink, w="#fdfcf8", a="#c79a62"
    )
    behind = Template(SCENES[scene]).substitute(wash=colours.wash)
    svg = _FRAME.substitute(ground=colours.ground, floor=colours.floor, scene=behind, drawing=inside)
    return svg.encode()


@cache
def shapes() -> dict[str, Template]:
    """Return every drawing by name."""
    return {path.stem: Template(path.read_text()) for path in sorted(SHAPES.glob("*.svg"))}
