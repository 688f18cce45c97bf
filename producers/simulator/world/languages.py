"""The language in which each seller writes and each shopper searches."""

import numpy as np

from producers.simulator.randomness import named_rng
from producers.simulator.world.shape import WorldShape


def draw_languages(shape: WorldShape, people: str, count: int) -> list[str]:
    """Return `en` or `pt_BR` for each of `count` people.

    `people` (`sellers` or `shoppers`) names their random stream. A seller writes all titles in one language.
    In worlds of the first version all write English.
    """
    if not shape.has_contents:
        return ["en"] * count
    drawn = named_rng(shape.seed, f"languages of {people}").random(count) < shape.portuguese_share
    return np.where(drawn, "pt_BR", "en").tolist()  # type: ignore[no-any-return]
