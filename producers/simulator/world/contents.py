"""The contents of listings: titles, descriptions, attributes and variants, as sellers write them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from producers.simulator.randomness import Floats, Index, named_rng
from producers.simulator.world.categories import LEAVES, NOUNS, Leaf, Noun
from producers.simulator.world.sellers import Sellers
from producers.simulator.world.shape import WorldShape
from producers.simulator.world.titles import DRAWS, description, title
from producers.simulator.world.variants import AXES, Variants, steps

_ATTRIBUTES = max(len(noun.attributes) for noun in NOUNS)
_BATCH = 10_000

_FREQUENT_FIRST = 1.5
"""The first of n values of an attribute is drawn with probability n ** (-1 / _FREQUENT_FIRST)."""

_SECOND_HAND_SELLERS = 0.05
_SECOND_HAND = {
    "Electronics": "refurbished",
    "Books": "used",
    "Fashion": "used",
    "Toys": "used",
    "Office": "used",
}
"""Department → the condition of what some sellers sell there."""

_SKU_SELLERS = 0.85


@dataclass(frozen=True)
class Contents:
    """What the sellers of n products say of them.

    `group_ids` are None for products without variants. `attributes` are key → value, as in events.
    """

    names: list[str]
    descriptions: list[str | None]
    group_ids: list[str | None]
    attributes: list[dict[str, str]]
    conditions: list[str]
    handling_days: list[int | None]
    skus: list[str | None]


def without_contents(names: list[str]) -> Contents:
    """Return the contents of products that have nothing but names."""
    n = len(names)
    return Contents(names, [None] * n, [None] * n, [{} for _ in names], ["new"] * n, [None] * n, [None] * n)


def draw_contents(
    shape: WorldShape, sellers: Sellers, category: Index, noun: Index, variants: Variants
) -> Contents:
    """Draw what sellers say of their products. `category` and `noun` are indices of LEAVES and NOUNS."""
    n = len(category)
    rng = named_rng(shape.seed, "contents")
    size = np.bincount(variants.leader, minlength=n)[variants.leader]
    rows = zip(
        category.tolist(), noun.tolist(), variants.seller.tolist(), variants.member.tolist(), size.tolist(),
        _draws(rng, n), strict=True,
    )  # fmt: skip
    names: list[str] = []
    descriptions: list[str | None] = []
    attributes: list[dict[str, str]] = []
    group = _Group(LEAVES[0], NOUNS[0], 0, 1, [0.0] * (DRAWS + _ATTRIBUTES + 2))
    for leaf, which, seller, member, count, draw in rows:
        if member == 0:
            group = _Group(LEAVES[leaf], NOUNS[which], which, count, draw)
        language, found = sellers.languages[seller], group.attributes(member)
        of_noun = group.noun.names[language]
        names.append(title(of_noun, language, found, group.varied, group.draw))
        descriptions.append(description(of_noun, language, found, group.draw))
        attributes.append(found)
    grouped = variants.grouped().tolist()
    group_ids = [
        f"group-{leader + 1:06d}" if of_group else None
        for leader, of_group in zip(variants.leader.tolist(), grouped, strict=True)
    ]
    return Contents(
        names, descriptions, group_ids, attributes, *_offers(shape, sellers, category, variants, attributes)
    )


class _Group:
    """A product with its variants: drawn once, and the variants differ in the values of some attributes."""

    def __init__(self, leaf: Leaf, noun: Noun, which: int, size: int, draw: list[float]) -> None:
        self.noun, self.draw = noun, draw[:DRAWS]
        of_values = draw[DRAWS:]
        self._common = {"brand": _frequent_first(leaf.brands, of_values[0])} | {
            key: _frequent_first(values, of_values[1 + place])
            for place, (key, values) in enumerate(noun.attributes.items())
        }
        axes = AXES[which]
        lengths = tuple(len(noun.attributes[key]) for key in axes)
        self._steps = steps(size, lengths, of_values[-1]) if size > 1 else [tuple(0 for _ in axes)]
        self.varied = [key for place, key in enumerate(axes) if any(step[place] for step in self._steps)]
        self._axes = axes

    def attributes(self, member: int) -> dict[str, str]:
        found = dict(self._common)
        for key, step in zip(self._axes, self._steps[member], strict=True):
            values = self.noun.attributes[key]
            found[key] = values[(values.index(found[key]) + step) % len(values)]
        return found


def _offers(
    shape: WorldShape, sellers: Sellers, category: Index, variants: Variants, attributes: list[dict[str, str]]
) -> tuple[list[str], list[int | None], list[str | None]]:
    rng, seller = named_rng(shape.seed, "offers"), variants.seller
    second_hand = (rng.random(len(sellers.ids)) < _SECOND_HAND_SELLERS)[seller].tolist()
    with_sku = (rng.random(len(sellers.ids)) < _SKU_SELLERS)[seller].tolist()
    conditions = [
        _SECOND_HAND.get(LEAVES[leaf].department, "new") if old else "new"
        for leaf, old in zip(category.tolist(), second_hand, strict=True)
    ]
    days: list[int | None] = np.ceil(2 * sellers.handling_days[seller]).astype(np.int64).tolist()
    skus = [
        f"{found['brand'][:3].upper()}-{number:06d}" if has else None
        for number, (found, has) in enumerate(zip(attributes, with_sku, strict=True), 1)
    ]
    return conditions, days, skus


def _draws(rng: np.random.Generator, n: int) -> Iterator[list[float]]:
    for start in range(0, n, _BATCH):
        batch: Floats = rng.random((min(_BATCH, n - start), DRAWS + _ATTRIBUTES + 2))
        yield from batch.tolist()


def _frequent_first(values: tuple[str, ...], draw: float) -> str:
    return values[int(draw**_FREQUENT_FIRST * len(values))]
