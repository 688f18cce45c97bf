"""Where sellers and shoppers live: cities of Brazil, by population, as in Olist's data."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from producers.simulator.randomness import Index, choose_weighted, named_rng
from producers.simulator.world.shape import WorldShape

COUNTRY = "BR"

CITIES: tuple[tuple[str, str, int, int, float], ...] = (
    ("sao paulo", "SP", 1000, 5999, 11.5), ("rio de janeiro", "RJ", 20000, 23799, 6.2),
    ("brasilia", "DF", 70000, 72799, 2.8), ("fortaleza", "CE", 60000, 61599, 2.4),
    ("salvador", "BA", 40000, 42599, 2.4), ("belo horizonte", "MG", 30000, 31999, 2.3),
    ("manaus", "AM", 69000, 69099, 2.1), ("curitiba", "PR", 80000, 82999, 1.8),
    ("recife", "PE", 50000, 52999, 1.5), ("goiania", "GO", 74000, 74899, 1.4),
    ("porto alegre", "RS", 90000, 91999, 1.3), ("belem", "PA", 66000, 66999, 1.3),
    ("guarulhos", "SP", 7000, 7399, 1.3), ("campinas", "SP", 13000, 13139, 1.1),
    ("sao luis", "MA", 65000, 65109, 1.0), ("maceio", "AL", 57000, 57099, 1.0),
    ("natal", "RN", 59000, 59139, 0.8), ("joao pessoa", "PB", 58000, 58099, 0.8),
    ("ribeirao preto", "SP", 14000, 14114, 0.7), ("uberlandia", "MG", 38400, 38415, 0.7),
    ("florianopolis", "SC", 88000, 88099, 0.5), ("vitoria", "ES", 29000, 29099, 0.3),
)  # fmt: skip
"""(city, state, first and last zip prefix, millions of people), spelt as Olist spells them."""


@dataclass(frozen=True)
class Places:
    """The places of n people: `city` is an index of CITIES, `zip_prefix` the first five digits."""

    city: Index
    zip_prefix: list[str]

    def columns(self) -> dict[str, list[Any]]:
        """The address fields of `seller_registered` and `shopper_registered`."""
        return {
            "zip_prefix": self.zip_prefix,
            "city": [CITIES[row][0] for row in self.city.tolist()],
            "state": [CITIES[row][1] for row in self.city.tolist()],
            "country": [COUNTRY] * len(self.zip_prefix),
        }


def draw_places(shape: WorldShape, people: str, count: int) -> Places:
    """Return the places of `count` people; `people` (`sellers` or `shoppers`) names their random stream."""
    rng = named_rng(shape.seed, f"places of {people}")
    city = choose_weighted(rng, np.array([millions for *_, millions in CITIES]), count)
    first = np.array([first for _, _, first, _, _ in CITIES])[city]
    last = np.array([last for _, _, _, last, _ in CITIES])[city]
    return Places(city, [f"{prefix:05d}" for prefix in rng.integers(first, last + 1).tolist()])
